"""`/bosun`: a subcommand for each text command, and `ask`; our entry in the menu of messages. They are registered again
only when their definition changes."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import discord
import orjson
from discord import app_commands

from bot.discord import menu
from bot.discord.answers import Answer
from bot.discord.api import calling
from bot.discord.messages import place_of
from bot.discord.presses import LOST
from bot.discord.render import sentence
from bot.engine import asking
from kernel.errors import PlatformError, StoreError
from kernel.store import leases
from kernel.types import Inbound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.discord.answers import Answers, Interaction
    from bot.discord.connection import Connection
    from bot.discord.intake import Intake
    from bot.discord.members import Members
    from bot.discord.messages import Identity
    from bot.engine.text_command import TextCommand
    from kernel.store import Store
    from kernel.types import Actor, Place

    About = Callable[[Interaction, discord.Message], Awaitable[None]]
    Suggest = Callable[[str, Actor, Place, str], Awaitable[list[str]]]

MOST = 25  # choices while typing
ABOUT = {
    "decisions": "Approvals in detail, permissions, and who decides for you",
    "rights": "What agents may do",
    "workflows": "What runs by itself",
    "know": "What I know and remember",
    "accounts": "Your linked accounts",
}
ELSEWHERE = "I only work in the server that I was set up for."

log = logging.getLogger("bosun.discord")


class Slash:
    """The slash command of one server and of DMs."""

    def __init__(
        self,
        me: Identity,
        *,
        members: Members,
        answers: Answers,
        intake: Intake,
        commands: Iterable[TextCommand],
        suggest: Suggest,
        about: About,
        store: Store,
    ) -> None:
        self.me = me
        self.members = members
        self.answers = answers
        self.intake = intake
        self.commands = tuple(commands)
        self.suggest = suggest
        self.about = about
        self.store = store
        self._registering = asyncio.Lock()

    def tree(self, client: Connection) -> app_commands.CommandTree[Any]:
        """The commands of this client; presses on it come here."""
        tree: app_commands.CommandTree[Any] = app_commands.CommandTree(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        bosun = app_commands.Group(name="bosun", description="Ask Bosun, decide, see what is going on")
        bosun.add_command(self._ask())
        for name, commands in menu.arranged(self.commands, taken=1).items():
            group = bosun
            if name:
                group = app_commands.Group(name=name, description=ABOUT.get(name, f"Commands: {name}"), parent=bosun)
            for typed in commands:
                group.add_command(self._made(typed))
        tree.add_command(bosun)
        tree.add_command(self._about())
        return tree

    async def register(self, client: Connection, tree: app_commands.CommandTree[Any]) -> bool:
        """Tell Discord the commands where it does not know them yet; says whether it was told."""
        definition = orjson.dumps(
            [command.to_dict(tree) for command in tree.get_commands()], option=orjson.OPT_SORT_KEYS
        )
        digest = hashlib.sha256(definition).hexdigest()
        name = f"discord-commands:{client.application_id}"
        async with self._registering:
            if await self.store.read(lambda session: leases.marked(session, name)) == digest:
                return False
            with calling("register the slash command"):
                await tree.sync()
            await self.store.write(lambda session: leases.mark(session, name, digest))
            return True

    # -- definition -------------------------------------------------------------------------------

    def _made(self, typed: TextCommand) -> app_commands.Command[Any, ..., Any]:
        async def bare(interaction: discord.Interaction) -> None:
            await self._said(interaction, typed.begins)

        async def with_about(interaction: discord.Interaction, about: str) -> None:
            await self._said(interaction, f"{typed.begins} {about}")

        async def perhaps_about(interaction: discord.Interaction, about: str = "") -> None:
            await self._said(interaction, f"{typed.begins} {about}".strip())

        alone = re.fullmatch(typed.shape, typed.begins, re.IGNORECASE) is not None
        open_ended = bool(typed.usage) or "(?P<" in typed.shape
        callback: Any = bare if not open_ended else perhaps_about if alone else with_about
        made: app_commands.Command[Any, ..., Any] = app_commands.Command(
            name=typed.name, description=(typed.does or typed.name)[:100], callback=callback
        )
        if open_ended:
            example = f"such as {typed.usage}" if typed.usage else "which one; the one in this thread without it"
            app_commands.describe(about=example[:100])(made)

            async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
                return await self._choices(interaction, typed.name, current)

            if typed.offers is not None:
                made.autocomplete("about")(complete)
        return made

    def _ask(self) -> app_commands.Command[Any, ..., Any]:
        async def ask(interaction: discord.Interaction, question: str, agent: str = "") -> None:
            await self._asked(interaction, question, agent)

        async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
            return await self._choices(interaction, "agent", current)

        described = app_commands.describe(question="What you want to know or have done", agent="Who is to answer")
        made: app_commands.Command[Any, ..., Any] = app_commands.Command(
            name=asking.COMMAND, description=asking.DOES, callback=described(ask)
        )
        made.autocomplete("agent")(complete)
        return made

    def _about(self) -> app_commands.ContextMenu:
        async def about(interaction: discord.Interaction, message: discord.Message) -> None:
            await self.about(interaction, message)

        return app_commands.ContextMenu(name=asking.TITLE, callback=about)

    async def _choices(self, interaction: Interaction, kind: str, current: str) -> list[app_commands.Choice[str]]:
        place = place_of(interaction.channel, self.me.guild)
        if place is None:
            return []
        actor = await self.members.actor(interaction.user)
        found = await self.suggest(kind, actor, place, current)
        return [app_commands.Choice(name=one[:100], value=one[:100]) for one in found[:MOST]]

    # -- use --------------------------------------------------------------------------------------

    async def _said(self, interaction: Interaction, text: str) -> None:
        """A command, answered to this person alone."""
        place = place_of(interaction.channel, self.me.guild)
        answer = Answer(interaction, waits=True)
        if place is None:
            await answer.say(sentence(ELSEWHERE))
            return
        self.answers.keep(place, answer)
        answer.soon()
        inbound = Inbound(
            key=f"{self.me.guild}/interaction/{interaction.id}",
            kind="command",
            place=place,
            actor=await self.members.actor(interaction.user, deciding=True),
            text=text,
            addressed=True,
            sent_at=interaction.created_at,
        )
        await self._take(inbound, answer)
        await answer.acknowledge()

    async def _asked(self, interaction: Interaction, question: str, agent: str) -> None:
        """A request: what was asked is shown to everybody, and the answer comes below it."""
        place = place_of(interaction.channel, self.me.guild)
        answer = Answer(interaction, waits=True)
        if place is None:
            await answer.say(sentence(ELSEWHERE))
            return
        who = discord.utils.escape_markdown(interaction.user.display_name)
        shown = sentence(asking.asks(who, question, agent))
        try:
            message = await answer.show_all(shown.content)
        except PlatformError as error:
            log.warning("A question could not be shown, so it is not taken: %s", error)
            return
        inbound = Inbound(
            key=f"{self.me.guild}/interaction/{interaction.id}",
            kind="mention",
            place=place,
            actor=await self.members.actor(interaction.user),
            message=message,
            text=f"{agent}: {question}" if agent else question,
            addressed=True,
            sent_at=interaction.created_at,
        )
        await self._take(inbound, answer)

    async def _take(self, inbound: Inbound, answer: Answer) -> None:
        try:
            await self.intake.accept(inbound)
        except StoreError as error:
            log.warning("A command was not taken, because it could not be stored: %s", error)
            try:
                await answer.say(sentence(LOST))
            except PlatformError as late:
                log.info("Nobody could be told: %s", late)
