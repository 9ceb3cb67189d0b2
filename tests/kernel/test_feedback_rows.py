"""What people say of answers: of each human one row for each answer, whatever happens in the same instant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from kernel.clock import FixedClock
from kernel.store import Session, Store, feedback, runs
from kernel.types import Place

NOW = FixedClock().now()
GENERAL = Place(platform="web", tenant="local", channel="general")
FINANCE = Place(platform="web", tenant="local", channel="finance")
LINKED = {"web:local:bo-at-home": "bo"}


def principal(person: str) -> str:
    return LINKED.get(person, person)


def is_(person: str) -> Callable[[str], bool]:
    return lambda known: principal(known) == person


def said(run: str, person: str, reason: str | None = None, *, minutes: int = 0) -> feedback.Feedback:
    at = NOW + timedelta(minutes=minutes)
    return feedback.Feedback(run_id=run, person=person, helpful=reason is None, reason=reason or "", at=at)


def answered(session: Session, run_id: str, agent: str, place: Place) -> None:
    common: dict[str, Any] = {"place": place.model_dump(mode="json"), "created_at": NOW}
    key: dict[str, Any] = {**common, "platform": place.platform, "tenant": place.tenant, "channel": place.channel}
    session.add(runs.Conversation(id=run_id, active_at=NOW, thread=run_id, **key))
    of: dict[str, Any] = {**common, "id": run_id, "ref": f"R-{run_id}", "conversation_id": run_id, "agent": agent}
    session.add(runs.Run(requester="ann", request="?", updated_at=NOW, **of))


async def test_of_many_words_in_the_same_instant_one_is_kept(stores: tuple[Store, Store]) -> None:
    words = [said("r", "ann", None if n % 2 else "why") for n in range(16)]
    await asyncio.gather(
        *(stores[n % 2].write(partial(feedback.say, said=word, is_them=is_("ann"))) for n, word in enumerate(words))
    )
    (kept,) = await stores[0].read(lambda session: feedback.of_run(session, "r"))
    assert (kept.helpful, kept.reason) in {(True, ""), (False, "why")}


async def test_a_human_who_has_linked_an_account_since_has_one_word(store: Store) -> None:
    await store.write(lambda session: feedback.say(session, said("r", "web:local:bo-at-home"), is_("nobody")))
    await store.write(lambda session: feedback.say(session, said("r", "ann", "no"), is_("ann")))
    await store.write(lambda session: feedback.say(session, said("r", "bo", "wrong", minutes=1), is_("bo")))
    rows = await store.read(lambda session: feedback.of_run(session, "r"))
    assert [(row.person, row.reason) for row in rows] == [("bo", "wrong"), ("ann", "no")]
    assert await store.write(lambda session: feedback.withdraw(session, "r", is_("bo")))
    assert not await store.write(lambda session: feedback.withdraw(session, "r", is_("bo")))
    assert await store.read(lambda session: feedback.of_person(session, "r", is_("bo"))) is None


async def test_opinions_are_counted_by_human_by_channel_and_by_agent(store: Store) -> None:
    def fill(session: Session) -> None:
        answered(session, "one", "lead", GENERAL)
        answered(session, "two", "finance", FINANCE)
        words = [said("one", "web:local:bo-at-home"), said("one", "bo", "old", minutes=2), said("one", "ann")]
        session.add_all([*words, said("two", "ann", minutes=3)])  # as they stood before accounts were linked

    await store.write(fill)
    since, until = NOW - timedelta(minutes=1), NOW + timedelta(minutes=5)
    everywhere = await store.read(lambda session: feedback.lately(session, since, until, principal))
    assert [(run.ref, one.person, one.reason) for run, one in everywhere] == [
        ("R-two", "ann", ""), ("R-one", "bo", "old"), ("R-one", "ann", ""),
    ]  # fmt: skip
    here = await store.read(lambda session: feedback.in_channel(session, GENERAL, since, until, principal))
    assert [(run.ref, one.person) for run, one in here] == [("R-one", "bo"), ("R-one", "ann")]
    by_agent = await store.read(lambda session: feedback.helped(session, since, principal))
    assert by_agent == {"lead": (1, 2), "finance": (1, 1)}
    late = await store.read(lambda session: feedback.lately(session, NOW + timedelta(minutes=2), until, principal))
    assert [run.ref for run, _ in late] == ["R-two"]
    (first, *_) = await store.read(lambda session: feedback.of_refs(session, ["R-one", "R-none"]))
    assert first[0] == "R-one"
