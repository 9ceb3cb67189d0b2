"""Running Bosun until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import uvloop

from bot.engine.app import App
from kernel import memory

if TYPE_CHECKING:
    from kernel.config import Settings


async def serve(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM."""
    app = App(settings)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await app.start()
    try:
        _greet(app)
        memory.settle()
        await stopping.wait()
    finally:
        await app.stop()


def run(settings: Settings) -> None:
    """The main job: serve until told to stop."""
    uvloop.run(serve(settings))


def _greet(app: App) -> None:
    missing = app.connections.missing
    platforms = ", ".join(sorted(app.adapters.keys() - missing))
    model = (
        "no model is configured: answers quote the documents" if not app.model.thinks else f"model: {app.model.name}"
    )
    for platform, error in missing.items():
        print(f"{platform} cannot be reached and is tried again and again: {error}", flush=True)  # noqa: T201
    print(f"Bosun is ready on {platforms}; {model}.\nOpen {app.web.login_link()}", flush=True)  # noqa: T201  the link
