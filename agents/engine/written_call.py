"""The one grammar in which a person can write a tool call out, for when no model is configured.

    call     = [ "/tool" ] NAME argument*            write_file path=notes.md content="Two words"
             | NAME "(" argument ("," argument)* ")"   write_file(path="notes.md", content="Two words")
    argument = KEY "=" VALUE

A value stands in single or double quotes where it holds a space; line breaks may stand inside the quotes. What is
not text in the tool's schema (numbers, true and false, lists) is read as JSON. Several calls stand on lines of their
own. Without "/tool" only the names of tools begin a call, so ordinary sentences are never taken for one.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kernel.types import Json, ToolSchema

Written = tuple[str, dict[str, "Json"]]  # name of the tool, arguments

_PAREN = re.compile(r"^([a-z][a-z0-9_]*)\((.*)\)$", re.DOTALL)
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_KEY = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_]*$")
_CURLY = str.maketrans({"“": '"', "”": '"', "„": '"'})  # what phones make of quotes
PREFIX = "/tool"


def written_calls(text: str, tools: Iterable[ToolSchema]) -> list[Written]:
    """The calls that `text` consists of; an empty list if it is anything else."""
    schemas = {tool.name: tool.arguments for tool in tools}
    text = text.strip().removeprefix("```").removesuffix("```").strip()
    whole = _call(text, schemas)
    if whole is not None:
        return [whole]
    calls = [_call(line, schemas) for line in text.splitlines() if line.strip()]
    return [call for call in calls if call is not None] if all(calls) else []


def _call(text: str, schemas: Mapping[str, dict[str, Json]]) -> Written | None:
    text = text.strip().strip("`")
    paren = _PAREN.match(text)
    words = _words(paren[2], ", \t\r\n") if paren else _words(text, " \t\r\n")
    if words is None:
        return None
    explicit = not paren and words[:1] == [PREFIX]
    if explicit:
        words = words[1:]
    name = paren[1] if paren else (words.pop(0) if words else "")
    if not _NAME.match(name) or not (explicit or name in schemas):
        return None
    arguments = _arguments(words, schemas.get(name, {}))
    return None if arguments is None else (name, arguments)


def _words(text: str, spaces: str) -> list[str] | None:
    for candidate in (text, text.translate(_CURLY)):
        lexer = shlex.shlex(candidate, posix=True, punctuation_chars=False)
        lexer.whitespace, lexer.whitespace_split, lexer.commenters = spaces, True, ""
        try:
            words = list(lexer)
        except ValueError:  # a quote without its partner, an apostrophe in a sentence
            continue
        if "“" not in text or candidate != text:
            return words
    return None


def _arguments(words: list[str], schema: Mapping[str, Json]) -> dict[str, Json] | None:
    properties = schema.get("properties", {})
    arguments: dict[str, Json] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not _KEY.match(key) or key in arguments:
            return None
        arguments[key] = _value(value, properties.get(key, {}))
    return arguments


def _value(value: str, schema: Mapping[str, Json]) -> Json:
    kinds = {schema.get("type"), *(option.get("type") for option in schema.get("anyOf", ()))}
    if "string" in kinds or kinds == {None}:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value  # does not fit: the door says what was expected
