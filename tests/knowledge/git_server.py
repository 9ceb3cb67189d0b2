"""Git's own server on this machine, behind a password: repositories of a folder over HTTP."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from aiohttp import BasicAuth, web

from tests.knowledge.loopback import Loopback


@dataclass
class GitServer(Loopback):
    """Runs `git http-backend` for each request that knows the password."""

    folder: Path
    password: str

    async def _answer(self, request: web.Request) -> web.Response:
        said = request.headers.get("authorization", "")
        if not said or BasicAuth.decode(said).password != self.password:
            return web.Response(status=401, headers={"www-authenticate": "Basic realm=git"})
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "GIT_PROJECT_ROOT": str(self.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": request.path,
                "QUERY_STRING": request.query_string,
                "REQUEST_METHOD": request.method,
                "CONTENT_TYPE": request.headers.get("content-type", ""),
                "HTTP_GIT_PROTOCOL": request.headers.get("git-protocol", ""),
                "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            },
        )
        out, _ = await process.communicate(await request.read())
        head, _, body = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return web.Response(status=int(headers.pop("Status", "200 OK")[:3]), headers=headers, body=body)
