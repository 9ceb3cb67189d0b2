"""A dashboard of any content is a message within the limits of each platform, with working buttons and no pings."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord import dashboard as discord
from bot.engine.dashboard import as_text
from bot.slack import dashboard as slack
from bot.slack.blocks import HOME_BLOCKS
from kernel.types import Action, Dashboard, DashboardPart, DashboardRow, Json
from tests.document.test_document import PINGS
from tests.document.texts import texts
from tests.fakes.discord import checks
from tests.fakes.slack import blocks

STOP = Action(subject="R-7F3K", verb="stop", label="Stop")
AWAY = Action(subject="ME-away", verb="leave", label="Go away…", opens_form=True)
rows = st.builds(DashboardRow, title=texts, url=st.sampled_from(["", "/c/x", "https://a.example/" + "y" * 250]),
                 detail=texts, actions=st.sampled_from([(), (STOP,), (STOP, AWAY)]))  # fmt: skip
parts = st.builds(
    DashboardPart, title=texts, rows=st.lists(rows, max_size=10).map(tuple), nothing=st.sampled_from(["", "None."])
)
dashboards = st.builds(Dashboard, title=texts, parts=st.lists(parts, min_size=1, max_size=6).map(tuple), footer=texts)


def components_of(value: Dashboard) -> Json:
    """What Discord is sent."""
    return discord.view(value).to_components()  # type: ignore[no-untyped-call]


@given(dashboards)
@settings(max_examples=15, deadline=None)
def test_every_platform_takes_any_dashboard(value: Dashboard) -> None:
    made = slack.shown(value, "http://127.0.0.1:1")
    blocks.check_message(made, "Home")
    blocks.check_home({"type": "home", "blocks": slack.shown(value, "http://127.0.0.1:1", HOME_BLOCKS)})
    components = components_of(value)
    checks.check_components(components, v2=True)
    assert not PINGS.search(checks.visible({"components": components}))
    assert len(as_text(value).actions) == sum(len(row.actions) for part in value.parts for row in part.rows)


def test_rows_that_have_no_room_are_counted_and_keep_the_rest_in_order() -> None:
    many = tuple(DashboardRow(title=f"Row {number}", detail="d" * 300, actions=(STOP,)) for number in range(10))
    value = Dashboard(title="Home", parts=tuple(DashboardPart(title=f"Part {n}", rows=many) for n in range(5)))
    shown = checks.visible({"components": components_of(value)})
    assert [shown.index(f"Part {number}") for number in range(5)] == sorted(
        shown.index(f"Part {number}") for number in range(5)
    )
    assert "more" in shown
    assert "Row 0" in shown.split("Part 4")[1]
