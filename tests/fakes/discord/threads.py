"""Threads: begun below a message, renamed, archived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.discord import checks
from tests.fakes.discord.world import BOT, DM, MANAGE_THREADS, PUBLIC_THREADS, TEXT, Channel, DiscordError, Json

if TYPE_CHECKING:
    from tests.fakes.discord.server import FakeDiscord


def of_message(discord: FakeDiscord, channel: Channel, message: Json, body: Json) -> Json:
    """Begin the public thread of a message; it has the message's id."""
    if channel.type == DM or channel.parent or channel.type != TEXT:
        raise DiscordError(400, 50024, "Cannot execute action on this channel type")
    discord.world.need(channel, PUBLIC_THREADS)
    name = str(body.get("name") or "")
    checks.require(0 < len(name) <= 100, "name", "Must be between 1 and 100 in length.")
    duration = body.get("auto_archive_duration")
    checks.require(duration in {None, 60, 1440, 4320, 10080}, "auto_archive_duration", "not one of the choices")
    if message["id"] in discord.world.channels:
        raise DiscordError(400, 160004, "A thread has already been created for this message")
    thread = discord.world.add_thread(channel.id, name, BOT, message["id"])
    shown = discord.world.shown_channel(thread)
    message["thread"] = shown
    discord.gateway.dispatch("THREAD_CREATE", {**shown, "newly_created": True})
    discord.changed()
    return shown


def change(discord: FakeDiscord, channel: Channel, body: Json) -> Json:
    """Rename, archive or lock a thread: its owner may rename it, everything else needs Manage Threads."""
    if not channel.parent:
        raise DiscordError(403, 50013, "Missing Permissions")
    if channel.owner != BOT or "locked" in body:
        discord.world.need(channel, MANAGE_THREADS)
    if "name" in body:
        checks.require(0 < len(str(body["name"])) <= 100, "name", "Must be between 1 and 100 in length.")
        channel.name = str(body["name"])
    channel.archived = bool(body.get("archived", channel.archived))
    shown = discord.world.shown_channel(channel)
    discord.gateway.dispatch("THREAD_UPDATE", shown)
    discord.changed()
    return shown
