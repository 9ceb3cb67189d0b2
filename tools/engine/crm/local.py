"""The CRM in our own tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.store import crm as rows
from tools.engine import labels
from tools.engine.crm.records import Record, Wanted, normal
from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.store import Session
    from tools.engine.context import ToolContext


class LocalCrm:
    """`tools.engine.crm.customers.Customers` for one call."""

    bin = ""  # what was removed can be taken back

    def __init__(self, ctx: ToolContext) -> None:
        self._ctx = ctx

    async def search(self, kind: str, words: Sequence[str], about: str, limit: int) -> list[Record]:
        """Records that contain every word, last changed first."""
        find = (kind or None, list(words), limit, normal(about))
        found = await self._ctx.store.read(lambda session: rows.search(session, *find))
        return [_record(one) for one in found]

    async def get(self, ref: str) -> Record:
        """The record. CannotDo if there is none, or none any more."""
        return _record(await self._ctx.store.read(lambda session: _existing(session, ref)))

    async def create(self, kind: str, wanted: Sequence[Wanted]) -> list[Record]:
        """New records; the same call makes them once. CannotDo where one is about a record that is not there."""
        ctx = self._ctx

        def write(session: Session) -> list[Record]:
            made = []
            for number, (name, fields, about) in enumerate(wanted):
                if about:
                    _existing(session, about)
                made.append(_record(_add(session, ctx, f"{ctx.call_id}-{number}", kind, name, fields, normal(about))))
            return made

        return await ctx.store.write(write)

    async def change(self, record: Record, expected: Record | None = None) -> None:
        """Store the record as it is now. CannotDo where it is no longer there, or not as `expected`."""
        ctx = self._ctx

        def write(session: Session) -> None:
            known = _existing(session, record.ref)
            before = _record(known)
            if expected is not None and (before.name, before.fields) != (expected.name, expected.fields):
                raise CannotDo(f"{record.ref} was changed since, so it is left as it is.")
            known.name, known.fields = record.name, dict(record.fields)
            known.words = _words(record.kind, record.name, record.fields)
            known.origin, known.changed_at = _worse(known.origin, labels.of_run(ctx.facts)), ctx.clock.now()
            session.add(known)

        await ctx.store.write(write)

    async def remove(self, refs: Sequence[str]) -> None:
        """Take records away; they can be restored."""

        def write(session: Session) -> None:
            for ref in refs:
                known = rows.by_ref(session, normal(ref))
                if known is not None and known.deleted_at is None:
                    known.deleted_at = self._ctx.clock.now()
                    session.add(known)

        await self._ctx.store.write(write)

    async def restore(self, ref: str) -> None:
        """Have a record back that was taken away."""

        def write(session: Session) -> None:
            known = rows.by_ref(session, normal(ref))
            if known is None:
                raise CannotDo(f"There is no record {ref}.")
            known.deleted_at = None
            session.add(known)

        await self._ctx.store.write(write)


def _existing(session: Session, ref: str) -> rows.CrmRecord:
    known = rows.by_ref(session, normal(ref))
    if known is None or known.deleted_at is not None:
        raise CannotDo(f"There is no record {ref[:40]}. Look it up with search_crm.")
    return known


def _add(session: Session, ctx: ToolContext, row_id: str, kind: str, *rest: Any) -> rows.CrmRecord:
    name, fields, about = rest
    for length in (4, 4, 6, 8):
        known = rows.by_id(session, row_id)
        if known is not None:
            return known
        now = ctx.clock.now()
        rows.add(
            session,
            rows.CrmRecord(
                id=row_id,
                ref=f"C-{ctx.ids.short(length)}",
                kind=kind,
                name=name,
                fields=fields,
                about=about,
                words=_words(kind, name, fields),
                origin=labels.of_run(ctx.facts),
                created_at=now,
                changed_at=now,
            ),
        )
    raise CannotDo("No free reference was found. Try again.")


def _words(kind: str, name: str, fields: dict[str, str]) -> str:
    return " ".join((kind, name, *fields.values()))


def _worse(one: str, other: str) -> str:
    return "member_text" if one == other == "member_text" else "outside_text"


def _record(one: rows.CrmRecord) -> Record:
    return Record(
        ref=one.ref,
        kind=one.kind,
        name=one.name,
        fields={key: str(value) for key, value in one.fields.items()},
        about=one.about,
        origin="member_text" if one.origin == "member_text" else "outside_text",
    )
