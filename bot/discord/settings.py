"""What the Discord platform needs to know. The token comes from kernel.config, which has read it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.errors import ConfigError
from kernel.types import Frozen

if TYPE_CHECKING:
    from kernel.config import Settings

API_URL = "https://discord.com/api/v10"
GATEWAY_URL = "wss://gateway.discord.gg/"


class DiscordSettings(Frozen):
    """Token and knobs of one server. The token never appears in its repr."""

    token: str = Field(repr=False)
    api_url: str = API_URL
    gateway_url: str = GATEWAY_URL
    guild: str = ""  # id of the server that is served; empty: the only one that the bot is in
    bots: frozenset[str] = frozenset()  # ids of bots that may mention us
    console_url: str = ""  # address of the web console as people reach it: opens sources of our own documents
    post_interval: float = 1.0  # seconds between posts in one channel and its threads, after a burst
    post_burst: int = 20  # the real limits are per thread and come with Discord's answers
    settle: float = 0.5  # seconds without news of a further server after which a session counts as begun
    calls_per_second: int = 40  # of the 50 that Discord takes from a bot in all; a fifth more at once after a pause

    @classmethod
    def of(cls, settings: Settings, **knobs: object) -> DiscordSettings:
        """The part of the process's settings that is Discord's; `knobs` are further fields. Raises ConfigError."""
        if settings.discord_bot_token is None:
            raise ConfigError("DISCORD_BOT_TOKEN is not set.", hint="docs/discord.md says where it comes from.")
        return cls.model_validate(
            {
                "token": settings.discord_bot_token.reveal(),
                "api_url": settings.discord_api_url or API_URL,
                "gateway_url": settings.discord_gateway_url or GATEWAY_URL,
                **knobs,
            }
        )
