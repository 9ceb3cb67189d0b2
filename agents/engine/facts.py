"""What is known of a run when a call of it is judged: who asked, where, what was typed, what the run has read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.engine import background
from kernel.types import Actor, Labelled, Origin, Person, RunFacts
from knowledge.engine import audience

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.engine.ports import Charter
    from agents.engine.transcript import Line
    from kernel.store.run_steps import PastRun, RunState
    from kernel.types import Json, Place


async def facts_of(
    run: RunState, agent: str, lines: Iterable[Line], earlier: Iterable[PastRun], charter: Charter
) -> RunFacts:
    """The facts as they are now. Roles are looked up at this moment; one that cannot be is left out."""
    directory, place, actor = charter.directory, run.where, run.actor
    requester = _requester(run, charter)
    roles = frozenset[str]() if run.workflow else await directory.roles_of(requester, actor)
    lines = list(lines)
    return RunFacts(
        run_id=run.id,
        ref=run.ref,
        segment=run.segment,
        agent=agent,
        requester=requester,
        actor=actor,
        roles=roles,
        place=place,
        channel_name=directory.channel_name(place),
        workflow=run.workflow,
        typed=tuple(text for line in lines if line.kind == "user" and (text := _typed(line, run))),
        seen=tuple(_seen(lines, earlier, run, place)),
        next_answer_usd=next(
            (line.content.get("most_usd", 0.0) for line in lines[::-1] if line.kind == "assistant"), 0.0
        ),
    )


def _requester(run: RunState, charter: Charter) -> Person:
    known = charter.directory.by_id(run.requester)
    if known is not None:
        return known
    if run.actor is not None:
        return charter.directory.person(run.actor)
    return Person(
        id=run.requester, name=run.requester.partition(":")[2] or run.requester, listed=False, can_decide=False
    )


def _typed(line: Line, run: RunState) -> str:
    """What the requester typed. A workflow's text was typed by nobody, another person's text by somebody else."""
    by_requester = line.asker in (run.requester, None)
    return line.content["text"] if by_requester and not run.workflow else ""


def _seen(lines: list[Line], earlier: Iterable[PastRun], run: RunState, place: Place) -> Iterable[Labelled]:
    here = _readers(run, place)
    for past in earlier:
        origin: Origin = _origin(past.actor, place) if past.requester != run.requester else "member_text"
        yield Labelled(text=past.request, origin=origin, source=past.ref, readers=here)
        if past.answer:  # our own words carry whatever that run had read: nothing is laundered through them
            yield Labelled(
                text=past.answer, origin="outside_text", source=past.ref, personal=past.personal, readers=here
            )
    for line in lines:
        if line.kind == "user":
            if not _typed(line, run):
                yield Labelled(text=line.content["text"], origin="member_text", readers=here)
            quoted = [*line.content.get("context", ()), *line.content.get("about", ())]
            yield from (_heard(item, place, here) for item in quoted)
        elif "background" in line.content:
            yield from background.pieces(line.content["background"])
        elif line.kind == "results":
            for result in line.content["results"]:
                yield from _pieces(result)


def _readers(run: RunState, place: Place) -> tuple[str, ...]:
    """Who reads what is said here."""
    if run.workflow:
        return ()  # what its steps gave carries labels of its own
    return (audience.person(run.requester) if place.kind == "dm" else audience.channel(place),)


def _heard(item: dict[str, Json], place: Place, here: tuple[str, ...]) -> Labelled:
    actor = item.get("actor")
    known = Actor.model_validate(actor) if isinstance(actor, dict) else None
    origin: Origin = "outside_text" if item.get("mine") else _origin(known, place)
    text, source = str(item.get("text", "")), str(item.get("message") or "")
    return Labelled(text=text, origin=origin, source=source, readers=here)


def _origin(actor: Actor | None, place: Place) -> Origin:
    """Text of a member in a place of the team is `member_text`; everything else comes from outside."""
    outside = actor is None or place.external or actor.is_bot or actor.is_guest or actor.is_external
    return "outside_text" if outside else "member_text"


def _pieces(result: dict[str, Json]) -> list[Labelled]:
    if result["pieces"]:
        return [Labelled.model_validate(piece) for piece in result["pieces"]]
    return [Labelled(text=result["content"], origin="outside_text")] if result["content"] else []
