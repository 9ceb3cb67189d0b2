"""What the CRM tools ask of the CRM, and which one the set-up means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.engine.context import ToolContext
    from tools.engine.crm.records import Record, Wanted
    from tools.engine.setup.file import ToolsFile


class Customers(Protocol):
    """A CRM, for one call. CannotDo where something was not done; OutcomeUnknown where that cannot be told."""

    bin: str  # where people find what was removed, where we cannot take it back ourselves

    async def search(self, kind: str, words: Sequence[str], about: str, limit: int) -> list[Record]:
        """Records that contain every word, last changed first; `kind` and `about` empty: of all."""
        ...

    async def get(self, ref: str) -> Record:
        """The record. CannotDo if there is none, or none any more."""
        ...

    async def create(self, kind: str, wanted: Sequence[Wanted]) -> list[Record]:
        """New records, all or none; the same call makes them once. CannotDo where one is about what is not there."""
        ...

    async def change(self, record: Record, expected: Record | None = None) -> None:
        """Store the record as it is now. CannotDo where it is no longer there, or not as `expected`."""
        ...

    async def remove(self, refs: Sequence[str]) -> None:
        """Take records away; one that is gone already is no fault."""
        ...

    async def restore(self, ref: str) -> None:
        """Have a record back that was taken away. CannotDo where only people can do that."""
        ...


def customers_of(ctx: ToolContext) -> Customers:
    """The team's customers."""
    if ctx.setup.crm.provider == "hubspot":
        from tools.engine.crm.hubspot import HubSpot

        return HubSpot(ctx)
    from tools.engine.crm.local import LocalCrm

    return LocalCrm(ctx)


def secrets(setup: ToolsFile) -> tuple[str, ...]:
    """What a tool needs to reach them."""
    return (setup.crm.token,) if setup.crm.provider == "hubspot" and setup.crm.token else ()
