"""Where the vector indexes of this installation are, and the name of that place in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.types import Frozen

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.clock import Ids


class IndexPlace(Frozen):
    """A folder or a server with vector indexes."""

    name: str  # stays the same when the folder is moved; another folder has another name
    address: str  # path or URL
    shared: bool  # other processes use it too


def index_place(folder: Path, chroma_url: str | None, ids: Ids) -> IndexPlace:
    """The server where there is one, else a folder below `folder`, which is made and named where it is new."""
    if chroma_url:
        return IndexPlace(name=f"server:{chroma_url}", address=chroma_url, shared=True)
    root = folder / "vectors"
    root.mkdir(parents=True, exist_ok=True)
    label = root / "name"
    if not label.is_file():
        label.write_text(ids.new(), "utf-8")
    return IndexPlace(name=f"folder:{label.read_text('utf-8').strip()}", address=str(root), shared=False)
