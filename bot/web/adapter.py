"""The web chat as a platform: its "remote side" is its own tables, everything else is as with Slack or Discord."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.adapter import Capabilities, Heard
from bot.web import words
from bot.web.archive import WebArchive, counts
from bot.web.files import Files
from kernel.errors import PlatformError, StoreError, TargetGone
from kernel.store import outbox, web
from kernel.types import Actor, FileRef, Form, Inbound, Place, Press

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.engine.adapter import Receiver, Sign
    from bot.web.views import Channel, Sources
    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from kernel.store.outbox import Claimed
    from kernel.types import Json, Person
    from knowledge.engine.archives import Listener

PLATFORM, TENANT = "web", "local"
DM = "dm-"


class WebAdapter:
    """Bosun's own chat behind the protocol that every platform fulfils."""

    platform = PLATFORM
    tenant = TENANT
    capabilities = Capabilities(working_state=True, edit_interval=0.05, time_to_progress=0.5)

    def __init__(self, *, store: Store, clock: Clock, ids: Ids, files: Files, sources: Sources) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._files = files
        self._sources = sources
        self._receive: Receiver | None = None
        self.archive = WebArchive(store, self)
        self.listener: Listener | None = None

    async def start(self, receive: Receiver) -> None:
        """Begin to hand over; first the messages that a crash may have kept from the desk."""
        self._receive = receive
        for row in await self._store.read(web.not_handed_over):
            await self._hand_over(row, redelivered=True)

    async def stop(self) -> None:
        """Hand over nothing more; browsers keep what they could not send."""
        self._receive = None

    # -- what people do -----------------------------------------------------------------------------------------

    async def say(self, row: web.WebMessage, files: Sequence[str] = ()) -> web.WebMessage:
        """Store a person's message and hand it to the desk if it is for Bosun; the same id again is the same message.

        Returns after both are committed.
        """

        wanted = self._sources.listens(self.place(row.channel, row.thread), str(row.body["text"]))

        def store(session: Session) -> web.WebMessage:
            known = web.get(session, row.id)
            if known is None:
                attached = web.attach(session, files, row.author, row.id)
                row.body = {"type": "said", "text": row.body["text"], "files": [_view(file) for file in attached]}
                row.addressed = self._is_dm(row.channel) or words.mentions_us(row.body["text"])
                row.handed = not (row.addressed or wanted or (row.thread and web.takes_part(session, row.thread)))
                web.add_message(session, row)
            return web.get(session, row.id) or row

        stored = await self._store.write(store)
        if not stored.handed:
            await self._hand_over(stored)
        if self.listener is not None and counts(stored) and self.listener.wants(self.place(stored.channel)):
            await self.listener.told(self.archive.told(stored))
        return stored

    async def command(self, place: Place, person: Person, text: str, key: str) -> None:
        """Hand over a command that was typed after `/`; it is not shown as a message."""
        await self._deliver(
            Inbound(
                key=f"{TENANT}/command/{key}",
                kind="command",
                place=place,
                actor=actor(person),
                text=text,
                addressed=True,
                sent_at=self._clock.now(),
            )
        )

    async def press(self, place: Place, person: Person, press: Press, key: str) -> None:
        """Hand over a pressed button or a submitted dialog."""
        await self._deliver(
            Inbound(
                key=f"{TENANT}/press/{key}",
                kind="press",
                place=place,
                actor=actor(person),
                message=press.message,
                press=press,
                sent_at=self._clock.now(),
            )
        )

    async def mark(self, row: web.WebMessage, person: Person, emoji: str, *, remove: bool = False) -> None:
        """Put a person's emoji on a message or take it off; where a workflow waits for it the desk has it first."""
        place = self.place(row.channel, row.thread)
        if not remove and self._sources.awaited(place, emoji):
            await self._deliver(
                Inbound(
                    key=f"{TENANT}/{row.channel}/{row.id}/reaction/{emoji}/{person.id}/{self._ids.new()}",
                    kind="reaction",
                    place=place,
                    actor=actor(person),
                    message=row.id,
                    text=emoji,
                    sent_at=self._clock.now(),
                )
            )
        await self._store.write(lambda session: web.mark(session, row.id, emoji, person.id, remove=remove))

    async def _hand_over(self, row: web.WebMessage, *, redelivered: bool = False) -> None:
        await self._deliver(self._inbound(row, redelivered))
        await self._store.write(lambda session: web.handed_over(session, row.id))

    async def _deliver(self, inbound: Inbound) -> None:
        if self._receive is None:
            raise StoreError("Bosun is starting or stopping. Try again in a moment.")
        await self._receive(inbound)

    def _inbound(self, row: web.WebMessage, redelivered: bool) -> Inbound:
        names = {person.id.lower(): person.name for person in self._sources.people()}
        said = str(row.body["text"])
        return Inbound(
            key=f"{TENANT}/{row.channel}/{row.id}",
            kind="mention" if words.mentions_us(said) and not self._is_dm(row.channel) else "message",
            place=self.place(row.channel, row.thread),
            actor=Actor(platform=PLATFORM, tenant=TENANT, user=row.author, name=names.get(row.author.lower(), "")),
            message=row.id,
            text=words.readable(said, names),
            addressed=row.addressed,
            opens_with_other=words.opens_with(said, names),
            files=tuple(_reference(file) for file in row.body["files"]),
            sent_at=row.created_at,
            redelivered=redelivered,
        )

    # -- what Bosun shows ---------------------------------------------------------------------------------------

    async def post(self, row: Claimed) -> str:
        """Show a message; its id is the row's, so a second post shows nothing new."""
        return await self._show(row, row.body)

    async def edit(self, row: Claimed) -> None:
        """Show the row's body instead of the earlier one."""
        message = row.remote_id or row.id
        if not await self._store.write(lambda session: web.change_body(session, message, row.body, row.version)):
            raise TargetGone("The message is no longer there.")

    async def find(self, row: Claimed) -> str | None:
        """The row's id if its message is shown."""
        found = await self._store.read(lambda session: web.get(session, row.id))
        return found.id if found else None

    async def notice(self, row: Claimed) -> None:
        """Show a Text to one person, in all their tabs; it stays in their list of notices."""
        to = row.to
        if to is None:
            raise TargetGone("The notice is for nobody.")
        payload = {"body": row.body, "channel": row.where.channel, "thread": row.where.thread or ""}
        push = self._push(to.user, "notice", payload, row.id)
        await self._store.write(lambda session: web.push(session, push))

    async def react(self, sign: Sign) -> None:
        """Put a reaction on a message or take it off."""
        name, target, remove = sign.extra["name"], sign.extra["target"], bool(sign.extra.get("remove"))
        if not await self._store.write(lambda session: web.react(session, target, name, remove=remove)):
            raise TargetGone("The message is no longer there.")

    async def status(self, sign: Sign) -> None:
        """Show what Bosun does in the thread."""
        place, state = sign.where, sign.extra["state"]
        await self._store.write(lambda session: web.set_thread_state(session, place.channel, place.thread or "", state))

    async def upload(self, row: Claimed) -> str:
        """Post a file."""
        extra = row.extra
        content = outbox.file_content(extra)
        file = await self._files.keep(row.id, extra["name"], web.BOSUN, content)
        view = {**_view(file), "alt": extra.get("alt") or ""}
        message = await self._show(row, {"type": "file", "comment": extra.get("comment") or "", "files": [view]})
        await self._store.write(lambda session: web.attach(session, [file.id], web.BOSUN, message))
        return message

    async def open_form(self, trigger: str, form: Form) -> None:
        """Open a dialog in the tab where the button was pressed."""
        client, _, person = trigger.partition("/")
        if not client or not person:
            raise PlatformError("Nobody waits for this dialog any more.")
        push = self._push(person, "form", form.model_dump(mode="json"), self._ids.new(), client=client)
        await self._store.write(lambda session: web.push(session, push))

    def show_vote(self, session: Session, actor: Actor, subject: str, verb: str) -> None:
        """Show in all tabs of the person what they said of an answer."""
        web.push(session, self._push(actor.user, "vote", {"subject": subject, "verb": verb}, self._ids.new()))

    def _push(self, person: str, kind: str, payload: Json, push_id: str, *, client: str = "") -> web.WebPush:
        """What the person's tabs get, or this one alone; `web.push` gives it its number."""
        now = self._clock.now()
        return web.WebPush(id=push_id, seq=0, person=person, client=client, kind=kind, payload=payload, created_at=now)

    async def _show(self, row: Claimed, body: Json) -> str:
        place = row.where
        if not place.channel and row.to is not None:
            place = await self.direct(row.to)
        if self.channel(place.channel) is None:
            raise TargetGone(f"There is no channel {place.channel!r} in the web chat.")
        message = web.WebMessage(
            id=row.id,
            number=0,
            seq=0,
            channel=place.channel,
            thread=place.thread or "",
            body=body,
            version=row.version,
            created_at=self._clock.now(),
        )

        def store(session: Session) -> None:
            if message.thread and web.get(session, message.thread) is None:
                raise TargetGone("The thread is no longer there.")
            if not web.add_message(session, message):
                web.change_body(session, row.id, body, row.version)

        await self._store.write(store)
        return row.id

    # -- what the core asks -------------------------------------------------------------------------------------

    async def thread(self, place: Place, limit: int = 40) -> list[Heard]:
        """The last messages of the thread, its root first; of a DM or channel where there is no thread."""

        def read(session: Session) -> list[web.WebMessage]:
            if not place.thread:
                return web.timeline(session, place.channel, limit=limit)
            root = web.get(session, place.thread)
            return [*([root] if root else []), *web.replies(session, place.thread, limit - 1)]

        names = {person.id: person.name for person in self._sources.people()}
        return [_heard(row, names) for row in await self._store.read(read)]

    async def read(self, place: Place, message: str) -> Heard:
        """That message; TargetGone where it is gone."""
        row = await self._store.read(lambda session: web.get(session, message))
        if row is None or row.channel != place.channel:
            raise TargetGone("The message is no longer there.")
        return _heard(row, {person.id: person.name for person in self._sources.people()})

    async def download(self, file: FileRef, limit: int) -> bytes:
        """The content of an upload."""
        return await self._files.read(file.id, limit)

    async def group_members(self, group: str) -> frozenset[str]:
        """There are no groups here: roles name their people."""
        raise PlatformError("The web chat has no groups.", hint="Name the people of the role in people.yaml.")

    async def may_read(self, place: Place, user: str) -> bool:
        """The charter says who reads a channel of the web chat, so nobody asks here."""
        raise PlatformError("The web chat has no members of its own.", hint="bosun.yaml says who reads its channels.")

    async def direct(self, actor: Actor) -> Place:
        """The DM with this person."""
        return self.place(DM + actor.user)

    def permalink(self, place: Place, message: str) -> str:
        """The path that opens the message."""
        thread = f"/t/{place.thread}" if place.thread else ""
        return f"/c/{place.channel}{thread}#m-{message}"

    def place(self, channel: str, thread: str = "") -> Place:
        """The place with these ids."""
        known = self.channel(channel)
        return Place(
            platform=PLATFORM,
            tenant=TENANT,
            channel=channel,
            thread=thread or None,
            kind="dm" if self._is_dm(channel) else "channel",
            external=bool(known and known.external),
        )

    def name_of(self, author: str) -> str:
        """How the author of a message is called."""
        return next((person.name for person in self._sources.people() if person.id == author), author) or "Bosun"

    def channel(self, channel_id: str) -> Channel | None:
        """The channel, or a person's DM, with this id."""
        from bot.web.views import Channel

        if self._is_dm(channel_id):
            person = next((one for one in self._sources.people() if DM + one.id == channel_id), None)
            return Channel(id=channel_id, name="Bosun", members=frozenset({person.id})) if person else None
        return next((one for one in self._sources.channels() if one.id == channel_id), None)

    def readable(self, person: str, channel_id: str) -> bool:
        """Whether the person may read the channel."""
        known = self.channel(channel_id)
        return known is not None and (known.members is None or person in known.members)

    @staticmethod
    def _is_dm(channel: str) -> bool:
        return channel.startswith(DM)


def actor(person: Person) -> Actor:
    """A person's account in the web chat."""
    return Actor(platform=PLATFORM, tenant=TENANT, user=person.id, name=person.name)


def _view(file: web.WebFile) -> dict[str, Json]:
    return {"id": file.id, "name": file.name, "media_type": file.media_type, "size": file.size}


def _reference(file: dict[str, Json]) -> FileRef:
    return FileRef(
        id=file["id"], name=file["name"], media_type=file["media_type"], size=file["size"], url=f"/files/{file['id']}"
    )


def _heard(row: web.WebMessage, names: dict[str, str]) -> Heard:
    return Heard(
        message=row.id,
        actor=Actor(
            platform=PLATFORM,
            tenant=TENANT,
            user=row.author or "bosun",
            name=names.get(row.author, row.author) or "Bosun",
            is_bot=not row.author,
        ),
        text=words.of_body(row.body),
        mine=row.author == web.BOSUN,
        sent_at=row.created_at,
        files=tuple(_reference(file) for file in row.body.get("files") or ()),
    )
