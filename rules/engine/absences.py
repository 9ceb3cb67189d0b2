"""Who is away and who decides for them: what people said in the chat, and what the charter says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import ledger
from kernel.errors import RefusedError
from kernel.people import Away
from kernel.store import absences as rows

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.clock import Clock, Ids
    from kernel.people import DecisionDirectory
    from kernel.store import Session, Store
    from kernel.types import Person

LONGEST = 366  # days


class Absences:
    """Answers who is away, and takes what people say about themselves."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, directory: DecisionDirectory) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.directory = directory

    async def by_person(self) -> dict[str, Away]:
        """Who is away now. What somebody said last goes before what the charter says."""
        now = self.clock.now()
        said = await self.store.read(lambda session: rows.current(session, now))
        charter = {away.person: away for away in self.directory.away() if away.until > now}
        return charter | {row.person: Away(person=row.person, delegate=row.delegate, until=row.until) for row in said}

    async def away_for(self, person: Person) -> list[Person]:
        """The people for whom this one decides now. Whoever is away themselves decides for nobody."""
        away = await self.by_person()
        if person.id in away:
            return []
        absent = (self.directory.by_id(each.person) for each in away.values() if each.delegate == person.id)
        return [one for one in absent if one is not None]

    async def leave(self, person: Person, delegate: Person | None, until: datetime, by: str) -> Away:
        """The person is away until then. RefusedError where that makes no sense; every absence is in the ledger."""
        now = self.clock.now()
        self._check(person, delegate, until, now)
        row = rows.Absence(
            id=self.ids.new(),
            person=person.id,
            delegate=delegate.id if delegate else None,
            until=until,
            created_at=now,
            created_by=by,
        )
        told = {"delegate": row.delegate, "until": until.isoformat(), "by": by}

        def write(session: Session) -> None:
            rows.add(session, row)
            ledger.append(session, now, "person.away", person.id, told)

        await self.store.write(write)
        return Away(person=person.id, delegate=row.delegate, until=until)

    async def come_back(self, person: Person, by: str) -> bool:
        """The person is here again; False if they were not away by their own word."""
        now = self.clock.now()

        def write(session: Session) -> bool:
            if not rows.end(session, person.id, now):
                return False
            ledger.append(session, now, "person.back", person.id, {"by": by})
            return True

        return await self.store.write(write)

    def _check(self, person: Person, delegate: Person | None, until: datetime, now: datetime) -> None:
        if not person.listed:
            raise RefusedError("Only people who stand in people.yaml can be away or decide for somebody.")
        if until <= now:
            raise RefusedError("That date has passed. Say for example `delegate to Cy until 2026-12-01`.")
        if (until - now).days > LONGEST:
            raise RefusedError("At most a year ahead.")
        if delegate is None:
            return
        if delegate.id == person.id:
            raise RefusedError("You cannot decide for yourself while you are away: name somebody else.")
        if not delegate.listed or not delegate.can_decide:
            raise RefusedError(f"{delegate.name} cannot decide: they are not an active person of people.yaml.")
