"""MCP servers and documented HTTP APIs, as tools.yaml names them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from kernel.types import Effect, Frozen

SecretName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,80}$")]  # the variable, or NAME_FILE with a path
ServerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]  # begins the names of its tools
ToolName = Annotated[str, Field(min_length=1, max_length=100)]


class OutsideTool(Frozen):
    """What we say of a tool that somebody else wrote. What its server says of itself never counts."""

    effect: Effect | None = None  # none: it is asked about, whatever it does
    authority: tuple[str, ...] = ()  # arguments that say who, where or what it acts on
    free_text: tuple[str, ...] = ()  # arguments that are prose
    results: Literal["outside_text", "member_text"] = "outside_text"  # where its results come from
    repeatable: bool = False  # doing it twice is the same as doing it once

    @property
    def counts_as(self) -> Effect:
        """The effect that the rules see. What nobody declared counts as what cannot be undone, so it is asked about."""
        return self.effect or "destroy"


class McpSetup(Frozen):
    """An MCP server: a program on this machine, or an address."""

    command: tuple[str, ...] = ()  # program and arguments; it is run without Bosun's environment
    url: str = Field(default="", pattern=r"^(https?://.+)?$")  # streamable HTTP
    environment: dict[str, SecretName] = Field(default_factory=dict)  # variable of the program -> secret
    headers: dict[str, SecretName] = Field(default_factory=dict)  # header of each request -> secret
    oauth: bool = False  # the server lets us in once a person has signed in to it
    client_id: str = ""  # with oauth: as whom we are known there; left out, we register ourselves
    client_secret: SecretName | None = None
    timeout: float = Field(default=30.0, gt=0, le=600)  # seconds of one call
    decides: str = "admin"  # the role that reviews what the server offers
    tools: dict[ToolName, OutsideTool] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> McpSetup:
        if bool(self.command) == bool(self.url):
            raise ValueError("an MCP server has either 'command' or 'url'")
        if self.environment and self.url:
            raise ValueError("'environment' is for a 'command'; use 'headers' with a 'url'")
        if (self.headers or self.oauth) and self.command:
            raise ValueError("'headers' and 'oauth' are for a 'url'; use 'environment' with a 'command'")
        if (self.client_id and not self.oauth) or (self.client_secret and not self.client_id):
            raise ValueError("'client_id' belongs to 'oauth: true', and 'client_secret' to 'client_id'")
        return self

    def secrets(self) -> tuple[str, ...]:
        """The names of the secrets that it is given."""
        client = (self.client_secret,) if self.client_secret else ()
        return (*self.environment.values(), *self.headers.values(), *client)


class ApiSetup(Frozen):
    """A documented HTTP API: the operations picked from its OpenAPI document become tools."""

    document: str = Field(pattern=r"^[\w.-]+(/[\w.-]+)*\.(json|yaml|yml)$")  # file in the charter's folder
    url: str = Field(default="", pattern=r"^(https?://.+)?$")  # of the server; the document's first where left out
    headers: dict[str, SecretName] = Field(default_factory=dict)  # header -> secret
    bearer: SecretName | None = None  # secret that is sent as "Authorization: Bearer ..."
    timeout: float = Field(default=30.0, gt=0, le=300)  # seconds
    idempotency_header: str = ""  # the header that the API takes as idempotency key
    private: bool = False  # the server is in our own network: its address need not be public
    operations: dict[ToolName, OutsideTool] = Field(default_factory=dict)  # operationId -> what we say of it

    def secrets(self) -> tuple[str, ...]:
        """The names of the secrets that it is given."""
        return (*self.headers.values(), *((self.bearer,) if self.bearer else ()))
