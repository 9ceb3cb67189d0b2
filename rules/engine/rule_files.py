"""Changing the text of a rule file: one rule put in its place, added or taken away; the rest stays to the letter."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

if TYPE_CHECKING:
    from kernel.types import Json
    from rules.engine.language import Rule

HEADER = "# Rules that people agreed to in the chat. The ledger says who, when and why (`rules.changed`).\n\n"
WIDEST = 4096  # characters of a line; rules are kept on lines of their own


@dataclass(frozen=True, kw_only=True)
class _Item:
    """Where a rule stands in the text."""

    id: str
    start: int  # of its first character, behind the dash
    end: int  # behind its last one, a comment on that line included
    column: int  # of its first character


def ids_in(text: str) -> list[str]:
    """The ids of the rules in a file that is valid."""
    _, items = _items(text)
    return [item.id for item in items]


def with_rule(text: str, rule: Rule) -> str:
    """The file with the rule in the place of the one with its id, or behind the last one.

    An empty text becomes a new file. ValueError where the file is not written in a way that can be changed.
    """
    if not text.strip():
        return f"{HEADER}version: 1\n\nrules:\n  - {as_yaml(rule, 4)}\n"
    sequence, items = _items(text)
    known = next((item for item in items if item.id == rule.id), None)
    if sequence.flow_style:
        return _in_brackets(text, sequence, known, rule)
    if known is not None:
        return text[: known.start] + as_yaml(rule, known.column) + text[known.end :]
    last = items[-1]
    dash = text.rindex("-", 0, last.start)
    indent = dash - (text.rfind("\n", 0, dash) + 1)
    gap = "\n\n" if len(items) < 2 or "\n\n" in text[items[-2].end : last.start] else "\n"
    entry = f"{gap}{' ' * indent}- {as_yaml(rule, indent + 2)}"
    return text[: last.end] + entry + text[last.end :]


def without_rule(text: str, rule_id: str) -> str:
    """The file without the rule. ValueError where it is the only one, or the file cannot be changed."""
    sequence, items = _items(text)
    known = next((item for item in items if item.id == rule_id), None)
    if known is None or sequence.flow_style or len(items) == 1:
        raise ValueError(f"{rule_id} cannot be taken out of its file: it is not there, or it is the only rule in it")
    dash = text.rindex("-", 0, known.start)
    begin = text.rfind("\n", 0, dash) + 1
    end = text.find("\n", known.end) + 1 or len(text)
    while text[end : end + 1] == "\n" and text[:begin].endswith("\n\n"):  # one blank line is enough
        end += 1
    return text[:begin] + text[end:]


def _items(text: str) -> tuple[Any, list[_Item]]:
    """The sequence of rules and the rules in it."""
    root = YAML().compose(text)
    pairs = {key.value: value for key, value in getattr(root, "value", ()) if hasattr(key, "value")}
    sequence = pairs.get("rules")
    if sequence is None or not isinstance(sequence.value, list) or not sequence.value:
        raise ValueError("there is no list of rules in the file")
    found = []
    for node in sequence.value:
        rule_id = next((value.value for key, value in node.value if key.value == "id"), "")
        end = _end(text, node, whole_line=not sequence.flow_style)
        found.append(_Item(id=rule_id, start=node.start_mark.index, end=end, column=node.start_mark.column))
    return sequence, found


def _end(text: str, node: Any, *, whole_line: bool) -> int:
    """Behind the last character of a node; what the parser gives for a block lies behind the space that follows it."""
    end = _last(node)
    end = len(text[:end].rstrip())
    if not whole_line:
        return end
    line = text.find("\n", end)
    rest = text[end : line if line >= 0 else len(text)]
    return end + len(rest) if rest.strip().startswith("#") else end


def _last(node: Any) -> int:
    if isinstance(node.value, str) or getattr(node, "flow_style", False) or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _last(last[1] if isinstance(last, tuple) else last)


def _in_brackets(text: str, sequence: Any, known: _Item | None, rule: Rule) -> str:
    entry = _dump(rule, flow=True)
    if known is not None:
        return text[: known.start] + entry + text[known.end :]
    end = _end(text, sequence.value[-1], whole_line=False)
    return f"{text[:end]}, {entry}{text[end:]}"


def as_yaml(rule: Rule, column: int) -> str:
    """The rule as a block whose first line begins at the column."""
    return _dump(rule, flow=False).replace("\n", f"\n{' ' * column}")


def _dump(rule: Rule, *, flow: bool) -> str:
    found = CommentedMap()
    for word, value in rule.model_dump(mode="json", by_alias=True, exclude_unset=True).items():
        found[word] = _inline(value)
    if flow:
        found.fa.set_flow_style()
    writer = YAML()
    writer.width = WIDEST
    out = io.StringIO()
    writer.dump(found, out)
    return out.getvalue().strip()


def _inline(value: Json) -> Json:
    """Lists and mappings inside a rule stand on one line."""
    if isinstance(value, list):
        made = CommentedSeq(_inline(each) for each in value)
        made.fa.set_flow_style()
        return made
    if isinstance(value, dict):
        mapped = CommentedMap((word, _inline(each)) for word, each in value.items())
        mapped.fa.set_flow_style()
        return mapped
    return value
