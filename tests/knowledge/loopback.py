"""A server of a test on this machine, on a port that is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from typing import Self


class Loopback:
    """Has every request with the method answered by `_answer`, as long as it is entered."""

    url = ""
    method = "*"
    most = 1024**2  # bytes of a request

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=self.most)
        app.router.add_route(self.method, "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        place = web.TCPSite(self._runner, "127.0.0.1", 0)
        await place.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raise NotImplementedError
