"""A program with everything of Bosun imported, which forks one process of Bosun for each line that it is given.

Importing takes seconds; a test that kills Bosun would wait for that every time. An order is one of
{"environment": {...}, "clock": path, "socket": path, "tuned": {...}}: an App that tests can ask by a socket, and
{"environment": {...}, "command": ["up"], "log": path}: the command `bosun up`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import anthropic  # noqa: F401  the slowest of all imports

from bot.engine import cli
from bot.engine.app import App
from kernel.config import read_settings
from tests.behaviours import inside
from tests.behaviours.clock import SharedClock


def main() -> None:
    """Follow orders until there are no more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave no trace
    print("ready", flush=True)  # noqa: T201  tells who started it
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            os.setsid()
            _follow(json.loads(line))
        print(child, flush=True)  # noqa: T201


def _follow(order: dict[str, Any]) -> NoReturn:
    try:
        if "command" in order:
            _run(order)
        else:
            asyncio.run(_live(order))
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)


def _run(order: dict[str, Any]) -> None:
    """As `python -m bot` does it in an environment of its own."""
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(order["environment"])
    cli.main(order["command"])


async def _live(order: dict[str, Any]) -> None:
    app = App(read_settings(order["environment"]), clock=SharedClock(Path(order["clock"])))
    inside.tune(app)
    for name, arguments in order["tuned"].items():
        await getattr(inside, name)(app, *arguments)
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
