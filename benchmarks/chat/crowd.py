"""A thousand mentions in a minute: all answered, each once, within every rate; how soon people see something."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles
from time import monotonic
from typing import TYPE_CHECKING

from tests.fakes.discord import BOT as DISCORD_BOT
from tests.fakes.slack import BOT as SLACK_BOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.chat.town import Town
    from tests.fakes.discord.server import Call as DiscordCall
    from tests.fakes.slack.server import Call as SlackCall

PATIENCE = 120.0  # seconds after the last mention for the last answer
SIGNS = frozenset({"react", "typing", "post", "thread"})


@dataclass(kw_only=True)
class Seen:
    """What people saw of their mentions, by the message's id; seconds after it was sent."""

    asked: dict[str, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)  # any sign: a reaction, a working state, words
    answered: dict[str, float] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)  # calls that were one too many, by method

    def sign(self, message: str) -> None:
        """People see that it was noticed."""
        if message in self.asked:
            self.first.setdefault(message, monotonic() - self.asked[message])

    def answer(self, message: str) -> None:
        """People read an answer below it."""
        if message in self.asked:
            self.sign(message)
            self.answered.setdefault(message, monotonic() - self.asked[message])
            self.answers[message] += 1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One platform's figures."""

    platform: str
    asked: int
    answered_once: int
    twice: int
    refused: dict[str, int]  # calls above a rate
    first: tuple[float, float]  # seconds, p50 and p95
    answer: tuple[float, float]

    @property
    def holds(self) -> bool:
        """Everything was answered once and no rate exceeded."""
        return self.answered_once == self.asked and not self.refused


async def on_slack(town: Town, mentions: int, seconds: float) -> Outcome:
    """The crowd in Slack."""
    seen = Seen()

    def look(call: SlackCall) -> None:
        arguments = call.arguments
        if call.answer.get("error") == "ratelimited":
            seen.refused[call.method] += 1
        elif call.done and call.method == "chat.postMessage":
            seen.answer(str(arguments.get("thread_ts")))
        elif call.done and call.method in {"reactions.add", "agents.sessions.setStatus"}:
            seen.sign(str(arguments.get("timestamp") or arguments.get("thread_ts")))

    async def ask(number: int) -> str:
        channel = town.slack_channels[number % len(town.slack_channels)]
        person = town.slack_people[number % len(town.slack_people)]
        return await town.slack.say(channel, person, f"<@{SLACK_BOT}> mention number {number}")

    town.slack.observers.append(look)
    try:
        return await _run("slack", seen, ask_now(seen, ask), mentions, seconds)
    finally:
        town.slack.observers.remove(look)


async def on_discord(town: Town, mentions: int, seconds: float) -> Outcome:
    """The crowd in Discord."""
    seen = Seen()

    def look(call: DiscordCall) -> None:
        where = call.path.get("channel", "")
        if call.status == 429:
            seen.refused[call.operation] += 1
        elif call.done and call.operation == "post":
            seen.answer(where)
        elif call.done and call.operation in SIGNS:
            seen.sign(call.path.get("message", where))

    async def ask(number: int) -> str:
        channel = town.discord_channels[number % len(town.discord_channels)]
        person = town.discord_people[number % len(town.discord_people)]
        return await town.discord.say(channel, person, f"<@{DISCORD_BOT}> mention number {number}")

    town.discord.observers.append(look)
    try:
        return await _run("discord", seen, ask_now(seen, ask), mentions, seconds)
    finally:
        town.discord.observers.remove(look)


def ask_now(seen: Seen, ask: Callable[[int], object]) -> Callable[[int], object]:
    """The same, with the time noted."""

    async def timed(number: int) -> None:
        at = monotonic()
        seen.asked[str(await ask(number))] = at  # type: ignore[misc]

    return timed


async def _run(platform: str, seen: Seen, ask: Callable[[int], object], mentions: int, seconds: float) -> Outcome:
    began = monotonic()
    for number in range(mentions):
        await asyncio.sleep(max(0.0, began + number * seconds / mentions - monotonic()))
        await ask(number)  # type: ignore[misc]
    until = monotonic() + PATIENCE
    while len(seen.answered) < mentions and monotonic() < until:  # noqa: ASYNC110  it ends by the clock as well
        await asyncio.sleep(0.05)
    await asyncio.sleep(2.0)  # for a second answer, should one come
    return Outcome(
        platform=platform,
        asked=mentions,
        answered_once=sum(count == 1 for count in seen.answers.values()),
        twice=sum(count > 1 for count in seen.answers.values()),
        refused=dict(seen.refused),
        first=_p50_p95(seen.first.values()),
        answer=_p50_p95(seen.answered.values()),
    )


def _p50_p95(values: object) -> tuple[float, float]:
    found = sorted(values)  # type: ignore[call-overload]
    if len(found) < 2:
        return (float("nan"), float("nan"))
    cuts = quantiles(found, n=20)
    return cuts[9], cuts[18]
