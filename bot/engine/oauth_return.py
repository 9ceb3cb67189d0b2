"""Where people come back from the page on which they signed in to an MCP server: one address of the web server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from starlette.responses import PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from kernel.config import Settings

PATH = "/oauth/mcp"
LONGEST = 4_000  # characters of what comes back
QUIET = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}


class SignIns(Protocol):
    """Who waits for people to come back."""

    async def back(self, state: str, answer: dict[str, str]) -> str | None:
        """Somebody came back; the server's name, or None where nobody waits for it (any more)."""
        ...


def address(settings: Settings) -> str:
    """The address to which the page sends people back: where the web chat is reached."""
    return f"{settings.web_address}{PATH}"


def route(sign_ins: SignIns) -> Route:
    """For the web server, before its guard: people come from another site, perhaps in another browser.

    Nothing but the state, which only the person knows who was given the link, opens anything.
    """

    async def take(request: Request) -> Response:
        given = {key: request.query_params.get(key, "") for key in ("code", "state", "iss", "error")}
        if not given["state"] or any(len(value) > LONGEST for value in given.values()):
            return PlainTextResponse("This address is for coming back from a sign-in.", 400, QUIET)
        answer = {"code": given["code"], "state": given["state"]} | ({"iss": given["iss"]} if given["iss"] else {})
        server = await sign_ins.back(given["state"], answer)
        if server is None:
            return PlainTextResponse("This sign-in is over. Press the button on the card again.", 410, QUIET)
        if given["error"] or not given["code"]:
            return PlainTextResponse(
                f"You were not signed in to {server}. Press the button again to retry.", 200, QUIET
            )
        return PlainTextResponse(f"Bosun is being signed in to {server}. You can close this page.", 200, QUIET)

    return Route(PATH, take, methods=["GET"])
