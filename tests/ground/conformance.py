"""What Bosun promises on every platform, and the report that says for each of them: passed, or another way by design.

A test says which promises it shows: `@pytest.mark.behaviour(1)`. The platform is the one on which the test runs: the
parameter of `chat` or `outside`, else the platform whose fixtures or folder it uses, else all of them, as in rooms that
know none. `make conformance` runs them all and prints the table.
"""

from __future__ import annotations

import ast
import functools
import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PLATFORMS = ("slack", "discord", "web")
PASSED, FAILED = "passed", "failed"
TESTS = Path(__file__).resolve().parents[1]
EVERYWHERE = frozenset({"chat", "everywhere"})  # fixtures that bring every platform
OUTSIDE = frozenset({"outside"})  # that bring Slack and Discord


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """A promise to people."""

    number: int
    promise: str
    fallbacks: dict[str, str] = field(default_factory=dict)  # platform -> name of what it does in another way


def _all() -> Iterator[Behaviour]:
    for number, (promise, fallbacks) in enumerate(_PROMISES, 1):
        yield Behaviour(number=number, promise=promise, fallbacks=fallbacks)


_PROMISES: tuple[tuple[str, dict[str, str]], ...] = (
    ("A mention in a channel gets one answer, in its thread, and a sign before", {}),
    ("What the platform says twice is one request", {}),
    ("What is delivered again, also after a restart, is not answered again", {}),
    ("What cannot be stored is not taken as received, and is answered once later", {}),
    ("What was received before a crash is answered once after it", {}),
    ("Follow-ups need no mention; words for others and chatter are left alone, and chatter is not stored", {}),
    (
        "Other bots, webhooks and Bosun's own words start nothing",
        {"web": "no bots: only signed-in people write there"},
    ),
    ("Long work is one progress message; the answer is whole, the part over the limit a file", {}),
    (
        "A refused post or edit is made up for: the whole text, once",
        {"web": "no calls: a message stands with the commit that holds it"},
    ),
    ("Stop ends the work and keeps what was said; a stranger's stop is refused", {}),
    ("What needs a decision is a card with everything on it, and the work waits", {}),
    ("An approval executes once, and every copy of the card says who gave it", {}),
    ("Whoever may not decide is told so in private, and nothing changes", {}),
    ("Clicks in the same instant are one execution and one vote for each person", {}),
    ("One human with accounts on two platforms has one vote", {}),
    ("A rejection asks for its reason, which everybody reads; nothing is executed", {}),
    ("An edit makes a new revision: old cards do nothing, and exactly the new text is executed", {}),
    ("What nobody decides expires, and a late click is told so", {}),
    ("A card and an open dialog from before a restart still decide", {}),
    (
        "A deleted card can still be decided, and the outcome is posted once",
        {"web": "no deletions: a card stays where it was posted"},
    ),
    ("What a model writes pings nobody, runs no link and leaves no markup open", {}),
    ("Files are read, or refused with the reason", {}),
    ("A digest comes when it is due and once; an empty one does not come", {}),
    ("Everybody sees on their dashboard what is theirs", {}),
    (
        "After downtime everything is caught up once, in order; old requests are asked about first",
        {"web": "no downtime of its own: the chat is served by Bosun itself"},
    ),
    (
        "An edit or deletion counts before the work begins, and is answered afterwards",
        {"web": "no edits: whoever sees a mistake writes again"},
    ),
    ("Without the right to threads or signs, the answer comes all the same", {"web": "no such rights"}),
    ("Calls that fail at random delay answers and double none", {"web": "no calls to fail"}),
    ("What was asked in private is shown to nobody else", {}),
    ("Commands work as text in a thread", {}),
    ("A role that cannot be looked up is held by nobody", {"web": "roles stand in the charter"}),
    ("Another workspace or server is not served", {"web": "one workspace: this installation"}),
    (
        "A decision needs no mouse",
        {
            "slack": "Slack's own keyboard use, or the command `approve`",
            "discord": "Discord's own keyboard use, or the command `approve`",
        },
    ),
    ("Whoever reads an answer can say whether it helped and why not; of each person the last word counts", {}),
)
BEHAVIOURS = tuple(_all())


# -- what the tests say ---------------------------------------------------------------------------


def platforms_of(fixtures: frozenset[str], folder: str) -> frozenset[str]:
    """The platforms on which a test with these fixtures, in this folder, runs."""
    if folder in PLATFORMS:
        return frozenset({folder})
    if fixtures & EVERYWHERE:
        return frozenset(PLATFORMS)
    if fixtures & OUTSIDE:
        return frozenset({"slack", "discord"})
    return fixtures & frozenset(PLATFORMS) or frozenset(
        PLATFORMS
    )  # a room that knows no platform does the same on all of them


@functools.cache
def claimed() -> dict[tuple[int, str], list[str]]:
    """(behaviour, platform) -> names of the tests that are marked to show it, read from their source."""
    found: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for path in sorted(TESTS.glob("*/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name.startswith("test_"):
                fixtures = frozenset(argument.arg for argument in node.args.args)
                for number in _marks(node):
                    for platform in platforms_of(fixtures, path.parent.name):
                        found[number, platform].append(f"{path.parent.name}/{path.name}::{node.name}")
    return dict(found)


def _marks(node: ast.AsyncFunctionDef | ast.FunctionDef) -> list[int]:
    calls = (one for one in node.decorator_list if isinstance(one, ast.Call))
    mine = (one for one in calls if ast.unparse(one.func) == "pytest.mark.behaviour")
    return [ast.literal_eval(argument) for call in mine for argument in call.args]


# -- the report -----------------------------------------------------------------------------------


class Conformance:
    """A pytest plugin: keeps what became of every behaviour on every platform, and shows it at the end."""

    def __init__(self) -> None:
        self.outcomes: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        self.tests: dict[str, tuple[list[str], str]] = {}  # test -> what it shows ("12 slack"), and its outcome
        self.killed: list[bool] = []  # of the tests in the middle of which Bosun was to be killed, whether it was

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note on each item what it shows, so that it comes along with its report, also from another process."""
        for item in items:
            for mark in item.iter_markers("behaviour"):
                item.user_properties.append(("shows", [list(mark.args), sorted(_runs_on(item))]))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has passed, or has failed at any point."""
        if report.when == "teardown":
            self.killed += [bool(value) for name, value in report.user_properties if name == "killed"]
        if report.skipped or (report.passed and report.when != "call"):
            return
        for name, value in report.user_properties:
            if name == "shows" and isinstance(value, list):
                outcome = PASSED if report.passed else FAILED
                shows = [f"{number} {platform}" for number, platform in itertools.product(*value)]
                self.tests[report.nodeid.rpartition("/")[2]] = (shows, outcome)
                for number, platform in itertools.product(*value):
                    self.outcomes[number, platform].append(outcome)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table."""
        if self.outcomes:
            terminalreporter.section("What each platform does")
            terminalreporter.write_line(table(self.outcomes))
        if self.killed:
            terminalreporter.write_line(f"Bosun was killed in the middle of {sum(self.killed)} of {len(self.killed)}.")


def _runs_on(item: pytest.Item) -> frozenset[str]:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    chosen = [value for name, value in parameters.items() if name in EVERYWHERE | OUTSIDE]
    if chosen:
        return frozenset(chosen)
    return platforms_of(frozenset(getattr(item, "fixturenames", ())), item.path.parent.name)


def table(outcomes: dict[tuple[int, str], list[str]]) -> str:
    """Markdown: every behaviour with what became of it on each platform."""
    rows = ["| | promise | Slack | Discord | web chat |", "|---|---|---|---|---|"]
    for one in BEHAVIOURS:
        cells = " | ".join(_cell(one, platform, outcomes.get((one.number, platform), [])) for platform in PLATFORMS)
        rows.append(f"| {one.number} | {one.promise} | {cells} |")
    return "\n".join(rows)


def _cell(one: Behaviour, platform: str, outcomes: list[str]) -> str:
    fallback = one.fallbacks.get(platform)
    if FAILED in outcomes:
        return "**failed**"
    if fallback is not None:
        return f"by design: {fallback}"
    return f"passed ({len(outcomes)})" if outcomes else "not run"


def promised() -> str:
    """The same table for the documentation, from what the tests are marked with."""
    shown = claimed()
    return table({key: [PASSED] for key in shown}).replace("passed (1)", "yes")
