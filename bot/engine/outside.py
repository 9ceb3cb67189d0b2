"""Building the adapters of the platforms outside. Their libraries are imported only where one is connected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.engine.platform_side import PlatformSide

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from bot.discord.adapter import DiscordAdapter
    from bot.engine.adapter import Awaited
    from bot.engine.directory import TeamDirectory
    from bot.engine.suggestions import Suggestions
    from bot.engine.text_command import Office, TextCommand
    from bot.slack.adapter import SlackAdapter
    from kernel.clock import Clock
    from kernel.config import Settings
    from kernel.store import Store
    from kernel.types import Place


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What the platforms outside are connected to."""

    settings: Settings
    store: Store
    clock: Clock
    directory: TeamDirectory
    office: Callable[[], Office]  # what commands work with
    engaged: Callable[[Place, str], Awaitable[bool]]  # whether a message there is for us without a mention
    commands: Iterable[TextCommand]
    awaited: Awaited
    suggestions: Suggestions

    def slack(self) -> SlackAdapter:
        """The Slack workspace that the tokens lead to."""
        from bot.slack.adapter import SlackAdapter
        from bot.slack.settings import SlackSettings

        settings = SlackSettings.of(self.settings, console_url=self.settings.web_address, bots=self._bots("slack"))
        return SlackAdapter(settings, self.store, self.clock, self.engaged, self.suggestions, awaited=self.awaited)

    def discord(self, guild: str, executor_id: str) -> DiscordAdapter:
        """The Discord server that the token leads to; `guild` pins it."""
        from bot.discord.adapter import DiscordAdapter
        from bot.discord.settings import DiscordSettings

        bots = self._bots("discord")
        settings = DiscordSettings.of(self.settings, guild=guild, console_url=self.settings.web_address, bots=bots)
        side = PlatformSide(
            "discord",
            store=self.store,
            clock=self.clock,
            directory=self.directory,
            office=self.office,
            engaged=self.engaged,
            commands=self.commands,
            awaited=self.awaited,
        )
        return DiscordAdapter(settings, self.store, self.clock, side, executor_id)

    def _bots(self, platform: str) -> frozenset[str]:
        return frozenset(self.directory.charter().team.bots.get(platform, ()))
