"""How far the web tools may reach."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tools.engine.web.addresses import Address, is_public
from tools.engine.web.manners import Manners

Resolver = Callable[[str, int], Awaitable[list[str]]]


async def system_resolver(host: str, port: int) -> list[str]:
    """The addresses that the operating system knows for a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """Limits and the two seams of the web tools. Never read from the environment: whoever builds one means it."""

    timeout: float = 20.0  # seconds for the whole page, redirects included
    max_bytes: int = 2_000_000  # after decompression
    max_redirects: int = 5
    user_agent: str = "Bosun/0.1 (team assistant)"
    robots: bool = False  # whether what a robots.txt forbids is left alone
    pause: float = 0.0  # seconds between two pages of one server
    manners: Manners = field(default_factory=Manners)  # what is remembered of servers
    resolve: Resolver = system_resolver
    may_reach: Callable[[Address], bool] = is_public  # which addresses a connection may go to
    trust: ssl.SSLContext | None = None  # None: the usual certificate authorities
