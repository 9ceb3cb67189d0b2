"""Buttons, dialogs and the slash command as neutral events, and the short memory that answering them needs."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Literal

import orjson
from pydantic import Field

from bot.engine import asking
from bot.engine.again import insist
from bot.engine.carried import MOST, revision_of
from bot.slack import markup
from bot.slack.messages import moment
from kernel.types import Action, Form, Frozen, Inbound, Place, Press

if TYPE_CHECKING:
    from bot.slack.messages import Identity
    from bot.slack.people import People

Body = dict[str, Any]

FEEDBACK = "feedback"  # action id of the two thumbs below an answer
SHORTCUT = "ask_about"  # its callback id in the manifest
REMEMBERED = 1000  # triggers live for seconds, answer addresses for 30 minutes

log = logging.getLogger("bosun.slack")


class _Carried(Frozen):
    """What a dialog carries back."""

    s: str  # subject
    r: int = Field(default=0, ge=0, le=MOST)  # revision
    v: str  # verb
    p: Place | None = None
    m: str | None = None  # message


def action_id(action: Action, index: int) -> str:
    """The id of a button; unique within its message."""
    return f"link{index}" if action.style == "link" else f"b{index}:{action.verb}"


def action_value(action: Action) -> str:
    """What a button carries: whom it is about and in which revision. Everything else is looked up."""
    return f"{action.subject}:{action.revision}"


def menu_value(action: Action) -> str:
    """What an entry of a menu, or one of two thumbs, carries: they have one id together, so the verb goes along."""
    return f"{action.verb}:{action_value(action)}"


def _pressed(element: Body) -> tuple[str, str]:
    """Verb, and subject with revision, of a pressed button or thumb, or a picked entry of a menu."""
    if element.get("type") in {"overflow", "feedback_buttons"}:
        picked = element.get("selected_option") or element
        verb, _, carried = str(picked.get("value") or "").partition(":")
        return verb, carried
    return str(element.get("action_id") or "").partition(":")[2], str(element.get("value") or "")


def form_metadata(form: Form, place: Place | None, message: str | None) -> str:
    """What a dialog carries back, so that its answer makes sense to a process that did not open it."""
    where = place.model_dump(mode="json", exclude_defaults=True) if place else None
    parts = {"s": form.subject, "r": form.revision, "v": form.verb, "p": where, "m": message}  # `_Carried`
    return orjson.dumps({name: value for name, value in parts.items() if value is not None}).decode()


class Presses:
    """Turns interactions of one workspace into `Inbound`."""

    def __init__(self, me: Identity, people: People) -> None:
        self.me = me
        self.people = people
        self._triggers: OrderedDict[str, tuple[Place, str | None]] = OrderedDict()
        self._answers: OrderedDict[tuple[str, str], str] = OrderedDict()

    def opened_from(self, trigger: str) -> tuple[Place | None, str | None]:
        """The place and message of the press with this trigger."""
        return self._triggers.get(trigger, (None, None))

    def answer_url(self, channel: str, user: str) -> str | None:
        """Where a private answer to this person's last press or command in the channel can be sent."""
        return self._answers.get((channel, user))

    async def button(self, body: Body) -> Inbound | None:
        """A pressed button; None for links and for buttons that are not ours."""
        actions = body.get("actions") or [{}]
        verb, carried = _pressed(actions[0])
        subject, _, number = carried.rpartition(":")
        revision = revision_of(number)
        container = body.get("container") or {}
        channel = (body.get("channel") or {}).get("id") or container.get("channel_id")
        user, message = body.get("user") or {}, container.get("message_ts")
        on_page = (body.get("view") or {}).get("type") == "home"  # which stands in no channel: answers go to the DM
        if revision is None or not (verb and subject and (channel or on_page)):
            return None
        if on_page:
            place = await self._home(str(user["id"]))
        else:
            place = self._place(str(channel), (body.get("channel") or {}).get("name"), _thread(body, message))
        at, trigger = str(actions[0].get("action_ts") or ""), str(body.get("trigger_id") or "")
        self._remember(place, user.get("id", ""), body, message)
        return Inbound(
            key=f"{place.tenant}/{place.channel}/{message}/press/{user.get('id')}/{at or trigger}",
            kind="press",
            place=place,
            actor=await self.people.actor(str(user["id"]), str(user.get("team_id") or ""), deciding=True),
            message=message,
            addressed=True,
            press=Press(subject=subject, revision=revision, verb=verb, trigger=trigger or None, message=message),
            sent_at=moment(at),
        )

    async def shortcut(self, body: Body) -> Inbound | None:
        """The entry in the menu of a message; None for one that is not ours."""
        message, user = body.get("message") or {}, body.get("user") or {}
        ts, channel = str(body.get("message_ts") or ""), (body.get("channel") or {}).get("id")
        if body.get("callback_id") != SHORTCUT or not (ts and channel):
            return None
        thread = message.get("thread_ts")
        place = self._place(str(channel), (body.get("channel") or {}).get("name"), thread if thread != ts else None)
        self._remember(place, str(user["id"]), body, ts)
        trigger = str(body.get("trigger_id") or "")
        return Inbound(
            key=f"{place.tenant}/{place.channel}/{ts}/about/{user['id']}/{body.get('action_ts') or trigger}",
            kind="press",
            place=place,
            actor=await self.people.actor(str(user["id"]), str(user.get("team_id") or ""), deciding=True),
            message=ts,
            addressed=True,
            press=Press(subject=asking.about(ts), verb=asking.ABOUT, trigger=trigger or None, message=ts),
        )

    async def submission(self, body: Body) -> Inbound | None:
        """A submitted dialog, also one that another process opened."""
        view, user = body.get("view") or {}, body.get("user") or {}
        try:
            carried = _Carried.model_validate(orjson.loads(view.get("private_metadata") or ""))
        except ValueError:
            log.warning("A dialog was submitted that is not ours: %s", view.get("callback_id"))
            return None
        place = carried.p or await self._home(str(user["id"]))
        if place.tenant != self.me.team:
            return None
        return Inbound(
            key=f"{place.tenant}/view/{view['id']}/{view.get('hash', '')}",
            kind="press",
            place=place,
            actor=await self.people.actor(str(user["id"]), str(user.get("team_id") or ""), deciding=True),
            message=carried.m,
            addressed=True,
            press=Press(
                subject=carried.s,
                revision=carried.r,
                verb=carried.v,
                fields=_typed(view),
                message=carried.m,
                trigger=body.get("trigger_id"),
            ),
        )

    async def command(self, body: Body) -> Inbound:
        """The slash command."""
        place = self._place(str(body["channel_id"]), body.get("channel_name"), body.get("thread_ts"))
        user, text = str(body["user_id"]), str(body.get("text") or "")
        self._remember(place, user, body, None)
        others = [other for other in markup.mentioned(text) if other != self.me.user]
        names = await self.people.names(others) if others else {}
        return Inbound(
            key=f"{place.tenant}/command/{body['trigger_id']}",
            kind="command",
            place=place,
            actor=await self.people.actor(user, str(body.get("user_team_id") or ""), deciding=True),
            text=markup.to_markdown(text, "", names),
            addressed=True,
            press=None,
        )

    async def _home(self, user: str) -> Place:
        opened = await insist(lambda: self.people.web.repeatable("conversations.open", users=user))
        return self._place(str(opened["channel"]["id"]), "directmessage", None)

    def _place(self, channel: str, name: str | None, thread: str | None) -> Place:
        kind: Literal["dm", "channel", "group"] = "channel"
        if channel.startswith("D") or name == "directmessage":
            kind = "dm"
        elif (name or "").startswith("mpdm-"):
            kind = "group"
        return Place(platform="slack", tenant=self.me.team, channel=channel, thread=thread, kind=kind)

    def _remember(self, place: Place, user: str, body: Body, message: str | None) -> None:
        if trigger := body.get("trigger_id"):
            _keep(self._triggers, str(trigger), (place, message))
        if url := body.get("response_url"):
            _keep(self._answers, (place.channel, user), str(url))


def _thread(body: Body, message: str | None) -> str | None:
    thread = (body.get("container") or {}).get("thread_ts") or (body.get("message") or {}).get("thread_ts")
    return thread if thread != message else None


def _typed(view: Body) -> dict[str, str]:
    """What stands in the fields. An input block has the id of its field, and so has its element."""
    values = (view.get("state") or {}).get("values") or {}
    return {block: _answer(next(iter(elements.values()))) for block, elements in values.items() if elements}


def _answer(element: Body) -> str:
    """What was typed, or the values that were picked, one on each line."""
    picked = element.get("selected_options") or [element.get("selected_option")]
    values = [str(option.get("value") or "") for option in picked if option]
    return str(element.get("value") or "") or "\n".join(values)


def _keep(memory: OrderedDict[Any, Any], key: object, value: object) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
