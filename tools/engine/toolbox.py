"""The tools that tools.yaml brings beside those that are files: what it declares of them, and putting it in force."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kernel.types import Effect, Json
    from tools.engine.catalogue import Catalogue
    from tools.engine.setup.file import ToolsFile
    from tools.engine.tool import Tool


# Parts of tools.yaml that are understood and that no tool acts on yet: refused, so that nobody relies on them.
NOT_YET = frozenset({"calendar", "crm", "databases", "code", "mcp", "apis"})
NOT_YET_OF_WEB = frozenset({"search", "robots", "pause"})


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A tool that a tools.yaml names, as the checks of the charter see it."""

    name: str
    effect: Effect
    arguments: Json  # JSON Schema
    free_text: tuple[str, ...] = ()
    is_open: bool = False  # the schema is known once the server has been asked


@dataclass(kw_only=True)
class Declarations:
    """What a tools.yaml declares, and what is wrong with it."""

    tools: list[Declared] = field(default_factory=list)
    problems: list[tuple[tuple[str | int, ...], str, str, tuple[str, ...]]] = field(default_factory=list)

    def fault(self, at: tuple[str | int, ...], message: str, word: str = "", known: Iterable[str] = ()) -> None:
        """Something in the file that cannot be; `known` are the words that were possible instead of `word`."""
        self.problems.append((at, message, word, tuple(known)))


class Toolbox:
    """Keeps the catalogue in step with tools.yaml."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def declared(self, setup: ToolsFile, folder: Path) -> Declarations:
        """What the file declares; `folder` is the charter's. Reads, connects to nothing."""
        found = Declarations()
        for word in setup.model_fields_set & NOT_YET:
            found.fault((word,), f"'{word}' is not connected by this version yet, so the setting would do nothing")
        for word in setup.web.model_fields_set & NOT_YET_OF_WEB:
            found.fault(("web", word), f"'{word}' is not there in this version yet, so the setting would do nothing")
        return found

    def use(self, setup: ToolsFile, folder: Path) -> None:
        """Put a checked file in force."""
        brought: list[Tool] = []
        self.catalogue.configure(setup, brought)
