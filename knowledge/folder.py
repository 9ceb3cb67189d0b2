"""Source: a folder of files, the charter's `knowledge/` first of all. Files are read when they change.

Front matter of a Markdown file may name its title and its readers; without it the first heading is the title, and
those who read the folder read the file.
"""

from __future__ import annotations

import asyncio
import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from knowledge.engine.audience import TEAM, is_reader
from knowledge.engine.blocks import first_heading
from knowledge.engine.documents import Document
from knowledge.engine.readable import NotReadable, check_size
from knowledge.engine.reading import Reader, suffix_of
from knowledge.engine.source import Item, SourceAway
from knowledge.engine.source_settings import SourceSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from knowledge.engine.source_settings import Surroundings

OWN_FILES = frozenset({"sources.yaml"})  # of the charter, no documents
FENCE = "---"
ENDS = (FENCE, "...")
LONGEST = 40  # lines of front matter that is looked for although nothing ends it
MOST = 20_000  # files
_NAMES_READERS = re.compile(r"\s*readers?\s*:", re.IGNORECASE)


class Settings(SourceSettings):
    """A folder on this machine."""

    kind: Literal["folder"]
    path: str  # relative to the charter's knowledge folder, or absolute


class Folder:
    """The files below a folder. Hidden files are none of it; links that lead out of it are refused."""

    kind = "folder"
    complete = True

    def __init__(
        self, path: Path, name: str = "charter", *, readers: Sequence[str] = (TEAM,), reader: Reader | None = None
    ) -> None:
        self.name = f"folder:{name}"
        self.title = name
        self.watched = path
        self.without: frozenset[Path] = (
            frozenset()
        )  # folders in it that are sources of their own, for their own readers
        self._root = path
        self.readers = tuple(readers)
        self._reader = reader or Reader()

    async def items(self) -> AsyncIterator[Item]:
        for path in await asyncio.to_thread(self._files):
            key = _printable(path.relative_to(self._root).as_posix())
            yield Item(key=key, version=self._version(path), load=partial(self._load, path, key))

    def _version(self, path: Path) -> str:
        try:
            found = path.stat()
        except OSError:
            return ""
        return f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"

    def _files(self) -> list[Path]:
        if not self._root.is_dir():
            raise SourceAway(f"There is no folder {self._root}.", hint="Nothing was removed for that.")
        found: list[Path] = []
        for folder, names, files in os.walk(self._root):
            names[:] = sorted(name for name in names if not name.startswith(".") and self._is_mine(Path(folder, name)))
            found += [
                Path(folder, file) for file in sorted(files) if not file.startswith(".") and file not in OWN_FILES
            ]
            if len(found) > MOST:
                raise SourceAway(f"The folder {self._root} has more than {MOST:,} files.", hint="Name a smaller one.")
        return found

    def _is_mine(self, folder: Path) -> bool:
        return not self.without or folder.resolve() not in self.without

    async def _load(self, path: Path, key: str) -> Document:
        suffix_of(path.name)
        data = await asyncio.to_thread(self._bytes, path)
        parsed = await self._reader.read(path.name, data)
        front: dict[str, Any] = {}
        text = parsed.text
        if parsed.format == "markdown":
            front, text = split_front_matter(text)
        title = str(front.get("title") or "") or parsed.title
        if not title and parsed.format == "markdown" and path.suffix.lower() in {".md", ".markdown"}:
            title = first_heading(text)
        return Document(
            source=self.name,
            key=key,
            kind="file",
            title=" ".join(title.split())[:200] or _title_of(path),
            text=text,
            format=parsed.format,
            readers=_named(front["readers"]) if "readers" in front else self.readers,
            origin="outside_text" if parsed.by_model else "member_text",
        )

    def _bytes(self, path: Path) -> bytes:
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise NotReadable("It is a link that leads out of the folder.")
        if not path.is_file():
            raise NotReadable("It is not a regular file.")
        check_size(path.stat().st_size)
        return path.read_bytes()


def open_source(settings: Settings, around: Surroundings) -> Folder:
    """The folder that the charter names."""
    path = Path(settings.path).expanduser()
    root = path if path.is_absolute() else around.charter / "knowledge" / path
    return Folder(root, settings.name, readers=around.readers(settings), reader=around.files)


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The YAML between two lines of `---` at the very top, and the rest. NotReadable where it is broken.

    Whoever begins it and names readers means it: what cannot be understood then is refused, never read by more people.
    """
    lines = text.lstrip("\n").split("\n")
    if lines[0].strip() != FENCE:
        return {}, text
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() in ENDS), None)
    if end is None:
        if any(map(_NAMES_READERS.match, lines[1:LONGEST])):
            raise NotReadable("Its front matter does not end.", hint="A line of --- ends it.")
        return {}, text
    front = _parsed("\n".join(lines[1:end]))
    if front is None:
        return {}, text  # two rulers, no front matter
    if "reader" in front:
        raise NotReadable("Its front matter names a 'reader'.", hint="Write readers: [role:finance].")
    rest = "\n".join(lines[end + 1 :])
    if not rest.strip():
        raise NotReadable("It has front matter and no text.")
    return front, rest


def _parsed(text: str) -> dict[str, Any] | None:
    """Front matter by its keys in small letters; None where it is something else."""
    import yaml

    try:
        front = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date that is none, brackets without end
        raise NotReadable("Its front matter is not YAML.", hint=str(error).split("\n", maxsplit=1)[0]) from error
    return {str(key).strip().lower(): value for key, value in front.items()} if isinstance(front, dict) else None


def _named(value: object) -> tuple[str, ...]:
    """Readers as the front matter has them. A wrong one is an error: the document must not be read by more people."""
    named = value if isinstance(value, list) else [value]
    for reader in named:
        if not isinstance(reader, str) or not is_reader(reader):
            raise NotReadable(
                f"Its front matter names {reader!r} as a reader.",
                hint="Readers are team, role:NAME, person:ID or channel:PLATFORM:TENANT:CHANNEL.",
            )
    return tuple(named)


def _title_of(path: Path) -> str:
    return _printable(path.stem).replace("-", " ").replace("_", " ").strip() or "Untitled"


def _printable(name: str) -> str:
    """A file name as text; bytes that are none are replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
