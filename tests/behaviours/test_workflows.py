"""A workflow is asked for in plain words, shown with what it would do and when, and decided by people."""

import pytest

from bot.engine.workflow_drafts import ref_of
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = "every weekday at 9 post what happened in #general yesterday"
DRAFT = """\
name: general-daily
description: What happened the day before
channel: "#general"
trigger: {cron: "0 9 * * mon-fri"}
steps:
  - {id: said, messages: {since: yesterday, if_empty: end}}
  - {id: sum, ask: {agent: lead, reads: [said], prompt: Sum it up}}
  - approve: {headline: Post the summary, who: finance}
  - digest: {channels: [{messages: said, summary: sum}], sections: [channels]}
"""


async def test_what_is_asked_for_in_words_becomes_a_workflow_once_it_is_approved(world: World, web: WebChat) -> None:
    wrong, ref = DRAFT.replace("agent: lead", "agent: leed"), ref_of(DRAFT)
    world.model.queue(
        Reply(calls=[("draft_workflow", {"file": wrong})]),
        Reply(calls=[("draft_workflow", {"file": DRAFT})]),
        Reply(calls=[("activate_workflow", {"draft": ref})]),
        Reply("It is on."),
    )
    spot = await web.ask("ann", ASKED)
    card = await web.answer(spot, "Activate the workflow general-daily")
    told = str(world.model.requests[-2]["messages"]) + str(world.model.requests[-1]["messages"])
    assert "unknown agent" in told  # the mistake was told to the model with its line and a suggestion
    assert "did you mean" in told.lower()
    shown = str(card.raw)
    for part in (
        "Every weekday at 09:00 (Europe/Zurich)",
        "Next five times",
        "One step would ask people",
        "ask 1 of finance to approve “Post the summary”",
        "available then: Bo (09:00), Cy (09:00)",
        "trigger: {cron:",
    ):
        assert part in shown, shown
    assert "made it up" not in shown
    assert "general-daily" not in world.app.charter.workflows
    await web.click("bo", card, "Approve")
    await web.notice("bo", "admin")  # it is not for finance to decide
    await web.click("dee", card, "Approve")
    await web.answer(spot, "It is on.")
    assert "general-daily" in world.app.charter.workflows
    assert (world.charter / "workflows" / "general-daily.yaml").read_text() == DRAFT
    await web.say("dee", "delete workflow general-daily", spot)
    await web.answer(spot, "Deleted general-daily")
    assert "general-daily" not in world.app.charter.workflows
