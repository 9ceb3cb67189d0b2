"""Source: a folder of Markdown and text files, the charter's `knowledge/` first of all.

Front matter may name a document's title and its readers; without it the first heading is the title and the team reads.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.engine.audience import TEAM, is_reader
from knowledge.engine.blocks import first_heading
from knowledge.engine.documents import Document
from knowledge.engine.loading import NotReadable, check_size, decode, format_of
from knowledge.engine.source import Item, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_FILES = frozenset({"sources.yaml"})  # of the charter, no documents
FENCE = "---"


class Folder(Source):
    """The files below a folder. Hidden files are none of it; links that lead out of it are refused."""

    def __init__(self, path: Path, name: str = "charter") -> None:
        self.name = f"folder:{name}"
        self._root = path

    def items(self) -> Iterator[Item]:
        if not self._root.is_dir():
            raise NotReadable(f"There is no folder {self._root}.", hint="Nothing was removed for that.")
        for folder, names, files in os.walk(self._root):
            names[:] = sorted(name for name in names if not name.startswith("."))
            for file in sorted(files):
                if not file.startswith(".") and file not in OWN_FILES:
                    path = Path(folder, file)
                    key = path.relative_to(self._root).as_posix()
                    yield Item(key=_printable(key), load=partial(self._load, path, _printable(key)))

    def _load(self, path: Path, key: str) -> Document:
        form = format_of(path.name)
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise NotReadable("It is a link that leads out of the folder.")
        if not path.is_file():
            raise NotReadable("It is not a regular file.")
        check_size(path.stat().st_size)
        text = decode(path.read_bytes())
        front: dict[str, Any] = {}
        if form == "markdown":
            front, text = split_front_matter(text)
        title = str(front.get("title") or "") or (first_heading(text) if form == "markdown" else "")
        return Document(
            source=self.name,
            key=key,
            kind="file",
            title=" ".join(title.split())[:200] or _title_of(path),
            text=text,
            format=form,
            readers=_readers(front.get("readers", TEAM)),
            origin="member_text",
        )


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The YAML between two lines of `---` at the very top, and the rest. NotReadable where it is broken."""
    lines = text.split("\n")
    if lines[0].strip() != FENCE or FENCE not in (line.strip() for line in lines[1:]):
        return {}, text
    end = next(number for number, line in enumerate(lines[1:], 1) if line.strip() == FENCE)
    import yaml

    try:
        front = yaml.safe_load("\n".join(lines[1:end]))
    except yaml.YAMLError as error:
        raise NotReadable("Its front matter is not YAML.", hint=str(error).split("\n", maxsplit=1)[0]) from error
    if not isinstance(front, dict):
        return {}, text  # two rulers, no front matter
    rest = "\n".join(lines[end + 1 :])
    if not rest.strip():
        raise NotReadable("It has front matter and no text.")
    return front, rest


def _readers(value: object) -> tuple[str, ...]:
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
