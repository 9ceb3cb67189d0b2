"""A program with everything of Bosun imported, which forks one process of Bosun for each line that it is given.

Importing takes seconds; a test that kills Bosun would wait for that every time.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from bot.engine.app import App
from kernel.config import read_settings
from tests.behaviours import inside
from tests.behaviours.clock import SharedClock


def main() -> None:
    """Read orders until there are no more: {"environment": {...}, "clock": path, "socket": path}."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave no trace
    print("ready", flush=True)  # noqa: T201  tells who started it
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            os.setsid()
            asyncio.run(_live(json.loads(line)))
            os._exit(0)
        print(child, flush=True)  # noqa: T201


async def _live(order: dict[str, Any]) -> None:
    app = App(read_settings(order["environment"]), clock=SharedClock(Path(order["clock"])))
    inside.tune(app)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await app.start()
    answering = await asyncio.start_unix_server(lambda r, w: _answer(app, r, w), order["socket"])
    await stopping.wait()
    answering.close()
    await app.stop()


async def _answer(app: App, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        name, *arguments = json.loads(line)
        result = await getattr(inside, name)(app, *arguments)
        writer.write(json.dumps(result).encode() + b"\n")
        await writer.drain()
    writer.close()


if __name__ == "__main__":
    main()
