"""What the Slack platform needs to know. Tokens come from kernel.config, which has read them once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel.errors import ConfigError
from kernel.types import Frozen

if TYPE_CHECKING:
    from kernel.config import Secret, Settings

API_URL = "https://slack.com/api/"


class SlackSettings(Frozen):
    """Tokens and knobs of one workspace. Tokens never appear in its repr."""

    bot_token: str = Field(repr=False)  # xoxb-...
    app_token: str = Field(default="", repr=False)  # xapp-...: Socket Mode
    signing_secret: str = Field(default="", repr=False)  # events over HTTP
    api_url: str = API_URL
    sockets: int = Field(default=2, ge=1, le=10)  # Slack sends each payload to one of them; two cover a refresh
    bots: frozenset[str] = frozenset()  # ids (B..., U...) of bots that may mention us
    console_url: str = ""  # address of the web console as people reach it: opens sources of our own documents
    post_interval: float = 1.0  # seconds between posts in one channel, after a burst
    post_burst: int = 5
    read_interval: float = (
        1.3  # seconds between two calls for history: 50 a minute are allowed, and catch-up needs some
    )

    @property
    def mode(self) -> Literal["socket", "http"]:
        """Socket Mode where there is an app-level token, else events over HTTP."""
        return "socket" if self.app_token else "http"

    @classmethod
    def of(cls, settings: Settings, **knobs: object) -> SlackSettings:
        """The part of the process's settings that is Slack's; `knobs` are further fields. Raises ConfigError."""
        if settings.slack_bot_token is None:
            raise ConfigError("SLACK_BOT_TOKEN is not set.", hint="docs/slack.md says where it comes from.")
        return cls.model_validate(
            {
                "bot_token": settings.slack_bot_token.reveal(),
                "app_token": _reveal(settings.slack_app_token),
                "signing_secret": _reveal(settings.slack_signing_secret),
                "api_url": settings.slack_api_url or API_URL,
                **knobs,
            }
        )


def _reveal(secret: Secret | None) -> str:
    return secret.reveal() if secret is not None else ""
