"""The words of bosun.yaml and people.yaml, as data. What refers to what is checked in charter.py."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from kernel.types import Frozen
from rules.engine.meter_words import ModelBudget
from workflows.engine.trigger import span

CHANNEL = r"^#[a-z0-9][a-z0-9_-]{0,79}$"
HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"


def _zone(text: str) -> str:
    if text not in zoneinfo.available_timezones():
        raise ValueError(f"unknown time zone '{text}': write for example Europe/Zurich")
    return text


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _id(value: object) -> object:
    """Discord's ids are numbers; without quotes YAML reads them as such."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _ids(value: object) -> object:
    value = _id(value)
    return tuple(map(_id, value)) if isinstance(value, list) else _one_or_many(value)


def _hours(text: str) -> str:
    if not HOURS.fullmatch(text):
        raise ValueError(f"'{text}' are no hours: write for example \"20:00-08:00\"")
    return text


Hours = Annotated[str, AfterValidator(_hours)]
Zone = Annotated[str, AfterValidator(_zone)]
Id = Annotated[str, BeforeValidator(_id)]
Ids = Annotated[tuple[str, ...], BeforeValidator(_ids)]
Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]


def _days(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        span(text)
    return texts


def _unquoted_off(value: object) -> object:
    """Without quotes YAML reads the word "off" as false."""
    return "off" if value is False else value


FooterShown = Annotated[Literal["every", "first", "off"], BeforeValidator(_unquoted_off)]
FeedbackAsked = Annotated[Literal["every", "off"], BeforeValidator(_unquoted_off)]
Days = Annotated[tuple[str, ...], BeforeValidator(_one_or_many), AfterValidator(_days)]
ChannelName = Annotated[str, Field(pattern=CHANNEL)]
Name = Annotated[str, Field(pattern=NAME)]


class Channel(Frozen):
    """A channel as the team calls it, and its id on each platform."""

    purpose: str = ""  # one line, shown below its name
    readers: Names = ()  # roles that may read it in the web chat; none: the whole team
    external: bool = False  # people outside the team can read it
    mention_only: bool = False  # in its threads, too, only what mentions Bosun is meant for it
    web: str = ""  # id in the web chat; the name without # where it is left out
    slack: str = ""  # "C0123ABC"
    discord: Id = ""  # "1234567890123456789"


class Model(Frozen):
    """The language model that agents use unless they name another."""

    default: str = "claude-sonnet-5-5"


class Prompt(Frozen):
    """Something to try, offered to newcomers in the web chat."""

    title: str = Field(max_length=60)
    message: str = Field(max_length=300)
    channel: ChannelName | None = None


class Decisions(Frozen):
    """How people are told of what waits for them."""

    cards_per_hour: int = Field(default=10, ge=1, le=100)  # sent to one person; what is more stands in a digest
    digest_hour: int = Field(default=9, ge=0, le=21)  # of their day, from which on what waits is told once


class BosunFile(Frozen):
    """bosun.yaml: what the team is called, where it is, and its channels."""

    name: str = Field(min_length=1, max_length=60)
    time_zone: Zone = "UTC"
    model: Model = Model()
    channels: dict[ChannelName, Channel] = Field(min_length=1)
    operators: ChannelName  # where Bosun says what concerns those who run it
    approvals: ChannelName | None = None  # gets the card of a request from a DM; none: the operators' channel
    workspaces: dict[str, Id] = Field(
        default_factory=dict
    )  # platform -> id of its workspace or server, to pin it: {slack: T0123}
    checkpoints: ChannelName | None = None  # gets a signed checkpoint of the ledger every hour; none: none are made
    bots: dict[str, Ids] = Field(default_factory=dict)  # platform -> ids of other bots that may mention Bosun
    budgets: tuple[ModelBudget, ...] = Field(default=(), max_length=8)  # for what models cost, whatever they are asked
    freeze: Names = ("admin",)  # roles that may freeze and thaw
    requests_per_minute: int = Field(default=20, ge=1, le=1000)  # of one person; what is more has to be asked again
    follow_up_days: int = Field(
        default=7, ge=1, le=365
    )  # a thread needs no mention so long after Bosun's last run there
    decisions: Decisions = Decisions()
    quiet_hours: Hours | None = None  # "20:00-08:00" of each person's day: no reminders, no digests
    footer: FooterShown = "first"  # which answers of a thread say that a language model made them
    feedback: FeedbackAsked = "every"  # below which answers readers may say whether it helped them
    prompts: tuple[Prompt, ...] = Field(default=(), max_length=4)
    calendars: dict[Name, Days] = Field(default_factory=dict)  # name -> days, for `except` in workflows


class DelegateFile(Frozen):
    """Who decides for somebody who is away."""

    to: Name | None = None  # a key of `people`; left out: nobody
    until: date  # the first day on which they are here again, in their time zone


class PersonFile(Frozen):
    """A person of the team. Each human stands here once, whatever accounts they use: votes count people."""

    name: str = Field(min_length=1)
    roles: Names = ()
    web: Names = ()  # accounts: the platform's own ids
    slack: Names = ()
    discord: Ids = ()
    time_zone: Zone | None = None
    active: bool = True  # false: may read and ask, decides nothing
    delegate: DelegateFile | None = None  # they are away
    quiet_hours: Hours | None = None  # instead of the team's; "00:00-00:00": none

    def accounts(self) -> list[tuple[str, str]]:
        """(platform, user) of every account."""
        named: dict[str, Any] = {"web": self.web, "slack": self.slack, "discord": self.discord}
        return [(platform, user) for platform, users in named.items() for user in users]


def minutes_of(hours: str | None) -> tuple[int, int] | None:
    """ "20:00-08:00" as minutes since midnight."""
    found = HOURS.fullmatch(hours or "")
    if found is None:
        return None
    begin, begin_minute, end, end_minute = map(int, found.groups())
    return begin * 60 + begin_minute, end * 60 + end_minute


class RoleFile(Frozen):
    """A role. Who holds it: those who name it, those named here, and the members of its platform groups."""

    purpose: str = ""
    members: Names = ()  # keys of `people`
    slack_group: str = ""  # id of a user group: "S0123ABC"
    discord_role: Id = ""  # id of a server role


class PeopleFile(Frozen):
    """people.yaml: who works here and what they decide."""

    demo: bool = False  # the web chat lets everybody be anybody here: for trying Bosun, with invented people
    people: dict[Name, PersonFile] = Field(min_length=1)
    roles: dict[Name, RoleFile] = Field(default_factory=dict)
