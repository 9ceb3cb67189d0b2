"""Incoming webhooks: POST /hooks/NAME with a signature begins the workflows that name it.

The signature is the hexadecimal HMAC-SHA256 of `TIMESTAMP.BODY` with the trigger's secret, in the header
`x-bosun-signature: sha256=...`; `x-bosun-timestamp` is in seconds since 1970 and at most five minutes off. What was
sent before, by the same signature, begins nothing again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from kernel.errors import BosunError
from workflows.engine import listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from kernel.store import Session
    from workflows.engine.definition import Workflow
    from workflows.engine.launch import Launch

SKEW = 300.0  # seconds; the window that Slack and Stripe use too
LARGEST = 256 * 1024  # bytes of a body
log = logging.getLogger(__name__)


def hook_secrets(workflows: Mapping[str, Workflow]) -> Iterator[str]:
    """The names of the secrets that webhooks are signed with."""
    for workflow in workflows.values():
        yield from (trigger.webhook.secret for trigger in workflow.events if trigger.webhook is not None)


class Hooks:
    """Takes webhooks."""

    def __init__(self, launch: Launch, secret: Callable[[str], str | None]) -> None:
        """`secret` gives the value of a secret by its name; None where it is not set."""
        self.launch = launch
        self.secret = secret

    def route(self) -> Route:
        """For the web server, before its guard: a webhook comes from no page of ours."""
        return Route("/hooks/{name}", self._take, methods=["POST"])

    async def _take(self, request: Request) -> Response:
        name = str(request.path_params["name"])
        matches = listening.of_webhook(self.launch.workflows(), name)
        body = await _body(request)
        if body is None:
            return _refused(413, f"A webhook has at most {LARGEST} bytes.")
        signed = [match for match in matches if self._is_signed(match, request, body)]
        if not signed:  # also for a name that there is not: who cannot sign learns nothing
            return _refused(401, "The signature or its time does not fit. docs/workflows.md says how to sign.")
        signature = request.headers["x-bosun-signature"]
        refs = [ref for match in signed if (ref := await self._begin(match, name, signature, body))]
        return JSONResponse({"runs": refs}, status_code=202)

    async def _begin(self, match: listening.Match, name: str, signature: str, body: bytes) -> str | None:
        text = body.decode("utf-8", "replace")
        told = {"kind": "webhook", "text": text[:20_000], "by": name, "data": _parsed(text)}
        now = self.launch.clock.now()

        def write(session: Session) -> str | None:
            run = self.launch.on_event(session, match.workflow, f"hook:{signature}", now, told)
            return run.ref if run is not None else None

        try:
            return await self.launch.store.write(write)
        except BosunError as error:
            log.warning("the webhook %s could not begin %s: %s", name, match.workflow.name, error)
            raise

    def _is_signed(self, match: listening.Match, request: Request, body: bytes) -> bool:
        hook = match.trigger.webhook
        secret = self.secret(hook.secret) if hook is not None else None
        stamp = request.headers.get("x-bosun-timestamp", "")
        given = request.headers.get("x-bosun-signature", "")
        if not secret or not stamp.isdecimal() or abs(self.launch.clock.now().timestamp() - int(stamp)) > SKEW:
            return False
        expected = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(given.encode(), f"sha256={expected}".encode())


async def _body(request: Request) -> bytes | None:
    """The body; None where it is too large."""
    whole = b""
    async for part in request.stream():
        whole += part
        if len(whole) > LARGEST:
            return None
    return whole


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _refused(status: int, why: str) -> Response:
    return JSONResponse({"error": {"message": why}}, status_code=status)
