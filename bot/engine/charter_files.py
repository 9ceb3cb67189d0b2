"""The words of bosun.yaml and people.yaml, as data. What refers to what is checked in charter.py."""

from __future__ import annotations

import zoneinfo
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from kernel.types import Frozen
from workflows.engine.trigger import span

CHANNEL = r"^#[a-z0-9][a-z0-9_-]{0,79}$"
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


Zone = Annotated[str, AfterValidator(_zone)]
Id = Annotated[str, BeforeValidator(_id)]
Ids = Annotated[tuple[str, ...], BeforeValidator(_ids)]
Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]


def _days(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        span(text)
    return texts


Days = Annotated[tuple[str, ...], BeforeValidator(_one_or_many), AfterValidator(_days)]
ChannelName = Annotated[str, Field(pattern=CHANNEL)]
Name = Annotated[str, Field(pattern=NAME)]


class Channel(Frozen):
    """A channel as the team calls it, and its id on each platform."""

    purpose: str = ""  # one line, shown below its name
    readers: Names = ()  # roles that may read it in the web chat; none: the whole team
    external: bool = False  # people outside the team can read it
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
    freeze: Names = ("admin",)  # roles that may freeze and thaw
    prompts: tuple[Prompt, ...] = Field(default=(), max_length=4)
    calendars: dict[Name, Days] = Field(default_factory=dict)  # name -> days, for `except` in workflows


class PersonFile(Frozen):
    """A person of the team. Each human stands here once, whatever accounts they use: votes count people."""

    name: str = Field(min_length=1)
    roles: Names = ()
    web: Names = ()  # accounts: the platform's own ids
    slack: Names = ()
    discord: Ids = ()
    time_zone: Zone | None = None
    active: bool = True  # false: may read and ask, decides nothing

    def accounts(self) -> list[tuple[str, str]]:
        """(platform, user) of every account."""
        named: dict[str, Any] = {"web": self.web, "slack": self.slack, "discord": self.discord}
        return [(platform, user) for platform, users in named.items() for user in users]


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
