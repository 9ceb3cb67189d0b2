"""One segment of a run at work: read, think, act, until the run ends or waits for people.

Every step starts from the transcript. An answer of the model is saved before anything is done with it; results of
calls are saved together with the next answer, because the door gives the same results again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from agents.engine import acting, background, caveats, endings, handover, turn, wording
from agents.engine.citations import Numbering
from agents.engine.facts import facts_of
from agents.engine.model import ModelRequest
from agents.engine.progress import ProgressShow, asking, purpose, steps_so_far, waiting
from agents.engine.storable import storable
from agents.engine.transcript import Transcript, said
from kernel.errors import ModelBusy, ModelError
from kernel.store import approvals, calls, outbox, personal, run_steps, runs
from kernel.types import Text
from rules.engine import freezing
from rules.engine.model_budgets import Spender
from rules.engine.outcome import Finished, Held, Parked, SegmentOvertaken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agents.engine.definition import AgentDefinition
    from agents.engine.kit import Kit
    from agents.engine.model import ModelAnswer
    from agents.engine.ports import Charter
    from agents.engine.transcript import Line
    from kernel.store import Session
    from kernel.store.run_steps import PastRun, Row, RunState
    from kernel.types import RunFacts
    from rules.engine.model_budgets import Refused
    from rules.engine.outcome import Freeze

T = TypeVar("T")

OPEN = (runs.QUEUED,)  # the states in which a run has a segment to run
PARTS = 4  # answers that are continued after the length limit, then the answer is shown as cut
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=5)
GIVE_UP = timedelta(hours=24)


class StopAskedError(Exception):
    """Somebody asked this run to stop."""


class NoMoneyError(Exception):
    """A budget does not let the model think on: people are asked, or have said no."""

    def __init__(self, outcome: Parked | Refused) -> None:
        super().__init__()
        self.outcome = outcome


class Segment:
    """Works on one segment of one run."""

    def __init__(
        self, kit: Kit, run: RunState, entries: Sequence[Row], earlier: Sequence[PastRun], charter: Charter
    ) -> None:
        self.kit = kit
        self.run = run
        self.earlier = earlier
        self.charter = charter
        self.transcript = Transcript(entries)
        self.show = ProgressShow(store=kit.store, clock=kit.clock, run=run, timing=kit.timing(run.where), live=kit.live)
        self.spent: list[ModelAnswer] = []  # paid for, not yet counted in the run's row
        self.fresh = 0  # the line whose calls were never handed to the door: it was written by this very segment
        self.personal = False  # the run has read personal data
        self.partial = ""  # what the model has said of an answer that is not complete

    @property
    def agent(self) -> AgentDefinition:
        """Who works on it now; the lead, if the charter no longer knows that agent."""
        roster = self.charter.roster
        handed = self.transcript.handovers
        return roster.agents.get(handed[-1]["to"] if handed else self.run.agent, roster.lead)

    async def work(self) -> None:
        """To the end of the segment. Errors of the database pass through: the engine runs the segment again."""
        steps_so_far(self.show, self.transcript, {a.name: a.shown for a in self.charter.roster.agents.values()})
        try:
            while not await self._step():
                pass
        except StopAskedError:
            await self._stop()
        except ModelBusy as error:
            await self._wait_for_model(error)
        except ModelError as error:
            await self._fail(error.message, again=True)
        finally:
            await self.show.close()

    async def _step(self) -> bool:
        """One step; True when the segment has ended."""
        await self._check_stop()
        freeze = await self.kit.door.frozen(self.agent.name, self.charter.directory.channel_name(self.run.where))
        if freeze is not None:
            return await self._hold(freeze)
        last = self.transcript.last
        if last.kind == "assistant" and last.content["calls"]:
            return await self._act(last)
        if self.transcript.turns >= self.kit.max_turns:
            await self._fail(wording.MANY_TURNS.format(turns=self.transcript.turns), again=False)
            return True
        return await self._think()

    async def _check_stop(self) -> None:
        """StopAskedError where somebody wants the run stopped, whichever process they told.

        On SQLite there is one process, and who is told tells the loop; elsewhere the row is looked at, and an answer of
        the model is watched for as long as it comes.
        """
        if self._to_stop or (
            not self.kit.store.is_sqlite
            and await self.kit.store.read(lambda session: run_steps.stop_asked(session, self.run.id))
        ):
            raise StopAskedError

    @property
    def _to_stop(self) -> bool:
        return self.run.stop_requested_by is not None or self.run.id in self.kit.stopping

    # -- thinking -----------------------------------------------------------------------------------------------

    async def _think(self) -> bool:
        agent = self.agent
        self.show.agent(agent.shown)
        facts = await self._facts(agent)
        if await self._gather(facts):
            facts = await self._facts(agent)
        request, prefix = turn.request(self, agent, facts)
        try:
            answer = await self._answer(request, facts)
        except NoMoneyError as error:
            return await self._without_money(error.outcome)
        if answer.stop == "refusal":
            self.transcript.add("note", {"refused": answer.detail})
            await self._fail(wording.refused(answer.detail), again=False)
            return True
        number = self.transcript.lines[-1].number + 1
        content = said(
            answer, agent=agent.name, model=request.model, prefix=prefix, used=self.transcript.use_ids(), number=number
        )
        self.transcript.add("assistant", content)
        self.partial = ""
        goes_on = answer.stop in ("max_tokens", "pause") and self.transcript.continued() < PARTS
        if answer.calls or goes_on:
            await self._write(lambda _session, _run: None)
            self.fresh = number
            return False
        await self._done(agent, answer, request.model)
        return True

    async def _without_money(self, outcome: Parked | Refused) -> bool:
        """Wait for those who own the budget, or end. False if they have decided in the meantime."""
        if isinstance(outcome, Parked):
            return await self._park(list(outcome.refs))
        await self._fail(outcome.told, again=True)
        return True

    async def _gather(self, facts: RunFacts) -> bool:
        """Look up what the request begins with; once, and only for what a person asks of a model."""
        recall, run = self.kit.recall, self.run
        if recall is None or self.transcript.turns or not self.kit.model.thinks or run.workflow or run.parent_id:
            return False
        if self.transcript.background is not None:
            return False
        found = await background.gather(recall, self.charter.directory, run, facts)
        if found is not None:
            self.transcript.add("note", {"background": found})
        return found is not None

    async def _answer(self, request: ModelRequest, facts: RunFacts) -> ModelAnswer:
        """A complete answer with something in it; ModelError if there is nothing in it twice.

        NoMoneyError where a budget has to be raised first.
        """
        before = self.transcript.spoken()

        def on_text(text: str) -> None:
            self.partial = before + text
            self.show.text(self.partial)

        for _ in range(2):
            if self._to_stop:
                raise StopAskedError
            most = await self._afford(request, facts)
            answer = storable(await self.kit.ask(self.run.id, request, on_text))
            answer = answer.model_copy(update={"most_usd": most})
            self.spent.append(answer)
            if not answer.empty or answer.stop == "refusal":
                return answer
            if answer.stop == "max_tokens":  # everything went into thinking, or into a call that was cut
                request = request.model_copy(update={"max_tokens": request.max_tokens * 2})
        raise ModelError("The language model gave an empty answer twice.")

    async def _afford(self, request: ModelRequest, facts: RunFacts) -> float:
        """Keep room in the budgets for the answer, and for those that are paid and not counted yet.

        Gives what the answer may cost at most, in US dollars.
        """
        most = self.kit.model.ceiling(request)
        spender, unpaid = self._spender(self.run, facts.agent), sum(answer.cost_usd for answer in self.spent)
        outcome = await self.kit.budgets.begin(facts, spender, self.transcript.turns, most + unpaid)
        if outcome is not None:
            raise NoMoneyError(outcome)
        return most

    # -- acting -------------------------------------------------------------------------------------------------

    async def _act(self, line: Line) -> bool:
        """Do the calls of an answer side by side; True if the segment ends because some wait for people."""
        agent, calls = self.agent, line.calls
        facts = await self._facts(agent)
        own = acting.own_answers(calls, self.transcript, self.charter.roster, agent)
        for call in calls:
            if call.id not in own.results:
                self.show.step(call.id, purpose(call.tool))
        fresh, self.fresh = self.fresh == line.number, 0
        outcomes = await acting.perform(self.kit.door, calls, facts, line.number, own, fresh=fresh)
        held = next((outcome for outcome in outcomes if isinstance(outcome, Held)), None)
        if held is not None:
            return await self._hold(held.freeze)
        refs = [ref for outcome in outcomes if isinstance(outcome, Parked) for ref in outcome.refs]
        if refs:
            return await self._park(refs)
        numbering = Numbering(self.transcript.cited_from())
        finished = [outcome.result for outcome in outcomes if isinstance(outcome, Finished)]
        results = [acting.entry_of(call, result, numbering, own) for call, result in zip(calls, finished, strict=True)]
        self.transcript.add("results", {"results": results})
        for call, result in zip(calls, finished, strict=True):
            if call.id not in own.results:
                self.show.finish(call.id, error=result.error, detail=result.summary)
        if own.handed is not None:
            call, to = own.handed
            self.transcript.add("note", handover.note(call, agent, to))
            self.show.step(call.id, asking(to.shown), "done")
        return False

    async def _park(self, refs: list[str]) -> bool:
        """Wait for people. False if a decision fell or a stop came in the meantime: then there is something to do."""
        await self.show.close()
        body = waiting(self.show.progress, refs)

        def park(session: Session, run: RunState) -> bool:
            if run.stop_requested_by is not None or any(_decided(session, ref) for ref in refs):
                return False
            run.state = runs.WAITING
            run.updated_at = self.kit.clock.now()
            endings.pause(session, run, body)
            if self.kit.closing is not None:
                self.kit.closing(session, run)
            return True

        return await self._write(park)

    async def _hold(self, freeze: Freeze) -> bool:
        """Wait for the thaw, and say what was done until here. False if it has come in the meantime."""
        await self.show.close()
        body = wording.held(self.run, self.agent.shown, freeze, self.transcript)

        def hold(session: Session, run: RunState) -> bool:
            now = self.kit.clock.now()
            if not freezing.hold(session, run.id, freeze, now):
                return False
            run.state, run.updated_at = runs.WAITING, now
            if run.parent_id is None:
                endings.show(session, run, body, now)
            if self.kit.closing is not None:
                self.kit.closing(session, run)
            return True

        return await self._write(hold)

    async def _facts(self, agent: AgentDefinition) -> RunFacts:
        facts = await facts_of(self.run, agent.name, self.transcript.lines, self.earlier, self.charter)
        self.personal = facts.personal_data_read
        return facts

    # -- ending -------------------------------------------------------------------------------------------------

    async def _done(self, agent: AgentDefinition, answer: ModelAnswer, model: str) -> None:
        text = self.transcript.spoken()
        if answer.stop != "end":
            text += wording.CUT if answer.stop in ("max_tokens", "pause") else wording.odd_end(answer.detail)
        numbering = Numbering(self.transcript.cited_from())
        today = self.kit.clock.now().date()
        notes = caveats.below(numbering.cited(text), numbering.known, self.transcript.cited_from(), today)
        wanted = self.charter.team.footer
        is_told = wanted == "every" or (wanted == "first" and not self.earlier)
        cost = self.run.cost_usd + sum(each.cost_usd for each in self.spent)
        generated = wording.generated(agent.shown, model, cost) if is_told else ""
        shown = "\n\n".join([text, *(f"**Note:** {note}" for note in notes)])
        body = Text(
            markdown=shown,
            agent=agent.shown,
            sources=numbering.cited(shown),
            footer=wording.footer(text, self.transcript, generated) if self.kit.model.thinks else "",
            feedback=self.run.ref if self.charter.team.feedback else "",
        )
        await self._end(runs.DONE, body, answer=text)

    async def _fail(self, what: str, *, again: bool) -> None:
        body = wording.failed(self.run, self.agent.shown, what, self.transcript, again=again)
        await self._end(runs.FAILED, body, error=what)

    async def _stop(self) -> None:
        by, partial = await self._stopper(), self.partial or await self._shown()
        unsure = await self.kit.store.read(lambda session: calls.unsure(session, self.run.id))
        body = wording.stopped(self.run, self.agent.shown, by, partial, self.transcript, unsure)
        await self._end(runs.STOPPED, body, answer=partial or None)

    async def _shown(self) -> str:
        """What people read of an answer that another process had begun."""
        row_id = self.run.progress_id
        partial = await self.kit.store.read(lambda session: outbox.partial_of(session, row_id)) if row_id else ""
        said = [line.content["text"] for line in self.transcript.lines if line.kind == "assistant"]
        return "" if any(partial in text for text in said) else partial

    async def _stopper(self) -> str:
        """The name of whoever asked; read anew, the row in memory may be older than the wish."""
        row = await self.kit.store.read(lambda session: run_steps.load(session, self.run.id))
        who = row.stop_requested_by if row is not None else None
        person = self.charter.directory.by_id(who) if who else None
        return person.name if person else who or "request"

    async def _end(self, state: str, body: Text, *, answer: str | None = None, error: str | None = None) -> None:
        await self.show.close()

        def end(session: Session, run: RunState) -> None:
            run.answer, run.error = answer, error
            if self.transcript.background is not None:
                background.count(session, self.transcript.background, body.sources)
            endings.end(session, run, state, body, self.kit.clock.now(), closing=self.kit.closing)

        await self._write(end)

    async def _wait_for_model(self, error: ModelBusy) -> None:
        """Give the run back; it starts again after a while that doubles each time, and people are told once."""
        await self.show.close()
        now, waits = self.kit.clock.now(), self.transcript.waits
        since = datetime.fromisoformat(waits[-1]["since"]) if waits else now
        if now - since >= GIVE_UP:
            self.transcript.add("note", {"gave_up": now.isoformat()})
            hours = GIVE_UP // timedelta(hours=1)
            await self._fail(f"The language model was not available for {hours} hours.", again=True)
            return
        wait = min(FIRST_WAIT * 2 ** min(len(waits), 10), LONGEST_WAIT)
        if error.retry_after is not None:
            wait = max(wait, min(timedelta(seconds=error.retry_after), LONGEST_WAIT))
        self.transcript.add("note", {"busy": {"since": since.isoformat(), "why": error.message}})
        body = wording.cannot_think(self.run, self.agent.shown)

        def give_back(session: Session, run: RunState) -> None:
            if not waits and run.parent_id is None:
                endings.show(session, run, body, now)
            runs.next_segment(session, run.id, now, from_states=OPEN, retry_at=now + wait)

        await self._write(give_back)

    def _spender(self, run: RunState, agent: str) -> Spender:
        """Whom the costs of the model count for."""
        return Spender(
            run_id=run.id,
            agent=agent,
            person=run.requester,
            channel=self.charter.directory.channel_name(run.where),
            workflow=run.workflow or "",
        )

    # -- writing ------------------------------------------------------------------------------------------------

    async def _write(self, work: Callable[[Session, RunState], T]) -> T:
        """Save what is new in the transcript, count what was spent and do `work`, in one fenced transaction."""
        now, agent, spent = self.kit.clock.now(), self.agent.name, list(self.spent)

        def write(session: Session) -> tuple[RunState, T]:
            run = run_steps.take(session, self.run.id, self.run.segment)
            if run is None or not self.transcript.save(session, run.id, now):
                raise SegmentOvertaken
            known = run_steps.copy(run)
            run.agent = agent
            endings.count(run, spent)
            if self.personal:
                personal.mark(session, personal.of_run(run.ref))
            if spent:
                cost = sum(answer.cost_usd for answer in spent)
                self.kit.budgets.spent(session, self._spender(run, agent), cost, run.where)
            else:
                self.kit.budgets.given_up(session, run.id)
            result = work(session, run)
            run_steps.keep(session, run, known)
            return run, result

        self.run, result = await self.kit.store.write(write)
        self.transcript.mark_saved()
        del self.spent[: len(spent)]
        return result


def _decided(session: Session, ref: str) -> bool:
    approval = approvals.by_ref(session, ref)
    return approval is not None and approval.state != approvals.PENDING
