"""Everything that can happen to people, roles, channels and texts, in any order; after each step somebody looks."""

from __future__ import annotations

import asyncio
from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from kernel.store import knowledge_sources as sources
from knowledge.engine.audience import TEAM
from tests.knowledge.readers_world import (
    CHANNELS,
    FOLDERS,
    GUEST,
    OPEN,
    PEOPLE,
    ROLES,
    SOURCES,
    TEAM_PEOPLE,
    VAULT,
    Known,
    ReadersWorld,
    lane,
    said,
    secrets_in,
)

person = st.sampled_from(PEOPLE)
member = st.sampled_from(TEAM_PEOPLE)
room = st.sampled_from(CHANNELS)
anywhere = st.sampled_from((*CHANNELS, "dm"))
key = st.sampled_from(["a", "b", "c", "d", "e"])
READERS = (TEAM, "person:ann", "person:bo", "role:finance", "role:ops", *(f"channel:{lane(one)}" for one in CHANNELS))
UNKNOWN = ("everyone", "", "TEAM", "role")
readers = st.frozensets(st.sampled_from(READERS + UNKNOWN), max_size=2)
source = st.sampled_from(SOURCES)
about = st.sampled_from(["the kettle", "the door code", "Invoices"])


class ReadersMachine(RuleBasedStateMachine):
    """Nobody is told what they may not read, whatever has happened before."""

    world: ReadersWorld
    runner: asyncio.Runner

    @initialize()
    def begin(self) -> None:
        """Something to read for everybody, and answers that cite it."""
        self.runner.run(self.world.begin())
        for key, readers, source in (("a", TEAM, OPEN), ("b", "role:finance", VAULT), ("c", "role:ops", OPEN)):
            self.runner.run(self.world.add(key, frozenset({readers}), source))
        self.somebody_talks("m1", "#general", "said")
        self.somebody_has_a_fact_kept("bo", "#finance", "the kettle")
        for who, where in (("ann", "#general"), ("bo", "dm"), ("cy", "#finance"), ("dee", "#ops")):
            self.an_answer_cites_what_it_found(who, where)

    def teardown(self) -> None:
        """In the end everybody looks for themselves, and somebody in every channel."""
        for who in PEOPLE:
            self.somebody_opens_the_console(who)
            self.somebody_looks(who, "dm")
        for who, where in zip(PEOPLE, CHANNELS, strict=False):
            self.somebody_looks(who, where)
            self.a_workflow_looks(where)

    # -- what happens -----------------------------------------------------------------------------

    @rule(key=key, readers=readers, source=source)
    def a_document_is_added_or_moved(self, key: str, readers: frozenset[str], source: str) -> None:
        """To somebody who may not read it, nothing changes: no count, no state, no date."""
        hidden = self.runner.run(self.shown_to_strangers(key, readers, source))
        self.runner.run(self.world.add(key, readers, source))
        for who, before in hidden.items():
            after = self.runner.run(self.world.console(who))
            assert after == before, (who, before, after)

    async def shown_to_strangers(self, key: str, readers: frozenset[str], source: str) -> dict[str, dict[str, str]]:
        old, new = self.world.team.known.get(key), Known(secret="", readers=readers, source="upload")
        assert await self.world.knowledge.settled(60)
        touched = source in self.world.team.cut_off or (source, key) in self.world.team.broken
        return {
            who: await self.world.console(who)
            for who in PEOPLE
            if not touched and not self.world.team.may(who, new) and (old is None or not self.world.team.may(who, old))
        }

    @rule(key=key)
    def a_document_is_forgotten(self, key: str) -> None:
        known = self.world.team.known.pop(key, None)
        if known is not None:
            self.runner.run(self.world.knowledge.forget(known.id))

    @rule(source=st.sampled_from(list(FOLDERS)), state=st.sampled_from([sources.CUT_OFF, sources.READY, sources.AWAY]))
    def a_source_is_read_or_not(self, source: str, state: str) -> None:
        self.runner.run(self.world.settle(source, state))

    @rule(source=st.sampled_from(list(FOLDERS)), key=key)
    def a_file_breaks(self, source: str, key: str) -> None:
        self.runner.run(self.world.fail(source, key))

    @rule(key=st.sampled_from(["m1", "m2"]), room=room, event=st.sampled_from(["said", "said", "changed", "gone"]))
    def somebody_talks(self, key: str, room: str, event: Literal["said", "changed", "gone"]) -> None:
        self.runner.run(self.world.say(f"{key}-{room}", room, event))

    @rule(who=person, where=anywhere, about=about)
    def somebody_has_a_fact_kept(self, who: str, where: str, about: str) -> None:
        if self.reads(who, where):
            self.runner.run(self.world.remember(who, where, about))

    @rule(who=person, where=anywhere, number=st.integers(0, 20), verb=st.sampled_from(["correct", "forget"]))
    def somebody_meddles_with_a_fact(self, who: str, where: str, number: int, verb: str) -> None:
        """Also one of others: then the refusal gives nothing away, and nothing happens."""
        refs = self.world.refs()
        if not refs or not self.reads(who, where):
            return
        ref, secret = sorted(refs.items(), key=lambda one: one[1])[number % len(refs)]
        asked, may = self.world.asked(who, where), self.world.heard(who, where)
        answers = self.world.answers
        fresh = self.world.secret()
        done = answers.forget(ref, asked) if verb == "forget" else answers.correct(ref, f"It is {fresh}", asked)
        told = self.runner.run(said(done))
        assert secrets_in(told) <= may | {fresh}
        before = self.world.team.known[secret]
        if verb == "correct" and fresh in self.world.refs().values():
            self.world.team.known[fresh] = Known(secret=fresh, readers=before.readers, source="memory")
        self.world.follow_facts()
        if secret not in may:
            assert self.world.refs().get(ref) == secret
            assert self.world.team.known[secret].id == before.id

    @rule(who=member, role=st.sampled_from(ROLES))
    def a_role_is_given_or_taken(self, who: str, role: str) -> None:
        self.world.team.holders[role] ^= {who}
        self.world.changed()

    @rule(who=member)
    def somebody_leaves_or_comes_back(self, who: str) -> None:
        self.world.team.inactive ^= {who}
        self.world.changed()

    @rule(room=st.sampled_from(["#general", "#finance", "#ops"]), role=st.sampled_from(ROLES))
    def a_channel_gets_other_readers(self, room: str, role: str) -> None:
        self.world.team.rooms[room] ^= {role}
        self.world.changed()

    @rule(who=person, where=anywhere)
    def an_answer_cites_what_it_found(self, who: str, where: str) -> None:
        if self.reads(who, where):
            self.runner.run(self.world.answer(who, where))

    # -- who looks --------------------------------------------------------------------------------

    @rule(who=person, where=anywhere)
    def somebody_looks(self, who: str, where: str) -> None:
        if not self.reads(who, where):
            return
        assert self.runner.run(self.world.knowledge.settled(60))
        may = self.world.heard(who, where)
        found, _result = self.runner.run(self.world.search(who, where))
        assert self.sure(who, where) - found == set(), (who, where)
        assert found - may == set(), (who, where)
        for path, told in self.runner.run(self.world.told(who, where)).items():
            assert told - may == set(), (path, who, where)

    @rule(where=room)
    def a_workflow_looks(self, where: str) -> None:
        assert self.runner.run(self.world.knowledge.settled(60))
        found, _result = self.runner.run(self.world.search(None, where))
        may = self.world.team.of_room(None, where)
        assert found - may == set(), where
        assert self.runner.run(self.world.report(where)) - may == set(), where

    @rule(who=person)
    def somebody_opens_the_console(self, who: str) -> None:
        may = self.world.team.allowed({who})
        shown = self.runner.run(self.world.console(who))
        assert secrets_in(shown["pages"]) == {one.secret for one in self.current() if one.secret in may}
        assert secrets_in(shown["overview"]) <= may | self.world.team.failures(who)
        readable = len({one.id for one in self.current() if one.secret in may})
        assert self.runner.run(self.world.counted(who)) == (readable, readable)

    # -- the reference ----------------------------------------------------------------------------

    def reads(self, who: str, where: str) -> bool:
        """Whether they can ask there at all."""
        return where == "dm" or self.world.team.in_room(who, where)

    def current(self) -> list[Known]:
        """What is a document now: no fact that was replaced."""
        return [one for one in self.world.team.known.values() if one.id]

    def sure(self, who: str, where: str) -> set[str]:
        """What has to be found: what is named for the place or the person, and what the team may read."""
        may, team = self.world.heard(who, where), self.world.team
        if where == "dm":
            held = {f"role:{role}" for role in ROLES if who in team.holders[role]}
            named = {f"person:{self.world.id_of(who)}", TEAM} | held
        else:
            named = {f"channel:{lane(where)}", TEAM}
        outsider = who == GUEST or where == "#shared" or who in team.inactive
        named -= {TEAM} if outsider else set()
        return {one.secret for one in self.current() if one.secret in may and one.readers & named}
