"""A receipt as people read it in the chat and on the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kernel import moments
from rules.engine.conditions import origin_words
from rules.engine.wording import plain_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.engine.receipt_lines import Line
    from rules.engine.receipts import CallReceipt, Receipt

LINES = 40  # in the chat; the export has them all
ARGUMENTS = 600  # characters of the arguments of a call in the chat


def markdown(receipt: Receipt) -> str:
    """For the chat. What a model or somebody outside wrote stays plain text."""
    request = plain_markdown(receipt.request[:300])
    parts = [f"**Receipt of {receipt.run}**: {plain_markdown(receipt.requester)} asked “{request}”"]
    room = LINES
    for call in receipt.calls:
        arguments = json.dumps(call.arguments, ensure_ascii=False, sort_keys=True)
        shown = arguments if len(arguments) <= ARGUMENTS else f"{arguments[: ARGUMENTS - 1]}…"
        parts.append(f"\n`{call.tool}` by {call.agent}, with {plain_markdown(shown)}")
        parts += [f"- Values: {plain_markdown(values)}"] if (values := origins(call)) else []
        parts += [_item(one) for one in call.lines[:room]]
        room = max(0, room - len(call.lines))
    parts += ["", *(_item(one) for one in receipt.lines[: max(room, 5)])]
    left = len(receipt.every_line) > LINES
    parts.append(f"\n{_verdict(receipt)}{f' `bosun receipt {receipt.ref}` has all lines.' if left else ''}")
    return "\n".join(parts)


def plain(receipt: Receipt) -> str:
    """For the terminal, in full."""
    parts = [f"{receipt.run}: {receipt.requester} asked {receipt.agent or receipt.workflow}: {receipt.request}"]
    for call in receipt.calls:
        parts += [f"\n{call.tool} by {call.agent}", f"  arguments {json.dumps(call.arguments, ensure_ascii=False)}"]
        parts += [f"  values    {values}"] if (values := origins(call)) else []
        parts += [f"  {_row(one)}" for one in call.lines]
    parts += ["", *(_row(one) for one in receipt.lines), "", _verdict(receipt)]
    return "\n".join(parts)


def origins(call: CallReceipt) -> str:
    """ "payee stands in text from outside the team; reference typed by the requester"."""
    told = []
    for name, values in (call.origins or {}).items():
        found = frozenset(origin for value in values for origin in value)
        if found:
            told.append(f"{name} {origin_words(found)}")
    return "; ".join(told)


def _item(one: Line) -> str:
    mark = f"⚠ **{plain_markdown(one.problem)}** · " if one.problem else ""
    number = f"{one.entry} · " if one.entry is not None else ""
    at = f"{moments.written(one.at, seconds=True)} · " if one.at is not None else ""
    return f"- {mark}{number}{at}{plain_markdown(one.text)}"


def _row(one: Line) -> str:
    at = f"{one.at:%Y-%m-%d %H:%M:%S}Z" if one.at is not None else " " * 20
    entry = f"#{one.entry} {one.hash[:12]}" if one.entry is not None else "no entry"
    problem = f"  NOT BORNE: {one.problem}" if one.problem else ""
    return f"{at}  {entry:22} {one.text}{problem}"


def _verdict(receipt: Receipt) -> str:
    lines: Iterable[Line] = receipt.every_line
    count = sum(one.entry is not None for one in lines)
    if receipt.problems:
        lacking = len(receipt.problems)
        return f"{lacking} {'line is' if lacking == 1 else 'lines are'} not borne by the ledger."
    if count == 1:
        return "This line is borne by the ledger entry with its number."
    return f"Each of these {count} lines is borne by the ledger entry with its number."
