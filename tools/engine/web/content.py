"""The bytes of an answer: how many are taken, and which characters they are."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    import httpx

CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE)


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """The body, decompressed; CannotDo once it has more than `limit` bytes.

    Decompressed here and not by httpx, which would unpack a chunk of any size before it could be refused.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", ""}:
        raise CannotDo("The server compressed the page in a way that it was not asked for.")
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in encoding else None
    body = bytearray()
    async for chunk in response.stream:  # type: ignore[union-attr]
        try:
            body += unpack.decompress(chunk, limit + 1 - len(body)) if unpack else chunk
        except zlib.error as error:
            raise CannotDo("The page arrived damaged.") from error
        if len(body) > limit:
            raise CannotDo(f"The page is larger than {limit:,} bytes.")
    return bytes(body)


def decoded(content: bytes, content_type: str) -> str:
    """The text: by the header, by the page's own word, else UTF-8. Undecodable bytes become replacement characters."""
    named = CHARSET.search(content_type) or CHARSET.search(content[:2048].decode("ascii", "replace"))
    for charset in (named.group(1) if named else "utf-8", "utf-8"):
        try:
            return content.decode(charset)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return content.decode("utf-8" if named is None else "cp1252", "replace")
