"""How messages travel between this process and the one with the vector engine: two lengths, JSON, bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from knowledge.engine.vectors import Message

HEAD = struct.Struct(">II")


def pack(envelope: dict[str, Any], message: Message) -> bytes:
    """A frame."""
    header = orjson.dumps({**envelope, "values": message.values})
    return HEAD.pack(len(header), len(message.blob)) + header + message.blob


def lengths(head: bytes) -> tuple[int, int]:
    """How many bytes of JSON and of blob follow."""
    header, blob = HEAD.unpack(head)
    return header, blob
