"""The settings of one process, read once from the environment. What a team configures is in the charter."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

ROOT = Path(__file__).resolve().parent.parent  # the folder that Bosun runs from
LOG_LEVELS = ("debug", "info", "warning", "error")


class Secret:
    """A value that is never printed, logged or pickled. `reveal()` is the one way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never serialised")


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the web chat listens."""

    host: str = "127.0.0.1"
    port: int = 8300  # 0: any free port

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the environment decides. Every field has a default that needs no set-up."""

    charter: Path = ROOT / "charter"  # BOSUN_CHARTER: the folder with the team's files
    data: Path = ROOT / "data"  # BOSUN_DATA: the folder that Bosun writes to
    web: Address = Address()  # BOSUN_WEB
    web_origins: tuple[str, ...] = ()  # BOSUN_WEB_ORIGINS: addresses that a proxy serves it under
    log: str = "info"  # BOSUN_LOG
    database_url: Secret | None = None  # DATABASE_URL; None: SQLite in the data folder
    signing_key: Secret | None = None  # BOSUN_SIGNING_KEY, of checkpoints of the ledger; None: one in the data folder
    chroma_url: str | None = None  # CHROMA_URL; None: Chroma in the data folder
    slack_bot_token: Secret | None = None
    slack_app_token: Secret | None = None  # Socket Mode
    slack_signing_secret: Secret | None = None  # events over HTTP
    slack_api_url: str | None = None
    discord_bot_token: Secret | None = None
    discord_api_url: str | None = None
    discord_gateway_url: str | None = None
    anthropic_api_key: Secret | None = None
    anthropic_base_url: str | None = None

    @property
    def database(self) -> str:
        """The URL of the database; may hold a password."""
        if self.database_url is not None:
            return self.database_url.reveal()
        return f"sqlite:///{self.data / 'bosun.sqlite3'}"

    @property
    def web_address(self) -> str:
        """Where people reach the web chat: the first address that a proxy serves it under, else where it listens."""
        return self.web_origins[0].rstrip("/") if self.web_origins else f"http://{self.web}"

    @property
    def uses_slack(self) -> bool:
        """The tokens for Slack are there."""
        return self.slack_bot_token is not None

    @property
    def uses_discord(self) -> bool:
        """The token for Discord is there."""
        return self.discord_bot_token is not None


def read_settings(environ: MutableMapping[str, str] = os.environ) -> Settings:
    """Read the settings and take the secrets out of `environ`, so that no child process inherits them.

    ConfigError names the variable and says what is expected. A secret may stand in a file: NAME_FILE=/path.
    """
    settings = Settings(
        charter=_folder(environ, "BOSUN_CHARTER", Settings.charter),
        data=_folder(environ, "BOSUN_DATA", Settings.data),
        web=_address(environ),
        web_origins=_origins(environ),
        log=_log_level(environ),
        database_url=take_secret("DATABASE_URL", environ),
        signing_key=take_secret("BOSUN_SIGNING_KEY", environ),
        chroma_url=_url(environ, "CHROMA_URL"),
        slack_bot_token=take_secret("SLACK_BOT_TOKEN", environ),
        slack_app_token=take_secret("SLACK_APP_TOKEN", environ),
        slack_signing_secret=take_secret("SLACK_SIGNING_SECRET", environ),
        slack_api_url=_url(environ, "SLACK_API_URL"),
        discord_bot_token=take_secret("DISCORD_BOT_TOKEN", environ),
        discord_api_url=_url(environ, "DISCORD_API_URL"),
        discord_gateway_url=_url(environ, "DISCORD_GATEWAY_URL", schemes=("ws", "wss")),
        anthropic_api_key=take_secret("ANTHROPIC_API_KEY", environ),
        anthropic_base_url=_url(environ, "ANTHROPIC_BASE_URL"),
    )
    _check_slack(settings)
    return settings


def take_secret(name: str, environ: MutableMapping[str, str] = os.environ) -> Secret | None:
    """The secret `name`, or the content of the file NAME_FILE; afterwards it is no longer in `environ`."""
    value = environ.pop(name, "").strip()
    file = environ.pop(f"{name}_FILE", "").strip()
    if not value and file:
        try:
            value = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{name}_FILE names {file}, which cannot be read.", hint="Expected: a readable text file."
            ) from error
    return Secret(value) if value else None


def take_secrets(names: Iterable[str], environ: MutableMapping[str, str] = os.environ) -> dict[str, Secret]:
    """Those of the secrets `names` that are set; the door hands each to the tool that declares it."""
    found = {name: take_secret(name, environ) for name in names}
    return {name: secret for name, secret in found.items() if secret is not None}


def _folder(environ: MutableMapping[str, str], name: str, default: Path) -> Path:
    value = environ.get(name, "").strip()
    path = Path(value).expanduser().absolute() if value else default
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{name} is {path}, which is a file.", hint="Expected: a folder.")
    return path


def _address(environ: MutableMapping[str, str]) -> Address:
    value = environ.get("BOSUN_WEB", "").strip()
    if not value:
        return Address()
    try:
        parts = urlsplit(f"//{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None or parts.netloc != value:
        raise ConfigError(f"BOSUN_WEB is {value!r}.", hint="Expected: host:port, such as 127.0.0.1:8300.")
    return Address(host=host, port=port)


def _origins(environ: MutableMapping[str, str]) -> tuple[str, ...]:
    values = environ.get("BOSUN_WEB_ORIGINS", "").replace(",", " ").split()
    for value in values:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc or value != f"{parts.scheme}://{parts.netloc}":
            raise ConfigError(
                f"BOSUN_WEB_ORIGINS has {value!r}.", hint="Expected: addresses such as https://bosun.example.org"
            )
    return tuple(values)


def _log_level(environ: MutableMapping[str, str]) -> str:
    value = environ.get("BOSUN_LOG", "").strip().lower() or "info"
    if value not in LOG_LEVELS:
        raise ConfigError(f"BOSUN_LOG is {value!r}.", hint=f"Expected one of: {', '.join(LOG_LEVELS)}.")
    return value


def _url(environ: MutableMapping[str, str], name: str, schemes: tuple[str, ...] = ("http", "https")) -> str | None:
    value = environ.get(name, "").strip()
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.netloc:
        expected = f"{schemes[-1]}://host/..."
        raise ConfigError(f"{name} is {value!r}.", hint=f"Expected: a URL such as {expected}")
    return value


def _check_slack(settings: Settings) -> None:
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if bot is None:
        if app is not None:
            raise ConfigError("SLACK_APP_TOKEN is set without SLACK_BOT_TOKEN.", hint="Expected: both, or neither.")
        return
    if not bot.reveal().startswith("xox"):
        raise ConfigError("SLACK_BOT_TOKEN is not a bot token.", hint="Expected: a token that begins with xoxb-.")
    if app is not None and not app.reveal().startswith("xapp-"):
        raise ConfigError(
            "SLACK_APP_TOKEN is not an app-level token.", hint="Expected: a token that begins with xapp-."
        )
    if app is None and settings.slack_signing_secret is None:
        raise ConfigError(
            "SLACK_BOT_TOKEN is set without a way to receive events.",
            hint="Expected: SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (events over HTTP).",
        )
