"""Which format a content has, where its type is told beside it: pages of the web, resources of a server."""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath
from urllib.parse import urlsplit

KNOWN = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "application/json": ".json",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "message/rfc822": ".eml",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
}

MARKED_UP = frozenset({".md", ".markdown", ".csv"})  # what servers of files call plain text


def suffix_for(media_type: str, address: str) -> str:
    """The suffix of a file with this content: by its type, else by its address; empty where neither says it."""
    plain = media_type.partition(";")[0].strip().lower()
    by_address = PurePosixPath(urlsplit(address).path).suffix.lower()
    if plain == "text/plain" and by_address in MARKED_UP:
        return by_address
    return KNOWN.get(plain) or by_address or mimetypes.guess_extension(plain) or ""
