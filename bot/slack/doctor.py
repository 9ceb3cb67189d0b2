"""Inspects the Slack set-up: do the tokens work, and does the installed app have what the manifest asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bot.engine.doctor import Finding
from bot.slack.sessions import lacks
from bot.slack.settings import SlackSettings
from bot.slack.web import GoneError, SlackError, SlackWeb
from kernel.errors import PlatformError

if TYPE_CHECKING:
    from kernel.config import Settings

MANIFEST = Path(__file__).with_name("manifest.yaml")

# What does not work without a scope; a missing one that is not listed here is an error all the same.
WITHOUT = {
    "assistant:write": "threads do not show that Bosun is working or waiting",
    "usergroups:read": "roles that point to a Slack user group have no holders",
    "files:read": "attached files cannot be read",
    "files:write": "long answers and payloads cannot be attached",
    "reactions:write": "a request gets no sign that it was seen",
    "reactions:read": "no reaction begins a workflow",
    "commands": "/bosun does not work; its text forms do",
    "mpim:history": "group DMs are not heard",
    "mpim:read": "group DMs are not heard",
    "groups:history": "private channels are not heard",
    "groups:read": "private channels are not heard",
}


def wanted_scopes() -> frozenset[str]:
    """The bot scopes that the manifest asks for."""
    manifest: dict[str, Any] = yaml.safe_load(MANIFEST.read_text("utf-8"))
    return frozenset(manifest["oauth_config"]["scopes"]["bot"])


async def check(settings: Settings) -> list[Finding]:
    """Look at everything; never raises for what it finds. Makes three calls to Slack."""
    if settings.slack_bot_token is None:
        return [Finding(level="ok", text="Slack is not configured.", hint="docs/slack.md says how to connect it.")]
    slack = SlackSettings.of(settings)
    web = SlackWeb(slack)
    try:
        findings = await _bot(web)
        if slack.mode == "socket":
            findings.append(await _app(web, slack.app_token))
        else:
            findings.append(_over_http(slack))
        return findings
    finally:
        await web.close()


async def _bot(web: SlackWeb) -> list[Finding]:
    try:
        answer, headers = await web.read_with_headers("auth.test", verb="POST")
    except (SlackError, GoneError) as error:
        hint = "Install the app again (OAuth & Permissions) and copy its Bot User OAuth Token to SLACK_BOT_TOKEN."
        return [Finding(level="error", text=f"Slack does not accept SLACK_BOT_TOKEN: {error.reason}.", hint=hint)]
    except PlatformError as error:
        return [Finding(level="error", text=error.message, hint="Check the network and SLACK_API_URL.")]
    found = [Finding(level="ok", text=f"Slack: connected to {answer.get('team')} as {answer.get('user')}.")]
    return [*found, *_scopes(headers.get("x-oauth-scopes", "")), await _agents(web)]


async def _agents(web: SlackWeb) -> Finding:
    """What a plan lacks is no fault: reactions and progress messages do instead."""
    try:
        reason = await lacks(web)
    except PlatformError as error:
        return Finding(level="warn", text=f"Slack does not say whether it has the agent surface: {error.message}")
    if not reason:
        return Finding(level="ok", text="Slack: the workspace shows working threads, Stop and suggested prompts.")
    text = f"Slack: the workspace has no agent surface ({reason}); reactions and progress messages do instead."
    return Finding(level="ok", text=text, hint="It needs a paid plan, and an app made from bot/slack/manifest.yaml.")


def _scopes(header: str) -> list[Finding]:
    granted = frozenset(scope.strip() for scope in header.split(",") if scope.strip())
    if not granted:
        hint = "Compare OAuth & Permissions with bot/slack/manifest.yaml by hand."
        return [Finding(level="warn", text="Slack does not say which scopes the app has.", hint=hint)]
    hint = "Paste bot/slack/manifest.yaml under App Manifest and install the app again."
    missing = sorted(wanted_scopes() - granted)
    if not missing:
        return [Finding(level="ok", text=f"Slack: all {len(wanted_scopes())} scopes of the manifest are granted.")]
    return [
        Finding(
            level="warn" if scope in WITHOUT else "error",
            text=f"Slack: the scope {scope} is missing: {WITHOUT.get(scope, 'Bosun does not work without it')}.",
            hint=hint,
        )
        for scope in missing
    ]


async def _app(web: SlackWeb, token: str) -> Finding:
    try:
        await web.read("apps.connections.open", verb="POST", token=token)
    except (SlackError, GoneError) as error:
        return Finding(
            level="error",
            text=f"Slack does not accept SLACK_APP_TOKEN: {error.reason}.",
            hint="Basic Information > App-Level Tokens: make one with connections:write; Socket Mode has to be on.",
        )
    except PlatformError as error:
        return Finding(level="error", text=error.message, hint="Try again; Slack limits how often this is asked.")
    return Finding(level="ok", text="Slack: Socket Mode works.")


def _over_http(slack: SlackSettings) -> Finding:
    if not slack.signing_secret:
        hint = "Set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for events over HTTP."
        return Finding(level="error", text="Slack has no way to deliver events.", hint=hint)
    return Finding(
        level="ok",
        text="Slack: events come over HTTP to /slack/events.",
        hint="The three request URLs of the app have to lead there over https.",
    )
