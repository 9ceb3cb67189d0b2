"""From what a model asks for to a verdict: exact arguments, digest, origins, decision. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel.errors import ToolError
from kernel.people import RoleUnknownError
from kernel.store import payments
from kernel.types import Labelled
from rules.engine import facts as facts_of_calls
from rules.engine import readers
from rules.engine.decide import decide
from rules.engine.origins import origins_of
from rules.engine.recording import printable
from rules.engine.surroundings import completed
from rules.engine.tooling import call_digest, exact
from rules.engine.values import leaves

if TYPE_CHECKING:
    from kernel.types import Json, RunFacts, ToolCall
    from rules.engine.decide import Verdict
    from rules.engine.facts import CallFacts
    from rules.engine.grants import Grants
    from rules.engine.services import Services
    from rules.engine.tooling import GovernedTool


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A call that fits its tool, and what the rules say to it."""

    tool: GovernedTool
    arguments: dict[str, Json]  # as the tool will act on them
    digest: str
    facts: CallFacts
    verdict: Verdict


class UnfitError(Exception):
    """The call cannot be judged: no such tool, or arguments that do not fit. The message is for the model."""


class Judge:
    """Judges calls by the rules in force."""

    def __init__(self, services: Services, grants: Grants) -> None:
        self.services = services
        self._grants = grants

    async def judge(self, call: ToolCall, run: RunFacts) -> Judged:
        """The verdict on the call. UnfitError if there is nothing to judge."""
        tool = self.services.tools.get(call.tool)
        if tool is None:
            raise UnfitError(f"There is no tool called “{printable(call.tool)}”.")
        try:
            arguments = exact(tool, call.arguments)
            digest = call_digest(tool.name, arguments)
        except ToolError as error:
            raise UnfitError(error.message) from error
        except (ValueError, RecursionError) as error:  # what canonical JSON cannot carry
            raise UnfitError(f"The arguments do not fit: {error}.") from error
        rules = self.services.rules.current
        run = await self._with_payees(tool, arguments, run)
        facts = facts_of_calls.of_run(
            run,
            tool=tool.name,
            effect=tool.effect,
            arguments=arguments,
            origins=origins_of(
                tool, arguments, run, self.services.directory, self.services.seen.of(run.run_id, run.seen)
            ),
            now=self.services.clock.now(),
            unsure_roles=await self.unsure_roles(run),
            governed=tool,
            wider_readers=readers.wider(tool, arguments, run, self.services.directory),
        )
        facts = await self._grants.standing(await completed(self.services, rules, facts))
        return Judged(
            tool=tool,
            arguments=arguments,
            digest=digest,
            facts=facts,
            verdict=decide(rules, facts),
        )

    async def _with_payees(self, tool: GovernedTool, arguments: dict[str, Json], run: RunFacts) -> RunFacts:
        """Where money moves, the run knows those to whom a payment was queued before."""
        if tool.effect != "spend":
            return run
        named = [leaf for name in tool.authority for leaf in leaves(arguments.get(name)) if isinstance(leaf, str)]
        paid = await self.services.store.read(
            lambda session: [name for name in dict.fromkeys(named) if payments.has_payee(session, name)]
        )
        known = tuple(Labelled(text=name, origin="paid_before", field="payee") for name in paid)
        return run.model_copy(update={"seen": (*run.seen, *known)}) if known else run

    async def unsure_roles(self, run: RunFacts) -> frozenset[str]:
        """Roles that rules ask of a requester and that cannot be looked up now: they close, they never open."""
        wanted = self.services.rules.current.requester_roles - run.roles
        if run.workflow is not None or not wanted:
            return frozenset()
        unsure = set()
        for role in wanted:
            try:
                if await self.services.directory.holds(run.requester, role, run.actor):
                    unsure.add(role)  # held now, and not when the run's facts were taken
            except RoleUnknownError:
                unsure.add(role)
        return frozenset(unsure)
