"""The selectors of a rule, ready to be asked: whether each holds and, in words, why it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from rules.engine import values
from rules.engine.words import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kernel.types import Json
    from rules.engine.facts import CallFacts
    from rules.engine.language import Time

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Check(Protocol):
    """One selector of one rule."""

    @property
    def of_call(self) -> bool:
        """It depends on the call's arguments, on time or on what was read; the others are settled for a whole run."""
        ...

    def holds(self, facts: CallFacts) -> bool:
        """Whether it holds. What is not known counts against allowing."""
        ...

    def failed(self, facts: CallFacts) -> str:
        """Why it does not hold, as the end of a sentence."""
        ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """A fact of the run is one of the words that the rule names."""

    label: str
    words: frozenset[str]
    fact: Callable[[CallFacts], str | None]
    allows: bool
    of_call: bool = False

    def holds(self, facts: CallFacts) -> bool:
        found = self.fact(facts)
        return found in self.words if found is not None else not self.allows

    def failed(self, facts: CallFacts) -> str:
        return f"the {self.label} is {self.fact(facts) or 'not known'}, not {either(self.words)}"


@dataclass(frozen=True, slots=True)
class Workflow:
    """The run belongs to one of these workflows."""

    names: frozenset[str]
    of_call: bool = False

    def holds(self, facts: CallFacts) -> bool:
        return facts.workflow in self.names

    def failed(self, facts: CallFacts) -> str:
        return f"this is not the workflow {either(self.names)}"


@dataclass(frozen=True, slots=True)
class Attended:
    """A person asked, or a workflow runs by itself."""

    wanted: bool
    of_call: bool = False

    def holds(self, facts: CallFacts) -> bool:
        return (facts.workflow is None) is self.wanted

    def failed(self, facts: CallFacts) -> str:
        return "nobody attends this run" if self.wanted else "a person asked for this run"


@dataclass(frozen=True, slots=True)
class RequesterRole:
    """The person who asked holds one of these roles."""

    roles: frozenset[str]
    allows: bool
    of_call: bool = False

    def holds(self, facts: CallFacts) -> bool:
        return bool(self.roles & facts.roles) or (not self.allows and bool(self.roles & facts.unsure_roles))

    def failed(self, facts: CallFacts) -> str:
        return f"the person who asked is not {either(self.roles)}"


class During:
    """The call falls into a window of the week."""

    of_call = True

    def __init__(self, time: Time, *, allows: bool) -> None:
        self.days = frozenset(DAYS.index(day) for day in time.days or DAYS)
        self.start, self.end = parse_time(time.from_), parse_time(time.until)
        self.zone = ZoneInfo(time.zone)
        self.allows = allows
        self.words = f"{', '.join(time.days or ())} {time.from_} to {time.until} {time.zone}".strip()

    def holds(self, facts: CallFacts) -> bool:
        if facts.now is None:
            return not self.allows
        local = facts.now.astimezone(self.zone)
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        # Over midnight: the window belongs to the day on which it begins.
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)

    def failed(self, facts: CallFacts) -> str:
        return f"it is not the time for it ({self.words})"


@dataclass(frozen=True, slots=True)
class OutsideTextRead:
    """The run has, or has not, read text that somebody outside wrote."""

    wanted: bool
    allows: bool
    of_call: bool = True

    def holds(self, facts: CallFacts) -> bool:
        known = facts.outside_text_read
        return known is self.wanted if known is not None else not self.allows

    def failed(self, facts: CallFacts) -> str:
        return f"this run has {'not ' if self.wanted else ''}read text from outside the team"


@dataclass(frozen=True, slots=True)
class Argument:
    """One word about one argument. Entries of a list: all have to fit for an allow, one suffices for anything else."""

    name: str
    fits: Callable[[Json], bool | None]  # of one entry; None: it cannot be told
    told: Callable[[Json], str]
    allows: bool
    whole: bool = False  # about the value, not about its entries
    of_call: bool = True
    words: tuple[Json, ...] = ()  # it holds for no value that is none of these; empty: for others as well

    def holds(self, facts: CallFacts) -> bool:
        if self.name not in facts.arguments:
            return not self.allows
        value, fits, allows = facts.arguments[self.name], self.fits, self.allows
        if self.whole or not isinstance(value, list):
            return fits(value) is True if allows else fits(value) is not False
        for entry in value:  # a loop and no generator: most calls are judged here
            found = fits(entry)
            if (found is not True) if allows else (found is not False):
                return not allows
        return allows and bool(value)

    def failed(self, facts: CallFacts) -> str:
        value = facts.arguments.get(self.name)
        found = [value] if self.whole else values.entries(value)
        wrong = next((entry for entry in found if self.fits(entry) is not True), None)
        return f"{self.name} {self.told(wrong)}"


@dataclass(frozen=True, slots=True)
class Found:
    """Where the value of an argument was found: in one of the origins, or in nothing but them."""

    name: str
    origins: frozenset[str]
    only: bool
    allows: bool
    of_call: bool = True

    def holds(self, facts: CallFacts) -> bool:
        known = facts.origins.get(self.name)
        if known is None:  # not computed; a value that is not given has no origin at all
            return not self.allows and facts.arguments.get(self.name) is not None
        origins, only, allows = self.origins, self.only, self.allows
        for found in known:  # here as well
            fits = found <= origins if only else not found.isdisjoint(origins)
            if fits is not allows:
                return fits
        return allows and bool(known)

    def _fits(self, found: frozenset[str]) -> bool:
        return found <= self.origins if self.only else bool(found & self.origins)

    def failed(self, facts: CallFacts) -> str:
        known = facts.origins.get(self.name, ())
        wrong = next((found for found in known if not self._fits(found)), frozenset())
        return f"{self.name} {origin_words(wrong)}, not {either(self.origins)}"


@dataclass(frozen=True, slots=True)
class PersonalDataRead:
    """The run has, or has not, read personal or secret data."""

    wanted: bool
    allows: bool
    of_call: bool = True

    def holds(self, facts: CallFacts) -> bool:
        known = facts.personal_data_read
        return known is self.wanted if known is not None else not self.allows

    def failed(self, facts: CallFacts) -> str:
        return f"this run has {'not ' if self.wanted else ''}read personal data"


@dataclass(frozen=True, slots=True)
class WiderReaders:
    """The call posts, or does not post, where somebody may not read all that the run has read."""

    wanted: bool
    allows: bool
    of_call: bool = True

    def holds(self, facts: CallFacts) -> bool:
        known = facts.wider_readers
        return known is self.wanted if known is not None else not self.allows

    def failed(self, facts: CallFacts) -> str:
        return "not everybody there may read what this run has read" if not self.wanted else "everybody there may"


@dataclass(frozen=True, slots=True)
class LinksFrom:
    """Where the links, addresses and account numbers of a text were found. Allow: all of them there, or none at all."""

    name: str
    origins: frozenset[str]
    allows: bool
    of_call: bool = True

    def holds(self, facts: CallFacts) -> bool:
        known = facts.origins.get(self.name)
        if known is None:  # not computed; a text that is not given holds no links
            return (facts.arguments.get(self.name) is None) is self.allows
        if self.allows:
            return all(found & self.origins for found in known)
        return any(found & self.origins for found in known)

    def failed(self, facts: CallFacts) -> str:
        known = facts.origins.get(self.name, ())
        wrong = next((found for found in known if not found & self.origins), None)
        if wrong is None:
            return f"{self.name} holds no link, address or account number that {origins_either(self.origins)}"
        return f"{self.name} holds a link, address or account number that {origin_words(wrong)}"


ORIGINS = {
    "typed": "was typed by the person who asked",
    "found_by_your_words": "was found by the words of the person who asked",
    "address_book": "stands in the charter",
    "member": "is a person of the team",
    "paid_before": "was paid before",
    "made_here": "was made in this run",
    "member_text": "stands in text of the team",
    "outside_text": "stands in text from outside the team",
    "nowhere": "stands nowhere that this run has read",
}


def origin_words(found: frozenset[str]) -> str:
    """Where a value comes from, as the end of a sentence about it."""
    return " and ".join(words for origin, words in ORIGINS.items() if origin in found) or "has no known origin"


class Targets:
    """Where everything that the call acts on was found."""

    of_call = True

    def __init__(self, origins: frozenset[str], *, only: bool, allows: bool) -> None:
        self.origins = origins
        self.only = only
        self.allows = allows
        self._by_name: dict[str, Found] = {}  # made once for each argument: a tool has few, and calls are many

    def holds(self, facts: CallFacts) -> bool:
        if facts.authority is None:
            return not self.allows
        checks = self._checks(facts)
        for check in checks:
            if check.holds(facts) is not self.allows:
                return not self.allows
        return self.allows and bool(checks)

    def _checks(self, facts: CallFacts) -> list[Found]:
        return [self._of(name) for name in facts.authority or () if values.leaves(facts.arguments.get(name))]

    def _of(self, name: str) -> Found:
        found = self._by_name.get(name)
        if found is None:
            found = self._by_name[name] = Found(name, self.origins, self.only, self.allows)
        return found

    def failed(self, facts: CallFacts) -> str:
        wrong = next((check for check in self._checks(facts) if not check.holds(facts)), None)
        return wrong.failed(facts) if wrong is not None else "nothing says what it acts on"


class TextLinks:
    """Where the links, addresses and account numbers in all free texts of the call were found."""

    of_call = True

    def __init__(self, origins: frozenset[str], *, allows: bool) -> None:
        self.origins = origins
        self.allows = allows

    def holds(self, facts: CallFacts) -> bool:
        if facts.texts is None:
            return not self.allows
        checks = self._checks(facts)
        return all(check.holds(facts) for check in checks) if self.allows else any(c.holds(facts) for c in checks)

    def _checks(self, facts: CallFacts) -> list[LinksFrom]:
        return [
            LinksFrom(name, self.origins, self.allows)
            for name in facts.texts or ()
            if facts.arguments.get(name) is not None
        ]

    def failed(self, facts: CallFacts) -> str:
        wrong = next((check for check in self._checks(facts) if not check.holds(facts)), None)
        return wrong.failed(facts) if wrong is not None else "its texts are not known"


def origins_either(origins: Iterable[str]) -> str:
    """The same about any of several origins."""
    return either(ORIGINS.get(origin, origin) for origin in origins)


def shown(value: Json) -> str:
    """A value on one short line."""
    text = " ".join(str(value).split()) if value is not None else "not given"
    return text if len(text) <= 60 else f"{text[:59]}…"


def either(words: Iterable[object]) -> str:
    """ "a, b or c"."""
    listed = sorted(map(str, words))
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"
