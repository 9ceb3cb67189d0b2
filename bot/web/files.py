"""Files that people attach and that Bosun posts: stored in the data folder under an id, never under their name."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import PurePath
from typing import TYPE_CHECKING
from urllib.parse import quote

from kernel.errors import NotFound, RefusedError, ToolError
from kernel.store import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from kernel.clock import Clock, Ids
    from kernel.store import Store

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # shown in the timeline


def clean_name(name: str) -> str:
    """A file name without folders and control characters, at most 120 characters."""
    last = PurePath(name.replace("\\", "/")).name
    kept = "".join(letter for letter in last if letter.isprintable()).strip(". ")
    return kept[-120:] or "file"


def disposition(name: str) -> str:
    """The header that makes a browser save a file instead of opening it (RFC 6266)."""
    plain = "".join(letter if letter.isascii() and letter not in '"\\%' else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"


class Files:
    """The uploads of one installation."""

    def __init__(self, *, folder: Path, store: Store, clock: Clock, ids: Ids) -> None:
        self._folder = folder / "web-files"
        self._store = store
        self._clock = clock
        self._ids = ids

    async def receive(self, name: str, owner: str, chunks: AsyncIterator[bytes], limit: int) -> web.WebFile:
        """Store what a browser sends; RefusedError if it is larger than `limit` bytes."""
        data = bytearray()
        async for chunk in chunks:
            data += chunk
            if len(data) > limit:
                what = f"{clean_name(name)} is larger than {limit // 1024 // 1024} MB."
                raise RefusedError(what, hint="Send a smaller file.")
        return await self.keep(self._ids.new(), name, owner, bytes(data))

    async def keep(self, file_id: str, name: str, owner: str, data: bytes) -> web.WebFile:
        """Store bytes under an id; the same id again is the same file."""
        name = clean_name(name)
        row = web.WebFile(
            id=file_id,
            name=name,
            media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            size=len(data),
            owner=owner,
            created_at=self._clock.now(),
        )
        await asyncio.to_thread(self._put, file_id, data)
        await self._store.write(lambda session: web.add_file(session, row))
        return row

    async def read(self, file_id: str, limit: int) -> bytes:
        """The bytes of a file; ToolError if it is larger than `limit`, NotFound if it is gone."""
        row = await self._store.read(lambda session: web.file(session, file_id))
        if row is None:
            raise NotFound("There is no such file.")
        if row.size > limit:
            raise ToolError(f"{row.name} is {row.size} bytes, more than the {limit} that are read.")
        return await asyncio.to_thread(self.path(row.id).read_bytes)

    def path(self, file_id: str) -> Path:
        """Where the bytes of a stored file lie."""
        return self._folder / file_id

    def _put(self, file_id: str, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f"{file_id}.part"
        part.write_bytes(data)
        part.replace(self._folder / file_id)
