"""What ten thousand approvals cost that nobody answers. One is made by asking; the rest are copies of its rows."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from time import sleep
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.control import BOSUN, Running, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Json = dict[str, Any]

SUBJECT = replace(BOSUN, name="parked")
COUNT = 10_000
TABLES = ("conversation", "inbox", "run", "transcript", "call", "approval", "outbox")  # that a parked run has rows in


@dataclass(frozen=True, kw_only=True)
class Parked:
    """Bosun with one parked approval, and with ten thousand."""

    count: int
    ready_before: float  # seconds from exec to the connection with Slack
    ready: float
    memory_before: float  # MB
    memory: float
    idle_before: float  # percent of a core
    idle: float
    click_reply: float  # milliseconds, of one of the ten thousand


def measure(world: World, folder: Path, seconds: float, say: Callable[[str], None]) -> Parked:
    """Watch both for `seconds` each."""
    world.install(SUBJECT)
    data = folder / SUBJECT.name
    say("parking an approval")
    with Running(world, SUBJECT, data):
        template = world.ask("park", SUBJECT.name)
        sleep(1.0)
    before = _watch(world, data, seconds, None)
    say(f"parking {COUNT:,} approvals")
    copy = multiply(data / "bosun.sqlite3", template, COUNT)
    after = _watch(world, data, seconds, copy)
    return Parked(
        count=COUNT,
        ready_before=before[0],
        ready=after[0],
        memory_before=before[1],
        memory=after[1],
        idle_before=before[2],
        idle=after[2],
        click_reply=after[3],
    )


def _watch(world: World, data: Path, seconds: float, clicked: Json | None) -> tuple[float, float, float, float]:
    with Running(world, SUBJECT, data) as bosun:
        bosun.calm()
        memory, cpu = machine.memory_mb(bosun.pid), machine.cpu_seconds(bosun.pid)
        sleep(seconds)
        idle = (machine.cpu_seconds(bosun.pid) - cpu) / seconds * 100
        reply = world.ask("click", SUBJECT.name, **clicked)["milliseconds"] if clicked is not None else 0.0
        return bosun.ready_seconds, memory, idle, reply


def multiply(path: Path, template: Json, count: int) -> Json:
    """Copy the rows of the parked request `count` times, each with ids of its own. The last copy, as `template` is."""
    with closing(sqlite3.connect(path)) as database:
        rows = {table: _rows(database, table, template["word"]) for table in TABLES}
        names = _names(database, rows, template)
        pattern = re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)))
        copy: dict[str, str] = {}
        for number in range(count):
            copy = {name: _renamed(name, number) for name in names}
            for table, originals in rows.items():
                copies = [tuple(_copied(value, pattern, copy) for value in row) for row in originals]
                marks = ", ".join("?" * len(originals[0]))
                database.executemany(f"INSERT INTO {table} VALUES ({marks})", copies)  # noqa: S608  our own names
        database.commit()
    button = template["card"]["button"]
    value = pattern.sub(lambda match: copy[match[0]], button["value"])
    card = {"ts": copy[template["card"]["ts"]], "button": {**button, "value": value}}
    return {"word": copy[template["word"]], "channel": template["channel"], "ts": copy[template["ts"]], "card": card}


def _rows(database: sqlite3.Connection, table: str, word: str) -> list[tuple[object, ...]]:
    """All rows: the data folder holds nothing but the one request."""
    rows: list[tuple[object, ...]] = database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
    if not rows:
        raise ValueError(f"The parked request {word} has no row in {table}.")
    return rows


def _names(database: sqlite3.Connection, rows: dict[str, list[tuple[object, ...]]], template: Json) -> set[str]:
    """Everything that names the request or a part of it."""
    names = {template["word"], template["ts"], template["card"]["ts"]}
    for table, originals in rows.items():
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        for row in originals:
            fields = dict(zip(columns, row, strict=True))
            names |= {str(fields[column]) for column in ("id", "ref") if fields.get(column)}
    return names


def _renamed(name: str, number: int) -> str:
    if re.fullmatch(r"\d+\.\d+", name):
        seconds, _, micros = name.partition(".")
        return f"{int(seconds) - 10 * number - 10}.{micros}"
    if re.fullmatch(r"[mp]\d+", name):
        return f"{name[0]}{9_000_000 + number}"
    if re.fullmatch(r"[A-Z]+-\w{4}", name):
        return f"{name[:-4]}{number:06d}"
    return f"{name}{number:05d}" if "-" in name else f"{name[:-5]}{number:05d}"


def _copied(value: object, pattern: re.Pattern[str], copy: dict[str, str]) -> object:
    return pattern.sub(lambda match: copy[match[0]], value) if isinstance(value, str) else value
