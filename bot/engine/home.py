"""What one person sees of the whole: what waits for them, what runs, what was decided. Only what they may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.sight import may_see
from bot.web import views
from kernel.store import approvals, runs
from rules.engine.cards import card

if TYPE_CHECKING:
    from bot.engine.directory import TeamDirectory
    from kernel.store import Session, Store
    from kernel.types import Person
    from rules.engine.approvals import Approvals

WAITING, RUNNING, RECENT = 10, 10, 5  # rows of each part
LOOKED_AT = 200  # rows that are looked at to find those


class Home:
    """Builds the dashboard of a person."""

    def __init__(self, store: Store, directory: TeamDirectory, waiting: Approvals) -> None:
        self.store = store
        self.directory = directory
        self.waiting = waiting

    async def of(self, person: Person) -> views.HomeView:
        """The dashboard of this person, as things stand."""
        mine = [one.ref for one in await self.waiting.waiting_for(person, limit=WAITING)]
        return await self.store.read(lambda session: self._look(session, person, mine))

    def _look(self, session: Session, person: Person, mine: list[str]) -> views.HomeView:
        rows = [row for ref in mine if (row := approvals.by_ref(session, ref)) is not None]
        active = runs.listing(session, (runs.QUEUED, runs.WAITING), limit=LOOKED_AT)
        running = [self._running(run, person) for run in active if may_see(self.directory, person, run)]
        decided = []
        for row in approvals.decided(session, limit=LOOKED_AT):
            run = session.get(runs.Run, row.run_id)
            if run is not None and may_see(self.directory, person, run):
                decided.append(_decision(row))
            if len(decided) == RECENT:
                break
        return views.HomeView(
            waiting=tuple(views.Waiting(card=card(row)) for row in rows),
            running=tuple(running[:RUNNING]),
            recent=tuple(decided),
        )

    def _running(self, run: runs.Run, person: Person) -> views.Running:
        requester = self.directory.by_id(run.requester)
        waits = run.state == runs.WAITING
        return views.Running(
            ref=run.ref,
            title=" ".join(run.request.split())[:120],
            agent=run.agent or run.workflow or "",
            requester=requester.name if requester else run.requester,
            state="waiting" if waits else "running",
            started_at=run.created_at,
            stoppable=self.directory.principal(run.requester) == person.id,
        )


def _decision(row: approvals.ApprovalState) -> views.Decision:
    outcome = row.outcome or {}
    words = {
        approvals.APPROVED: "Approved",
        approvals.CONSUMED: "Approved",
        approvals.REJECTED: "Rejected",
        approvals.EXPIRED: "Nobody decided in time",
        approvals.WITHDRAWN: "Withdrawn",
    }
    tones = {approvals.REJECTED: "bad", approvals.EXPIRED: "warn", approvals.WITHDRAWN: "neutral"}
    by = f" by {outcome['by']}" if outcome.get("by") else ""
    reason = f": {outcome['reason']}" if outcome.get("reason") else ""
    return views.Decision(
        title=str(row.preview.get("headline", row.tool)),
        outcome=f"{words.get(row.state, row.state)}{by}{reason}",
        tone=tones.get(row.state, "good"),
        at=row.decided_at or row.created_at,
    )
