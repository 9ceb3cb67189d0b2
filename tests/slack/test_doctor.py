"""The doctor says what is wrong with the Slack set-up and what to do about it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bot.slack.adapter import SlackAdapter
from bot.slack.doctor import MANIFEST, check, wanted_scopes
from bot.slack.settings import SlackSettings
from kernel.config import Secret, Settings
from kernel.errors import ConfigError
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.methods import METHODS
from tests.slack.conftest import Bench


def configured(slack: FakeSlack, **changes: Any) -> Settings:
    made = {
        "slack_bot_token": Secret(slack.bot_token),
        "slack_app_token": Secret(slack.app_token),
        "slack_api_url": slack.api_url,
        **changes,
    }
    return Settings(**made)


async def levels(settings: Settings) -> list[str]:
    return [finding.level for finding in await check(settings)]


async def test_a_good_set_up_is_fine(slack: FakeSlack) -> None:
    assert await levels(configured(slack)) == ["ok", "ok", "ok", "ok"]
    over_http = configured(slack, slack_app_token=None, slack_signing_secret=Secret("s"))
    assert await levels(over_http) == ["ok", "ok", "ok", "ok"]
    assert await levels(Settings()) == ["ok"]


async def test_a_missing_scope_is_named_with_what_it_costs(slack: FakeSlack) -> None:
    slack.world.scopes -= {"usergroups:read", "chat:write"}
    found = [finding for finding in await check(configured(slack)) if finding.level != "ok"]
    assert [(finding.level, "chat:write" in finding.text) for finding in found] == [("error", True), ("warn", False)]
    assert "have no holders" in found[1].text
    assert "manifest.yaml" in found[0].hint


async def test_wrong_tokens_are_named(slack: FakeSlack) -> None:
    wrong = configured(slack, slack_bot_token=Secret("xoxb-wrong"), slack_app_token=Secret("xapp-wrong"))
    found = await check(wrong)
    assert ["SLACK_BOT_TOKEN" in found[0].text, "SLACK_APP_TOKEN" in found[1].text] == [True, True]
    assert {finding.level for finding in found} == {"error"}
    assert all("wrong" not in finding.text for finding in found)


async def test_no_way_to_deliver_events_is_an_error(slack: FakeSlack) -> None:
    assert (await levels(configured(slack, slack_app_token=None)))[-1] == "error"


async def test_an_unreachable_slack_is_an_error(slack: FakeSlack) -> None:
    await slack.stop()
    assert set(await levels(configured(slack))) == {"error"}


@pytest.mark.parametrize(("name", "value"), [("SLACK_BOT_TOKEN", "bot_token"), ("SLACK_APP_TOKEN", "app_token")])
async def test_a_wrong_token_stops_the_start_with_its_name(bench: Bench, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        await bench.connect(None, sockets=2, **{value: "xoxb-wrong"})
    assert bench.slack.sockets.connections == []


def test_the_manifest_asks_for_what_is_used_and_hears_what_is_handled() -> None:
    manifest = yaml.safe_load(MANIFEST.read_text("utf-8"))
    used = {scope for name in USED for scope in METHODS[name].scopes[:1]}
    assert used <= wanted_scopes()
    assert len(manifest["features"]["agent_view"]["agent_description"]) <= 300
    assert len(manifest["features"]["agent_view"]["suggested_prompts"]) <= 4
    heard = set(manifest["settings"]["event_subscriptions"]["bot_events"])
    assert {"app_mention", "message.im", "message.channels", "agent_session_stopped", "subteam_updated"} <= heard


def test_settings_come_from_the_process_and_hide_their_tokens() -> None:
    with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN"):
        SlackSettings.of(Settings())
    settings = SlackSettings.of(Settings(slack_bot_token=Secret("xoxb-1"), slack_app_token=Secret("xapp-1")))
    assert settings.mode == "socket"
    assert "xoxb-1" not in repr(settings)
    assert SlackAdapter.platform == "slack"


USED = (
    "chat.postMessage",
    "chat.update",
    "chat.postEphemeral",
    "reactions.add",
    "conversations.replies",
    "conversations.info",
    "conversations.open",
    "users.info",
    "usergroups.users.list",
    "files.getUploadURLExternal",
    "files.info",
    "agents.sessions.setStatus",
)
