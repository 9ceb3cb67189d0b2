"""The two ends of a measurement as the bench holds them: the world's process, and the process that is measured."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Any, Self

import orjson

from benchmarks import machine
from benchmarks.world.requests import Kind

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
BOT_CORE, WORLD_CORE = 0, 1
READY_WITHIN = 60.0  # seconds
CALM = 0.08  # of a core, during a second: the subject has finished what it begins with
CALM_WITHIN = 40.0  # seconds
REST_WITHIN = 40.0  # seconds
SETTLE = 0.3  # seconds after the last answer, for work that nobody waits for


class BenchError(Exception):
    """The measurement cannot go on."""


def own_environment() -> dict[str, str]:
    """This process's environment without what would configure a subject or lead it out of this machine.

    Nor is Python told to forget what it compiled: where people run Bosun it remembers.
    """
    settings = ("SLACK_", "ANTHROPIC_", "BOSUN_", "DISCORD_", "CHROMA_", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return {name: value for name, value in kept.items() if not name.lower().endswith("_proxy")}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is measured."""

    name: str
    command: tuple[str, ...]  # after the interpreter
    events: tuple[str, ...] = ("app_mention",)  # what it has subscribed to in Slack
    settings: tuple[tuple[str, str], ...] = ()  # further environment


BARE = Subject(name="bare", command=("-m", "benchmarks.yardsticks.bare"))
DURABLE = Subject(name="durable", command=("-m", "benchmarks.yardsticks.durable"))
BOSUN = Subject(
    name="bosun",
    command=("-m", "bot", "up"),
    events=("app_mention", "message"),  # a follow-up in a thread mentions nobody, so Bosun hears both
    settings=(("BOSUN_WEB", "127.0.0.1:0"), ("BOSUN_LOG", "warning")),
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The outcome of one load."""

    spans: dict[str, list[float]]  # milliseconds, by name
    per_second: float
    cpu_ms: float  # of the subject, for each request

    def p50(self, span: str) -> float:
        """The median."""
        return median(self.spans[span])


class World:
    """The process with the fake Slack and the fake model. A context manager."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.world"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        machine.pin(self._process.pid, WORLD_CORE)
        self.url = f"http://127.0.0.1:{self._read()['port']}"
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(10)

    def install(self, subject: Subject) -> None:
        """Give the subject a workspace and a model service."""
        self.ask("install", subject.name, events=subject.events)

    def ask(self, do: str, subject: str, **more: object) -> Json:
        """Give a command and wait for its answer."""
        if self._process.stdin is None:
            raise BenchError("The world has no ears.")
        self._process.stdin.write(orjson.dumps({"do": do, "subject": subject, **more}) + b"\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Json:
        line = self._process.stdout.readline() if self._process.stdout is not None else b""
        if not line:
            raise BenchError("The world's process has ended.")
        answer: Json = orjson.loads(line)
        if "error" in answer:
            raise BenchError(answer["error"])
        return answer


class Running:
    """A subject that runs and has connected to the world. A context manager."""

    def __init__(self, world: World, subject: Subject, data: Path) -> None:
        self.world = world
        self.subject = subject
        self.data = data
        self.ready_seconds = 0.0  # from exec to the connection with Slack
        self.log = data.with_suffix(".log")

    def __enter__(self) -> Self:
        self.data.mkdir(parents=True, exist_ok=True)
        started = monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self.subject.command], cwd=ROOT, env=self._environment(), stdout=log, stderr=log,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        machine.pin(self._process.pid, BOT_CORE)
        while (at := self.world.ask("ready", self.subject.name)["at"]) is None:
            if self._process.poll() is not None or monotonic() - started > READY_WITHIN:
                self.__exit__()
                raise BenchError(f"{self.subject.name} did not connect:\n{self._last_words()}")
            sleep(0.01)
        self.ready_seconds = at - started
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def calm(self) -> None:
        """Wait until the subject has finished what it does after a start."""
        given_up, quiet = monotonic() + CALM_WITHIN, 0
        while quiet < 2 and monotonic() < given_up:
            before = machine.cpu_seconds(self.pid)
            sleep(1.0)
            quiet = quiet + 1 if machine.cpu_seconds(self.pid) - before < CALM else 0

    def rest(self) -> None:
        """Wait until it has no helper processes left; they end by themselves when they have had no work for a while."""
        given_up = monotonic() + REST_WITHIN
        while not machine.is_alone(self.pid) and monotonic() < given_up:
            sleep(0.5)

    def load(self, kind: Kind, count: int, in_flight: int) -> Measured:
        """Put requests to it and wait for the answers."""
        before = machine.cpu_seconds(self.pid)
        try:
            result = self.world.ask("load", self.subject.name, kind=kind, count=count, in_flight=in_flight)
        except BenchError as error:
            raise BenchError(f"{error}\n{self._last_words()}") from error
        sleep(SETTLE)
        if result["lost"]:
            raise BenchError(
                f"{self.subject.name} lost {', '.join(result['lost'])} of {count} requests:\n{self._last_words()}"
            )
        spans: dict[str, list[float]] = {}
        for request in result["spans"]:
            for name, value in request.items():
                spans.setdefault(name, []).append(value)
        if result["clicks"]:
            spans["click_executed"] = self._executed(result["clicks"])
        cpu = (machine.cpu_seconds(self.pid) - before) / count * 1000
        return Measured(spans=spans, per_second=result["per_second"], cpu_ms=cpu)

    def _executed(self, clicks: dict[str, float]) -> list[float]:
        """Milliseconds from click to the result of the tool, which only the subject's own record shows."""
        with closing(sqlite3.connect(f"file:{self.data / 'bosun.sqlite3'}?mode=ro", uri=True)) as database:
            done = dict(database.execute("SELECT use_id, done_at FROM call WHERE done_at IS NOT NULL"))
        return [(done[f"toolu_{word}"] / 1e6 - at) * 1000 for word, at in clicks.items()]

    def _environment(self) -> dict[str, str]:
        base = f"{self.world.url}/{self.subject.name}"
        return {
            **own_environment(),
            "SLACK_API_URL": f"{base}/api/",
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "SLACK_APP_TOKEN": "xapp-bench",
            "ANTHROPIC_BASE_URL": base,
            "ANTHROPIC_API_KEY": "bench",
            "BOSUN_DATA": str(self.data),
            "BOSUN_CHARTER": str(ROOT / "benchmarks" / "charter"),
            **dict(self.subject.settings),
        }

    def _last_words(self) -> str:
        texts = [path.read_text("utf-8", "replace") for path in (self.log, *self.data.glob("*.log"))]
        return "\n".join(line for text in texts for line in text.splitlines()[-25:])
