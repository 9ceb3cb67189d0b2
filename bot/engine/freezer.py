"""Freezing and thawing as people ask for it: who may, what they can name, and what they are told of what was done."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import chain
from typing import TYPE_CHECKING

from kernel import ledger, moments
from kernel.errors import NotAllowed, NotFound
from kernel.people import RoleUnknownError
from kernel.store import freezes, outbox, runs
from kernel.store.freezes import FreezeState
from kernel.types import Text
from rules.engine import freezing
from rules.engine.freezing import EVERYTHING, in_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.engine.charter import Charter
    from bot.engine.directory import TeamDirectory
    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from kernel.types import Actor, Person, Place
    from rules.engine.freezing import Freezes
    from tools.engine.catalogue import Catalogue

LISTED, LOOKED_AT = 10, 200  # runs that are named, and runs that are looked at to find those
HARMLESS = frozenset({"read", "fetch"})  # effects that change nothing


class Freezer:
    """Freezes and thaws for people."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        directory: TeamDirectory,
        freezes: Freezes,
        tools: Catalogue,
    ) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.directory = directory
        self.freezes = freezes
        self.tools = tools

    async def freeze(self, target: str, reason: str, person: Person, actor: Actor, place: Place) -> str:
        """Freeze what `target` names, for somebody who may; what to tell everybody there. Markdown."""
        await self._check(person, actor)
        scope = scope_of(target, self.directory.charter(), self.directory.channel_name(place))
        now = self.clock.now()
        freeze = FreezeState(scope=scope, by=person.id, by_name=person.name, reason=reason, at=now)

        def write(session: Session) -> str:
            if not begin(session, freeze):
                return f"{_begun(scope)} is frozen already."
            self._announce(session, f"{person.name} has frozen {in_words(scope)}{_because(reason)}.", place)
            until = f"`{_thaw(scope)}`, by {self._roles()}"
            what = "It is not called" if scope.startswith("tool:") else "No tool is called and no model thinks there"
            first = f"**{_begun(scope)} is frozen.** {what} until it is thawed: {until}."
            return "\n".join((first, *self._what_stands(session, scope)))

        told = await self.store.write(write)
        await self.freezes.refresh()
        return told

    async def thaw(self, target: str, person: Person, actor: Actor, place: Place) -> str:
        """Thaw what `target` names, for somebody who may; what to tell everybody there."""
        await self._check(person, actor)
        scope = scope_of(target, self.directory.charter(), self.directory.channel_name(place), known=False)

        def write(session: Session) -> str | None:
            woken = end(session, scope, person.id, self.clock)
            if woken is None:
                return None
            self._announce(session, f"{person.name} has thawed {in_words(scope)}.", place)
            going = f" {woken} held {'run goes' if woken == 1 else 'runs go'} on." if woken else ""
            return f"{_begun(scope)} is thawed.{going}"

        told = await self.store.write(write)
        await self.freezes.refresh()
        return told or f"{_begun(scope)} is not frozen.\n\n{await self.listing()}"

    async def listing(self) -> str:
        """What is frozen. Markdown."""
        found, held = await self.store.read(lambda session: (freezes.in_force(session), freezes.held(session)))
        if not found:
            return "Nothing is frozen."
        lines = [
            f"- **{_begun(one.scope)}**, by {one.by_name} since {moments.written(one.at)}{_because(one.reason)}; "
            f"runs held: {sum(scope == one.scope for scope in held.values())}. `{_thaw(one.scope)}`"
            for one in found
        ]
        return "\n".join(["Frozen:", *lines])

    async def _check(self, person: Person, actor: Actor) -> None:
        """NotAllowed for who holds none of the roles that may freeze; a role that cannot be looked up is not held."""
        for role in self.directory.charter().team.freeze:
            try:
                if await self.directory.holds(person, role, actor):
                    return
            except RoleUnknownError:
                continue
        raise NotAllowed(f"Freezing and thawing is for {self._roles()}. Your own run you can end with `stop`.")

    def _roles(self) -> str:
        return " or ".join(self.directory.charter().team.freeze)

    def _announce(self, session: Session, text: str, here: Place) -> None:
        """Tell those who run Bosun, unless it was said in front of them."""
        place = self.directory.home(self.directory.charter().team.operators)
        if place is not None and place.lane != here.lane:
            outbox.put(session, self.ids.new(), place, Text(markdown=text), self.clock.now())

    def _what_stands(self, session: Session, scope: str) -> list[str]:
        """What had happened by now in the runs that are held by this freeze."""
        under_way, held = [], []
        for run in runs.listing(session, (runs.QUEUED, runs.WAITING), LOOKED_AT):
            made = runs.calls(session, run.id)
            begun = [call.tool for call in made if call.state == runs.STARTED and _covers(scope, call.agent, call.tool)]
            under_way += [f"`{tool}` in {run.ref}" for tool in begun]
            if scope.startswith("tool:") or not self._is_in(scope, run):
                continue
            done = [call.tool for call in made if call.state == runs.CALL_DONE and self._changes(call.tool)]
            told = ", ".join(f"`{tool}`" for tool in done) or "nothing that changes anything"
            held.append(f"- {run.ref} ({run.agent or run.workflow}), done before: {told}")
        lines = []
        if under_way:
            lines.append(f"\nUnder way, and not to be called back: {', '.join(under_way)}.")
        if held:
            more = [f"- and {len(held) - LISTED} more"] if len(held) > LISTED else []
            lines += [f"\nHeld, {len(held)}:", *held[:LISTED], *more]
        return lines

    def _is_in(self, scope: str, run: runs.Run) -> bool:
        kind, _, name = scope.partition(":")
        if kind == "channel":
            return self.directory.channel_name(run.where) == name
        return kind == EVERYTHING or run.agent == name

    def _changes(self, tool: str) -> bool:
        known = self.tools.get(tool)
        return known is None or known.effect not in HARMLESS


def begin(session: Session, freeze: FreezeState) -> bool:
    """Freeze, and tell the ledger; False where exactly this is frozen already."""
    if not freezes.add(session, freeze):
        return False
    told = {"by": freeze.by, "reason": freeze.reason}
    ledger.append(session, freeze.at, "freeze.begun", freeze.scope, told)
    return True


def end(session: Session, scope: str, by: str, clock: Clock) -> int | None:
    """Thaw, and tell the ledger; how many runs go on, None where it was not frozen."""
    now = clock.now()
    woken = freezing.thaw(session, scope, now)
    if woken is None:
        return None
    ledger.append(session, now, "freeze.ended", scope, {"by": by, "runs": len(woken)})
    return len(woken)


def scope_of(target: str, charter: Charter, here: str, *, known: bool = True) -> str:
    """What "agent ops", "tool send_mail", "#finance", "ops", "here" or "" names. NotFound where there is no such thing.

    `known` False takes any name: what has gone from the charter can still be thawed.
    """
    kind, _, name = target.strip().lower().partition(" ")
    if kind in {"", "all", EVERYTHING}:
        return EVERYTHING
    if kind == "here":
        return f"channel:{here}"
    if kind == "channel" or kind.startswith("#"):
        kind, name = "channel", f"#{(name.strip() or kind).removeprefix('#')}"
    names: dict[str, Iterable[str]] = {
        "agent": charter.roster.agents,
        "tool": charter.known.tools,
        "channel": charter.channels,
    }
    if not name:  # the name alone says it
        kind, name = next(((each, kind) for each, there in names.items() if kind in there), (kind, ""))
    if kind not in names:
        hint = _near(kind, chain.from_iterable(names.values())) or "Say agent, tool or #channel."
        raise NotFound(f"There is nothing called “{target}” to freeze.", hint=hint)
    if known and name not in names[kind]:
        raise NotFound(f"There is no {kind} {name}.", hint=_near(name, names[kind]))
    return f"{kind}:{name}"


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"Did you mean {near[0]}?" if near else ""


def _covers(scope: str, agent: str, tool: str) -> bool:
    return scope in {EVERYTHING, f"agent:{agent}", f"tool:{tool}"} or scope.startswith("channel:")


def _begun(scope: str) -> str:
    words = in_words(scope)
    return words[0].upper() + words[1:]


def _because(reason: str) -> str:
    return f": {' '.join(reason.split()).rstrip('.')}" if reason else ""


def _thaw(scope: str) -> str:
    kind, _, name = scope.partition(":")
    return {"channel": f"thaw {name}", EVERYTHING: "thaw"}.get(kind, f"thaw {kind} {name}")
