"""Signs never come oftener than Slack takes them, and what has to come still comes."""

from bot.slack.tiers import Tier


async def test_after_a_burst_signs_are_left_out_and_some_room_is_kept_for_what_matters() -> None:
    tier = Tier(per_minute=60, at_once=10)
    assert [tier.spare("a", keep=0.5) for _ in range(20)].count(True) == 5
    assert [tier.spare("a") for _ in range(20)].count(True) == 5
    assert tier.spare("b")  # each method has its own


async def test_what_may_not_be_left_out_waits_for_its_place() -> None:
    tier = Tier(per_minute=6, at_once=3)  # ten seconds apart, so that a slow machine changes nothing
    waits = [tier.wait("a") for _ in range(5)]
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert 5 < waits[3] <= 10
    assert 15 < waits[4] <= 20
