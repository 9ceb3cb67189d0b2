"""Whether rules together hold wherever another one does. Exact for single values; for lists never a wrong yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rules.engine.linting.boxes import Box, Masks

MOST_STEPS = 200  # pieces that are looked at for one rule; beyond, nothing is claimed


def covering(
    box: Box, others: Iterable[Box], everything: Masks, suits: Callable[[Box], bool] | None = None
) -> list[Box]:
    """The first of the others that holds wherever the box does, or several that do so together; empty if none do.

    `everything` gives all bits of a fact, `suits` says which of the others count.
    """
    usable = []
    for each in others:
        met = _met(box.masks, each.masks) if each.whole else None
        if met is None or not _lists_within(box, each) or not (suits is None or suits(each)):
            continue
        if met:
            return [each]
        usable.append(each)
    if len(usable) < 2:
        return []
    used: dict[str, Box] = {}
    steps = _Steps()
    return list(used.values()) if _covered(box.masks, usable, everything, used, steps) else []


class _Steps:
    def __init__(self) -> None:
        self.left = MOST_STEPS

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


def _met(masks: Masks, others: Masks) -> bool | None:
    """Whether the others hold for all of these; None where they hold for none."""
    whole = True
    for name, mask in others.items():
        mine = masks.get(name)
        if mine is None:
            whole = False
            continue
        both = mine & mask
        if not both:
            return None
        whole = whole and both == mine
    return whole


def _lists_within(box: Box, other: Box) -> bool:
    """What cannot be split: lists, and the roles of who asked."""
    for name, wanted in other.several.items():
        mine = box.several.get(name)
        if mine is None or not mine.within(wanted):
            return False
    if other.rule.requester:
        asked = box.rule.requester
        loosely = box.rule.verdict != "allow" and other.rule.verdict == "allow"  # a role that cannot be looked up
        return asked is not None and set(asked) <= set(other.rule.requester) and not loosely
    return True


def _covered(masks: Masks, others: Sequence[Box], everything: Masks, used: dict[str, Box], steps: _Steps) -> bool:
    """Cut out what the first box that meets this one covers; what is left has to be covered by the rest."""
    for number, other in enumerate(others):
        if not all(masks.get(name, mask) & mask for name, mask in other.masks.items()):
            continue
        if not steps.take():
            return False
        used[other.rule.id] = other
        inside = dict(masks)
        for name, mask in other.masks.items():
            mine = inside.get(name)
            outside = (everything[name] if mine is None else mine) & ~mask
            if outside and not _covered({**inside, name: outside}, others[number + 1 :], everything, used, steps):
                return False
            inside[name] = mask if mine is None else mine & mask
        return True
    return False
