"""What MCP servers have granted to us: a file for each, readable by its owner alone. Never in the database or the
charter."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.shared.auth import (
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthMetadata,
    OAuthToken,
    ProtectedResourceMetadata,
)
from pydantic import AnyUrl, BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from mcp.shared.auth import AuthorizationCodeResult

    from tools.engine.setup.servers import McpSetup

log = logging.getLogger(__name__)


class Granted(BaseModel):
    """What stands in a file."""

    url: str  # of the server: what it granted goes to no other address
    client: OAuthClientInformationFull | None = None  # as whom we are known there
    tokens: OAuthToken | None = None
    expires_at: float | None = None  # seconds since 1970, of the access token
    resource: ProtectedResourceMetadata | None = None
    issuer: OAuthMetadata | None = None  # where the token is renewed


class Vault(TokenStorage):
    """What one server has granted. `provider` signs requests with it and renews it."""

    def __init__(self, file: Path, setup: McpSetup, secrets: Mapping[str, str], redirect: str) -> None:
        """`redirect` is our address to which people come back from the page where they sign in."""
        self._file, self._setup, self._secrets, self._redirect = file, setup, secrets, redirect
        self._granted = self._read()
        self._provider: OAuthClientProvider | None = None

    def provider(
        self, show: Callable[[str], Awaitable[None]], wait: Callable[[], Awaitable[AuthorizationCodeResult]]
    ) -> OAuthClientProvider:
        """What signs requests. Where nothing is granted it calls `show` with the page for a person, then `wait`."""
        about = OAuthClientMetadata(redirect_uris=[AnyUrl(self._redirect)], client_name="Bosun")
        provider = OAuthClientProvider(self._setup.url, about, self, redirect_handler=show, callback_handler=wait)
        # Its library keeps these in memory alone; without them an expired token could not be renewed after a restart.
        known = self._granted
        provider.context.token_expiry_time = known.expires_at
        provider.context.oauth_metadata = known.issuer
        provider.context.protected_resource_metadata = known.resource
        if known.resource is not None and known.resource.authorization_servers:
            provider.context.auth_server_url = str(known.resource.authorization_servers[0])
        self._provider = provider
        return provider

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens, if there are any."""
        return self._granted.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep new tokens, and what is needed to renew them."""
        context = self._provider.context if self._provider is not None else None
        self._keep(
            tokens=tokens,
            expires_at=context.token_expiry_time if context else None,
            resource=context.protected_resource_metadata if context else None,
            issuer=context.oauth_metadata if context else None,
        )

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """As whom we are known there: as tools.yaml says, or as we were registered; for this address of ours only."""
        redirect = AnyUrl(self._redirect)
        if self._setup.client_id:
            secret = self._secrets[self._setup.client_secret] if self._setup.client_secret else None
            return OAuthClientInformationFull(
                client_id=self._setup.client_id,
                client_secret=secret,
                redirect_uris=[redirect],
                token_endpoint_auth_method="client_secret_post" if secret else "none",
            )
        known = self._granted.client
        return known if known is not None and redirect in (known.redirect_uris or []) else None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep as whom we were registered."""
        self._keep(client=client_info)

    def has_changed(self) -> bool:
        """Whether the file holds another grant by now."""
        now = self._read().tokens
        return now is not None and now != self._granted.tokens

    def _read(self) -> Granted:
        try:
            found = Granted.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return Granted(url=self._setup.url)
        except (OSError, ValidationError):
            log.warning("%s cannot be read, so somebody has to sign in again", self._file)
            return Granted(url=self._setup.url)
        return found if found.url == self._setup.url else Granted(url=self._setup.url)

    def _keep(self, **changes: object) -> None:
        self._granted = self._granted.model_copy(update=changes)
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(self._granted.model_dump_json(exclude_none=True))
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(self._file)
