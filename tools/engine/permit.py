"""The key that opens a tool once, for one exact call. Only the door issues it; an import contract says so."""

from __future__ import annotations

import threading
from types import MappingProxyType
from typing import TYPE_CHECKING

from kernel.canonical import digest
from kernel.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Json

_SEAL = object()


class PermitError(RefusedError):
    """This permit does not open this call."""

    code = "permit"


def digest_of(tool: str, arguments: Mapping[str, Json]) -> str:
    """The identity of a call: SHA-256 of the canonical JSON of the tool's name and the exact arguments."""
    return digest({"tool": tool, "arguments": dict(arguments)})


class Permit:
    """Opens the call `call_id` of `tool` with the arguments behind `digest`, once, in this process.

    It is the trace of a row: the door commits the call as started before it issues one.
    """

    __slots__ = ("_used", "call_id", "digest", "secrets", "tool")

    def __init__(self, seal: object, *, call_id: str, tool: str, digest: str, secrets: Mapping[str, str]) -> None:
        if seal is not _SEAL:
            raise PermitError("A permit is issued by the door, never made.")
        self.call_id = call_id
        self.tool = tool
        self.digest = digest
        self.secrets: Mapping[str, str] = MappingProxyType(dict(secrets))
        self._used = threading.Lock()  # taken by the first use and never given back

    def __repr__(self) -> str:
        return f"Permit({self.tool}, call {self.call_id})"

    def spend(self, *, call_id: str, tool: str, arguments: Mapping[str, Json]) -> None:
        """Use the permit up for this call; PermitError if it is for another call or was used before.

        A permit that was shown for the wrong call is not used up by that.
        """
        if (tool, call_id) != (self.tool, self.call_id):
            raise PermitError(f"The permit is for {self.tool} in call {self.call_id}, not {tool} in {call_id}.")
        if digest_of(tool, arguments) != self.digest:
            raise PermitError(f"The arguments of call {call_id} are not the ones that were permitted.")
        if not self._used.acquire(blocking=False):
            raise PermitError(f"The permit for call {call_id} was used before.")


def issue(*, call_id: str, tool: str, digest: str, secrets: Mapping[str, str] | None = None) -> Permit:
    """A permit for one call. For the door alone, after it has committed the call's row as started.

    `digest` is what was judged or approved (see `digest_of`); `secrets` the values that the tool declares it needs.
    """
    return Permit(_SEAL, call_id=call_id, tool=tool, digest=digest, secrets=secrets or {})
