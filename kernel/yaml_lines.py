"""Reading YAML that people write: plain values, the line of every part, and errors that name file and line.

The subset is small on purpose. Keys are text. Plain scalars follow YAML 1.2: only `true` and `false` are
booleans, so `on`, `no` and `12:00` stay text. Tags, anchors, aliases, merge keys, repeated keys and several
documents are errors.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from kernel.errors import CharterError
from kernel.yaml_fields import words_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from kernel.types import Json

ModelT = TypeVar("ModelT", bound=BaseModel)
Loc = tuple[str | int, ...]

DEPTH = 40  # levels of nesting; a charter needs about eight
SIZE = 1_000_000  # characters
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")  # more digits, or a leading zero, is an id and stays text
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it


@dataclass(frozen=True, kw_only=True)
class Located:
    """A YAML document: its plain value, and for the path of every part the line on which it stands."""

    path: str  # as it is shown in errors
    value: Json
    lines: Mapping[Loc, int]  # ("rules", 0, "tool") -> 12

    def line(self, loc: Loc) -> int:
        """The line of the part at `loc`, or of the closest part around it. Unknown words are skipped."""
        here: Loc = ()
        for part in loc:
            if (*here, part) in self.lines:
                here = (*here, part)
        return self.lines.get(here, 1)

    def problem(self, loc: Loc, message: str, word: str = "", known: Iterable[str] = ()) -> str:
        """`file:line: message`, and the one of `known` that `word` probably meant."""
        return f"{self.path}:{self.line(loc)}: {message}{did_you_mean(word, known)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'X'?)` for the closest of `known`; empty if none is close."""
    words = sorted(set(known)) if word else []
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if not near and len(word) >= 3:
        near = [longer for longer in words if longer.startswith(word)]
    return f" (did you mean '{near[0]}'?)" if near else ""


def load(path: str, text: str, *, first_line: int = 1) -> Located:
    """Read one document. CharterError names everything that is not allowed in it.

    `first_line` is the line of the file on which `text` begins (front matter does not begin on the first).
    """
    if len(text) > SIZE:
        raise CharterError([f"{path}:{first_line}: the file is larger than {SIZE:,} characters"])
    reader = _Reader(path, first_line)
    try:
        value = reader.document(yaml.parse(text, Loader=PARSER))
    except _TooDeep:
        raise CharterError(reader.problems) from None
    except yaml.YAMLError as error:
        raise CharterError([*reader.problems, reader.syntax(error, text)]) from error
    if reader.problems:
        raise CharterError(reader.problems)
    return Located(path=path, value=value, lines=reader.lines)


def parse(located: Located, model: type[ModelT]) -> ModelT:
    """The document as a `model`. CharterError with one line per fault, in the order of the file."""
    if located.value is None:
        raise CharterError([f"{located.path}:1: the file is empty"])
    try:
        return model.model_validate(located.value)
    except ValidationError as error:
        raise CharterError(faults(located, model, error)) from error


def faults(located: Located, model: type[BaseModel], error: ValidationError, at: Loc = ()) -> list[str]:
    """The faults that pydantic found, as `file:line: message`, in the order of the file.

    `at` is where the validated part stands in the document.
    """
    found = error.errors()
    found.sort(key=lambda fault: located.line((*at, *fault["loc"])))
    return list(dict.fromkeys(_fault(located, model, fault, at) for fault in found))


def _fault(located: Located, model: type[BaseModel], fault: ErrorDetails, at: Loc) -> str:
    loc, kind = fault["loc"], fault["type"]
    name = str(loc[-1]) if loc else ""
    where = (*at, *loc)
    if kind == "extra_forbidden":
        return located.problem(where, f"unknown word '{name}'", name, words_at(model, loc[:-1]))
    if kind == "missing":
        return located.problem(where, f"'{name}' is missing")
    if kind in {"literal_error", "enum", "union_tag_invalid"}:
        context = fault["ctx"]
        expected = str(context.get("expected") or context.get("expected_tags"))
        given = str(context.get("tag", fault["input"]))
        known = re.findall(r"'([^']*)'", expected)
        return located.problem(where, f"{_label(loc)}'{given}' is not one of {expected}", given, known)
    if kind == "string_type" and isinstance(fault["input"], bool | int | float):
        return located.problem(where, f"{_label(loc)}should be text: put {fault['input']} in quotes")
    message = str(fault["ctx"]["error"]) if kind == "value_error" else fault["msg"].replace("Input should", "should")
    return located.problem(where, f"{_label(loc)}{message[:1].lower()}{message[1:]}")


def _label(loc: Loc) -> str:
    names = [part for part in loc if isinstance(part, str)]
    return f"{names[-1]}: " if names else ""


class _TooDeep(Exception):
    """Reading stops here; the problem is noted."""


class _Reader:
    """Builds plain values from YAML events: nothing but text, numbers, lists and mappings can come out."""

    def __init__(self, path: str, first_line: int) -> None:
        self.path = path
        self.first_line = first_line
        self.lines: dict[Loc, int] = {}
        self.problems: list[str] = []

    def document(self, events: Iterator[yaml.Event]) -> Json:
        value: Json = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, "a second document begins here: one file holds one document")
                    break
            elif isinstance(event, yaml.NodeEvent):
                self.lines[()] = self._line(event)
                value = self._value(event, events, ())
        return value

    def syntax(self, error: yaml.YAMLError, text: str) -> str:
        """A syntax error as `file:line: message`."""
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark is not None:
            problem = getattr(error, "problem", "") or "not valid YAML"
            return f"{self.path}:{mark.line + self.first_line}: {problem}"
        before = text[: getattr(error, "position", 0)].count("\n")
        return f"{self.path}:{before + self.first_line}: a character that YAML does not allow"

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], at: Loc) -> Json:
        self.lines.setdefault(at, self._line(event))
        if isinstance(event, yaml.AliasEvent):
            return self._refuse(event, "anchors and aliases are not supported: write the value out")
        if getattr(event, "anchor", None):
            self._refuse(event, "anchors and aliases are not supported: write the value out")
        if len(at) > DEPTH:  # the rest of the events stays unread
            self._refuse(event, "nested too deeply")
            raise _TooDeep
        tag = getattr(event, "tag", None)
        if tag not in {None, "!"}:
            self._refuse(event, f"the tag {tag} is not supported")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value) if not event.style and tag is None else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, at)
        return self._mapping(events, at)

    def _sequence(self, events: Iterator[yaml.Event], at: Loc) -> list[Json]:
        items: list[Json] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._value(event, events, (*at, len(items))))
        return items

    def _mapping(self, events: Iterator[yaml.Event], at: Loc) -> dict[str, Json]:
        found: dict[str, Json] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event, events, at)
            known = self.lines.get((*at, key)) if key in found else None
            if known is not None:
                self._refuse(event, f"'{key}' stands here already, on line {known}")
            self.lines.setdefault((*at, key), self._line(event))
            found[key] = self._value(next(events), events, (*at, key))
        return found

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], at: Loc) -> str:
        if isinstance(event, yaml.ScalarEvent):
            if event.value == "<<" and not event.style:
                self._refuse(event, "merge keys (<<) are not supported: write the values out")
            if event.anchor or event.tag:
                self._refuse(event, "a key is plain text, without anchor or tag")
            return str(event.value)
        self._value(event, events, (*at, "?"))
        self._refuse(event, "a key is plain text")
        return "?"

    def _line(self, event: yaml.Event) -> int:
        return (event.start_mark.line if event.start_mark else 0) + self.first_line

    def _refuse(self, event: yaml.Event, message: str) -> None:
        self.problems.append(f"{self.path}:{self._line(event)}: {message}")


def _scalar(text: str) -> Json:
    """A plain scalar as YAML 1.2 reads it, apart from numbers that look like ids."""
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text) and math.isfinite(number := float(text)) and not text.lstrip("+-").isdigit():
        return number
    return text
