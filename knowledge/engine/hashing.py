"""The identity of a content: what has the same hash was cut, embedded and indexed before."""

from __future__ import annotations

import hashlib


def content_hash(*parts: str) -> str:
    """SHA-256 of some texts in order, 64 hexadecimal digits."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()
