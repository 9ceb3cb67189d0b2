"""What every request to the web chat passes first: address, origin, signature header, and the headers of every answer.

A page elsewhere in the same browser can reach a server on this machine: by a form, a script, or a name that it makes
point here (DNS rebinding). So the Host must be ours, an Origin must be ours, and writes need a header that a foreign
page cannot set without asking first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-bosun"  # whose page it is, or "1"; a foreign page cannot send it without a preflight, which we never answer
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types bosun"
)
SECURITY = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


class Guard:
    """Refuses requests that do not come from a page of ours, and sets the security headers."""

    def __init__(self, app: ASGIApp, *, origins: tuple[str, ...] = ()) -> None:
        self._app = app
        self._origins: frozenset[str] = frozenset()
        self._hosts: frozenset[str] = frozenset()
        self.allow(origins)

    def allow(self, origins: tuple[str, ...]) -> None:
        """The addresses that the chat is reached under, such as `http://127.0.0.1:8420`."""
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self._hosts = frozenset(origin.split("://", 1)[-1] for origin in self._origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        problem = self._problem(scope["method"], Headers(scope=scope))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
            await send(message)

        app: ASGIApp = self._app
        if problem:
            app = JSONResponse({"error": {"code": "foreign", "message": problem}}, status_code=403)
        return await app(scope, receive, send_with_headers)

    def _problem(self, method: str, headers: Headers) -> str:
        if headers.get("host", "").lower() not in self._hosts:
            return "This address is not one that Bosun answers under."
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in self._origins:
            return "This request comes from another site."
        if method in {"GET", "HEAD"}:
            return ""
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "This request comes from another site."
        return "" if HEADER in headers else "This request does not come from Bosun's own page."
