"""Everything that a decision looks at. It is stored with the verdict, so that any decision can be repeated."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_args

from kernel.types import Effect, Json, Origin, RunFacts
from rules.engine.meters import Used
from rules.engine.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rules.engine.tooling import GovernedTool

Origins = tuple[frozenset[Origin], ...]  # of one argument: a set for each value in it, in order

EFFECTS: frozenset[str] = frozenset(get_args(Effect))


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """A standing permission that is in force and covers exactly this call: scope, count and date were looked at."""

    ref: str
    policy: Policy  # that was satisfied when it was given
    told: str  # "given by Bo until 3 March", for people

    def record(self) -> Json:
        """What is stored of it, as JSON."""
        policy = self.policy.model_dump(mode="json", exclude_defaults=True)
        return {"ref": self.ref, "policy": policy, "told": self.told}


@dataclass(frozen=True, kw_only=True, slots=True)
class CallFacts:
    """A tool call as the rules see it. None means: not known, and nothing may be allowed because of it."""

    agent: str
    tool: str
    effect: str | None  # None: no such tool
    arguments: Mapping[str, Json]
    origins: Mapping[str, Origins] = field(default_factory=dict)  # of every value; of free text: every link
    channel: str | None = None  # "#finance", as the charter calls it; empty: it has no name there
    platform: str | None = None
    run: str | None = None  # id
    requester: str | None = None  # Person.id
    roles: frozenset[str] = frozenset()  # that the requester certainly holds
    unsure_roles: frozenset[str] = frozenset()  # that could not be looked up
    workflow: str | None = None  # set: nobody attends
    now: datetime | None = None
    outside_text_read: bool | None = None
    personal_data_read: bool | None = None
    wider_readers: bool | None = None  # it posts where somebody may not read all that the run has read
    authority: tuple[str, ...] | None = None  # arguments that say who, where or what the call acts on
    texts: tuple[str, ...] | None = None  # arguments that are free text
    always_asked: bool = False  # no rule lets the tool through without people
    used: Mapping[str, Used] = field(default_factory=dict)  # by Meter.key, in the account that the call falls into
    next_answer_usd: float = 0.0  # that the model may cost next in the run; decisions see it within `used`
    promoted: frozenset[str] = frozenset()  # ids of rules that are promoted for calls like exactly this one
    grants: tuple[Granted, ...] = ()

    def context(self) -> Json:
        """What is stored beside tool, arguments and origins, as JSON."""
        known = {
            "effect": self.effect,
            "run": self.run,
            "channel": self.channel,
            "platform": self.platform,
            "requester": self.requester,
            "roles": sorted(self.roles),
            "unsure_roles": sorted(self.unsure_roles),
            "workflow": self.workflow,
            "now": self.now.isoformat() if self.now else None,
            "outside_text_read": self.outside_text_read,
            "personal_data_read": self.personal_data_read,
            "wider_readers": self.wider_readers,
        }
        return {**known, **self._standing()}

    def _standing(self) -> dict[str, Json]:
        """What most calls have none of."""
        found: dict[str, Json] = {}
        if self.authority is not None:
            found["authority"] = list(self.authority)
        if self.texts is not None:
            found["texts"] = list(self.texts)
        if self.always_asked:
            found["always_asked"] = True
        if self.used:
            found["used"] = {key: [str(used.amount), str(used.raised)] for key, used in self.used.items()}
        if self.promoted:
            found["promoted"] = sorted(self.promoted)
        if self.grants:
            found["grants"] = [each.record() for each in self.grants]
        return found


def of_run(
    run: RunFacts,
    *,
    tool: str,
    effect: str | None,
    arguments: Mapping[str, Json],
    origins: Mapping[str, Origins],
    now: datetime,
    unsure_roles: frozenset[str] = frozenset(),
    governed: GovernedTool | None = None,
    wider_readers: bool = False,
) -> CallFacts:
    """The facts of a call in a run."""
    return CallFacts(
        agent=run.agent,
        tool=tool,
        effect=effect,
        arguments=arguments,
        origins=origins,
        run=run.run_id,
        channel=run.channel_name,
        platform=run.place.platform,
        requester=run.requester.id,
        roles=run.roles,
        unsure_roles=unsure_roles - run.roles,
        workflow=run.workflow,
        now=now,
        outside_text_read=run.outside_text_read,
        personal_data_read=run.personal_data_read,
        wider_readers=wider_readers,
        next_answer_usd=run.next_answer_usd,
        authority=None if governed is None else governed.authority,
        texts=None if governed is None else governed.free_text,
        always_asked=governed is not None and governed.always_asked,
    )


def restored(agent: str, tool: str, arguments: Mapping[str, Json], origins: Json, context: Json) -> CallFacts:
    """The facts of a call from what was stored of it."""
    known = dict(context)
    return CallFacts(
        agent=agent,
        tool=tool,
        arguments=arguments,
        origins=origins_from_json(origins),
        effect=known["effect"],
        run=known.get("run"),
        channel=known["channel"],
        platform=known["platform"],
        requester=known["requester"],
        roles=frozenset(known["roles"]),
        unsure_roles=frozenset(known["unsure_roles"]),
        workflow=known["workflow"],
        now=datetime.fromisoformat(known["now"]) if known["now"] else None,
        outside_text_read=known["outside_text_read"],
        personal_data_read=known.get("personal_data_read"),
        wider_readers=known.get("wider_readers"),
        **_standing_from(known),
    )


def _standing_from(known: Mapping[str, Json]) -> dict[str, Any]:
    return {
        "authority": _names(known, "authority"),
        "texts": _names(known, "texts"),
        "always_asked": known.get("always_asked", False),
        "used": {
            key: Used(amount=Decimal(amount), raised=Decimal(raised))
            for key, (amount, raised) in known.get("used", {}).items()
        },
        "promoted": frozenset(known.get("promoted", ())),
        "grants": tuple(
            Granted(ref=each["ref"], policy=Policy.model_validate(each["policy"]), told=each["told"])
            for each in known.get("grants", ())
        ),
    }


def _names(known: Mapping[str, Json], word: str) -> tuple[str, ...] | None:
    return None if known.get(word) is None else tuple(known[word])


def origins_to_json(origins: Mapping[str, Origins]) -> Json:
    """Per argument a list of sorted lists, one for each value."""
    return {name: [sorted(found) for found in values] for name, values in origins.items()}


def origins_from_json(stored: Json) -> dict[str, Origins]:
    """What `origins_to_json` wrote."""
    return {name: tuple(frozenset(found) for found in values) for name, values in (stored or {}).items()}
