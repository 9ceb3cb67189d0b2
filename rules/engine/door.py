"""The door: the only way to a tool. It judges a call, asks people where the rules say so, records, and acts once.

A call is committed as started before its tool acts. What was started and has no result after a crash is repeated only
if the tool is safe to repeat; otherwise a person is asked. Reading is the exception: it happens first and is recorded
in one transaction together with its result, because nothing happens twice by reading twice.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.clock import FixedClock
from kernel.errors import BosunError, OutcomeUnknown, StoreError
from kernel.store import approvals as rows
from kernel.store import calls, runs
from kernel.types import ToolResult
from rules.engine import facts as facts_of_calls
from rules.engine import freezing, grants, metering, raising, recording, unknown, watching, wording, writing
from rules.engine.consuming import Consuming, Go
from rules.engine.explain import always_denied, why_not_alone
from rules.engine.finding import by_words
from rules.engine.freezing import Freezes, FrozenError
from rules.engine.judging import Judge, UnfitError
from rules.engine.metering import OverspentError
from rules.engine.outcome import Finished, Held, Outcome, Parked, SegmentOvertaken
from rules.engine.preview import Shown, plain, preview
from rules.engine.reach import reach_in
from rules.engine.recording import Proposed
from rules.engine.requests import Request
from rules.engine.results import storable, with_note
from tools.engine.failure import InVain
from tools.engine.permit import issue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.calls import Asked
    from kernel.types import Json, RunFacts, ToolCall, ToolSchema
    from rules.engine.approvals import Approvals
    from rules.engine.facts import CallFacts
    from rules.engine.judging import Judged
    from rules.engine.outcome import Freeze
    from rules.engine.reach import Reached
    from rules.engine.services import Services
    from tools.engine.catalogue import Catalogue
    from tools.engine.context import ToolContext
    from tools.engine.tool import Tool

log = logging.getLogger(__name__)

REPEATABLE = frozenset({"read", "fetch"})
RACES = 50  # times that a call is judged again because others were faster to use a budget
SLOW = 1.0  # seconds: what is done sooner is not worth an edit of every card


class Door:
    """Lets calls through, or not."""

    def __init__(
        self,
        services: Services,
        approvals: Approvals,
        catalogue: Catalogue,
        *,
        context: Callable[[str, RunFacts], ToolContext],
        secrets: Mapping[str, str] | None = None,
        offered: Callable[[str], Collection[str] | None] | None = None,
        slow: float = SLOW,
    ) -> None:
        """`context` makes the surroundings of a call from its id and the run's facts.

        `secrets` are given to the tools that declare them. `offered` says which tools the charter gives an agent;
        None gives all. After `slow` seconds the cards of an approved call say that it is under way.
        """
        self.services = services
        self.store = services.store
        self.clock = services.clock
        self.catalogue = catalogue
        self._context = context
        self._secrets = secrets or {}
        self.freezes = Freezes(services.store)
        self._offered = offered
        self._slow = slow
        self._grants = approvals.grants
        self._judge = Judge(services, approvals.grants)
        self._requests = approvals.requests
        approvals.show_with(self.show)
        self._consuming = Consuming(services, approvals.requests)
        self._under_way: dict[tuple[str, str], asyncio.Future[Outcome]] = {}

    def visible(self, agent: str, facts: RunFacts) -> list[ToolSchema]:
        """The tools of the agent that no rule denies whatever the arguments, in order of name."""
        rules, now, own = self.services.rules.current, self.clock.now(), facts.model_copy(update={"agent": agent})

        def is_denied(tool: Tool) -> bool:
            def known() -> CallFacts:
                return facts_of_calls.of_run(own, tool=tool.name, effect=tool.effect, arguments={}, origins={}, now=now)

            return always_denied(rules, agent, tool.name, tool.effect, known)

        return self.catalogue.schemas(tool.name for tool in self._of(agent) if not is_denied(tool))

    def reachable(self, facts: RunFacts, at: datetime) -> dict[str, Reached]:
        """Every tool of the agent, and how far it gets with it in such a run at that time. Writes nothing."""

        def reached(tool: Tool) -> Reached:
            known = facts_of_calls.of_run(
                facts, tool=tool.name, effect=tool.effect, arguments={}, origins={}, now=at, governed=tool
            )
            return reach_in(self.services.rules.current, known)

        return {tool.name: reached(tool) for tool in self._of(facts.agent) if self.catalogue.is_on(tool.name)}

    async def foresee(self, call: ToolCall, facts: RunFacts, at: datetime) -> Judged:
        """What the rules in force would say to the call at that time. Writes nothing.

        UnfitError if there is nothing to judge: no such tool, not the agent's, or arguments that do not fit.
        """
        return await self._judgement(Judge(replace(self.services, clock=FixedClock(at)), self._grants), call, facts)

    async def _judgement(self, judge: Judge, call: ToolCall, facts: RunFacts) -> Judged:
        if not self._is_offered(facts.agent, call.tool) and self.catalogue.get(call.tool):
            raise UnfitError(f"The agent {facts.agent} does not have the tool {call.tool}.")
        return await judge.judge(call, facts)

    async def frozen(self, agent: str, channel: str) -> Freeze | None:
        """The freeze of everything, of the agent or of the channel that is in force; None where there is none."""
        return await self.freezes.covering(agent=agent, channel=channel)

    async def act(self, call: ToolCall, facts: RunFacts, entry: int, *, fresh: bool = False) -> Outcome:
        """Decide about the call and do it where allowed. The same call of the same run gives the same result again.

        `fresh` promises that this use was never handed in before; it saves looking. SegmentOvertaken says that the
        run has moved on; every other fault is a result with `error`.
        """
        key = (facts.run_id, call.id)
        under_way = self._under_way.get(key)
        if under_way is not None:
            return await asyncio.shield(under_way)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._under_way[key] = future
        try:
            outcome = await self._act(call, facts, entry, fresh=fresh)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                future.cancel()
            else:
                future.set_exception(error)
                future.exception()  # whoever joined gets it; nobody has to
            raise
        else:
            future.set_result(outcome)
            return outcome
        finally:
            del self._under_way[key]

    async def _act(self, call: ToolCall, facts: RunFacts, entry: int, *, fresh: bool) -> Outcome:
        made = Proposed(id=self.services.ids.new(), call=call, run=facts, entry=entry)
        for _ in range(RACES):
            try:
                return await self._act_once(made, fresh=fresh)
            except FrozenError as error:
                return Held(freeze=error.freeze)
            except OverspentError:  # another call took what was left: judged again, it is asked about or denied
                continue
        raise StoreError("Too many calls use the same budget at the same time.")

    async def _act_once(self, made: Proposed, *, fresh: bool) -> Outcome:
        known = None if fresh else await self._known(made)
        outcome = await (self._first(made) if known is None else self._again(known, made))
        if outcome is None:  # another worker wrote the row in the same instant
            known = await self._known(made)
            outcome = await self._again(known, made) if known is not None else None
        if outcome is None:
            raise SegmentOvertaken
        return outcome

    async def _not_frozen(self, run: RunFacts, tool: str) -> None:
        """FrozenError where the call has to wait for a thaw. What begins it looks again in its transaction."""
        found = await self.freezes.covering(agent=run.agent, channel=run.channel_name, tool=tool)
        if found is not None:
            raise FrozenError(found)

    async def _known(self, made: Proposed) -> Asked | None:
        return await self.store.read(lambda session: calls.asked(session, made.run.run_id, made.call.id))

    # -- a call that is handed in for the first time; None where it turns out not to be ---------------------------

    async def _first(self, made: Proposed) -> Outcome | None:
        await self._not_frozen(made.run, made.call.tool)
        try:
            judged = await self._judgement(self._judge, made.call, made.run)
        except UnfitError as error:
            return await self._unfit(made, wording.told(str(error)))
        return await self._as_judged(made, judged)

    async def _as_judged(self, made: Proposed, judged: Judged) -> Outcome | None:
        tool = self.catalogue.get(judged.tool.name)
        if tool is not None and raising.meter_beyond(self.services, judged.facts, judged.verdict.beyond) is not None:
            return await self._ask_raise(made, judged)
        if tool is None or judged.verdict.decision == "deny":
            return await self._deny(made, judged)
        if judged.verdict.decision == "ask":
            return await self._ask(made, judged, tool)
        if tool.effect == "read":
            return await self._read(made, judged, tool)
        return await self._start(made, judged, tool)

    async def _unfit(self, made: Proposed, result: ToolResult) -> Outcome | None:
        def write(session: Session) -> bool:
            recording.fence(session, made.run)
            return recording.add_unfit(session, made, result, self.clock.now())

        return Finished(result=result) if await self.store.write(write) else None

    async def _deny(self, made: Proposed, judged: Judged) -> Outcome | None:
        result = wording.told(f"The rules do not allow this. {judged.verdict.reason} It was not done.")

        def write(session: Session) -> bool:
            now = self.clock.now()
            recording.fence(session, made.run)
            if not recording.add(session, made, judged, now, state=runs.REFUSED, result=result):
                return False
            recording.judged_entry(session, made, judged, now, kind="call.denied")
            return True

        return Finished(result=result) if await self.store.write(write) else None

    async def _ask(self, made: Proposed, judged: Judged, tool: Tool) -> Outcome | None:
        try:
            shown = await self._own_preview(tool, judged.arguments, made.id, made.run)
        except InVain as error:
            return await self._unfit(made, wording.told(str(error)))
        shown = shown or plain(tool, judged.arguments)
        nearest = why_not_alone(self.services.rules.current, judged.facts)

        def write(session: Session) -> str | None:
            recording.fence(session, made.run)
            if not recording.add(session, made, judged, self.clock.now(), state=runs.ASKED):
                return None
            origins, claim = judged.facts.origins, recording.claim(session, made)
            request = Request(
                call_id=made.id,
                tool=tool.name,
                arguments=judged.arguments,
                digest=judged.digest,
                origins=origins,
                verdict=judged.verdict,
                preview=preview(tool, judged.arguments, origins, made.run, shown, claim=claim, nearest=nearest),
                run=made.run,
            )
            return self._requests.ask(session, request).ref

        ref = await self.store.write(write)
        return Parked(refs=(ref,)) if ref is not None else None

    async def _ask_raise(self, made: Proposed, judged: Judged) -> Outcome | None:
        """Ask those who own the budget whether it is raised for this call."""

        def write(session: Session) -> str | None:
            recording.fence(session, made.run)
            if not recording.add(session, made, judged, self.clock.now(), state=runs.ASKED):
                return None
            return raising.ask(session, self.services, self._requests, made, judged).ref

        ref = await self.store.write(write)
        return Parked(refs=(ref,)) if ref is not None else None

    async def show(self, name: str, arguments: Mapping[str, Json], call_id: str, run: RunFacts) -> Shown | None:
        """What the tool says of such a call; None where it cannot be asked. Changes nothing."""
        tool = self.catalogue.get(name)
        try:
            return None if tool is None else await self._own_preview(tool, arguments, call_id, run)
        except InVain:
            return None

    async def _own_preview(
        self, tool: Tool, arguments: Mapping[str, Json], call_id: str, run: RunFacts
    ) -> Shown | None:
        """The same. InVain where the tool says that nobody need be asked."""
        try:
            context = self._context(call_id, run)
            own = await tool.preview(arguments, replace(context, secrets=self._given(tool, context)))
        except InVain:
            raise
        except BosunError:
            return None
        return Shown(headline=own.headline, facts=own.facts, payloads=own.payloads, warning=own.warning)

    def _given(self, tool: Tool, context: ToolContext) -> dict[str, str]:
        """The secrets that the tool declares, where they are set."""
        return {name: self._secrets[name] for name in tool.given(context.setup) if name in self._secrets}

    async def _read(self, made: Proposed, judged: Judged, tool: Tool) -> Outcome | None:
        """One transaction in all: what was read, and which rule let it. What was read during a freeze is forgotten."""
        go = Go(call_id=made.id, tool=tool.name, arguments=judged.arguments, digest=judged.digest)
        result = await self._perform(go, tool, made.run)

        def write(session: Session) -> bool:
            now = self.clock.now()
            freezing.fence(session, made.run, tool.name)
            if not recording.add(session, made, judged, now, state=runs.CALL_DONE, result=result):
                return False
            self._take(session, made, judged)
            kind = recording.kind_of(result)
            recording.judged_entry(session, made, judged, now, kind=kind, **recording.result_told(result))
            watching.tell(self.services.watchers, session, made.id, made.run, failed=result.error)
            return True

        return Finished(result=result) if await self.store.write(write) else None

    async def _start(self, made: Proposed, judged: Judged, tool: Tool) -> Outcome | None:
        def write(session: Session) -> bool:
            now = self.clock.now()
            freezing.fence(session, made.run, tool.name)
            if not recording.add(session, made, judged, now, state=runs.STARTED):
                return False
            self._take(session, made, judged)
            recording.judged_entry(session, made, judged, now, kind="call.started")
            return True

        if not await self.store.write(write):
            return None
        go = Go(call_id=made.id, tool=tool.name, arguments=judged.arguments, digest=judged.digest)
        return await self._do(go, tool, made.run)

    # -- a call that was handed in before -------------------------------------------------------------------------

    async def _again(self, known: Asked, made: Proposed) -> Outcome | None:
        call = known.call
        if call.state in {runs.CALL_DONE, runs.REFUSED}:
            return Finished(result=ToolResult.model_validate(call.result))
        tool = self.catalogue.get(call.tool)
        if call.state == runs.STARTED:
            if tool is not None and (tool.effect in REPEATABLE or tool.safe_to_repeat):
                await self._not_frozen(made.run, tool.name)
                row = await self.store.read(lambda session: rows.of_call(session, call.id))
                go = Go(
                    call_id=call.id,
                    tool=call.tool,
                    arguments=call.arguments,
                    digest=call.digest,
                    approval=row,
                )
                return await self._do(go, tool, made.run)
            return await self._outcome_unknown(call.id, made.run)
        return await self._asked(known, made, tool)

    async def _asked(self, known: Asked, made: Proposed, tool: Tool | None) -> Outcome | None:
        ref, call = known.approval, known.call
        if ref is None:
            raise SegmentOvertaken
        if known.state == rows.PENDING:
            return Parked(refs=(ref,))
        unsure = await self._judge.unsure_roles(made.run)
        step = await self.store.write(lambda session: self._consuming.resolve(session, ref, call, made.run, unsure))
        if not isinstance(step, Go):
            return step
        if tool is None:  # the rules deny a tool that is gone
            raise SegmentOvertaken
        return await self._do(step, tool, made.run)

    # -- acting ---------------------------------------------------------------------------------------------------

    async def _do(self, go: Go, tool: Tool, run: RunFacts) -> Outcome:
        """Act on a call that is committed as started, and record what came of it."""
        slow = asyncio.create_task(self._say_under_way(go.approval.ref)) if go.approval is not None else None
        try:
            result = await self._perform(go, tool, run)
        except OutcomeUnknown as error:
            log.warning("call %s: %s", go.call_id, error)
            return await self._outcome_unknown(go.call_id, run)
        finally:
            if slow is not None:
                slow.cancel()
        if go.note:
            result = with_note(result, go.note)
        recorded = await self.store.write(lambda session: self._finish(session, go, run, result))
        return Finished(result=recorded)

    async def _say_under_way(self, ref: str) -> None:
        await asyncio.sleep(self._slow)
        try:
            await self.store.write(lambda session: writing.under_way(session, ref))
        except StoreError as error:  # the result will be on the cards, or the question what became of it
            log.warning("the cards of %s: %s", ref, error)

    def _finish(self, session: Session, go: Go, run: RunFacts, result: ToolResult) -> ToolResult:
        """Write what happened. It did happen, so this is not fenced; the first result that is written stays."""
        now = self.clock.now()
        if not calls.finish(session, go.call_id, result.model_dump(mode="json"), now):
            known = calls.by_id(session, go.call_id)
            return ToolResult.model_validate(known.result) if known is not None and known.result else result
        body = {"run": run.run_id, "agent": run.agent, "tool": go.tool, "digest": go.digest}
        if result.error:
            metering.give_back(session, go.call_id)
        told = {
            **body,
            **recording.result_told(result),
            **({"approval": go.approval.ref} if go.approval is not None else {}),
        }
        ledger.append(session, now, recording.kind_of(result), go.call_id, told)
        if go.approval is not None:  # once used up, nobody changes it but whoever has the first result
            writing.executed(session, go.approval, now, failed=result.error)
        watching.tell(self.services.watchers, session, go.call_id, run, failed=result.error)
        return result

    async def _perform(self, go: Go, tool: Tool, run: RunFacts) -> ToolResult:
        """Open the tool with a permit for exactly this call. OutcomeUnknown passes; any other fault is a result."""
        context = self._context(go.call_id, run)
        secrets = self._given(tool, context)
        permit = issue(call_id=go.call_id, tool=tool.name, digest=go.digest, secrets=secrets)
        try:
            result = await tool.perform(permit, go.arguments, context)
        except OutcomeUnknown:
            raise
        except Exception:
            reference = go.call_id[-6:]
            log.exception("%s failed in call %s (ref %s)", tool.name, go.call_id, reference)
            return wording.told(f"{tool.name} failed unexpectedly (ref {reference}).")
        return storable(by_words(tool, go.arguments, run, result))

    def _take(self, session: Session, made: Proposed, judged: Judged) -> None:
        """What the call uses of budgets, limits and permissions. OverspentError takes the whole transaction back."""
        metering.take(session, self.services, made.id, judged.verdict, judged.facts, made.run.place)
        if judged.verdict.grant:
            grants.use(session, judged.verdict.grant, made.id, self.clock.now())

    async def _outcome_unknown(self, call_id: str, run: RunFacts) -> Outcome:
        """Ask a person what became of a call that was started and whose end nobody saw."""
        return await self.store.write(
            lambda session: unknown.ask(session, self.services, self._requests, self.catalogue, call_id, run)
        )

    def _of(self, agent: str) -> list[Tool]:
        """The tools that the agent has."""
        names = self._offered(agent) if self._offered is not None else None
        return [tool for tool in self.catalogue if names is None or tool.name in names]

    def _is_offered(self, agent: str, name: str) -> bool:
        names = self._offered(agent) if self._offered is not None else None
        return names is None or name in names
