"""What people are told of a call: the tool's own preview, and beside it what only the rules know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kernel.types import Fact, Frozen, Payload
from rules.engine.conditions import origin_words
from rules.engine.record import Preview

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Json, RunFacts
    from rules.engine.facts import Origins
    from rules.engine.tooling import GovernedTool

HEADLINE = 120
ARGUMENTS, OTHERS = "Arguments", "Other arguments"  # titles of payloads
LINE = 200  # characters of an argument that is shown as a fact


class Shown(Frozen):
    """What the tool says of the call."""

    headline: str
    facts: tuple[Fact, ...] = ()
    payloads: tuple[Payload, ...] = ()
    warning: str = ""


def preview(
    tool: GovernedTool,
    arguments: Mapping[str, Json],
    origins: Mapping[str, Origins],
    run: RunFacts,
    shown: Shown,
    *,
    claim: str,
    nearest: str,
) -> Preview:
    """Everything that the card needs beside the approval's own row."""
    return Preview(
        headline=shown.headline[:HEADLINE],
        facts=shown.facts,
        payloads=in_full(arguments, shown),
        warning=" ".join(filter(None, (outside_warning(tool, arguments, origins), shown.warning))),
        effect=tool.effect,
        claim=claim,
        requester=run.requester.name,
        run=run.ref,
        place=run.place,
        channel=run.channel_name,
        target=target_of(tool, arguments),
        nearest=nearest,
        values=values_in_words(tool, arguments, origins),
    )


def in_full(arguments: Mapping[str, Json], shown: Shown) -> tuple[Payload, ...]:
    """What the tool shows, and every argument that it does not show verbatim: whoever approves can read all of them."""
    if any(payload.title == ARGUMENTS for payload in shown.payloads):
        return shown.payloads
    there = {payload.content for payload in shown.payloads}
    left = {name: value for name, value in arguments.items() if not (isinstance(value, str) and value in there)}
    if len(left) == len(arguments):
        return (*shown.payloads, literal(arguments))
    return (*shown.payloads, Payload(title=OTHERS, content=_json(left))) if left else shown.payloads


def plain(tool: GovernedTool, arguments: Mapping[str, Json]) -> Shown:
    """The preview of a call whose tool cannot be asked: its name, what it acts on, and the arguments as JSON."""
    verb = tool.name.replace("_", " ").capitalize()
    target = " ".join("".join(c if c.isprintable() else " " for c in target_of(tool, arguments)).split())
    headline = f"{verb}: {target}" if target else verb
    return Shown(
        headline=headline if len(headline) <= HEADLINE else f"{headline[: HEADLINE - 1]}…",
        facts=_facts(arguments),
        payloads=(literal(arguments),),
    )


def literal(arguments: Mapping[str, Json]) -> Payload:
    """The arguments, verbatim."""
    return Payload(title=ARGUMENTS, content=_json(dict(arguments)))


def difference(before: Mapping[str, Json], after: Mapping[str, Json]) -> Payload:
    """What an edit changed."""
    lines = []
    for name in after:
        if before.get(name) != after[name]:
            lines += [f"-{name}: {line}" for line in _json(before.get(name)).splitlines()]
            lines += [f"+{name}: {line}" for line in _json(after[name]).splitlines()]
    return Payload(title="Changes", content="\n".join(lines), language="diff")


def target_of(tool: GovernedTool, arguments: Mapping[str, Json]) -> str:
    """What the call acts on: the values that bear authority, as an approver would type them."""
    shown = [arguments[name] for name in tool.authority if arguments.get(name) is not None]
    return ", ".join(_bare(value) for value in shown)


def outside_warning(tool: GovernedTool, arguments: Mapping[str, Json], origins: Mapping[str, Origins]) -> str:
    """The sentence that leads a card whose target only somebody outside wrote, or nobody."""
    given = [name for name in tool.authority if arguments.get(name) != ""]  # of nothing nobody has to say where it is
    outside = [name for name in given if any(found <= {"outside_text"} for found in origins.get(name, ()))]
    made_up = [name for name in given if any(found <= {"nowhere"} for found in origins.get(name, ()))]
    sentences = []
    if outside:
        sentences.append(f"{_names(outside)} stands only in text from outside the team.")
    if made_up:
        sentences.append(f"{_names(made_up)} stands nowhere that this run has read: the agent made it up.")
    return " ".join(sentences)


def values_in_words(tool: GovernedTool, arguments: Mapping[str, Json], origins: Mapping[str, Origins]) -> str:
    """Where the values that bear authority come from."""
    told = []
    for name in tool.authority:
        if arguments.get(name) == "":
            continue
        found = frozenset(origin for value in origins.get(name, ()) for origin in value)
        if found:
            told.append(f"{name} {origin_words(found)}")
    return "; ".join(told)


def _names(names: list[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _facts(arguments: Mapping[str, Json]) -> tuple[Fact, ...]:
    """The arguments that fit into a line, in the tool's order."""
    short = ((name, _bare(value)) for name, value in arguments.items() if isinstance(value, str | int | float))
    return tuple(
        Fact(label=name.replace("_", " ").capitalize(), value=value)
        for name, value in short
        if value.strip() and len(value) <= LINE and "\n" not in value
    )


def _bare(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(_bare(entry) for entry in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json(value: Json) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
