"""Inspects the Discord set-up: the token, the server, the intent, the permissions in the channels of the charter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot.discord import permissions
from bot.discord.api import calling
from bot.discord.connection import point_to
from bot.discord.settings import DiscordSettings
from bot.engine.doctor import Finding
from kernel.errors import BosunError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.config import Settings

INTENT = "Developer portal > Bot > Privileged Gateway Intents: switch Message Content Intent on."


async def check(settings: Settings, guild: str, channels: Mapping[str, str]) -> list[Finding]:
    """Look at everything; never raises for what it finds. `channels`: name -> id, as the charter says."""
    discord_settings = DiscordSettings.of(settings, guild=guild)
    point_to(discord_settings)
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with client:
            return await _look(client, discord_settings, channels)
    except discord.LoginFailure:
        hint = "Developer portal > Bot > Reset Token, and copy it to DISCORD_BOT_TOKEN."
        return [Finding(level="error", text="Discord does not accept DISCORD_BOT_TOKEN.", hint=hint)]
    except BosunError as error:
        return [Finding(level="error", text=error.message, hint=error.hint or "Check the network and DISCORD_API_URL.")]


async def _look(client: discord.Client, settings: DiscordSettings, channels: Mapping[str, str]) -> list[Finding]:
    with calling("accept the login"):
        await client.login(settings.token)
        guilds = [guild async for guild in client.fetch_guilds(limit=10)]
    application = client.application
    invite = permissions.invitation(client.application_id or 0, settings.guild)
    found = [_intent(application.flags if application is not None else discord.ApplicationFlags())]
    chosen = [guild for guild in guilds if not settings.guild or str(guild.id) == settings.guild]
    if not chosen:
        found.append(Finding(level="error", text="Discord: the bot is in no server that it may serve.", hint=invite))
        return found
    if len(chosen) > 1:
        names = ", ".join(f"{guild.name} ({guild.id})" for guild in chosen)
        hint = "Say which one in bosun.yaml: workspaces: {discord: ID}"
        found.append(Finding(level="error", text=f"Discord: the bot is in several servers: {names}.", hint=hint))
        return found
    with calling("show the server"):
        guild = await client.fetch_guild(chosen[0].id)
    me = client.user
    found.insert(0, Finding(level="ok", text=f"Discord: connected to {guild.name} as {me.name if me else '?'}."))
    return found + await _channels(client, guild, channels, invite)


def _intent(flags: discord.ApplicationFlags) -> Finding:
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        return Finding(level="ok", text="Discord: the message content intent is on.")
    text = "Discord: the message content intent is off: in threads people have to mention Bosun or reply to it."
    return Finding(level="warn", text=text, hint=INTENT)


async def _channels(
    client: discord.Client, guild: discord.Guild, channels: Mapping[str, str], invite: str
) -> list[Finding]:
    with calling("show the channels"):
        there = {str(channel.id): channel for channel in await guild.fetch_channels()}
        me = await guild.fetch_member(client.user.id if client.user else 0)
    found = _permissions(f"the server {guild.name}", permissions.missing(me.guild_permissions), invite)
    for name, channel_id in channels.items():
        channel = there.get(channel_id)
        if channel is None:
            hint = "Copy the channel's id (developer mode, right click) to bosun.yaml, and give Bosun access."
            found.append(Finding(level="error", text=f"Discord: {name} ({channel_id}) is not there.", hint=hint))
            continue
        lacks = [one for one in permissions.missing(channel.permissions_for(me)) if getattr(me.guild_permissions, one)]
        found += _permissions(name, lacks, "Channel settings > Permissions: allow it for the role of Bosun.")
    if not any(one.level != "ok" for one in found):
        found.append(Finding(level="ok", text=f"Discord: all permissions are there in {len(channels)} channels."))
    return found


def _permissions(where: str, lacks: list[str], hint: str) -> list[Finding]:
    return [
        Finding(
            level="error" if name in permissions.VITAL else "warn",
            text=f"Discord: {name.replace('_', ' ')} is missing in {where}: {permissions.NEEDED[name]}.",
            hint=hint,
        )
        for name in lacks
    ]
