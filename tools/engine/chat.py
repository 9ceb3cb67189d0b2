"""The history of the team's channels, as the tools that read it see it: only what everybody reads who will read the
answer, and only channels that sources.yaml names."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kernel.store import knowledge_chats as rows
from kernel.types import Place
from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from tools.engine.context import ToolContext

PREFIX = "chat:"  # of the source that a channel is; a lane follows
DAY = r"^(\d{4}-\d{2}-\d{2})?$"


def place_of(channel: str, ctx: ToolContext) -> Place:
    """The channel that the charter calls so; where none is named, the one in which it was asked."""
    here = ctx.facts.place
    if not channel:
        if here.kind == "dm":
            raise CannotDo("Direct messages are not kept. Name a channel.")
        return here
    place = ctx.directory.channel(channel, here.platform, here.tenant)
    if place is None:
        raise CannotDo(f"The team's charter knows no channel {channel} here.")
    return place


def source_of(place: Place) -> str:
    """The name of the source that the channel is."""
    return f"{PREFIX}{place.lane}"


def reader_of(source: str) -> str:
    """Who reads the channel of a source, as a label says it."""
    return f"channel:{source.removeprefix(PREFIX)}"


def is_day(key: str) -> bool:
    """Whether a conversation of this key is a day of a channel, and no thread."""
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", key.rpartition("/")[2]) is not None


def name_of(source: str, ctx: ToolContext) -> str:
    """What the charter calls the channel of a source."""
    platform, tenant, channel = source.removeprefix(PREFIX).split(":", 2)
    return ctx.directory.channel_name(Place(platform=platform, tenant=tenant, channel=channel)) or channel


def zone_of(ctx: ToolContext) -> ZoneInfo:
    """The requester's time zone."""
    return ZoneInfo(ctx.facts.requester.time_zone or "UTC")


def meant(ctx: ToolContext, *, source: str = "", by: str = "", since: str = "", until: str = "") -> rows.Said:
    """Which messages are meant; the days are the requester's, both included. CannotDo where there is no such day."""
    person = ctx.directory.by_id(by) if by else None
    return rows.Said(
        source=source,
        by=person.name if person is not None else by,
        since=_midnight(since, ctx) if since else None,
        until=_midnight(until, ctx, after=timedelta(days=1)) if until else None,
    )


def _midnight(day: str, ctx: ToolContext, after: timedelta = timedelta()) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day) + after, time.min, zone_of(ctx))
    except (ValueError, OverflowError) as error:
        raise CannotDo(f"There is no day {day[:20]}. Write it as 2026-03-02.") from error


async def not_kept(grants: list[str], ctx: ToolContext, source: str = "") -> str:
    """A sentence where what is asked about is not kept, or not for these readers; which of both, nobody is told."""
    readable = await ctx.store.read(lambda session: rows.channels(session, grants))
    if source and source not in readable:
        where = name_of(source, ctx)
        return (
            f"Nothing of {where} is kept that everybody here may read: either it is no source of knowledge, or private."
        )
    return "" if readable else "No channel is kept that everybody here may read."
