"""Checkpoints of the ledger: how long it was and how it ended at one moment, signed with a key of the installation.

A chain of hashes finds what was changed inside it. Whoever can write the whole database could write the whole chain
anew, or cut off its end; a checkpoint that somebody else keeps, in a channel, finds that too.
"""

from __future__ import annotations

import base64
import binascii
import os
from datetime import datetime
from typing import TYPE_CHECKING

import orjson
from pydantic import ValidationError

from kernel.canonical import canonical
from kernel.errors import ConfigError
from kernel.types import Frozen

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.config import Secret

PREFIX = "bosun-checkpoint:"
KEY = 32  # bytes of a private key (RFC 8032)


class Checkpoint(Frozen):
    """The ledger had this many entries, and the last one this hash."""

    entries: int
    head: str
    at: datetime
    key: str  # public key, hexadecimal
    signature: str = ""  # over everything else, hexadecimal

    @property
    def holds(self) -> bool:
        """The signature is that of the key."""
        from cryptography.exceptions import InvalidSignature  # megabytes; only checkpoints need it
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
            key.verify(bytes.fromhex(self.signature), self.signed)
        except (InvalidSignature, ValueError):
            return False
        return True

    @property
    def signed(self) -> bytes:
        """What the signature is over: the canonical JSON of the rest."""
        return canonical({"entries": self.entries, "head": self.head, "at": self.at.isoformat(), "key": self.key})

    def __str__(self) -> str:
        """As it stands in a message and is given to `bosun ledger verify`."""
        return PREFIX + base64.urlsafe_b64encode(orjson.dumps(self.model_dump(mode="json"))).decode()


def parse(text: str) -> Checkpoint:
    """What `str` of a checkpoint wrote. ConfigError where it is none, or where its signature does not hold."""
    try:
        found = Checkpoint.model_validate_json(base64.urlsafe_b64decode(text.strip().removeprefix(PREFIX)))
    except (binascii.Error, ValidationError, ValueError) as error:
        raise ConfigError("That is no checkpoint.", hint=f"Expected: the line from the channel, {PREFIX}...") from error
    if not found.holds:
        raise ConfigError(f"The signature of the checkpoint of {found.entries} entries does not hold.")
    return found


class Signer:
    """Signs with the key of this installation."""

    def __init__(self, private: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self.key = self._key.public_key().public_bytes_raw().hex()  # public, hexadecimal

    def sign(self, *, entries: int, head: str, at: datetime) -> Checkpoint:
        """A checkpoint of a ledger that ends there."""
        unsigned = Checkpoint(entries=entries, head=head, at=at, key=self.key)
        return unsigned.model_copy(update={"signature": self._key.sign(unsigned.signed).hex()})


def signer(secret: Secret | None, file: Path) -> Signer:
    """The signer with this key, else with the one in the file, which is made where there is none.

    ConfigError where the key is not 64 hexadecimal digits.
    """
    text = secret.reveal() if secret is not None else _from(file)
    try:
        private = bytes.fromhex(text.strip())
    except ValueError:
        private = b""
    if len(private) != KEY:
        where = "BOSUN_SIGNING_KEY" if secret is not None else str(file)
        raise ConfigError(f"{where} is no signing key.", hint=f"Expected: {2 * KEY} hexadecimal digits.")
    return Signer(private)


def _from(file: Path) -> str:
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(os.urandom(KEY).hex() + "\n")
    return file.read_text("ascii")
