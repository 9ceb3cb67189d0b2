"""A chat platform in memory: keeps what was posted, as a real one would, and fails on request."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import fields
from typing import TYPE_CHECKING

from bot.engine.adapter import Capabilities, Heard
from kernel.errors import PlatformError, TargetGone
from kernel.store.outbox import Claimed, OutboxRow
from kernel.types import Place

if TYPE_CHECKING:
    from bot.engine.adapter import Receiver, Sign
    from kernel.types import Actor, FileRef, Form


def sending(row: OutboxRow) -> Claimed:
    """The row as an adapter gets it."""
    return Claimed(**{field.name: getattr(row, field.name) for field in fields(Claimed)})


class FakePlatform:
    """Implements the adapter protocol. `messages` is what people see: id -> body, in the order of posting."""

    def __init__(self, platform: str = "fake", capabilities: Capabilities | None = None) -> None:
        self.platform = platform
        self.tenant = "t"
        self.capabilities = capabilities or Capabilities()
        self.messages: dict[str, dict[str, object]] = {}
        self.origin: dict[str, str] = {}  # message id -> outbox row id, as message metadata keeps it
        self.posts: list[str] = []  # outbox row ids, one for each post that the platform carried out
        self.edits: list[str] = []
        self.notices: list[tuple[str, str]] = []  # account, text
        self.signs: list[object] = []
        self.files: dict[str, Place] = {}  # row -> where its file was put
        self.forms: list[Form] = []
        self.failures: deque[Exception] = deque()  # raised by the next calls, before anything is done
        self.blind: deque[Exception] = deque()  # raised by the next attempts to find a row
        self.lost: deque[Exception] = deque()  # raised by the next posts, after they were carried out
        self.heard: list[Heard] = []
        self.receive: Receiver | None = None
        self.changed = asyncio.Event()

    async def start(self, receive: Receiver) -> None:
        self.receive = receive

    async def stop(self) -> None:
        self.receive = None

    async def post(self, row: Claimed) -> str:
        self._maybe_fail()
        message = f"m{len(self.messages) + 1}"
        self.messages[message] = row.body
        self.origin[message] = row.id
        self.posts.append(row.id)
        self._tell()
        if self.lost:
            raise self.lost.popleft()
        return message

    async def edit(self, row: Claimed) -> None:
        self._maybe_fail()
        self.messages[row.remote_id or ""] = row.body
        self.edits.append(row.id)
        self._tell()

    async def find(self, row: Claimed) -> str | None:
        if self.blind:
            raise self.blind.popleft()
        return next((message for message, origin in self.origin.items() if origin == row.id), None)

    async def notice(self, row: Claimed) -> None:
        self._maybe_fail()
        self.notices.append((row.to.account if row.to else "", str(row.body["markdown"])))
        self._tell()

    async def react(self, sign: Sign) -> None:
        self.signs.append(sign.extra)

    async def status(self, sign: Sign) -> None:
        self.signs.append(sign.extra)

    async def upload(self, row: Claimed) -> str:
        self.files[row.id] = row.where
        return await self.post(row)

    async def open_form(self, trigger: str, form: Form) -> None:
        if trigger == "stale":
            raise PlatformError("This trigger is too old.")
        self.forms.append(form)
        self._tell()

    async def thread(self, place: Place, limit: int = 40) -> list[Heard]:
        return self.heard[-limit:]

    async def read(self, place: Place, message: str) -> Heard:
        found = next((one for one in self.heard if one.message == message), None)
        if found is None:
            raise TargetGone("The message is no longer there.")
        return found

    async def download(self, file: FileRef, limit: int) -> bytes:
        return file.name.encode()[:limit]

    async def group_members(self, group: str) -> frozenset[str]:
        raise PlatformError(f"There is no group {group}.")

    async def may_read(self, place: Place, user: str) -> bool:
        raise PlatformError(f"Nobody knows who reads {place.channel}.")

    async def direct(self, actor: Actor) -> Place:
        return Place(platform=self.platform, tenant=actor.tenant, channel=f"dm-{actor.user}", kind="dm")

    def permalink(self, place: Place, message: str) -> str:
        return f"fake://{place.channel}/{message}"

    async def until(self, condition: object) -> None:
        """Wait until `condition()` holds; it is looked at after every change."""
        async with asyncio.timeout(10):
            while not condition():  # type: ignore[operator]
                self.changed.clear()
                await self.changed.wait()

    def texts(self) -> list[str]:
        """What people read, in order."""
        return [
            str(body.get("markdown") or body.get("headline") or body.get("title")) for body in self.messages.values()
        ]

    def _maybe_fail(self) -> None:
        if self.failures:
            raise self.failures.popleft()

    def _tell(self) -> None:
        self.changed.set()
