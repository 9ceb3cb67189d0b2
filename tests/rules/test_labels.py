"""Labels of what was read: whole values of records, finding by the requester's words, links in free text."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from kernel.types import Actor, Labelled, Person, Place, RunFacts, ToolResult
from rules.engine.finding import by_words
from rules.engine.links import links
from rules.engine.origins import origins_of
from rules.engine.seen import EXACT, Indexes, Seen
from rules.engine.spelling import filled, mentions, typed
from tests.rules.people import Team
from tests.rules.things import mail
from tools.engine import Arguments, From, Returned, ToolContext, records, rows_of, tool
from tools.engine.results import fit

TEXT = st.text(alphabet="ab1 .-@/#\n", max_size=30)


class Event(Returned):
    """An entry of a calendar."""

    id: Annotated[str, From(names=True)]
    title: Annotated[str, From(title=True)]
    guests: Annotated[list[str], From(names=True)] = Field(default_factory=list)
    room: Annotated[str | None, From(origin="address_book")] = None


class Query(Arguments):
    query: str = Field(description="Words")


@tool(effect="read", look_up=("query",), returns=Event)
async def search_events(args: Query, ctx: ToolContext) -> ToolResult:
    """Search."""
    raise AssertionError


def facts(*typed_text: str, seen: tuple[Labelled, ...] = (), **more: object) -> RunFacts:
    person = Team().people["ann"]
    place = Place(platform="web", tenant="local", channel="general")
    known = RunFacts(
        run_id="r", ref="R-1", segment=1, agent="ops", requester=person, place=place, typed=typed_text, seen=seen
    )
    return known.model_copy(update=more)


def found(run: RunFacts, *events: Event, words: str = "standup") -> ToolResult:
    return by_words(search_events, {"query": words}, run, records(rows_of(events)))


STANDUP = Event(id="24", title="standup", guests=["bob@acme.com"], room="Zurich")


def origin_of(result: ToolResult, field: str) -> set[str]:
    return {piece.origin for piece in result.pieces if piece.field == field}


def test_every_field_is_a_piece_and_one_without_a_declaration_comes_from_outside() -> None:
    result = records(rows_of([STANDUP]))
    assert {(p.field, p.text, p.origin) for p in result.pieces} == {
        ("id", "24", "outside_text"),
        ("title", "standup", "outside_text"),
        ("guests", "bob@acme.com", "outside_text"),
        ("room", "Zurich", "address_book"),
    }
    assert result.content == "id: 24 | title: standup | guests: ['bob@acme.com'] | room: Zurich".replace("'", '"')


def test_the_one_record_that_the_requesters_words_found_is_meant() -> None:
    result = found(facts("move the standup to ten"), STANDUP)
    assert origin_of(result, "id") == {"found_by_your_words"}
    assert origin_of(result, "guests") == {"found_by_your_words"}
    assert origin_of(result, "title") == {"outside_text"}


@pytest.mark.parametrize(
    ("run", "events", "words"),
    [
        (facts("move the standup"), (STANDUP, STANDUP), "standup"),  # two of them
        (facts("move the standup"), (), "standup"),
        (facts("move the meeting"), (STANDUP,), "standup"),  # the model's own words
        (facts("move the standups"), (STANDUP,), "standup"),  # not as a whole word
        (facts("move the standup"), (STANDUP,), ""),
        (facts("please move it"), (STANDUP,), "it"),  # words that mean nothing
        (facts("please move the event"), (STANDUP,), "event"),
        (facts("move standup", requester=Team().people["zoe"]), (STANDUP,), "standup"),
        (
            facts("move standup", actor=Actor(platform="web", tenant="local", user="x", is_external=True)),
            (STANDUP,),
            "standup",
        ),
    ],
)
def test_anything_less_is_not_found_by_their_words(run: RunFacts, events: tuple[Event, ...], words: str) -> None:
    assert "found_by_your_words" not in {piece.origin for piece in found(run, *events, words=words).pieces}


def test_of_several_records_the_one_that_is_called_as_the_requester_said_is_meant() -> None:
    titles = {"25": "standup of sales", "24": "Standup", "26": "my standup"}
    result = found(facts("move the standup to ten"), *(Event(id=one, title=title) for one, title in titles.items()))
    assert {(p.text, p.origin) for p in result.pieces if p.field == "id"} == {
        ("24", "found_by_your_words"),
        ("25", "outside_text"),
        ("26", "outside_text"),
    }


def test_two_that_are_called_so_are_none_and_neither_is_one_of_more_than_came_back() -> None:
    twice = found(facts("move the standup"), STANDUP, STANDUP, Event(id="25", title="my standup"))
    assert "found_by_your_words" not in {piece.origin for piece in twice.pieces}
    first = records(rows_of([STANDUP]), more=True)
    assert first.content.endswith("There are more that fit.")
    assert by_words(search_events, {"query": "standup"}, facts("move the standup"), first) == first


def test_what_a_guest_asks_for_is_text_from_outside() -> None:
    outsider = Actor(platform="web", tenant="local", user="x", is_external=True)
    assert not facts("post it to #general").outside_text_read
    assert facts("post it to #general", actor=outsider).outside_text_read
    assert facts("post it to #general", requester=Team().people["zoe"]).outside_text_read


def test_a_second_record_that_was_cut_off_still_counts() -> None:
    result = records(rows_of([STANDUP, STANDUP]))
    cut = result.model_copy(update={"pieces": result.pieces[:4]})
    assert by_words(search_events, {"query": "standup"}, facts("the standup"), cut) == cut


def test_an_administered_value_counts_as_a_whole_only() -> None:
    seen = Seen.of([Labelled(text="External www.evil.com", origin="address_book", field="name")])
    assert seen.origins("External www.evil.com") == {"address_book"}
    assert seen.origins("www.evil.com") == {"outside_text"}


def test_no_tool_can_say_that_something_was_typed() -> None:
    assert Seen.of([Labelled(text="x13", origin="typed")]).origins("x13") == {"outside_text"}


@given(st.lists(TEXT, max_size=5), TEXT)
def test_the_index_finds_what_a_look_at_every_text_finds(texts: list[str], value: str) -> None:
    seen = Seen.of(Labelled(text=text, origin="outside_text") for text in texts)
    assert bool(seen.origins(value)) == any(mentions(text, value) for text in texts)


@given(st.lists(st.tuples(TEXT, st.sampled_from(["outside_text", "member_text", "member", "nowhere"])), max_size=6))
def test_an_index_that_grew_is_the_index_of_everything(read: list[tuple[str, str]]) -> None:
    pieces = [Labelled(text=text, origin=origin) for text, origin in read]
    indexes = Indexes()
    for size in range(len(pieces) + 1):
        grown = indexes.of("r", pieces[:size])
    for value in {text for text, _ in read}:
        assert grown.origins(value) == Seen.of(pieces).origins(value)


@given(st.lists(TEXT, max_size=4), TEXT)
def test_text_from_outside_never_gives_authority(texts: list[str], value: str) -> None:
    pieces = tuple(Labelled(text=text, origin="outside_text", field="f", names=True) for text in texts)
    origins = origins_of(mail, {"to": [value], "cc": None, "body": ""}, facts(seen=pieces), Team())["to"]
    assert all(not one & (EXACT | {"typed"}) or value.removeprefix("@") in Team().people for one in origins)


LINKS = [
    ("see https://evil.com/a?b=c.", ("https://evil.com/a?b=c",)),
    ("see www.secure-systems-252.com", ("www.secure-systems-252.com",)),
    ("[here](https://bit.ly/x)", ("https://bit.ly/x",)),
    ("go to evil.com/login now", ("evil.com/login",)),
    ("evil[.]com", ("evil.com",)),
    ("ev\u200bil.com", ("evil.com",)),
    ("ask Bob@Acme.com, please", ("Bob@Acme.com",)),
    ("to DE89 3704 0044 0532 0130 00 today", ("DE89 3704 0044 0532 0130 00",)),
    ("to IBAN 0123456789", ("0123456789",)),
    ("call +41 44 668 18 00", ("+41 44 668 18 00",)),
    ("0x52908400098527886E0F7030069857D2E4169EE7", ("0x52908400098527886E0F7030069857D2E4169EE7",)),
    ("ftp://x.y/z and ftp://x.y/z", ("ftp://x.y/z",)),
]


@pytest.mark.parametrize(("text", "expected"), LINKS)
def test_what_leads_elsewhere_is_found_in_free_text(text: str, expected: tuple[str, ...]) -> None:
    assert links(text) == expected


@pytest.mark.parametrize(
    "text", ["on 2026-05-26 at 10:00", "26.05.2026", "see feedback.xlsx", "1,250.00 EUR", "e.g. this", "a@b", "3.5"]
)
def test_ordinary_text_holds_none(text: str) -> None:
    assert links(text) == ()


def test_a_link_that_somebody_inside_mentioned_has_their_origin() -> None:
    seen = (Labelled(text="look at www.acme.com", origin="member_text"), Labelled(text="www.evil.com"))
    run = facts("send www.typed.com to bob", seen=seen)
    body = "www.acme.com, www.evil.com, www.typed.com and www.invented.com"
    origins = origins_of(mail, {"to": [], "cc": None, "body": body}, run, Team())["body"]
    assert [set(one) for one in origins] == [{"member_text"}, {"outside_text"}, {"typed"}, {"nowhere"}]


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("tell Maria that it is done", True),
        ("tell Maria Rossi that it is done", True),
        ("tell maria that it is done", False),  # a name is written as one
        ("tell Marian that it is done", False),
        ("tell Ann that it is done", False),  # two are called so
        ("tell somebody", False),
        ("Mark it as done", False),
        ("ask Mark Hall", True),
    ],
)
def test_a_name_is_the_person_if_exactly_one_of_the_team_has_it(text: str, is_named: bool) -> None:
    team = Team()
    for person_id, name in {"p1": "Maria Rossi", "p2": "Ann Berg", "p3": "Mark Hall"}.items():
        team.people[person_id] = Person(id=person_id, name=name)
    team.people["p4"] = Person(id="p4", name="Maria Stone", can_decide=False)
    found = origins_of(mail, {"to": ["p1", "p2", "p3"], "cc": None, "body": ""}, facts(text), team)["to"]
    assert any("found_by_your_words" in one for one in found) is is_named
    assert all("member" in one for one in found)


def test_a_day_is_typed_as_people_write_it() -> None:
    for text in ("on May 26th", "on 26 May 2026", "the 26th of May", "26.5.2026", "2026-05-26"):
        assert typed(text, "2026-05-26", about=None)
    assert not typed("on May 2nd, 6 people", "2026-05-26", about=None)


def test_words_are_the_same_in_any_case_and_ids_are_not() -> None:
    assert typed("for the family reunion", "Family Reunion", about=None)
    assert not typed("file ab-12", "AB-12", about=None)


def test_a_gap_that_the_requester_left_is_filled_with_a_whole_value_only() -> None:
    seen = (Labelled(text="Le Baratin", field="name"),)
    run = facts("add an event 'Dinner at {restaurant_name}' for me", seen=seen)
    assert next(filled(run.typed[0], "Dinner at Le Baratin")) == "Le Baratin"
    plain = {"cc": "Dinner at Le Baratin", "to": [], "body": ""}
    assert "typed" in origins_of(mail, plain, run, Team())["cc"][0]
    other = plain | {"cc": "Dinner at the expense of Acme"}
    assert "typed" not in origins_of(mail, other, run, Team())["cc"][0]
    as_target = {"cc": None, "to": ["Dinner at Le Baratin@evil.com"], "body": ""}
    assert "typed" not in origins_of(mail, as_target, run, Team())["to"][0]


def test_personal_data_that_was_cut_off_still_sticks() -> None:
    pieces = (Labelled(text="a" * 50), Labelled(text="passport 123", personal=True))
    cut = fit(ToolResult(content="a" * 50 + "passport 123", pieces=pieces), 50)
    assert facts(seen=cut.pieces).personal_data_read
