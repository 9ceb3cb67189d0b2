"""tools.yaml as one value. Secrets are named in it, never written: the values come from the environment."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from kernel.types import Frozen
from tools.engine.setup.servers import ApiSetup, McpSetup, SecretName, ServerName

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]


class SearchSetup(Frozen):
    """Which service searches the web."""

    provider: Literal["brave", "tavily", "searxng"]
    url: str = Field(default="", pattern=r"^(https?://.+)?$")  # of SearXNG; of the others only for a proxy
    key: SecretName | None = None  # what Brave and Tavily want

    @model_validator(mode="after")
    def _complete(self) -> SearchSetup:
        if self.provider == "searxng" and not self.url:
            raise ValueError("searxng needs 'url': the address of your own server")
        if self.provider != "searxng" and self.key is None:
            raise ValueError(f"{self.provider} needs 'key': the name of the secret with its API key")
        return self


class WebSetup(Frozen):
    """How much of a web page is read, and who searches."""

    timeout: float = Field(default=20.0, gt=0, le=120)  # seconds
    max_bytes: int = Field(default=2_000_000, ge=1_000, le=50_000_000)
    max_redirects: int = Field(default=5, ge=0, le=20)
    robots: bool = True  # what a site's robots.txt forbids is not read
    pause: float = Field(default=1.0, ge=0, le=60)  # seconds between two pages of one server
    search: SearchSetup | None = None


class FilesSetup(Frozen):
    """How much may lie in the workspace."""

    quota: int = Field(default=200_000_000, ge=100_000)  # bytes of each workspace: the team's, and each channel's
    most: int = Field(default=5_000, ge=10)  # files of each workspace


class MailSetup(Frozen):
    """The team's mailbox. Without servers it is a local one, in Bosun's own tables."""

    address: str = Field(default="bosun@team.local", pattern=r"^[^\s@<>,]+@[^\s@<>,]+$")  # what it sends from
    name: str = ""  # shown beside the address
    user: str = ""  # to log in with; the address where it is left out
    password: SecretName | None = None
    imap: str = Field(default="", pattern=r"^(imaps?://[^/\s]+)?$")  # imaps://mail.example.org
    smtp: str = Field(default="", pattern=r"^(smtps?://[^/\s]+)?$")  # smtps://..., or smtp://...:587 with STARTTLS
    sent: str = "Sent"  # the folder that keeps what was sent
    drafts: str = "Drafts"
    inside: tuple[str, ...] = ()  # domains of the team: everybody there counts as a colleague
    plain: bool = False  # connect without encryption: for a server on the same machine
    timeout: float = Field(default=30.0, gt=0, le=60)  # seconds of one talk with a server

    @model_validator(mode="after")
    def _complete(self) -> MailSetup:
        if bool(self.imap) != bool(self.smtp):
            raise ValueError("mail needs both 'imap' and 'smtp', or neither for the local mailbox")
        if self.imap and self.password is None:
            raise ValueError("a mail server needs 'password': the name of the secret with it")
        return self


class CalendarSetup(Frozen):
    """Whose calendars there are. Without `url` they are local, in Bosun's own tables."""

    url: str = Field(default="", pattern=r"^(https?://.+)?$")  # of the CalDAV server
    user: str = ""
    password: SecretName | None = None
    calendars: dict[Name, str] = Field(default_factory=dict)  # person of people.yaml, or "team" -> calendar's URL
    timeout: float = Field(default=20.0, gt=0, le=60)  # seconds of one talk with the server

    @model_validator(mode="after")
    def _complete(self) -> CalendarSetup:
        if self.url and (not self.user or self.password is None):
            raise ValueError("a CalDAV server needs 'user' and 'password' (the name of the secret with it)")
        return self


class CrmSetup(Frozen):
    """Where customers are kept: in Bosun's own tables, or in HubSpot."""

    provider: Literal["local", "hubspot"] = "local"
    url: str = Field(default="https://api.hubapi.com", pattern=r"^https?://.+$")
    token: SecretName | None = None  # of a HubSpot private app
    timeout: float = Field(default=15.0, gt=0, le=60)  # seconds of one request

    @model_validator(mode="after")
    def _complete(self) -> CrmSetup:
        if self.provider == "hubspot" and self.token is None:
            raise ValueError("hubspot needs 'token': the name of the secret with a private app's token")
        return self


class DatabaseSetup(Frozen):
    """A database that may be asked, and never changed."""

    url: SecretName  # secret: sqlite:///file, postgresql://user:password@host/name
    purpose: str = Field(default="", max_length=300)  # told to the agents: what is in it
    tables: tuple[str, ...] = ()  # those that may be read; none named: all
    rows: int = Field(default=500, ge=1, le=10_000)  # of one answer
    seconds: float = Field(default=15.0, gt=0, le=120)


class CodeSetup(Frozen):
    """Whether agents may run Python, and within which limits."""

    enabled: bool = False
    seconds: int = Field(default=20, ge=1, le=120)  # of processor time, and about as long in all
    memory_mb: int = Field(default=512, ge=64, le=8_192)
    disk_mb: int = Field(default=50, ge=1, le=1_000)  # of all that it writes


class ToolsFile(Frozen):
    """tools.yaml: how the tools are set up."""

    web: WebSetup = WebSetup()
    files: FilesSetup = FilesSetup()
    mail: MailSetup = MailSetup()
    calendar: CalendarSetup = CalendarSetup()
    crm: CrmSetup = CrmSetup()
    databases: dict[ServerName, DatabaseSetup] = Field(default_factory=dict)
    code: CodeSetup = CodeSetup()
    mcp: dict[ServerName, McpSetup] = Field(default_factory=dict)
    apis: dict[ServerName, ApiSetup] = Field(default_factory=dict)

    def secrets(self) -> frozenset[str]:
        """The names of all secrets that the file names."""
        named = [
            self.web.search.key if self.web.search else None,
            self.mail.password,
            self.calendar.password,
            self.crm.token,
            *(database.url for database in self.databases.values()),
            *(name for server in self.mcp.values() for name in server.secrets()),
            *(name for api in self.apis.values() for name in api.secrets()),
        ]
        return frozenset(name for name in named if name)
