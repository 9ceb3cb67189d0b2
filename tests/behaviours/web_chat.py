"""The team in the web chat, each in a browser's tab of their own."""

from __future__ import annotations

import asyncio
import contextlib
import html
import itertools
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx

from tests.behaviours.chat import Chat, Said, Spot
from tests.behaviours.world import World

TAG = re.compile(r"<[^>]+>")


class Browser:
    """One person's tab: signed in, and listening for what happens."""

    def __init__(self, world: World, person: str, tab: str) -> None:
        self.world = world
        self.person = person
        self.tab = tab
        self.forms: list[dict[str, Any]] = []
        kept = httpx.Limits(keepalive_expiry=1.0)  # the server closes what was idle for five seconds
        self.http = httpx.AsyncClient(headers={"x-bosun": "1"}, timeout=10, limits=kept)
        self.ready = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._process: object = None
        self._connecting = asyncio.Lock()

    async def get(self, path: str) -> Any:
        """Read something."""
        await self.connect()
        answer = await self._patiently(lambda: self.http.get(path))
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def page(self, path: str) -> str:
        """Open a page that is not the chat."""
        await self.connect()
        answer = await self.http.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.text

    async def post(self, path: str, body: Any = None, *, content: bytes | None = None) -> Any:
        """Send something."""
        await self.connect()
        answer = await self._patiently(lambda: self.http.post(path, json=body, content=content))
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def _patiently(self, call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        """As the page does it: what the connection has lost is sent again, under the same id."""
        while True:
            await self.world.up()
            try:
                return await call()
            except httpx.TransportError:
                if not self.world.rough:
                    raise

    async def connect(self) -> None:
        """Sign in, once; after a restart, find the server's new address."""
        await self.world.up()
        async with self._connecting:  # whoever presses several buttons at once signs in once
            if self._process is not self.world.app:
                await self._connect()

    async def _connect(self) -> None:
        await self._hang_up()
        app = self.world.app
        self.http.base_url = httpx.URL(app.web.url)
        if not self.http.cookies:
            link = await self.world.ask("login_link", self.person)
            answer = await self._patiently(lambda: self.http.get(link))
            assert answer.status_code == 303, answer.text
        self.ready.clear()
        self._listening = asyncio.create_task(self._listen())
        await self.ready.wait()
        self._process = app

    async def _listen(self) -> None:
        """As EventSource does: once more whenever the connection has ended."""
        while True:
            await self._listen_once()
            await self.world.up()
            if not self.world.rough:
                return

    async def _listen_once(self) -> None:
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
        self._opener: dict[str, str | None] = {}  # person -> the message whose button they pressed last
        self._numbers = itertools.count(1)

    def _id(self) -> str:
        return f"made-in-a-browser-{id(self):x}-{next(self._numbers)}"

    def browser(self, person: str) -> Browser:
        """This person's tab."""
        if person not in self._browsers:
            self._browsers[person] = Browser(self.world, person, self._id())
        return self._browsers[person]

    async def write(
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

    async def react(self, person: str, emoji: str, message: str, at: Spot) -> None:
        await self.browser(person).post("/api/react", {"message": message, "emoji": emoji})

    async def press_button(self, person: str, message: Said, label: str) -> bool:
        pressed = next(button for button in message.raw["buttons"] if button["label"] == label)
        await self._press(person, pressed, {}, message.id)
        self.world.moment()
        return True

    async def press(self, person: str, action: Any) -> None:
        """Press a button of the dashboard."""
        await self._press(person, action, {}, None)

    async def votes(self, person: str, spot: Spot) -> list[str]:
        """The verbs of the thumbs that are pressed in the thread, as this person sees it."""
        return list((await self.browser(person).get(f"/api/threads/{spot.root}"))["votes"].values())

    async def pick_about(self, person: str, message: str, at: Spot) -> None:
        await self._press(person, {"subject": f"ASK-{message}", "revision": 0, "verb": "about"}, {}, message)

    async def press_on_home(self, person: str, label: str, about: str) -> bool:
        page = await self.browser(person).get("/api/home")
        rows = [row for part in ("schedules", "settings") for row in page[part]]
        actions = [action for row in rows for action in row["actions"]]
        await self.press(person, next(one for one in actions if one["label"] == label and about in one["subject"]))
        self.world.moment()
        return True

    async def _press(self, person: str, pressed: Any, fields: dict[str, str], message: str | None) -> None:
        browser = self.browser(person)
        self._opener[person] = message
        body = {name: pressed[name] for name in ("subject", "revision", "verb")}
        body |= {"id": self._id(), "client": browser.tab, "fields": fields, "message": message}
        await browser.post("/api/press", body)

    def opened(self, person: str) -> dict[str, str] | None:
        forms = self.browser(person).forms
        return {field["id"]: _standing(field) for field in forms[-1]["fields"]} if forms else None

    async def send_dialog(self, person: str, fields: dict[str, str]) -> bool:
        form = self.browser(person).forms.pop()
        filled = {field["id"]: fields.get(field["id"], field["value"]) for field in form["fields"]}
        await self._press(person, form, filled, self._opener.get(person))
        self.world.moment()
        return True

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


def _standing(field: dict[str, Any]) -> str:
    """What stands in a field, or the values to pick from."""
    return "\n".join(choice["value"] for choice in field["choices"]) or str(field["value"])


def _web_said(message: dict[str, Any]) -> Said:
    card = message.get("card") or {}
    parts = [card.get("headline"), card.get("state"), message.get("title")]
    parts += [_plain(source["html"]) for source in (message, card) if source.get("html")]
    parts += [f"{fact['label']} {fact['value']}" for fact in card.get("facts", ())]
    parts += [f"{payload['title']}\n{payload['content']}" for payload in card.get("payloads", ())]
    parts += [step["title"] for step in message.get("steps", ())]
    parts += [card.get("warning"), card.get("footer"), message.get("footer")]
    pressable = list(card.get("actions") or message.get("actions") or ()) + list(message.get("feedback") or ())
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
