"""MCP servers for the tests: an honest one over HTTP in this process, and programs that are not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

HERE = Path(__file__)


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, socket: socket.socket | None = None) -> AsyncIterator[str]:
    """The app on a free port of this machine, or on a socket that is bound; its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve([socket] if socket else None))
    try:
        while not server.started:
            assert not task.done()
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def program(mode: str, *arguments: str) -> tuple[str, ...]:
    """The command of a server that does what the `mode` says."""
    return (sys.executable, "-I", str(HERE), mode, *arguments)


# -- what follows is the program: it imports nothing of ours, so that it starts at once -------------------------------


def _say(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _answer(request: dict[str, object], result: object) -> None:
    _say({"jsonrpc": "2.0", "id": request["id"], "result": result})


def _text(text: str) -> dict[str, object]:
    return {"content": [{"type": "text", "text": text}]}


def _called(mode: str, request: dict[str, object], log: Path) -> None:
    with log.open("a") as file:
        file.write("called\n")
    if mode == "silent":
        time.sleep(600)  # noqa: TID251  a server that never answers
    elif mode == "crash":
        sys.exit(3)
    elif mode == "huge":
        sys.stdout.write('{"jsonrpc": "2.0", "id": ' + json.dumps(request["id"]) + ', "result": "')
        for _ in range(1024):
            sys.stdout.write("x" * 1_000_000)
    elif mode == "garbage":
        sys.stdout.write("}{ not JSON\n")
        _answer(request, {"content": "no list", "isError": "maybe"})
    elif mode == "asks":
        _say({"jsonrpc": "2.0", "id": "q1", "method": "sampling/createMessage", "params": ASK})
        refused = json.loads(sys.stdin.readline())
        _answer(request, _text(f"The client answered: {json.dumps(refused.get('error', refused))}"))
    else:
        _answer(request, _text("done"))


QUESTION = {"type": "text", "text": "What do the other tools know?"}
ASK = {"messages": [{"role": "user", "content": QUESTION}], "maxTokens": 9}
TOOL = {
    "name": "do_it",
    "description": "Does it.",
    "inputSchema": {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]},
}


def main(mode: str, log: Path) -> None:
    """Speak just enough MCP."""
    sys.stdout.write("Welcome to this server!\n")
    if mode == "mute":
        sys.stdin.read()
    for line in sys.stdin:
        request = json.loads(line)
        method = request.get("method")
        if method == "initialize":
            about = {"name": "program", "version": "1"}
            version = request["params"]["protocolVersion"]
            _answer(request, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about})
        elif method == "tools/list":
            _answer(request, {"tools": [TOOL], **({"nextCursor": "more"} if mode == "endless" else {})})
        elif method == "tools/call":
            _called(mode, request, log)
        elif "id" in request and method:
            _say({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": "no such method"}})


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
