"""Who is at the browser: signed cookies, and login links that work once. The key lies in the data folder."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.errors import ConfigError
from kernel.store import web
from kernel.types import Frozen

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from kernel.clock import Clock, Ids
    from kernel.store import Store

SESSION_LIFE = timedelta(days=30)
LINK_LIFE = timedelta(hours=12)
KEY = "web.key"  # the file in the data folder


class Session(Frozen):
    """A signed-in browser."""

    person: str  # Person id


class Sessions:
    """Signs and checks cookies and login links. They survive a restart, as the key does."""

    def __init__(self, *, folder: Path, store: Store, clock: Clock, ids: Ids, demo: bool) -> None:
        self._key = load_key(folder / KEY)
        self._store = store
        self._clock = clock
        self._ids = ids
        self._demo = demo
        # Browsers do not tell ports apart: two installations on one machine need cookies of different names.
        self.cookie_name = f"bosun_{hashlib.sha256(self._key).hexdigest()[:8]}"

    def cookie(self, person: str) -> str:
        """A cookie that signs `person` in for 30 days."""
        return self._sign("session", self._clock.now() + SESSION_LIFE, person, "demo" if self._demo else "real")

    def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie; None if it is missing, forged, too old, or left over from demo mode."""
        fields = self._check("session", cookie or "")
        if fields is None:
            return None
        person, mode = fields
        return Session(person=person) if (mode == "demo") == self._demo else None

    def login_token(self, person: str) -> str:
        """The token of a link that signs `person` in once within 12 hours."""
        return _login_token(self._key, self._clock, self._ids, person)

    async def redeem(self, token: str) -> str | None:
        """The person of a login token, using it up; None if it is forged, too old or was used before."""
        fields = self._check("login", token)
        if fields is None:
            return None
        person, nonce = fields
        now = self._clock.now()
        fresh = await self._store.write(lambda session: web.use_login(session, nonce, now))
        return person if fresh else None

    def _sign(self, purpose: str, until: datetime, person: str, other: str) -> str:
        return _signed(self._key, purpose, until, person, other)

    def _check(self, purpose: str, text: str) -> tuple[str, str] | None:
        payload, _, mac = text.partition(".")
        if not hmac.compare_digest(mac.encode(), _mac(self._key, purpose, payload).encode()):
            return None
        fields = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
        other, until, person = fields.split("~", 2)
        return (person, other) if self._clock.now().timestamp() < int(until) else None


def login_token(folder: Path, clock: Clock, ids: Ids, person: str) -> str:
    """A login token for the web chat whose folder this is, whether it runs or not."""
    return _login_token(load_key(folder / KEY), clock, ids, person)


def _login_token(key: bytes, clock: Clock, ids: Ids, person: str) -> str:
    return _signed(key, "login", clock.now() + LINK_LIFE, person, ids.new())


def _signed(key: bytes, purpose: str, until: datetime, person: str, other: str) -> str:
    payload = _base64(f"{other}~{int(until.timestamp())}~{person}".encode())
    return f"{payload}.{_mac(key, purpose, payload)}"


def _mac(key: bytes, purpose: str, payload: str) -> str:
    return _base64(hmac.new(key, f"{purpose}:{payload}".encode(), hashlib.sha256).digest())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def load_key(path: Path) -> bytes:
    """The key in `path`, made at first use, readable by its owner alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) < 32:
            hint = "Delete it: a new one is made, and everybody signs in again."
            raise ConfigError(f"{path} is damaged.", hint=hint) from None
        path.chmod(0o600)
        return key
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
    return key
