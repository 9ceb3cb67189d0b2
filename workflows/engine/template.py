"""Texts with places in braces, such as {steps.facts.text}. Names only: nothing in a template is evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kernel.errors import BosunError

if TYPE_CHECKING:
    from kernel.types import Json

PLACE = re.compile(r"\{([^{}]*)\}")
OPENS, CLOSES = "⟨", "⟩"


class NoValueError(BosunError):
    """A place of a template has no value: what it names was not there."""

    code = "no-value"


class Unknown(str):
    """What nobody knows yet while a run is only rehearsed, shown as ⟨what lead answers⟩; so is all that is in it."""

    __slots__ = ()

    def __new__(cls, what: str) -> Unknown:
        """`what` says what it will be."""
        return super().__new__(cls, f"{OPENS}{what}{CLOSES}")


def is_known(value: Json) -> bool:
    """Whether nothing in the value is unknown."""
    return OPENS not in (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def places(text: str) -> list[str]:
    """The names in braces, in order."""
    return [name.strip() for name in PLACE.findall(text)]


def places_in(value: Json) -> list[str]:
    """The names in braces in all texts of a value, in order."""
    if isinstance(value, str):
        return places(value)
    if isinstance(value, list):
        return [name for one in value for name in places_in(one)]
    if isinstance(value, dict):
        return [name for one in value.values() for name in places_in(one)]
    return []


def look_up(name: str, values: Mapping[str, Json]) -> Json:
    """What stands at `steps.facts.data.total` in `values`. NoValueError where nothing does."""
    here: Json = values
    parts = name.split(".")
    for number, part in enumerate(parts):
        if here is None or isinstance(here, Unknown):  # nothing has no parts: the first run has no history
            return here
        if isinstance(here, Mapping) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdecimal() and int(part) < len(here):
            here = here[int(part)]
        else:
            before = ".".join(parts[:number])
            raise NoValueError(f"There is no '{part}' in {before}." if before else f"There is no '{part}'.")
    return here


def fill(text: str, values: Mapping[str, Json]) -> str:
    """`text` with each place replaced by its value, once: braces in a value stay as they are."""
    filled = PLACE.sub(lambda match: shown(look_up(match[1].strip(), values)), text)
    return re.sub(r"\n{3,}", "\n\n", filled).strip()


def resolve(value: Json, values: Mapping[str, Json]) -> Json:
    """A value with all its texts filled. A text that is one place and nothing else becomes the value itself."""
    if isinstance(value, str):
        whole = PLACE.fullmatch(value.strip())
        return look_up(whole[1].strip(), values) if whole else fill(value, values)
    if isinstance(value, list):
        return [resolve(one, values) for one in value]
    if isinstance(value, dict):
        return {name: resolve(one, values) for name, one in value.items()}
    return value


def shown(value: Json) -> str:
    """A value as people read it in a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(shown(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
