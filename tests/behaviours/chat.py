"""People at work on a platform: the same few gestures on Slack and in the web chat."""

from __future__ import annotations

import asyncio
import contextlib
import html
import itertools
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.behaviours.team import SLACK_CHANNELS, SLACK_USERS
from tests.behaviours.world import PATIENCE, World
from tests.fakes.slack import BOT, BOT_ID
from tests.fakes.slack.blocks import buttons, visible
from tests.fakes.slack.delivery import Envelope

MENTION = re.compile(r"@([a-z]+)\b")
TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A thread: its channel and its root. In a channel's place itself the root is empty."""

    channel: str
    root: str = ""


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message as somebody reads it."""

    id: str
    by: str  # "bosun", or the person
    text: str
    buttons: tuple[str, ...] = ()  # their labels
    raw: Any = field(default=None, repr=False, compare=False)


class Chat(ABC):
    """A platform in the hands of the team."""

    platform: str

    def __init__(self, world: World) -> None:
        self.world = world

    # -- what people do ---------------------------------------------------------------------------

    @abstractmethod
    async def say(
        self, person: str, text: str, at: Spot, *, files: Sequence[tuple[str, bytes]] = (), size: int | None = None
    ) -> str:
        """Write something; returns the id of the message. "@bosun" and "@ann" are mentions."""

    async def ask(
        self,
        person: str,
        text: str,
        channel: str = "general",
        *,
        files: Sequence[tuple[str, bytes]] = (),
        size: int | None = None,
    ) -> Spot:
        """Mention Bosun in a channel; returns the thread in which it will answer. `size` is what the files claim."""
        root = await self.say(person, f"@bosun {text}", Spot(channel=channel), files=files, size=size)
        return Spot(channel=channel, root=root)

    @abstractmethod
    async def click(self, person: str, message: Said, label: str) -> None:
        """Press a button, also one of a card that has changed since `message` was read."""

    @abstractmethod
    async def dialog(self, person: str) -> dict[str, str]:
        """Wait for a dialog to open in front of this person; its fields with what stands in them."""

    @abstractmethod
    async def submit(self, person: str, **fields: str) -> None:
        """Send the dialog that this person has open, with these fields changed."""

    # -- what people see --------------------------------------------------------------------------

    @abstractmethod
    async def read(self, spot: Spot, reader: str = "dee") -> list[Said]:
        """The thread without its root, or the top level of the channel; oldest first."""

    @abstractmethod
    async def notices(self, person: str) -> list[str]:
        """What only this person was shown, oldest first."""

    @abstractmethod
    async def reactions(self, spot: Spot) -> list[str]:
        """The signs on the thread's root."""

    @abstractmethod
    async def state(self, spot: Spot) -> str:
        """What the thread shows of Bosun: processing, suspended or active."""

    @abstractmethod
    def home(self, person: str) -> Spot:
        """The direct messages between this person and Bosun."""

    # -- waiting ----------------------------------------------------------------------------------

    async def answers(self, spot: Spot, reader: str = "dee") -> list[Said]:
        """What Bosun said in the thread so far."""
        return [said for said in await self.read(spot, reader) if said.by == "bosun"]

    async def answer(self, spot: Spot, *words: str, reader: str = "dee", patience: float = PATIENCE) -> Said:
        """Wait until Bosun has said something in the thread that holds all these words."""

        async def look() -> Said | None:
            said = [one for one in await self.answers(spot, reader) if all(word in one.text for word in words)]
            return said[-1] if said else None

        try:
            return await self.world.until(look, patience)
        except TimeoutError:
            raise AssertionError(f"{words} was not said, but {await self.answers(spot, reader)}") from None

    async def card(self, spot: Spot, *words: str) -> Said:
        """Wait for a card with open buttons in the thread."""

        async def look() -> Said | None:
            cards = [one for one in await self.answers(spot) if "Reject…" in one.buttons]
            return next((one for one in reversed(cards) if all(word in one.text for word in words)), None)

        return await self.world.until(look)

    async def shows(self, spot: Spot, state: str) -> None:
        """Wait until the thread shows that Bosun is in this state."""

        async def look() -> bool:
            return await self.state(spot) == state

        await self.world.until(look)

    async def copies(self, ref: str, spot: Spot) -> list[Said]:
        """All cards of an approval that people see: in the thread and in the channel of approvals."""
        everywhere = await self.answers(spot) + await self.answers(Spot(channel="approvals"))
        return [one for one in everywhere if ref_of(one) == ref]

    async def notice(self, person: str, *words: str, after: int = 0) -> str:
        """Wait for a private notice with these words, behind the first `after` notices."""

        async def look() -> str | None:
            found = [text for text in (await self.notices(person))[after:] if all(word in text for word in words)]
            return found[-1] if found else None

        try:
            return await self.world.until(look)
        except TimeoutError:
            raise AssertionError(f"{person} was not told {words}, but {await self.notices(person)}") from None

    @abstractmethod
    async def close(self) -> None:
        """Go home."""


def ref_of(message: Said) -> str:
    """The approval that a card is about."""
    found = re.search(r"\b(AP-[0-9A-Z]{4,}) · revision", message.text)
    return found[1] if found else ""


class SlackChat(Chat):
    """The team in Slack."""

    platform = "slack"

    async def say(
        self, person: str, text: str, at: Spot, *, files: Sequence[tuple[str, bytes]] = (), size: int | None = None
    ) -> str:
        more: dict[str, object] = {}
        if files:
            more = {"subtype": "file_share", "files": [self._file(name, content, size) for name, content in files]}
        written = MENTION.sub(self._mention, text)
        return await self.world.slack.say(self.channel(at), self.user(person), written, at.root or None, **more)

    async def announce(self, spot: Spot) -> list[Envelope]:
        """Have Slack send the events of the thread's root again."""
        channel = self.channel(spot)
        return await self.world.slack.announce(channel, self.world.slack.world.channels[channel].messages[spot.root])

    def _mention(self, match: re.Match[str]) -> str:
        user = BOT if match[1] == "bosun" else SLACK_USERS.get(match[1])
        return f"<@{user}>" if user else match[0]

    def _file(self, name: str, content: bytes, size: int | None) -> dict[str, object]:
        world = self.world.slack.world
        file_id = world.next_id("F")
        url = f"{self.world.slack.url}/files/{file_id}/{name}"
        kind = {"md": "text/markdown", "exe": "application/octet-stream"}.get(name.rpartition(".")[2], "text/plain")
        file: dict[str, object] = {"id": file_id, "name": name, "mimetype": kind, "url_private_download": url}
        file["size"] = len(content) if size is None else size
        world.files[file_id] = {**file, "content": content}
        return file

    @staticmethod
    def user(person: str) -> str:
        """The account of a person; an id stays as it is."""
        return SLACK_USERS.get(person, person)

    @staticmethod
    def channel(spot: Spot) -> str:
        """The id of a channel that the charter knows; another id stays as it is."""
        return SLACK_CHANNELS.get(spot.channel, spot.channel)

    async def click(self, person: str, message: Said, label: str) -> None:
        raw = message.raw
        pressed = next(button for button in buttons(raw) if button["text"]["text"] == label)
        await self.world.slack.click(raw["where"], raw["ts"], self.user(person), label, element=pressed)

    async def dialog(self, person: str) -> dict[str, str]:
        dialogs = self.world.slack.world.dialogs
        mine = await self.world.seen(lambda: [one for one in dialogs.values() if one.user == self.user(person)])
        inputs = [block for block in mine[-1].view["blocks"] if block["type"] == "input"]
        return {block["block_id"]: block["element"].get("initial_value", "") for block in inputs}

    def open_dialogs(self, person: str) -> int:
        """How many dialogs stand open in front of a person."""
        return sum(one.user == self.user(person) for one in self.world.slack.world.dialogs.values())

    async def submit(self, person: str, **fields: str) -> None:
        await self.world.slack.submit_view(self.user(person), fields)

    async def read(self, spot: Spot, reader: str = "dee") -> list[Said]:
        channel = self.channel(spot)
        shown = self.world.slack.channel_view(channel, spot.root or None)
        return [self._said(channel, message) for message in (shown[1:] if spot.root else shown)]

    def _said(self, channel: str, message: dict[str, Any]) -> Said:
        names = {user: person for person, user in SLACK_USERS.items()}
        user = str(message.get("user"))
        return Said(
            id=message["ts"],
            by="bosun" if message.get("bot_id") == BOT_ID else names.get(user, user),
            text=visible(message),
            buttons=tuple(button["text"]["text"] for button in buttons(message)),
            raw={**message, "where": channel},
        )

    async def notices(self, person: str) -> list[str]:
        return [str(shown["visible"]) for shown in self.world.slack.ephemerals_for(self.user(person))]

    async def reactions(self, spot: Spot) -> list[str]:
        return self.world.slack.reactions(self.channel(spot), spot.root)

    async def state(self, spot: Spot) -> str:
        shown = self.world.slack.statuses(self.channel(spot), spot.root)
        return shown[-1] if shown else "active"

    def home(self, person: str) -> Spot:
        return Spot(channel=self.world.slack.world.dm(self.user(person)).id)

    async def close(self) -> None:
        """Nobody has anything open."""


class Browser:
    """One person's tab: signed in, and listening for what happens."""

    def __init__(self, world: World, person: str, tab: str) -> None:
        self.world = world
        self.person = person
        self.tab = tab
        self.forms: list[dict[str, Any]] = []
        self.http = httpx.AsyncClient(headers={"x-bosun": "1"}, timeout=10)
        self.ready = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._process: object = None

    async def get(self, path: str) -> Any:
        """Read something."""
        await self.connect()
        answer = await self.http.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def post(self, path: str, body: Any = None, *, content: bytes | None = None) -> Any:
        """Send something."""
        await self.connect()
        answer = await self.http.post(path, json=body, content=content)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def connect(self) -> None:
        """Sign in, once; after a restart, find the server's new address."""
        app = self.world.app
        if self._process is app:
            return
        await self._hang_up()
        self._process = app
        self.http.base_url = httpx.URL(app.web.url)
        if not self.http.cookies:
            answer = await self.http.get(app.web.login_link(self.person))
            assert answer.status_code == 303, answer.text
        self.ready.clear()
        self._listening = asyncio.create_task(self._listen())
        await self.ready.wait()

    async def _listen(self) -> None:
        """As EventSource does."""
        name = ""
        with contextlib.suppress(httpx.TransportError):
            async with self.http.stream("GET", "/api/events", params={"client": self.tab}, timeout=None) as stream:
                async for line in stream.aiter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        self._happened(name, line.removeprefix("data: "))

    def _happened(self, name: str, data: str) -> None:
        if name == "form":
            self.forms.append(json.loads(data))
        if name == "ready":
            self.ready.set()
        self.world.changed()

    async def _hang_up(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def close(self) -> None:
        """Close the tab."""
        await self._hang_up()
        await self.http.aclose()


class WebChat(Chat):
    """The team in the web chat."""

    platform = "web"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._browsers: dict[str, Browser] = {}
        self._numbers = itertools.count(1)

    def _id(self) -> str:
        return f"made-in-a-browser-{id(self):x}-{next(self._numbers)}"

    def browser(self, person: str) -> Browser:
        """This person's tab."""
        if person not in self._browsers:
            self._browsers[person] = Browser(self.world, person, self._id())
        return self._browsers[person]

    async def say(
        self, person: str, text: str, at: Spot, *, files: Sequence[tuple[str, bytes]] = (), size: int | None = None
    ) -> str:
        browser = self.browser(person)
        ids = [
            (await browser.post(f"/api/files?name={name}", content=content))["file"]["id"] for name, content in files
        ]
        body = {"id": self._id(), "channel": at.channel, "thread": at.root or None, "text": text, "files": ids}
        return str((await browser.post("/api/messages", body))["message"]["id"])

    async def command(self, person: str, text: str, at: Spot) -> None:
        """Type a slash command."""
        body = {"id": self._id(), "channel": at.channel, "thread": at.root or None, "text": text}
        assert await self.browser(person).post("/api/messages", body) == {"command": True}

    async def click(self, person: str, message: Said, label: str) -> None:
        pressed = next(button for button in message.raw["buttons"] if button["label"] == label)
        await self._press(person, pressed, {}, message.id)

    async def press(self, person: str, action: Any) -> None:
        """Press a button of the dashboard."""
        await self._press(person, action, {}, None)

    async def _press(self, person: str, pressed: Any, fields: dict[str, str], message: str | None) -> None:
        browser = self.browser(person)
        body = {name: pressed[name] for name in ("subject", "revision", "verb")}
        body |= {"id": self._id(), "client": browser.tab, "fields": fields, "message": message}
        await browser.post("/api/press", body)

    async def dialog(self, person: str) -> dict[str, str]:
        forms = self.browser(person).forms
        await self.world.seen(lambda: forms)
        return {field["id"]: field["value"] for field in forms[-1]["fields"]}

    async def submit(self, person: str, **fields: str) -> None:
        form = self.browser(person).forms.pop()
        filled = {field["id"]: fields.get(field["id"], field["value"]) for field in form["fields"]}
        await self._press(person, form, filled, None)

    async def read(self, spot: Spot, reader: str = "dee") -> list[Said]:
        if spot.root:
            shown = (await self.browser(reader).get(f"/api/threads/{spot.root}"))["messages"][1:]
        else:
            shown = (await self.browser(reader).get(f"/api/channels/{spot.channel}/messages"))["messages"]
        return [_web_said(message) for message in shown]

    async def notices(self, person: str) -> list[str]:
        shown = (await self.browser(person).get("/api/boot"))["notices"]
        return [_plain(notice["html"]) for notice in reversed(shown)]

    async def reactions(self, spot: Spot) -> list[str]:
        root = (await self.browser("dee").get(f"/api/threads/{spot.root}"))["messages"][0]
        return list(root["reactions"])

    async def state(self, spot: Spot) -> str:
        busy = (await self.browser("dee").get("/api/boot"))["busy"]
        return next((str(one["state"]) for one in busy if one["thread"] == spot.root), "active")

    def home(self, person: str) -> Spot:
        return Spot(channel=f"dm-{person}")

    async def close(self) -> None:
        for browser in self._browsers.values():
            await browser.close()


def _web_said(message: dict[str, Any]) -> Said:
    card = message.get("card") or {}
    parts = [card.get("headline"), card.get("state"), message.get("title")]
    parts += [_plain(source["html"]) for source in (message, card) if source.get("html")]
    parts += [f"{fact['label']} {fact['value']}" for fact in card.get("facts", ())]
    parts += [payload["content"] for payload in card.get("payloads", ())]
    parts += [card.get("warning"), card.get("footer"), message.get("footer")]
    pressable = list(card.get("actions") or message.get("actions") or ())
    if message.get("run"):
        pressable = [{"label": "Stop", "subject": message["run"], "revision": 0, "verb": "stop"}]
    return Said(
        id=message["id"],
        by=message["author"]["id"] or "bosun",
        text="\n".join(part for part in parts if part),
        buttons=tuple(button["label"] for button in pressable),
        raw={**message, "buttons": pressable},
    )


def _plain(markup: str) -> str:
    return html.unescape(TAG.sub("", markup)).strip()
