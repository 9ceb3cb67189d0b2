"""Bosun and the yardsticks under the same load, in turns, so that the machine's moods meet all of them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.control import BARE, BOSUN, DURABLE, Measured, Running, Subject, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


LEVELS = (1, 50, 200)  # requests in flight


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is measured."""

    rounds: int
    mentions: dict[int, int]  # requests of one round, by requests in flight
    approvals: dict[int, int]
    approval_rounds: int


FULL = Scale(
    rounds=4, mentions={1: 50, 50: 200, 200: 400}, approvals={1: 30, 50: 100, 200: 200}, approval_rounds=2
)  # fmt: skip
QUICK = Scale(rounds=1, mentions={1: 40, 50: 150, 200: 200}, approvals={1: 15, 50: 50}, approval_rounds=1)


@dataclass(kw_only=True)
class Series:
    """The rounds of one subject at one level."""

    rounds: list[Measured] = field(default_factory=list)

    def p50(self, span: str) -> float:
        """The median over all rounds, in milliseconds."""
        return median(self._all(span))

    def p95(self, span: str) -> float:
        """The 95th percentile over all rounds, in milliseconds."""
        return quantiles(self._all(span), n=20)[-1]

    @property
    def cpu_ms(self) -> float:
        """CPU for each request, the median of the rounds."""
        return median(one.cpu_ms for one in self.rounds)

    @property
    def per_second(self) -> float:
        """Requests answered in a second, the median of the rounds."""
        return median(one.per_second for one in self.rounds)

    def _all(self, span: str) -> list[float]:
        return [value for one in self.rounds for value in one.spans[span]]


@dataclass(kw_only=True)
class Life:
    """What a subject's process was like besides its answers."""

    ready: float  # seconds from exec to the connection with Slack
    first_reply: float  # seconds from exec to the answer to a mention made in the instant of `ready`
    begun_mb: float  # after that, with every helper process
    idle_mb: float  # once it has had nothing to do for a while
    after_mb: float = 0.0


@dataclass(kw_only=True)
class Comparison:
    """Everything that was measured with the subjects side by side."""

    mentions: dict[tuple[str, int], Series]  # by subject and level
    approvals: dict[int, Series]  # Bosun's, by level
    lives: dict[str, Life]

    def ratio(self, level: int, figure: Callable[[Measured], float], of: str = "bosun", to: str = "bare") -> float:
        """The median of the rounds' ratios: both sides of each were measured within seconds."""
        pairs = zip(self.mentions[of, level].rounds, self.mentions[to, level].rounds, strict=True)
        return median(figure(one) / figure(other) for one, other in pairs)


def compare(world: World, folder: Path, scale: Scale, say: Callable[[str], None]) -> Comparison:
    """Measure all subjects. BenchError where one does not start or loses a request."""
    subjects = (BARE, DURABLE, BOSUN)
    with ExitStack() as stack:
        running: list[Running] = []
        lives = {}
        for subject in subjects:
            say(f"starting {subject.name}")
            one, lives[subject.name] = _start(stack, world, folder, subject)
            running.append(one)
        result = Comparison(mentions={}, approvals={}, lives=lives)
        for number in range(scale.rounds):
            for level in LEVELS:
                say(f"round {number + 1} of {scale.rounds}: mentions, {level} in flight")
                for one in running:
                    series = result.mentions.setdefault((one.subject.name, level), Series())
                    series.rounds.append(one.load("mention", scale.mentions[level], level))
        for one in running:
            lives[one.subject.name].after_mb = machine.memory_mb(one.pid)
        _approvals(running[-1], scale, result, say)
    return result


def _start(stack: ExitStack, world: World, folder: Path, subject: Subject) -> tuple[Running, Life]:
    world.install(subject)
    one = stack.enter_context(Running(world, subject, folder / subject.name))
    first = one.load("mention", 1, 1).spans["reply"][0] / 1000
    one.calm()
    begun = machine.memory_mb(one.pid)
    one.rest()
    idle = machine.memory_mb(one.pid)
    one.load("mention", 60, 10)  # warm
    return one, Life(ready=one.ready_seconds, first_reply=one.ready_seconds + first, begun_mb=begun, idle_mb=idle)


def _approvals(bosun: Running, scale: Scale, result: Comparison, say: Callable[[str], None]) -> None:
    bosun.load("approval", 10, 5)
    for number in range(scale.approval_rounds):
        for level, count in scale.approvals.items():
            say(f"round {number + 1} of {scale.approval_rounds}: approvals, {level} in flight")
            series = result.approvals.setdefault(level, Series())
            series.rounds.append(bosun.load("approval", count, level))
