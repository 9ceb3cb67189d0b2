"""Messages, their edits and deletions as neutral events; what is not for us is dropped here, before it is stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

import discord

from bot.discord import markup
from bot.discord.api import calling
from kernel.types import Actor, FileRef, Frozen, Inbound, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.discord.members import Members
    from bot.engine.adapter import Awaited

Engaged = Callable[[Place, str], Awaitable[bool]]  # whether a message there is for us without a mention
Root = Callable[[Place, str], Awaitable[str | None]]  # the thread of what we said in this message, None for others'
Known = Callable[[str], Awaitable[Inbound | None]]  # the event that brought this message, None where none did

SPOKEN = frozenset({discord.MessageType.default, discord.MessageType.reply})


class Identity(Frozen):
    """Who we are on the server."""

    guild: str  # id of the server that is served
    user: str  # our own account
    role: str = ""  # the role that Discord made for us: people often mention it in place of the account

    @property
    def ours(self) -> frozenset[str]:
        """All ids by which we are addressed."""
        return frozenset({self.user, self.role} - {""})


class Messages:
    """Turns what was written on one server, or in a DM, into `Inbound`."""

    def __init__(
        self,
        me: Identity,
        members: Members,
        bots: frozenset[str],
        *,
        engaged: Engaged,
        root: Root,
        known: Known,
        awaited: Awaited,
    ) -> None:
        self.me = me
        self.members = members
        self.bots = bots
        self.engaged = engaged
        self.root = root
        self.known = known
        self.awaited = awaited

    async def inbound(self, message: discord.Message, *, caught_up: bool = False) -> Inbound | None:
        """The message as an `Inbound`, or None where it is not for us."""
        if message.type not in SPOKEN or self.silent(message):
            return None
        place = await self.place(message)
        if place is None or not await self._for_us(message, place):
            return None
        kind: Literal["mention", "message"] = "mention" if self.mentions_us(message) else "message"
        return await self._made(message, place, kind, key=self.key(message.id), caught_up=caught_up)

    async def edited(self, message: discord.Message) -> Inbound | None:
        """The change of a message; None where nothing was said anew, or not to us."""
        if message.edited_at is None or message.type not in SPOKEN or self.silent(message) or message.author.bot:
            return None
        place = await self.place(message)
        if place is None:
            return None
        known = await self.known(str(message.id))
        if known is None and not await self._for_us(message, place):
            return None
        if known is not None:
            place = known.place
            if known.text == self.text(message):
                return None  # a preview was added, or a pin
        at = f"{message.edited_at.timestamp():.6f}"
        return await self._made(message, place, "edit", key=f"{self.key(message.id)}/edit/{at}")

    async def deleted(self, message: int) -> Inbound | None:
        """A deletion, of which Discord says nothing but the id: only of what we have heard before."""
        known = await self.known(str(message))
        if known is None:
            return None
        return known.model_copy(
            update={
                "key": f"{self.key(message)}/delete",
                "kind": "delete",
                "text": "",
                "files": (),
                "redelivered": False,
            }
        )

    async def reaction(self, payload: discord.RawReactionActionEvent, channel: object) -> Inbound | None:
        """An emoji on a message, as an `Inbound`; None where no workflow waits for it, or it is ours or a bot's.

        Only members of the server count, so what comes without one, from a DM, is dropped.
        """
        place, member, emoji = place_of(channel, self.me.guild), payload.member, payload.emoji
        if place is None or member is None or member.bot or str(member.id) == self.me.user:
            return None
        if not self.awaited(place, emoji.name):
            return None
        moment = f"{discord.utils.utcnow().timestamp():.3f}"  # sent again it is another event that begins nothing twice
        return Inbound(
            key=f"{self.key(payload.message_id)}/reaction/{emoji.name}/{member.id}/{moment}",
            kind="reaction",
            place=place,
            actor=self.members.described(member),
            message=str(payload.message_id),
            text=emoji.name,
        )

    def key(self, message: int) -> str:
        """The platform's identity of a message: the same however it reaches us."""
        return f"{self.me.guild}/{message}"

    def ours(self, message: discord.Message) -> bool:
        """Whether we said it ourselves."""
        return str(message.author.id) == self.me.user

    def silent(self, message: discord.Message) -> bool:
        """Ours, a bot's or webhook's that is not allowed or does not mention us, or of another server."""
        if self.ours(message) or (message.guild is not None and str(message.guild.id) != self.me.guild):
            return True
        if message.author.bot or message.webhook_id is not None:
            return not (str(message.author.id) in self.bots and self.mentions_us(message))
        return False

    def mentions_us(self, message: discord.Message) -> bool:
        """By our account, also by answering to us with a ping, or by our role. `@everyone` is not us."""
        named = any(str(user.id) == self.me.user for user in message.mentions)
        return named or markup.mentions_role(message.content, self.me.role)

    async def place(self, message: discord.Message) -> Place | None:
        """Where a message stands; None for channels that are neither of our server nor a DM."""
        place = place_of(message.channel, self.me.guild)
        if place is None and isinstance(message.channel, discord.PartialMessageable) and message.guild is not None:
            with calling("say which channel this is"):
                place = place_of(await message.guild.fetch_channel(message.channel.id), self.me.guild)
        reference = message.reference
        if place is None or place.thread is not None or reference is None or reference.message_id is None:
            return place
        answered = reference.resolved
        if isinstance(answered, discord.Message) and not self.ours(answered):
            return place
        root = await self.root(
            place, str(reference.message_id)
        )  # where threads are not allowed, replies are the thread
        return place.in_thread(root)

    async def _for_us(self, message: discord.Message, place: Place) -> bool:
        if place.kind == "dm" or self.mentions_us(message):
            return True
        if not (message.content or message.attachments):
            return False  # without the content intent there is nothing in it to answer
        return await self.engaged(place, message.content)

    async def _made(
        self,
        message: discord.Message,
        place: Place,
        kind: Literal["mention", "message", "edit"],
        *,
        key: str,
        caught_up: bool = False,
    ) -> Inbound:
        return Inbound(
            key=key,
            kind=kind,
            place=place,
            actor=await self.actor(message),
            message=str(message.id),
            text=self.text(message),
            addressed=place.kind == "dm" or self.mentions_us(message),
            opens_with_other=markup.opens_with_other(message.content, self.me.ours),
            files=files(message),
            sent_at=message.edited_at if kind == "edit" else message.created_at,
            caught_up=caught_up,
        )

    async def actor(self, message: discord.Message) -> Actor:
        """Who said it. What comes through a webhook is a bot's, whatever name it carries."""
        actor = await self.members.actor(message.author)
        return actor.model_copy(update={"is_bot": True}) if message.webhook_id is not None else actor

    def text(self, message: discord.Message) -> str:
        """What the message says, as Markdown with readable names; of cards what stands on them."""
        names: dict[str, str] = {str(user.id): user.display_name for user in message.mentions}
        names |= {str(role.id): role.name for role in message.role_mentions}
        names |= {str(channel.id): channel.name for channel in message.channel_mentions}
        said = message.content or "\n".join(_shown(message.components))
        return markup.to_markdown(said, self.me.ours, _clean(names))


def place_of(channel: object, guild: str) -> Place | None:
    """The place that a channel, thread or DM is."""
    if isinstance(channel, discord.DMChannel):
        return Place(platform="discord", tenant=guild, channel=str(channel.id), kind="dm")
    if isinstance(channel, discord.Thread):
        if str(channel.guild.id) != guild:
            return None
        return Place(platform="discord", tenant=guild, channel=str(channel.parent_id), thread=str(channel.id))
    if isinstance(channel, discord.abc.GuildChannel) and str(channel.guild.id) == guild:
        return Place(platform="discord", tenant=guild, channel=str(channel.id))
    return None


def files(message: discord.Message) -> tuple[FileRef, ...]:
    """The files of a message."""
    return tuple(
        FileRef(
            id=str(file.id),
            name=file.filename,
            media_type=(file.content_type or "application/octet-stream").partition(";")[0],
            size=file.size,
            url=file.url,
        )
        for file in message.attachments
    )


def _shown(components: list[object] | list[discord.components.MessageComponentType]) -> list[str]:
    found: list[str] = []
    for component in components:
        if isinstance(component, discord.TextDisplay):
            found.append(component.content)
        children = getattr(component, "children", None)
        if children:
            found += _shown(list(children))
    return found


def _clean(names: Mapping[str, str]) -> dict[str, str]:
    return {key: " ".join(name.split()) for key, name in names.items()}
