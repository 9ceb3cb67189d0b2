"""Which group of people is asked at the moment, and whether enough of them have agreed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rules.engine.policy import Policy
    from rules.engine.record import Voter


def satisfied(policy: Policy, number: int, votes: Iterable[Voter]) -> bool:
    """Whether enough different people have approved in this group, by the groups that stand in their votes."""
    return agreed(number, votes) >= policy.groups[number].need


def agreed(number: int, votes: Iterable[Voter]) -> int:
    """How many different people have approved in this group."""
    return len({vote.seat or vote.id for vote in votes if vote.verb == "approve" and number in vote.groups})


def current(policy: Policy, votes: Iterable[Voter]) -> int | None:
    """The first stage in which somebody is missing; None where everybody has agreed."""
    known = tuple(votes)
    missing = [group.stage for number, group in enumerate(policy.groups) if not satisfied(policy, number, known)]
    return min(missing, default=None)


def groups_of(policy: Policy, stage: int | None) -> frozenset[int]:
    """The numbers of the groups of a stage; none for None."""
    return frozenset(number for number, group in enumerate(policy.groups) if group.stage == stage)


def as_they_stand(votes: Iterable[Voter], standing: Mapping[str, frozenset[int]]) -> tuple[Voter, ...]:
    """The votes, each counting only in the groups for which it was cast and in which its voter belongs now."""
    return tuple(
        vote.model_copy(update={"groups": tuple(sorted(standing.get(vote.id, frozenset()) & set(vote.cast)))})
        for vote in votes
    )
