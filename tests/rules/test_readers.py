"""A post reaches nobody who may not read what its run has read, unless a person says so."""

from __future__ import annotations

import pytest

from kernel.types import Labelled, Place, RunFacts
from rules.engine import readers
from tests.rules.people import Team
from tests.tools.team import facts as facts_of_run
from tools.post_message import post_message
from tools.send_mail import send_mail

FINANCE = ("channel:web:local:finance",)
GENERAL = ("channel:web:local:general",)


class Rooms(Team):
    """Everybody reads #general; #finance is read by a few, #partners by outsiders as well."""

    def __init__(self) -> None:
        super().__init__()
        self.channels["#partners"] = Place(platform="web", tenant="local", channel="partners", external=True)

    def wider(self, home: Place, other: Place) -> bool:
        order = {"finance": 0, "general": 1, "partners": 2}
        return home.channel not in order or order[other.channel] > order[home.channel]


def run(*pieces: tuple[str, ...]) -> RunFacts:
    return facts_of_run(
        *(Labelled(text=f"text {number}", readers=who) for number, who in enumerate(pieces)),
        place=Place(platform="web", tenant="local", channel="finance"),
    )


@pytest.mark.parametrize(
    ("seen", "target", "wider"),
    [
        ([], "#general", False),  # what the requester typed is theirs to share
        ([()], "#general", False),
        ([()], "#partners", True),  # the team's own, and outsiders read along
        ([FINANCE], "#finance", False),
        ([FINANCE], "#general", True),
        ([GENERAL], "#finance", False),
        ([GENERAL, FINANCE], "#general", True),
        ([(*FINANCE, *GENERAL)], "#general", False),  # either of them may read it
        ([("person:ann",)], "#finance", True),
        ([("role:finance",)], "#general", True),
        ([("channel:slack:T1:C9",)], "#general", True),  # a channel of which nobody can tell who reads it
        ([FINANCE], "#gone", False),  # nothing can be posted there
    ],
)
def test_everybody_who_reads_the_target_may_read_every_source(
    seen: list[tuple[str, ...]], target: str, wider: bool
) -> None:
    found = readers.wider(post_message, {"channel": target, "text": "x"}, run(*seen), Rooms())
    assert found is wider


def test_a_tool_that_posts_to_no_channel_is_not_checked() -> None:
    assert not readers.wider(send_mail, {"to": ["#general"]}, run(FINANCE), Rooms())
