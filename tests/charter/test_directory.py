"""Who people are, what they hold, and that whatever cannot be told counts as no."""

import asyncio

import pytest

from bot.engine.charter import Charter
from bot.engine.directory import TeamDirectory
from kernel.clock import FixedClock
from kernel.errors import PlatformError
from kernel.people import RoleUnknownError
from kernel.types import Actor, Place


class Slack:
    """A platform with one group."""

    def __init__(self, *members: str) -> None:
        self.members = frozenset(members)
        self.asked = 0
        self.broken = False

    async def group_members(self, group: str) -> frozenset[str]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.broken:
            raise PlatformError
        return self.members if group == "S1" else frozenset()

    async def may_read(self, place: Place, user: str) -> bool:
        self.asked += 1
        if self.broken:
            raise PlatformError
        return f"slack:T1:{user}" in self.members


@pytest.fixture
def slack() -> Slack:
    return Slack("slack:T1:U1", "slack:T1:U9")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def team(charter: Charter, slack: Slack, clock: FixedClock) -> TeamDirectory:
    tenants = {"web": "local", "slack": "T1", "discord": "G1"}
    return TeamDirectory(lambda: charter, clock, groups={"slack": slack}, tenants=tenants)


def actor(user: str, platform: str = "slack", tenant: str = "T1", **more: object) -> Actor:
    return Actor.model_validate({"platform": platform, "tenant": tenant, "user": user, **more})


def test_one_human_is_one_person_whatever_account_they_use(team: TeamDirectory) -> None:
    people = {team.person(actor(user)).id for user in ("U2", "U22")} | {team.person(actor("bo", "web", "local")).id}
    assert people == {"bo"}
    assert team.person(actor("U2")).accounts == ("web:local:bo", "slack:T1:U2", "slack:T1:U22")


def test_strangers_guests_bots_and_the_deactivated_decide_nothing(team: TeamDirectory) -> None:
    stranger = team.person(actor("U99", name="Eve"))
    assert (stranger.id, stranger.name, stranger.listed) == ("slack:T1:U99", "Eve", False)
    assert not team.person(actor("U2", is_guest=True)).can_decide
    assert not team.person(actor("U2", is_external=True)).can_decide
    assert not team.person(actor("U2", is_bot=True)).can_decide
    assert not team.person(actor("cy", "web", "local")).can_decide


def test_the_same_id_in_another_workspace_is_somebody_else(team: TeamDirectory) -> None:
    person = team.person(actor("U2", tenant="T666"))
    assert person.id == "slack:T666:U2"
    assert not person.can_decide


async def test_roles_come_from_the_file_and_from_groups(team: TeamDirectory) -> None:
    ann, bo, zoe = team.person(actor("U1")), team.person(actor("U2")), team.person(actor("U9"))
    assert await team.holds(bo, "finance")
    assert await team.holds(ann, "finance")  # by the Slack group
    assert await team.holds(zoe, "finance")  # the same, without standing in people.yaml
    assert not await team.holds(bo, "admin")
    assert not await team.holds(bo, "nonsense")
    assert await team.roles_of(ann) == {"finance", "admin"}
    assert [person.id for person in await team.holders("finance")] == ["bo", "ann", "slack:T1:U9"]  # not Cy


async def test_a_person_holds_a_groups_role_whatever_account_they_click_with(team: TeamDirectory) -> None:
    assert await team.holds(team.person(actor("ann", "web", "local")), "finance")


async def test_a_payload_can_carry_a_role(team: TeamDirectory) -> None:
    clicked = actor("D5", "discord", "G1", roles=("77",))
    assert await team.holds(team.person(clicked), "finance", clicked)
    other = actor("D5", "discord", "G666", roles=("77",))
    assert not await team.holds(team.person(other), "finance", other)


async def test_a_group_is_asked_once_a_minute(team: TeamDirectory, slack: Slack, clock: FixedClock) -> None:
    ann = team.person(actor("U1"))
    await asyncio.gather(*(team.holds(ann, "finance") for _ in range(20)))
    assert slack.asked == 1
    clock.advance(seconds=59)
    slack.members = frozenset()
    assert await team.holds(ann, "finance")
    clock.advance(seconds=1)
    assert not await team.holds(ann, "finance")
    slack.members = frozenset({"slack:T1:U1"})
    team.forget_groups()
    assert await team.holds(ann, "finance")


@pytest.mark.behaviour(31)
async def test_a_group_that_cannot_be_looked_up_is_held_by_nobody(
    team: TeamDirectory, slack: Slack, clock: FixedClock
) -> None:
    ann, bo = team.person(actor("U1")), team.person(actor("U2"))
    assert await team.holds(ann, "finance")
    clock.advance(minutes=2)
    slack.broken = True
    with pytest.raises(RoleUnknownError):
        await team.holds(ann, "finance")
    with pytest.raises(RoleUnknownError):
        await team.holders("finance")
    assert await team.roles_of(ann) == {"admin"}
    assert await team.holds(bo, "finance")  # the file says so: nobody has to be asked


async def test_a_platform_that_does_not_run_is_held_by_nobody(charter: Charter, clock: FixedClock) -> None:
    team = TeamDirectory(lambda: charter, clock)
    ann = team.person(actor("ann", "web", "local"))
    with pytest.raises(RoleUnknownError):
        await team.holds(ann, "finance")


def test_channels_have_one_name_and_an_id_on_each_platform(team: TeamDirectory) -> None:
    place = team.channel("#finance", "web", "local")
    assert place == Place(platform="web", tenant="local", channel="money")
    assert team.channel("#finance", "slack", "T1") == Place(platform="slack", tenant="T1", channel="C2")
    assert team.channel("#finance", "discord", "G1") is None
    assert team.channel("#nowhere", "web", "local") is None
    assert team.channel_name(Place(platform="slack", tenant="T1", channel="C2")) == "#finance"
    assert team.channel_name(Place(platform="slack", tenant="T1", channel="C9")) == "C9"


def test_a_workflows_channel_is_on_the_platform_that_was_asked_for_or_the_first_that_runs(team: TeamDirectory) -> None:
    assert team.home("#general") == Place(platform="slack", tenant="T1", channel="C1")
    assert team.home("#general", "web") == Place(platform="web", tenant="local", channel="general")
    assert team.home("#general", "discord") == Place(platform="slack", tenant="T1", channel="C1")
    assert team.home("#nowhere") is None


def test_readers_of_a_channel(team: TeamDirectory) -> None:
    assert team.readers("#general") is None
    assert team.readers("#finance") == frozenset({"bo", "cy"})


def test_an_unattended_run_belongs_to_its_workflow_which_decides_nothing(team: TeamDirectory) -> None:
    person = team.by_id("workflow:digest")
    assert person is not None
    assert not person.can_decide
    assert team.by_id("slack:T1:U99") is None


async def test_an_account_that_is_not_listed_is_a_person_of_its_own_until_it_is(team: TeamDirectory) -> None:
    """A vote from such an account is looked at again by its id: whether its role is still held, and whose it is now."""
    unlisted = team.voter("slack:T1:U9")
    assert unlisted is not None
    assert (unlisted.id, unlisted.listed) == ("slack:T1:U9", False)
    assert await team.holds(unlisted, "finance")
    linked = team.voter("slack:T1:U22")
    assert linked is not None
    assert linked.id == "bo"
    elsewhere = team.voter("slack:T2:U9")
    assert elsewhere is not None
    assert not elsewhere.can_decide
    assert team.voter("nobody") is None


def test_people_are_written_to_on_the_platform_of_the_request_or_where_they_are(team: TeamDirectory) -> None:
    bo, ann = team.by_id("bo"), team.by_id("ann")
    assert bo is not None
    assert ann is not None
    assert [(one.platform, one.user) for one in (team.reach(bo, "slack"), team.reach(bo, "web")) if one] == [
        ("slack", "U2"),
        ("web", "bo"),
    ]
    del team.tenants["slack"]
    on_web = team.reach(ann, "slack")
    assert on_web is not None
    assert on_web.platform == "web"


def test_a_channel_is_wider_where_more_people_may_read_it(team: TeamDirectory) -> None:
    general, finance = (team.channel(name, "slack", "T1") for name in ("#general", "#finance"))
    assert general is not None
    assert finance is not None
    assert team.wider(finance, general)
    assert not team.wider(general, finance)
    assert team.wider(general.model_copy(update={"channel": "D1", "kind": "dm"}), finance)
    assert team.wider(general.model_copy(update={"channel": "C-UNKNOWN"}), finance)


async def test_an_answer_draws_on_channels_that_all_its_readers_read(team: TeamDirectory, slack: Slack) -> None:
    ann, bo = team.person(actor("U1")), team.person(actor("U2"))
    dm = Place(platform="web", tenant="local", channel="dm-x", kind="dm")
    stranger = team.person(actor("U99"))
    finance = team.channel("#finance", "web", "local")
    general = team.channel("#general", "web", "local")
    assert finance is not None
    assert general is not None
    assert general.lane in await team.open_to(dm, bo)
    assert await team.open_to(dm, stranger) == frozenset()
    assert general.lane in await team.open_to(finance, bo)  # who reads the narrower one reads the wider one
    assert finance.lane not in await team.open_to(general, bo)
    lanes = await team.open_to(dm, ann)
    assert {lane for lane in lanes if lane.startswith("slack:")} == {"slack:T1:C1", "slack:T1:C2"}  # Slack says so
    assert "slack:T1:C1" not in await team.open_to(dm, bo)
    assert await team.open_to(Place(platform="slack", tenant="T1", channel="C1"), ann) == frozenset()


async def test_a_platform_that_does_not_say_who_reads_a_channel_opens_none(
    team: TeamDirectory, slack: Slack, clock: FixedClock
) -> None:
    dm, ann = Place(platform="web", tenant="local", channel="dm-x", kind="dm"), team.person(actor("U1"))
    slack.broken = True
    assert not any(lane.startswith("slack:") for lane in await team.open_to(dm, ann))
    slack.broken = False
    assert "slack:T1:C1" in await team.open_to(dm, ann)  # no answer is not kept
    asked = slack.asked
    assert "slack:T1:C1" in await team.open_to(dm, ann)
    assert slack.asked == asked  # an answer counts for a minute
    slack.members = frozenset()
    clock.advance(minutes=1)
    assert "slack:T1:C1" not in await team.open_to(dm, ann)
