"""Canonical JSON (RFC 8785) and digests: the identity of what was approved, recorded and executed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import rfc8785

if TYPE_CHECKING:
    from kernel.types import Json


def canonical(value: Json) -> bytes:
    """The one byte string that stands for a JSON value.

    Integers beyond 2**53 and other values that RFC 8785 cannot carry raise ValueError.
    """
    return rfc8785.dumps(value)


def digest(value: Json) -> str:
    """SHA-256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
