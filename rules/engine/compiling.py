"""Making checks of the selectors that a rule file writes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from rules.engine import values
from rules.engine.conditions import (
    Argument,
    Attended,
    During,
    Found,
    LinksFrom,
    OneOf,
    OutsideTextRead,
    PersonalDataRead,
    RequesterRole,
    Targets,
    TextLinks,
    WiderReaders,
    Workflow,
    either,
    shown,
)
from rules.engine.meters import Within, meters_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernel.types import Json
    from rules.engine.conditions import Check
    from rules.engine.language import Condition, Context, Length, Rule


EXACT = 2**53  # below it a float holds every integer


def compile_checks(rule: Rule) -> tuple[Check, ...]:
    """What has to hold for the rule to decide, beside agent, tool and effect, in the order of the language."""
    allows = rule.verdict == "allow"
    checks: list[Check] = []
    if rule.channel:
        checks.append(OneOf("channel", frozenset(rule.channel), lambda facts: facts.channel, allows))
    if rule.platform:
        checks.append(OneOf("platform", frozenset(rule.platform), lambda facts: facts.platform, allows))
    if rule.requester:
        checks.append(RequesterRole(frozenset(rule.requester), allows))
    if rule.workflow:
        checks.append(Workflow(frozenset(rule.workflow)))
    if rule.attended is not None:
        checks.append(Attended(rule.attended))
    for name, condition in (rule.args or {}).items():
        checks += _argument(name, condition, allows=allows)
    checks += _targets(rule, allows=allows)
    if rule.time is not None:
        checks.append(During(rule.time, allows=allows))
    checks += _context(rule.context, allows=allows)
    if allows:
        checks += map(Within, meters_of(rule))
    return tuple(checks)


def _targets(rule: Rule, *, allows: bool) -> list[Check]:
    checks: list[Check] = []
    if rule.targets is not None and rule.targets.from_:
        checks.append(Targets(frozenset(rule.targets.from_), only=False, allows=allows))
    if rule.targets is not None and rule.targets.only_from:
        checks.append(Targets(frozenset(rule.targets.only_from), only=True, allows=allows))
    if rule.links_from:
        checks.append(TextLinks(frozenset(rule.links_from), allows=allows))
    return checks


def _context(context: Context | None, *, allows: bool) -> list[Check]:
    checks: list[Check] = []
    if context is not None and context.outside_text_read is not None:
        checks.append(OutsideTextRead(context.outside_text_read, allows))
    if context is not None and context.personal_data_read is not None:
        checks.append(PersonalDataRead(context.personal_data_read, allows))
    if context is not None and context.wider_readers is not None:
        checks.append(WiderReaders(context.wider_readers, allows))
    return checks


def _argument(name: str, condition: Condition, *, allows: bool) -> list[Check]:
    checks: list[Check] = [*_equality(name, condition, allows=allows), *_bounds(name, condition, allows=allows)]
    if condition.matches:
        patterns = condition.matches
        checks.append(
            Argument(
                name,
                lambda value: values.fits_glob(value, patterns, exactly=allows),
                lambda value: f"is {shown(value)}, which does not match {either(patterns)}",
                allows,
            )
        )
    if condition.length:
        checks.append(_length(name, condition.length, allows=allows))
    if condition.from_:
        checks.append(Found(name, frozenset(condition.from_), only=False, allows=allows))
    if condition.only_from:
        checks.append(Found(name, frozenset(condition.only_from), only=True, allows=allows))
    if condition.links_from:
        checks.append(LinksFrom(name, frozenset(condition.links_from), allows))
    return checks


def _equality(name: str, condition: Condition, *, allows: bool) -> list[Check]:
    checks: list[Check] = []
    if condition.is_:
        wanted = condition.is_
        checks.append(
            Argument(
                name,
                _one_of(wanted, exactly=allows),
                lambda value: f"is {shown(value)}, not {either(map(shown, wanted))}",
                allows,
                words=wanted,
            )
        )
    if condition.not_:
        unwanted = condition.not_
        checks.append(
            Argument(
                name,
                _none_of(unwanted, exactly=not allows),
                lambda value: f"is {shown(value)}",
                allows,
            )
        )
    return checks


def _one_of(wanted: Sequence[Json], *, exactly: bool) -> Callable[[Json], bool]:
    """Whether a value is the same as one of these; a text, which most are, is looked up."""
    texts = values.same_texts(wanted, exactly=exactly)

    def fits(value: Json) -> bool:
        if isinstance(value, str):
            return (value if exactly else values.folded(value)) in texts
        return any(values.same(value, one, exactly=exactly) for one in wanted)

    return fits


def _none_of(unwanted: Sequence[Json], *, exactly: bool) -> Callable[[Json], bool]:
    fits = _one_of(unwanted, exactly=exactly)
    return lambda value: not fits(value)


def _bounds(name: str, condition: Condition, *, allows: bool) -> list[Check]:
    checks: list[Check] = []
    if condition.at_most is not None:
        checks.append(Argument(name, _at_most(condition.at_most), _over(condition.at_most), allows))
    if condition.at_least is not None:
        checks.append(Argument(name, _at_least(condition.at_least), _under(condition.at_least), allows))
    return checks


def _length(name: str, length: Length, *, allows: bool) -> Check:
    def fits(value: Json) -> bool | None:
        size = values.size(value)
        if size is None:
            return None
        return (length.at_least or 0) <= size and (length.at_most is None or size <= length.at_most)

    return Argument(name, fits, lambda value: f"has a length of {values.size(value)}", allows, whole=True)


def _at_most(limit: float) -> Callable[[Json], bool | None]:
    bound = Decimal(str(limit))

    def fits(value: Json) -> bool | None:
        if _is_plain(value):
            return bool(value <= limit)
        known = values.number(value)
        return None if known is None else known <= bound

    return fits


def _at_least(limit: float) -> Callable[[Json], bool | None]:
    bound = Decimal(str(limit))

    def fits(value: Json) -> bool | None:
        if _is_plain(value):
            return bool(value >= limit)
        known = values.number(value)
        return None if known is None else known >= bound

    return fits


def _is_plain(value: Json) -> bool:
    """A number that compares with a float as its decimal notation does."""
    return (type(value) is int or type(value) is float) and -EXACT < value < EXACT


def _over(limit: float) -> Callable[[Json], str]:
    return lambda value: f"is {shown(value)}, more than {limit:g}"


def _under(limit: float) -> Callable[[Json], str]:
    return lambda value: f"is {shown(value)}, less than {limit:g}"
