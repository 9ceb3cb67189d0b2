"""The one grammar in which a person can write a tool call out, for when no model is configured.

    call     = [ "/tool" ] NAME argument*            write_file path=notes.md content="Two words"
             | NAME "(" argument ("," argument)* ")"   write_file(path="notes.md", content="Two words")
    argument = KEY "=" VALUE

A value stands in single or double quotes where it holds a space; line breaks may stand inside the quotes. What is
not text in the tool's schema (numbers, true and false, lists, objects) is read as JSON; lists and objects need no
quotes around them, and a list of one word may be the word alone. Several calls stand on lines of their own. Without
"/tool" only the names of tools begin a call, so ordinary sentences are never taken for one.
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
_JSON = json.JSONDecoder()
_SAYS_WHAT = frozenset({"type", "anyOf", "allOf", "$ref"})  # one of them says of what kind a value is
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
        lexer = shlex.shlex(_quoted_json(candidate), posix=True, punctuation_chars=False)
        lexer.whitespace, lexer.whitespace_split, lexer.commenters = spaces, True, ""
        try:
            words = list(lexer)
        except ValueError:  # a quote without its partner, an apostrophe in a sentence
            continue
        if "“" not in text or candidate != text:
            return words
    return None


def _quoted_json(text: str) -> str:
    """The text with quotes around lists and objects that are values, so that they stay one word as they stand."""
    made: list[str] = []
    at, quote = 0, ""
    while at < len(text):
        char, step = text[at], 1
        if char == "\\" and quote != "'":
            step = 2
        elif quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "[{" and text[at - 1 : at] == "=" and (end := _end_of_json(text, at)):
            made.append("'" + text[at:end].replace("'", "\\u0027") + "'")
            at = end
            continue
        made.append(text[at : at + step])
        at += step
    return "".join(made)


def _end_of_json(text: str, at: int) -> int:
    """Where the JSON that begins there ends; 0 if it is none."""
    try:
        return _JSON.raw_decode(text, at)[1]
    except (ValueError, RecursionError):
        return 0


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
    if "string" in kinds or not _SAYS_WHAT.intersection(schema):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        if "array" in kinds and not value.startswith("["):
            return [value] if value else []
        return value  # does not fit: the door says what was expected
