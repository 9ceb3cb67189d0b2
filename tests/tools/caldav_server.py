"""A real CalDAV server for the tests: Radicale, in a thread of this process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
from radicale import app, config

PASSWORD = "open-sesame"
HOME = "/bosun/"


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name in the base class
        """Nothing."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@contextlib.contextmanager
def radicale_server(folder: Path, *calendars: str) -> Iterator[str]:
    """A server with one user and these calendars; yields its address."""
    users = folder / "users"
    users.write_text(f"bosun:{PASSWORD}\n")
    settings = config.load()
    settings.update(
        {
            "auth": {"type": "htpasswd", "htpasswd_filename": str(users), "htpasswd_encryption": "plain", "delay": "0"},
            "storage": {"filesystem_folder": str(folder / "collections")},
            "rights": {"type": "owner_only"},
            "logging": {"level": "critical"},
        },
        "test",
    )
    server = make_server("127.0.0.1", 0, app.Application(settings), _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        with httpx.Client(base_url=url, auth=("bosun", PASSWORD), trust_env=False) as client:
            for name in calendars:
                assert client.request("MKCALENDAR", f"{HOME}{name}/").status_code == 201
        yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
