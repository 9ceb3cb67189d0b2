"""What Bosun shows on Discord: posts, edits, private notices, reactions, files; and finding what may have arrived."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import discord

from bot.discord import ids, render
from bot.discord.api import NO_DM, DiscordError, GoneError, calling, number_of
from bot.discord.files import upload_of
from bot.discord.threads import is_closed
from bot.engine.adapter import NoRoomError
from bot.engine.document.incomplete import ELSEWHERE, without_files
from kernel.errors import OutcomeUnknown, PlatformError
from kernel.store import outbox
from kernel.types import Dashboard, Place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.discord.answers import Answers
    from bot.discord.api import Pace
    from bot.discord.connection import Connection
    from bot.discord.render import Shown
    from bot.discord.settings import DiscordSettings
    from bot.discord.threads import Target, Threads
    from bot.discord.typing import Typing
    from bot.engine.adapter import Sign
    from kernel.store.outbox import Claimed
    from kernel.types import Actor

    Taken = Callable[[str, list[str]], Awaitable[frozenset[str]]]

EMOJI = {"eyes": "👀"}
FOLLOWED = 500  # messages whose further parts are remembered
SKEW = timedelta(seconds=120)  # their clock is not ours
LOOK_BACK = 100  # messages that are looked through for one that may have arrived
CLOSED_DM = (
    "{mention} I have something to tell you alone, but your direct messages are closed to me. "
    "Allow messages from members of this server, or use `/bosun` here."
)

log = logging.getLogger("bosun.discord")


class Outgoing:
    """Makes one server show outbox rows. `taken` says which messages of a channel other rows have brought there."""

    def __init__(
        self,
        client: Callable[[], Connection],
        settings: DiscordSettings,
        *,
        threads: Threads,
        answers: Answers,
        typing: Typing,
        pace: Pace,
        taken: Taken,
        guild: str,
    ) -> None:
        self.client = client
        self.settings = settings
        self.threads = threads
        self.answers = answers
        self.typing = typing
        self.pace = pace
        self.taken = taken
        self.guild = guild
        self._followed: OrderedDict[tuple[int, str], None] = OrderedDict()
        self._told: OrderedDict[str, datetime] = OrderedDict()

    # -- messages ---------------------------------------------------------------------------------

    async def post(self, row: Claimed) -> str:
        """Post the row's body under a nonce, by which Discord recognises it when it is posted again."""
        place = await self._place(row)
        shown, first = self._shown(row)
        # What was shown before and has been deleted is posted anew: its old nonce would bring the deleted message back.
        again = str(row.sent_version) if row.sent_version else ""
        message, target = await self._send(place, nonce=ids.nonce(row.id, again), **first.first())
        if shown.content and message.content.strip() != shown.content.strip():
            await self._change(target, message.id, shown)  # an earlier try got through, and the row has changed since
        try:
            await self._follow(target, message.id, shown, look=row.attempts > 1)
        except PlatformError as error:
            # The message stands: only looking for it first keeps the next try from posting it twice.
            raise OutcomeUnknown(f"The message was posted, what follows it was not: {error.message}") from error
        if first is not shown:
            await self._change(target, message.id, shown)
        return str(message.id)

    def _shown(self, row: Claimed) -> tuple[Shown, Shown]:
        """How the row is shown, and how as long as its files are not there."""
        shown = render.render(row.content, self.settings.console_url).marked(ids.mark(row.id))
        body = without_files(row.content) if shown.attachments else None
        return shown, shown if body is None else render.render(body).marked(ids.mark(row.id))

    async def edit(self, row: Claimed) -> None:
        """Bring the posted message to the row's body."""
        place, number = await self._place(row), int(row.remote_id or 0)
        shown, unread = self._shown(row)
        target = await self.threads.target(place, begin=False)
        if unread is not shown:
            try:
                await self._follow(target, number, shown, look=True)
            except PlatformError:
                await self._change(target, number, unread)
                raise
        await self._change(target, number, shown)
        await self._follow(target, number, shown, look=True)

    async def _change(self, target: Target, number: int, shown: Shown) -> None:
        await self.pace.take()
        with calling("edit the message"):
            await target.channel.get_partial_message(number).edit(**shown.change())

    async def _send(self, place: Place, **what: Any) -> tuple[discord.Message, Target]:
        """Post into the thread; as a reply in the channel where the thread takes nothing from us."""
        target = await self.threads.target(place)
        try:
            message = await self._into(target, **what)
        except GoneError as error:
            if place.thread is None or target.replies_to is not None or not is_closed(error):
                raise
            log.info("Thread %s is closed to us, so the answer is a reply: %s", place.thread, error)
            target = self.threads.close(place)
            message = await self._into(target, **what)
        self.typing.stop(str(target.channel.id))
        return message, target

    async def _into(self, target: Target, **what: Any) -> discord.Message:
        await self.pace.take()
        reference = target.reference()
        with calling("post the message", unsure=True):
            if reference is not None:
                return await target.channel.send(reference=reference, **what)
            return await target.channel.send(**what)

    async def _follow(self, target: Target, number: int, shown: Shown, *, look: bool) -> None:
        """Send what belongs behind the message and is not there yet: further parts and files."""
        parts: list[tuple[str, dict[str, Any]]] = [
            (ids.nonce(str(number), text), {"content": text, "suppress_embeds": True}) for text in shown.more
        ]
        if shown.more and shown.below is not None:
            parts[-1][1]["view"] = shown.below
        parts += [
            (ids.nonce(str(number), file.name), {"file": upload_of(file.name, file.content.encode("utf-8", "replace"))})
            for file in shown.attachments
        ]
        missing = [part for part in parts if (number, part[0]) not in self._followed]
        there = await self._behind(target, number) if missing and look else frozenset[str]()
        for nonce, what in missing:
            name = what["file"].filename if "file" in what else what["content"].strip()
            if name not in there:
                await self._into(target, nonce=nonce, **what)
            self._followed[number, nonce] = None
            if len(self._followed) > FOLLOWED:
                self._followed.popitem(last=False)

    async def _behind(self, target: Target, number: int) -> frozenset[str]:
        """Texts and file names of what we said behind a message."""
        found = await self._ours(target, discord.Object(number))
        names = {file.filename for message in found for file in message.attachments}
        return frozenset(names | {message.content.strip() for message in found})

    async def _ours(self, target: Target, after: discord.Object | datetime) -> list[discord.Message]:
        await self.pace.take()
        with calling("show what was said"):
            history = target.channel.history(limit=LOOK_BACK, after=after, oldest_first=True)
            me = self.client().user
            return [message async for message in history if me is not None and message.author.id == me.id]

    async def find(self, row: Claimed) -> str | None:
        """The message that shows the row and is known to be no other row's."""
        place = await self._place(row)
        target = await self.threads.target(place, begin=False)
        try:
            found = await self._ours(target, row.created_at - SKEW)
        except GoneError:
            return None  # there is no such thread, so nothing was posted there
        free = await self.taken(place.lane, [str(message.id) for message in found])
        candidates = [message for message in found if str(message.id) not in free]
        if row.kind == outbox.FILE:
            name = (row.extra or {}).get("name")
            match = [message for message in candidates if any(file.filename == name for file in message.attachments)]
        else:
            shown = render.render(row.content, self.settings.console_url)
            match = [message for message in candidates if _shows(message, shown, ids.mark(row.id))]
        return str(match[0].id) if match else None

    async def upload(self, row: Claimed) -> str:
        """Post a file and return the message's id."""
        place, extra = await self._place(row), row.extra or {}
        alt = str(extra.get("alt") or "")[:1024]
        file = upload_of(str(extra["name"]), outbox.file_content(extra), alt)
        comment = render.words(str(extra.get("comment") or "")) or None
        message, _ = await self._send(place, nonce=ids.nonce(row.id), file=file, content=comment)
        return str(message.id)

    # -- one person -------------------------------------------------------------------------------

    async def notice(self, row: Claimed) -> None:
        """Show a Text to one person: as the answer to their press or command, else in a DM."""
        to = row.to
        if to is None:
            raise PlatformError("A notice without a recipient.")
        shown = render.render(row.content, self.settings.console_url)
        cut = without_files(row.content, ELSEWHERE) if shown.attachments else None
        if cut is not None:
            shown = replace(render.render(cut), attachments=())
        answer = self.answers.to(str((row.extra or {}).get("answers") or ""), row.where.channel, to.user)
        if answer is not None:
            try:
                if await answer.say(shown) and isinstance(row.content, Dashboard):
                    self.answers.looks_at(to.user, answer)
            except PlatformError as error:
                log.info("A private answer came too late and goes into a DM: %s", error)
            else:
                return
        try:
            target = await self.threads.target(await self.direct(to))
            message = await self._into(target, nonce=ids.nonce(row.id), **shown.first())
            await self._follow(target, message.id, shown, look=row.attempts > 1)
        except (GoneError, DiscordError) as error:
            if number_of(error) != NO_DM:
                raise
            await self._closed_to_us(row, to)

    async def publish_home(self, actor: Actor, value: Dashboard) -> None:
        """Bring the dashboard that the person looks at up to date; one that they opened long ago stays as it is."""
        answer = self.answers.home(actor.user)
        if answer is not None:
            await answer.change(render.render(value, self.settings.console_url))

    async def _closed_to_us(self, row: Claimed, to: Actor) -> None:
        """Where nothing private can be said: that there is something, once an hour, and nothing of what it is."""
        if row.where.kind == "dm":
            return
        hour = row.created_at.strftime("%Y%m%d%H")
        mention = discord.AllowedMentions(users=[discord.Object(int(to.user))])
        await self._send(
            row.where,
            nonce=ids.nonce(f"{to.account}/{hour}"),
            content=CLOSED_DM.format(mention=f"<@{to.user}>"),
            allowed_mentions=mention,
        )

    async def direct(self, actor: Actor) -> Place:
        """The DM with this account."""
        await self.pace.take()
        with calling("open the DM"):
            channel = await self.client().create_dm(discord.Object(int(actor.user)))
        return Place(platform="discord", tenant=self.guild, channel=str(channel.id), kind="dm")

    # -- signs ------------------------------------------------------------------------------------

    async def react(self, sign: Sign) -> None:
        """Put a reaction on a message or take it off. Under load a sign gives way to answers."""
        extra = sign.extra
        emoji = EMOJI.get(extra["name"], extra["name"])
        if not self.pace.spare():
            raise NoRoomError
        message = self.threads.of_message(sign.where, str(extra["target"]))
        with calling("react to the message"):
            if extra.get("remove"):
                me = self.client().user
                await message.remove_reaction(emoji, discord.Object(me.id if me else 0))
            else:
                await message.add_reaction(emoji)

    async def status(self, sign: Sign) -> None:
        """Show that there is work by typing, until something is said or the work rests."""
        place, extra = sign.where, sign.extra
        if extra.get("state") == "processing":
            target = await self.threads.target(place)
            self.typing.begin(target.channel)
        elif (here := place.thread or place.channel) is not None:
            self.typing.stop(here)

    async def _place(self, row: Claimed) -> Place:
        """Where the row goes: its place, or the DM with whom it is for."""
        place = row.where
        if place.channel or row.to is None:
            return place
        return await self.direct(row.to)


def _shows(message: discord.Message, shown: Shown, mark: int) -> bool:
    """Whether the message is the row's: it carries the row's mark, or, without components, says the same."""
    if message.components:
        return mark in _component_ids(message.components)
    return bool(shown.content) and message.content.strip() == shown.content.strip()


def _component_ids(components: Any) -> list[int]:
    found: list[int] = []
    for component in components:
        found += [component.id, *_component_ids(getattr(component, "children", ()))]
    return found
