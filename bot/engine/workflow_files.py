"""The workflow files of the charter as Bosun itself changes them: checked against the whole first, then atomically."""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import yaml

from bot.engine.whole_files import write_whole
from kernel.errors import BosunError, CharterError, NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.engine.charter import Charter

    Check = Callable[[Mapping[str, bytes | None]], Awaitable[Charter]]

FOLDER, DELETED = "workflows", "deleted"


class FileProblemError(BosunError):
    """The charter's folder could not be written, or the change would not fit the rest of the charter."""

    code = "workflow-file"


class WorkflowFiles:
    """Adds and takes away workflow files. What is taken away lies in workflows/deleted, which nobody reads."""

    def __init__(self, folder: Path, check: Check, look: Callable[[], Awaitable[object]]) -> None:
        """`check` reads the charter as it would be with changed files, `look` brings the files into force."""
        self.folder = folder
        self.check = check
        self.look = look

    def path_of(self, name: str) -> str:
        """Where the file of that workflow is, or would be, in the charter. Of a name that is none, a harmless one."""
        known = self._of(name)
        return known.relative_to(self.folder).as_posix() if known else f"{FOLDER}/{PurePath(name).name}.yaml"

    def text_of(self, name: str) -> str:
        """The file of that workflow; empty where there is none."""
        known = self._of(name)
        return known.read_text("utf-8-sig") if known else ""

    async def remove(self, name: str) -> str:
        """Take the file of that workflow away; returns where it lies now. NotFound, FileProblemError."""
        path = await asyncio.to_thread(self._of, name)
        if path is None:
            raise NotFound(f"No file of the charter defines the workflow '{name}'.")
        inside = path.relative_to(self.folder).as_posix()
        await self._checked({inside: None}, f"{name} cannot be deleted")
        return await self._changed(lambda: self._move(path))

    async def add(self, name: str, text: str) -> str:
        """Write the file of that workflow, in place of the one that there is; returns its path. FileProblemError."""
        known = await asyncio.to_thread(self._of, name)
        path = known or self.folder / FOLDER / f"{name}.yaml"
        inside = path.relative_to(self.folder).as_posix()
        if known is None and path.exists():
            raise FileProblemError(f"{inside} exists already and defines another workflow.")
        await self._checked({inside: text.encode()}, f"{name} was not taken")
        await self._changed(lambda: write_whole(path, text))
        return inside

    async def _checked(self, changed: Mapping[str, bytes | None], what: str) -> None:
        try:
            await self.check(changed)
        except CharterError as error:
            raise FileProblemError(f"{what}: {'; '.join(error.problems[:3])}") from error

    async def _changed(self, change: Callable[[], str]) -> str:
        try:
            where = await asyncio.to_thread(change)
        except OSError as error:
            reason = error.strerror or str(error)
            raise FileProblemError(f"The charter's folder cannot be changed: {reason}.") from error
        await self.look()
        return where

    def _of(self, name: str) -> Path | None:
        """The file that defines the workflow."""
        for path in sorted((self.folder / FOLDER).glob("*.yaml")):
            try:
                found = yaml.safe_load(path.read_text("utf-8-sig"))
            except (OSError, ValueError, yaml.YAMLError):  # the charter's own check names its mistakes
                continue
            if isinstance(found, dict) and found.get("name") == name:
                return path
        return None

    def _move(self, path: Path) -> str:
        folder = self.folder / FOLDER / DELETED
        folder.mkdir(exist_ok=True)
        number, target = 1, folder / path.name
        while target.exists():
            number, target = number + 1, folder / f"{path.stem}-{number + 1}{path.suffix}"
        path.rename(target)
        return target.relative_to(self.folder).as_posix()
