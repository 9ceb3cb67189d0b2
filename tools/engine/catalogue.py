"""Which tools there are: one file each, beside this folder, found by looking; and those that tools.yaml brings."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.errors import ConfigError
from tools.engine.tool import Tool, ToolDefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

    from kernel.types import ToolSchema
    from tools.engine.setup.file import ToolsFile

HERE = Path(__file__).parent.parent


class Catalogue:
    """The tools by name. Holding one gives no way to act: a Tool opens for a permit only."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._own = _by_name(tools)  # one file each
        self._tools = self._own
        self._off: frozenset[str] = frozenset()
        self.version = 0  # counts the changes: what was worked out from another version is to be worked out again
        self._schemas = {name: tool.schema for name, tool in self._tools.items()}

    def configure(self, setup: ToolsFile, brought: Iterable[Tool] = ()) -> None:
        """Take the set-up: which of the own tools can be used with it, and the tools that it brings.

        ToolDefinitionError if one of them has the name of another, and nothing is changed.
        """
        tools = _by_name((*self._own.values(), *brought))
        fresh = {name: self._schemas[name] for name in self._own}
        self._schemas = fresh | {name: tool.schema for name, tool in tools.items() if name not in fresh}
        self._tools = tools
        self._off = frozenset(name for name, tool in tools.items() if tool.on is not None and not tool.on(setup))
        self.version += 1

    @property
    def own(self) -> frozenset[str]:
        """The names of the tools that are files, whatever is set up."""
        return frozenset(self._own)

    def __iter__(self) -> Iterator[Tool]:
        return iter(tuple(self._tools.values()))

    def get(self, name: str) -> Tool | None:
        """The tool with this name."""
        return self._tools.get(name)

    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(sorted(self._tools))

    def is_on(self, name: str) -> bool:
        """Whether the tool is there and the set-up has what it needs."""
        return name in self._tools and name not in self._off

    def schemas(self, names: Iterable[str]) -> list[ToolSchema]:
        """What a language model is told of these tools, in order of name; unknown names are left out."""
        return [self._schemas[name] for name in sorted(set(names)) if name in self._schemas]


def _by_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for tool in tools:
        if tool.name in found:
            first = found[tool.name].module
            raise ToolDefinitionError(f"Two tools are called {tool.name}: in {first} and in {tool.module}.")
        found[tool.name] = tool
    return found


def discover(folder: Path = HERE) -> Catalogue:
    """The tools that the Python files of `folder` define.

    Raises ConfigError that names every file which cannot be loaded, and why: a tool that does not say what effect
    it has does not load, and neither does anything beside it.
    """
    found: list[Tool] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith("_"):
            continue
        try:
            module = _load(path)
        except Exception as error:  # whatever a broken file raises when it is imported
            sentence = str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
            problems += [f"tools/{path.name}: {line}" for line in sentence.splitlines()]
            continue
        own = [value for value in vars(module).values() if isinstance(value, Tool) and value.module == module.__name__]
        if not own:
            problems.append(f"tools/{path.name}: it defines no tool. Files without tools belong into tools/engine.")
        found += own
    if problems:
        raise ConfigError("\n".join(problems))
    return Catalogue(found)


def _load(path: Path) -> ModuleType:
    if path.parent == HERE:
        return importlib.import_module(f"tools.{path.stem}")
    spec = importlib.util.spec_from_file_location(f"tools_in_{path.parent.name}.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigError("it cannot be read as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # pydantic looks annotations up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module
