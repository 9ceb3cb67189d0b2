"""Which kinds of source there are: the files of the room that define `Settings` and `open_source`."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import knowledge
from knowledge.engine.source_settings import SourceSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from knowledge.engine.source import Source, Stream
    from knowledge.engine.source_settings import Surroundings


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of source."""

    name: str  # as sources.yaml says it
    settings: type[SourceSettings]
    open: Callable[[Any, Surroundings], Source | list[Stream]]


@functools.cache
def discover() -> Mapping[str, Kind]:
    """The kinds by name."""
    found: dict[str, Kind] = {}
    for info in pkgutil.iter_modules(knowledge.__path__, "knowledge."):
        if info.ispkg:
            continue
        module = importlib.import_module(info.name)
        settings = getattr(module, "Settings", None)
        if settings is None:
            continue
        name = get_args(settings.model_fields["kind"].annotation)[0]
        found[name] = Kind(name=name, settings=settings, open=module.open_source)
    return found
