"""post_message: one row in the outbox for one call, in a channel that the charter names."""

from __future__ import annotations

import pytest

from kernel.store.outbox import OutboxRow
from kernel.types import Text
from tests.tools.cases import shows
from tests.tools.conftest import Perform
from tools.engine import ToolContext
from tools.post_message import post_message


async def queued(ctx: ToolContext) -> OutboxRow | None:
    return await ctx.store.read(lambda session: session.get(OutboxRow, ctx.call_id))


@shows("works", "post_message")
async def test_a_message_is_queued_for_the_channel(ctx: ToolContext, perform: Perform) -> None:
    result = await perform(post_message, channel="#finance", text="The **numbers** are in.")
    assert (result.error, result.summary) == (False, "Posted to #finance")
    row = await queued(ctx)
    assert row is not None
    assert (row.lane, row.where.thread, row.run_id) == ("web:local:c-finance", None, ctx.facts.run_id)
    assert isinstance(row.content, Text)
    assert row.content.markdown == "The **numbers** are in."
    assert row.content.footer == "Posted for Mia Brandt · R-7F3K"


async def test_the_same_call_posts_once(ctx: ToolContext, perform: Perform) -> None:
    woken: list[str] = []
    ctx.store.on("outbox", woken.append)
    first = await perform(post_message, channel="#finance", text="Hello")
    again = await perform(post_message, channel="#finance", text="Hello")
    assert first == again
    assert woken == ["web:local:c-finance"]


@pytest.mark.parametrize("channel", ["#nowhere", "finance", "c-finance", "#fin ance", "@mia", ""])
@shows("not there", "post_message")
@shows("not let in", "post_message")
async def test_only_channels_of_the_charter_are_reached(ctx: ToolContext, perform: Perform, channel: str) -> None:
    result = await perform(post_message, channel=channel, text="Hello")
    assert result.error
    assert await queued(ctx) is None


async def test_the_preview_shows_channel_and_text(ctx: ToolContext) -> None:
    preview = await post_message.preview({"channel": "#partners", "text": "Hello @everyone"}, ctx)
    assert preview.headline == "Post to #partners"
    assert preview.payloads[0].content == "Hello @everyone"
    assert preview.warning == "People outside the team read this channel."
    assert not preview.reversible
