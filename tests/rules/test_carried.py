"""Whatever a press carries back, on whichever platform: it is one of ours or none, and nothing crashes."""

from __future__ import annotations

import json
from typing import Any, cast

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.discord import ids
from bot.discord.presses import _typed
from bot.slack.messages import Identity
from bot.slack.people import People
from bot.slack.presses import Presses, action_id, action_value, form_metadata
from bot.web.requests import Pressed
from kernel.types import Action, Actor, Confirm, Form, Inbound

NUMBERS = st.sampled_from(["0", "2", "-1", "²", "٣", "1e3", "9" * 30, " 1", "", "0x1"])
TEXTS = st.text(max_size=12) | NUMBERS
VALUES = st.lists(TEXTS, max_size=6).map(":".join)
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS
KEYS = st.sampled_from(["s", "r", "v", "p", "m", "platform", "tenant", "channel", "value", "components", "custom_id"])
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)
SUBJECTS = st.from_regex(r"AP-[A-Z0-9]{4}|held:slack:C[0-9]{3}", fullmatch=True)
SOME = settings(max_examples=60, deadline=None)


class _Web:
    """The one call that a press on the Home tab needs."""

    async def repeatable(self, _method: str, **_given: object) -> dict[str, Any]:
        return {"channel": {"id": "D1"}}


class _People:
    """Knows everybody."""

    web = _Web()

    async def actor(self, user: str, team: str = "", *, deciding: bool = False) -> Actor:
        return Actor(platform="slack", tenant=team or "T1", user=user)


def slack() -> Presses:
    return Presses(Identity(team="T1", user="U-BOT", bot="B1"), cast("People", _People()))


def stored(event: Inbound | None) -> None:
    """Whatever was understood can be written down and read again."""
    if event is not None:
        assert event.press is not None
        assert Inbound.model_validate(orjson.loads(orjson.dumps(event.model_dump(mode="json")))) == event


def button(value: object, action: object, kind: str = "button") -> dict[str, Any]:
    pressed = {"type": kind, "value": value, "action_id": action, "selected_option": {"value": value}}
    where = {"channel": {"id": "C1"}, "container": {"message_ts": "1.2"}}
    return {"actions": [pressed], "user": {"id": "U1", "team_id": "T1"}, "trigger_id": "t", **where}


@given(VALUES, VALUES | TEXTS, st.sampled_from(["button", "overflow"]))
@SOME
async def test_any_value_of_a_button_in_slack(value: str, action: str, kind: str) -> None:
    stored(await slack().button(button(value, action, kind)))


@given(TEXTS | TREES.map(json.dumps))
@SOME
async def test_anything_that_a_dialog_in_slack_carries(metadata: str) -> None:
    view = {"id": "V1", "private_metadata": metadata, "state": {"values": {"why": {"why": {"value": metadata}}}}}
    stored(await slack().submission({"view": view, "user": {"id": "U1"}}))


@given(VALUES | TEXTS)
@SOME
def test_any_id_in_discord(custom_id: str) -> None:
    carried = ids.read(custom_id)
    assert carried is None or 0 <= carried.revision < 10**9


@given(st.lists(st.dictionaries(st.sampled_from(["custom_id", "value"]), TEXTS), max_size=3))
@SOME
def test_any_dialog_in_discord(components: list[dict[str, Any]]) -> None:
    found = _typed([{"component": one} for one in components])
    assert all(isinstance(value, str) for value in found.values())


@given(TREES)
@SOME
def test_any_press_of_the_page(tree: Any) -> None:
    given_ = {"id": "0" * 16, "client": "0" * 16, "subject": "AP-7F3K", "verb": "approve", "fields": {}}
    for name in ("revision", "subject", "verb", "fields", "message"):
        try:
            pressed = Pressed.model_validate_json(json.dumps({**given_, name: tree}))
        except ValidationError:  # refused with a sentence
            continue
        assert 0 <= pressed.revision < 10**9


@given(SUBJECTS, st.integers(0, 10**9 - 1), st.sampled_from(["approve", "reject", "edit"]), st.booleans())
@SOME
async def test_what_we_send_is_understood(subject: str, revision: int, verb: str, asks: bool) -> None:
    sure = Confirm(title="Sure?", text="Really.", label="Yes") if asks else None
    action = Action(subject=subject, revision=revision, verb=verb, label="x", opens_form=not asks, confirm=sure)
    carried = ids.read(ids.of_action(action, 3))
    assert carried is not None
    assert (carried.subject, carried.revision, carried.verb) == (subject, revision, verb)
    assert (carried.form, carried.confirm) == (not asks, asks)
    pressed = await slack().button(button(action_value(action), action_id(action, 3)))
    form = Form(subject=subject, revision=revision, verb=verb, title="T", fields=())
    sent = {"id": "V1", "private_metadata": form_metadata(form, None, None)}
    filled = await slack().submission({"view": sent, "user": {"id": "U1"}})
    for event in (pressed, filled):
        assert event is not None
        assert event.press is not None
        assert (event.press.subject, event.press.revision, event.press.verb) == (subject, revision, verb)


@pytest.mark.parametrize("number", ["²", "٣", "9" * 5000, "-1", ""])
async def test_a_revision_that_is_no_number_of_ours_is_no_press(number: str) -> None:
    assert ids.read(f"b:AP-7F3K:{number}:approve::0") is None
    assert await slack().button(button(f"AP-7F3K:{number}", "b0:approve")) is None
