"""Keeps a Python process on this machine: every way out but loopback raises. Active once it is imported.

The tests' conftest imports it, and tests/ground/child does in the programs which tests start. An audit hook
sees what patched methods would miss, because the socket module reports to it from C. Not seen: libraries that
open sockets in C themselves (libpq, uvloop, gRPC). Those reach only addresses that a test hands them, and
conftest drops the inherited ones.
"""

import ipaddress
import socket
import sys
import traceback

ATTEMPTS: list[str] = []
"""Every refused attempt, with the place in the code. The test during which it happened fails for it, even
where the code under test swallowed the error."""


class WorldReached(RuntimeError):
    """A test tried to reach something other than this machine."""


def _is_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in {"", "localhost", socket.gethostname()}:
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _is_number(host: object) -> bool:
    """Whether looking this host up asks nobody."""
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host))
    except ValueError:
        return False
    return True


def _refused_host(event: str, args: tuple[object, ...]) -> object | None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        sock, address = args[0], args[1]
        if getattr(sock, "family", None) not in {socket.AF_INET, socket.AF_INET6}:
            return None
        host: object = address[0] if isinstance(address, tuple) else None  # None: checked when it connected
        return None if _is_here(host) else host
    if event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        return None if _is_here(args[0]) or _is_number(args[0]) else args[0]
    return None


def _keep_in(event: str, args: tuple[object, ...]) -> None:
    if not event.startswith("socket."):
        return
    host = _refused_host(event, args)
    if host is None:
        return
    message = f"A test may reach only this machine, but {event} was asked for {host!r}."
    ATTEMPTS.append(message + "\n" + "".join(traceback.format_stack(limit=12)[:-1]))
    raise WorldReached(message)


sys.addaudithook(_keep_in)
