"""Asking a service that tools.yaml names: one request, with limits of time and size, without redirects."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import orjson

from kernel.errors import ToolError
from tools.engine.failure import CannotDo, NotLetIn, NotThere, TooManyRequests
from tools.engine.web.content import read_body
from tools.engine.web.page import addresses_of, trust

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kernel.types import Json
    from tools.engine.web.settings import WebSettings

LARGEST = 4_000_000  # bytes of an answer
QUOTED = 500  # characters of what a service says to a refusal


class LostError(Exception):
    """The request was sent, and nobody knows what became of it. The message is in our own words."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a service answered."""

    status: int
    kind: str  # media type
    body: bytes
    wait: str = ""  # its Retry-After

    def retry_after(self, otherwise: float, most: float) -> float:
        """Seconds until the service wants to be asked again, as far as it says so."""
        return min(float(self.wait) if self.wait.isdecimal() else otherwise, most)

    def json(self, service: str) -> Json:
        """The body as JSON; ToolError if it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ToolError(f"{service} gave no proper answer: it is not JSON.") from error

    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service and how it is reached."""

    name: str  # for people
    url: str  # what every path is behind
    headers: Mapping[str, str]
    timeout: float  # seconds of one request
    web: WebSettings  # certificates, and which addresses are public
    private: bool = False  # an administrator named it and says that it may be in our own network

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        json: Json = None,
    ) -> Reply:
        """One request. CannotDo: it was not sent. LostError: it was, and what became of it is not known."""
        url = httpx.URL(f"{self.url.rstrip('/')}{path}")
        if query:
            url = url.copy_merge_params(list(query))
        content = None if json is None else orjson.dumps(json)
        kinds = {"content-type": "application/json"} if content is not None else {}
        request = httpx.Request(
            method,
            url,
            headers={
                "accept": "application/json, text/*;q=0.5",
                "accept-encoding": "gzip",
                "user-agent": self.web.user_agent,
                **kinds,
                **self.headers,
                **(headers or {}),
            },
            content=content,
            extensions={"timeout": {"connect": 5.0, "read": self.timeout, "write": self.timeout, "pool": 5.0}},
        )
        try:
            async with asyncio.timeout(self.timeout):
                return await self._exchange(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise CannotDo(f"{self.name} cannot be reached. Nothing was sent.") from error
        except TimeoutError as error:
            raise LostError(f"{self.name} took longer than {self.timeout:g} seconds.") from error
        except httpx.HTTPError as error:
            raise LostError(f"{self.name} gave no proper answer ({type(error).__name__}).") from error

    async def _exchange(self, request: httpx.Request) -> Reply:
        if not self.private:
            first, *_ = await addresses_of(request.url, self.web)
            request.extensions["sni_hostname"] = request.url.raw_host.decode()
            request.url = request.url.copy_with(host=first)  # what was checked is what is connected to
        transport = httpx.AsyncHTTPTransport(verify=self.web.trust or trust(), trust_env=False, retries=0)
        async with transport:
            response = await transport.handle_async_request(request)
            try:
                kind, _, _ = response.headers.get("content-type", "").partition(";")
                body = await read_body(response, LARGEST)
                wait = response.headers.get("retry-after", "").strip()
                return Reply(status=response.status_code, kind=kind.strip().lower(), body=body, wait=wait)
            except CannotDo as error:  # it has answered, and that cannot be read
                raise LostError(f"{self.name} gave no proper answer. {error.message}") from error
            finally:
                await response.aclose()

    def checked(self, reply: Reply, what: str = "this") -> Reply:
        """The reply, if it says that it was done. ToolError says why it was not; LostError where that is not known."""
        status = reply.status
        if 200 <= status < 300:
            return reply
        if status in {401, 403}:
            raise NotLetIn(f"{self.name} does not allow {what} (status {status}).")
        if status == 404:
            raise NotThere(f"{self.name} has nothing there (status 404).")
        if status == 429:
            raise TooManyRequests(f"{self.name} asks for fewer requests (status 429). Try again later.")
        if status >= 500:
            raise LostError(f"{self.name} had a fault of its own (status {status}).")
        if status < 400:
            raise CannotDo(f"{self.name} redirects elsewhere (status {status}), which is not followed.")
        raise ToolError(f"{self.name} refuses (status {status}): {reply.text()[:QUOTED]}")
