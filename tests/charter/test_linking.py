"""One human with accounts on several platforms is one person, once they have said so with a code."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from bot.engine.charter import Charter
from bot.engine.directory import TeamDirectory
from bot.engine.linked import LinkedAccounts
from bot.engine.linking import Linking
from kernel.clock import FixedClock, SystemIds
from kernel.errors import NotAllowed, NotFound, RefusedError
from kernel.store import Store, ledger, open_store
from kernel.types import Actor, Place
from tests.charter.conftest import load
from tests.fakes.platform import FakePlatform

BO = Actor(platform="slack", tenant="T1", user="U2", name="Bo")  # stands in people.yaml
BORIS = Actor(platform="discord", tenant="G1", user="77001", name="boris")  # does not
STAN = Actor(platform="slack", tenant="T1", user="U99", name="Stan")  # neither
ANN = Actor(platform="web", tenant="local", user="ann", name="Ann")
HERE = Place(platform="slack", tenant="T1", channel="C1")


class Office:
    """What links accounts, between a store and a charter."""

    def __init__(self, store: Store, charter: Charter) -> None:
        self.store = store
        self.charter = charter
        self.clock = FixedClock()
        self.linked = LinkedAccounts(store, self.clock)
        tenants = {"web": "local", "slack": "T1", "discord": "G1"}
        self.team = TeamDirectory(lambda: self.charter, self.clock, tenants=tenants, linked=self.linked)
        self.linking = Linking(
            store=store,
            clock=self.clock,
            ids=SystemIds(),
            directory=self.team,
            linked=self.linked,
            adapters={"slack": FakePlatform("slack")},
        )

    async def code(self, actor: Actor) -> str:
        found = re.search(r"`link (\w{8})`", await self.linking.offer(actor, HERE))
        assert found is not None
        return found[1]

    async def link(self, first: Actor, second: Actor) -> str:
        return await self.linking.redeem(await self.code(first), second)

    def person(self, actor: Actor) -> str:
        return self.team.person(actor).id

    def told(self) -> list[str]:
        return [row.kind for row in self.store.read_now(lambda session: list(ledger.entries(session)))]


@pytest.fixture
async def office(sqlite_with_tables: str, charter: Charter) -> AsyncIterator[Office]:
    store = open_store(sqlite_with_tables)
    made = Office(store, charter)
    await made.linked.refresh()
    yield made
    store.close()


async def test_a_code_makes_two_accounts_one_person_with_the_rights_of_both(office: Office) -> None:
    assert office.person(BORIS) == BORIS.account
    code = await office.code(BO)
    assert "**Bo** on Slack" in await office.linking.look(code, BORIS)
    assert office.person(BORIS) == BORIS.account  # looking links nothing
    assert "Linked" in await office.linking.redeem(code.lower(), BORIS)
    person = office.team.person(BORIS)
    assert (person.id, person.name, person.listed, person.can_decide) == ("bo", "Bo", True, True)
    assert BORIS.account in person.accounts
    assert await office.team.holds(person, "finance", BORIS)
    assert office.team.principal(BORIS.account) == "bo"
    assert office.told() == ["account.linked"]


async def test_who_stands_in_the_charter_stays_whoever_asked_for_the_code(office: Office) -> None:
    await office.link(BORIS, BO)
    assert (office.person(BORIS), office.person(BO)) == ("bo", "bo")


async def test_two_whom_the_charter_does_not_know_are_one_and_follow_into_it_together(office: Office) -> None:
    await office.link(STAN, BORIS)
    assert office.person(BORIS) == office.person(STAN) == STAN.account
    assert set(office.team.person(STAN).accounts) == {STAN.account, BORIS.account}
    await office.link(ANN, STAN)
    assert [office.person(one) for one in (STAN, BORIS, ANN)] == ["ann", "ann", "ann"]


async def test_a_code_counts_once_for_ten_minutes_and_on_another_platform(office: Office) -> None:
    code = await office.code(BO)
    with pytest.raises(RefusedError, match="Slack too"):
        await office.linking.redeem(code, STAN)
    await office.linking.redeem(code, BORIS)
    with pytest.raises(NotFound, match="no such code"):
        await office.linking.redeem(code, BORIS)
    late = await office.code(BO)
    office.clock.advance(minutes=10)
    with pytest.raises(NotFound, match="ten minutes are over"):
        await office.linking.redeem(late, ANN)


async def test_a_new_code_replaces_the_one_before(office: Office) -> None:
    first, second = await office.code(BO), await office.code(BO)
    with pytest.raises(NotFound):
        await office.linking.redeem(first, BORIS)
    await office.linking.redeem(second, BORIS)


async def test_one_code_links_one_account_whoever_else_comes_in_the_same_instant(office: Office) -> None:
    code, other = await office.code(BO), BORIS.model_copy(update={"user": "77002"})
    tries = (office.linking.redeem(code, one) for one in (BORIS, other))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, str) for result in results) == 1
    assert [office.person(one) for one in (BORIS, other)].count("bo") == 1


async def test_codes_cannot_be_guessed(office: Office) -> None:
    for number in range(5):
        with pytest.raises(NotFound):
            await office.linking.look(f"WRONG00{number}", BORIS)
    code = await office.code(BO)
    with pytest.raises(NotAllowed, match="Too many"):
        await office.linking.redeem(code, BORIS)
    office.clock.advance(minutes=10)
    await office.linking.redeem(await office.code(BO), BORIS)


@pytest.mark.parametrize("what", ["is_bot", "is_guest", "is_external"])
async def test_guests_outsiders_and_bots_link_nothing(office: Office, what: str) -> None:
    other = BORIS.model_copy(update={what: True})
    with pytest.raises(NotAllowed):
        await office.linking.offer(other, HERE)
    with pytest.raises(NotAllowed):
        await office.linking.redeem(await office.code(BO), other)


async def test_what_the_charter_says_goes_before_a_link(office: Office) -> None:
    with pytest.raises(RefusedError, match="two people, Bo and Ann"):
        await office.link(BO, ANN)
    twice = BO.model_copy(update={"platform": "web", "tenant": "local", "user": "bo"})
    with pytest.raises(RefusedError, match="one person already"):
        await office.link(BO, twice)


async def test_an_account_that_the_charter_takes_up_later_is_whose_the_charter_says(
    office: Office, folder: object, change: object
) -> None:
    await office.link(BO, BORIS)
    change("people.yaml", "web: ann, slack: U1", 'web: ann, slack: U1, discord: "77001"')  # type: ignore[operator]
    office.charter = load(folder)  # type: ignore[arg-type]
    assert office.person(BORIS) == "ann"
    assert BORIS.account not in office.team.person(BO).accounts


async def test_unlinking_gives_the_account_back_and_is_no_way_to_vote_twice(office: Office) -> None:
    await office.link(BO, BORIS)
    said = await office.linking.unlink("discord", office.team.person(BO), BO)
    assert "boris on Discord" in said
    assert office.person(BORIS) == BORIS.account
    assert BORIS.account not in office.team.person(BO).accounts
    assert office.team.one_human(BORIS.account, "bo")  # for votes
    assert office.team.principal(BORIS.account) == BORIS.account  # for what they may see
    office.clock.advance(days=31)
    await office.linked.refresh()
    assert not office.team.one_human(BORIS.account, "bo")
    assert office.told() == ["account.linked", "account.unlinked"]


async def test_whoever_unlinks_says_which_account_where_there_are_several(office: Office) -> None:
    other = BORIS.model_copy(update={"user": "77002", "name": "boris2"})
    await office.link(BO, BORIS)
    await office.link(BO, other)
    with pytest.raises(NotFound, match="unlink discord"):
        await office.linking.unlink("", office.team.person(BO), BO)
    await office.linking.unlink("", office.team.person(other), other)  # the account that is used
    assert [office.person(one) for one in (BORIS, other)] == ["bo", other.account]
    with pytest.raises(NotFound, match="None of your accounts"):
        await office.linking.unlink("", office.team.person(ANN), ANN)


async def test_everybody_sees_their_own_links_and_an_administrator_all(office: Office) -> None:
    await office.link(BO, BORIS)
    assert "boris" in await office.linking.listing(office.team.person(BORIS), BORIS)
    assert "boris" in await office.linking.listing(office.team.person(ANN), ANN)  # an administrator
    assert "Nothing is linked" in await office.linking.listing(office.team.person(STAN), STAN)
