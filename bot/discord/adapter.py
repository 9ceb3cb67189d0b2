"""The Discord adapter: what is said and pressed on one server, and making it show what Bosun shows."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, Literal

from bot.discord import forms, permissions
from bot.discord.answers import Answers
from bot.discord.api import Pace, calling
from bot.discord.archive import DiscordArchive
from bot.discord.catchup import CatchUp
from bot.discord.files import download
from bot.discord.gateway import Gateway
from bot.discord.history import History
from bot.discord.intake import Intake
from bot.discord.members import Members
from bot.discord.messages import Identity, Messages, place_of
from bot.discord.outgoing import Outgoing
from bot.discord.presses import Presses
from bot.discord.slash import Slash
from bot.discord.threads import Threads
from bot.discord.typing import Typing
from bot.engine import connections
from bot.engine.adapter import Capabilities
from bot.engine.catching_up import CatchingUp
from bot.engine.connections import Reached
from bot.engine.cursors import Cursors
from bot.engine.leader import Leader
from kernel.errors import BosunError, ConfigError, PlatformError

if TYPE_CHECKING:
    import discord

    from bot.discord.connection import Connection
    from bot.discord.settings import DiscordSettings
    from bot.discord.team import TeamSide
    from bot.engine.adapter import Heard, Receiver, Sign
    from kernel.clock import Clock
    from kernel.store import Store
    from kernel.store.outbox import Claimed
    from kernel.types import Actor, Dashboard, FileRef, Form, Place
    from knowledge.engine.archives import Listener

log = logging.getLogger("bosun.discord")


class DiscordAdapter:
    """One Discord server. `team` is what the adapter asks of the rest of Bosun."""

    platform = "discord"

    members: Reached[Members] = Reached()
    intake: Reached[Intake] = Reached()
    outgoing: Reached[Outgoing] = Reached()
    history: Reached[History] = Reached()
    archive: Reached[DiscordArchive] = Reached()

    def __init__(self, settings: DiscordSettings, store: Store, clock: Clock, team: TeamSide, owner: str) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        self.team = team
        self.capabilities = Capabilities(
            working_state=True,
            edit_interval=1.2,
            edit_share=0.24,  # from five messages on each grows more slowly, by forty every ten seconds
            post_interval=settings.post_interval,
            post_burst=settings.post_burst,
            dm_threads=False,
            opens=False,
        )
        self.me = Identity(guild="", user="")
        self.pace = Pace(settings.calls_per_second)
        self.answers = Answers()
        self.typing = Typing(self.pace)
        self.threads = Threads(self._client, self.pace)
        self.cursors = Cursors(store, clock)
        self.gateway = Gateway(settings, self, prepare=self._prepare, degraded=self._degraded)
        self.leader = Leader(store, "discord-gateway", owner, begin=self.gateway.connect, end=self.gateway.disconnect)
        self.listener: Listener | None = None
        self._catching_up = CatchingUp("Discord", self._catch_up)
        self._receive: Receiver

    @property
    def tenant(self) -> str:
        """The server's id; empty until the first login."""
        return self.me.guild

    def _client(self) -> Connection:
        return self.gateway.client

    # -- life cycle -------------------------------------------------------------------------------

    async def start(self, receive: Receiver) -> None:
        """Log in, and connect where no other process holds the connection. ConfigError where Discord takes no token.

        What was missed is caught up on meanwhile.
        """
        self._receive = receive
        try:
            await self.gateway.login()
            await self.leader.start()
        except BaseException:
            await self.stop()
            connections.forget(self)
            raise

    async def stop(self) -> None:
        """Disconnect and let another process take over at once."""
        await self._catching_up.stop()
        await self.leader.stop()
        self.typing.close()
        with contextlib.suppress(PlatformError):  # nothing has come in where Discord was never reached
            self.intake.stop()
        await self.cursors.stop()
        await self.gateway.close()

    async def caught_up(self) -> None:
        """Wait until everything that was missed has been handed over."""
        await self._catching_up.done()

    async def _prepare(self, client: Connection) -> None:
        """After a login: find out who we are and where; build what depends on it."""
        guild = await self._guild(client)
        me = client.user
        self.me = Identity(guild=str(guild.id), user=str(me.id if me else 0), role=_own_role(guild, client))
        self.members = Members(self.clock, self.pace, self.team.accounts)
        self.members.server = guild
        self.messages = Messages(
            self.me,
            self.members,
            self.settings.bots,
            engaged=self.team.engaged,
            root=self.team.root_of,
            known=self.team.event_of,
            awaited=self.team.awaited,
        )
        self.intake = Intake(self.messages, self.cursors, self._receive, gap=self._catching_up.begin)
        self.presses = Presses(self.me, self.members, self.answers, self.intake)
        self.slash = Slash(
            self.me,
            members=self.members,
            answers=self.answers,
            intake=self.intake,
            commands=self.team.commands(),
            suggest=self.team.suggest,
            about=self.presses.about,
            store=self.store,
        )
        self.tree = self.slash.tree(client)
        self.outgoing = Outgoing(
            self._client,
            self.settings,
            threads=self.threads,
            answers=self.answers,
            typing=self.typing,
            pace=self.pace,
            taken=self.team.taken,
            guild=self.me.guild,
        )
        self.history = History(self._client, self.messages, self.pace)
        self.archive = DiscordArchive(self._client, self.messages, self.pace, self.permalink)
        self.missed = CatchUp(self.store, self.clock, self.pace, self.intake, self.me.guild)

    async def _guild(self, client: Connection) -> discord.Guild:
        with calling("say which servers there are"):
            found = [guild async for guild in client.fetch_guilds(limit=200)]
        mine = [guild for guild in found if not self.settings.guild or str(guild.id) == self.settings.guild]
        if not mine:
            link = permissions.invitation(client.application_id or 0, self.settings.guild)
            raise ConfigError("The Discord bot is in no server that it may serve.", hint=f"Invite it: {link}")
        if len(mine) > 1:
            names = ", ".join(f"{guild.name} ({guild.id})" for guild in mine)
            raise ConfigError(
                f"The Discord bot is in several servers: {names}.",
                hint="Say in bosun.yaml which one it serves: workspaces: {discord: ID}",
            )
        with calling("show the server"):
            return await client.fetch_guild(mine[0].id)

    async def _degraded(self) -> None:
        await self.team.tell_operators(
            f"discord-content-{self.clock.now():%Y%m%d}",
            "**Discord does not let me read what people write.** I hear only messages that mention me, replies to what "
            "I said, and direct messages; follow-ups in threads need a mention. To change that, switch on *Message "
            "Content Intent* (Developer Portal > your application > Bot) and restart me.",
        )

    # -- what is heard ----------------------------------------------------------------------------

    async def ready(self) -> None:
        """A new session: the commands may have changed."""
        try:
            await self.slash.register(self._client(), self.tree)
        except BosunError as error:
            log.warning("The slash command is not up to date: %s", error)

    async def message(self, message: discord.Message) -> None:
        """Somebody wrote something."""
        channel = message.channel
        if getattr(channel, "parent_id", None) is not None:
            self.threads.known(str(channel.id))
        elif not message.author.bot:
            self.threads.called(str(message.id), self.messages.text(message)) if self.messages.mentions_us(
                message
            ) else None
        await self.intake.heard(message)
        await self._overhear(message, "said")

    async def edited(self, message: discord.Message) -> None:
        """A message was changed."""
        await self.intake.changed(await self.messages.edited(message))
        await self._overhear(message, "changed")

    async def deleted(self, channel: int, message: int) -> None:
        """A message was deleted."""
        await self.intake.changed(await self.messages.deleted(message))
        if self.listener is not None:
            await self.listener.told(self.archive.gone(channel, message))

    async def _overhear(self, message: discord.Message, event: Literal["said", "changed"]) -> None:
        """Something was said or changed in a channel; it is kept where the charter wants that."""
        place = place_of(message.channel, self.me.guild)
        if self.listener is None or place is None or not self.listener.wants(place):
            return
        try:
            told = await self.archive.said(message, event)
        except BosunError as error:  # the history is compared later
            log.warning("A message was not kept: %s", error)
        else:
            if told is not None:
                await self.listener.told(told)

    async def reacted(self, payload: discord.RawReactionActionEvent) -> None:
        """Somebody put an emoji on a message: kept where a workflow waits for it."""
        await self.intake.changed(await self.messages.reaction(payload, self._client().get_channel(payload.channel_id)))

    async def interaction(self, interaction: discord.Interaction[Any]) -> None:
        """A button was pressed or a dialog submitted."""
        await self.presses.route(interaction)

    async def available(self, guild: discord.Guild) -> None:
        """What was said before this session is in the history only."""
        if str(guild.id) == self.me.guild:
            self._catching_up.begin()

    async def joined(self, guild: discord.Guild) -> None:
        """Somebody invited the bot; on a server that is not served it stays silent."""
        if str(guild.id) != self.me.guild:
            log.warning("Bosun was added to the server %s (%s), which it does not serve.", guild.name, guild.id)

    async def _catch_up(self) -> int:
        return await self.missed.run(self._client())

    # -- what is shown ----------------------------------------------------------------------------

    async def post(self, row: Claimed) -> str:
        """Post the row's body and return the message's id."""
        return await self.outgoing.post(row)

    async def edit(self, row: Claimed) -> None:
        """Bring the posted message to the row's body."""
        await self.outgoing.edit(row)

    async def find(self, row: Claimed) -> str | None:
        """The message that shows the row and that no other row has brought."""
        return await self.outgoing.find(row)

    async def notice(self, row: Claimed) -> None:
        """Show a Text to one person."""
        await self.outgoing.notice(row)

    async def publish_home(self, actor: Actor, value: Dashboard) -> None:
        """Bring the dashboard that the person looks at up to date. PlatformError where it cannot be changed now."""
        await self.outgoing.publish_home(actor, value)

    async def react(self, sign: Sign) -> None:
        """Put a reaction on a message or take it off."""
        await self.outgoing.react(sign)

    async def status(self, sign: Sign) -> None:
        """Type while there is work."""
        await self.outgoing.status(sign)

    async def upload(self, row: Claimed) -> str:
        """Post a file and return its message's id."""
        return await self.outgoing.upload(row)

    async def open_form(self, trigger: str, form: Form) -> None:
        """Open a dialog for whoever pressed; PlatformError where it is too late or was another process's press."""
        await self.answers.of(trigger).open(forms.modal(form))

    # -- what is asked ----------------------------------------------------------------------------

    async def thread(self, place: Place, limit: int = 40) -> list[Heard]:
        """The last messages of the thread, its root first; outside a thread, the last ones of the channel."""
        return await self.history.thread(place, limit)

    async def read(self, place: Place, message: str) -> Heard:
        """That message; TargetGone where it is gone."""
        return await self.history.message(place, message)

    async def download(self, file: FileRef, limit: int) -> bytes:
        """The file's content; ToolError where it is larger than `limit` or is not the file."""
        return await download(file, limit, self.settings.api_url)

    async def group_members(self, group: str) -> frozenset[str]:
        """Account keys of the people of the charter who hold a server role; PlatformError where it cannot be told."""
        return await self.members.with_role(group)

    async def may_read(self, place: Place, user: str) -> bool:
        """Whether the account sees the channel and its history; PlatformError where it cannot be told."""
        return await self.history.is_open_to(place, user)

    async def direct(self, actor: Actor) -> Place:
        """The DM with this account."""
        return await self.outgoing.direct(actor)

    def permalink(self, place: Place, message: str) -> str:
        """A link that opens the message."""
        server = "@me" if place.kind == "dm" else place.tenant
        inside = place.thread if place.thread not in {None, message} and place.kind != "dm" else place.channel
        return f"https://discord.com/channels/{server}/{inside}/{message}"


def _own_role(guild: discord.Guild, client: Connection) -> str:
    """The role that Discord made for the bot when it was invited; empty where it was invited without permissions."""
    me = client.user
    roles = (role for role in guild.roles if me is not None and role.tags is not None and role.tags.bot_id == me.id)
    return next((str(role.id) for role in roles), "")
