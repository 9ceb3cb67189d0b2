"""Bosun is killed when a tool has acted and nobody knows yet: the call is made again, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from kernel.store import Session, open_store, runs
from kernel.types import RunFacts
from tests.tools.cases import shows
from tests.tools.office import Office, done
from tools.engine.setup.file import ToolsFile

OWN = {"call", "ledger", "ledger_head", "attempt", "undone", "run", "transcript", "meter_use", "meter_charge", "mark"}
MAIL = {"to": ["maria@example.org"], "cc": [], "subject": "Hi", "body": "Hi.", "attachments": [], "reply_to": ""}
EVENT = {"calendar": "ann", "title": "Review", "start": "2026-03-23T14:00", "minutes": 60, "repeat": "weekly"}
CSV = "name,website\nBeta,https://b.example\nGamma,\n"


class Desk(Office):
    """The office where everything is allowed, with its own mailbox, calendars and customers."""

    def __init__(self, store: Any, folder: Path) -> None:
        super().__init__(store, folder, ToolsFile.model_validate({"code": {"enabled": True}}))
        self.folder.mkdir()
        self.allow_everything()

    async def did(self, tool: str, **arguments: Any) -> Any:
        """What a call that went well kept."""
        result = done(await self.act(self.run("do it"), tool, **arguments))
        assert not result.error, result.content
        return result.data

    def world(self) -> dict[str, Any]:
        """All there is but the books that Bosun keeps about calls."""

        def rows(session: Session) -> dict[str, Any]:
            tables = (table for name, table in SQLModel.metadata.tables.items() if name not in OWN)
            return {table.name: session.connection().execute(table.select()).all() for table in tables}

        files = {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }
        return {**self.store.read_now(rows), "files": files}

    def kill(self, run: RunFacts) -> None:
        """The moment after the tool has acted: that the call was begun is committed, its result is not."""

        def forget(session: Session) -> None:
            row = session.exec(select(runs.Call).where(runs.Call.run_id == run.run_id)).one()
            row.state, row.result = runs.STARTED, None
            session.add(row)

        self.store.write_now(forget)


async def _event(desk: Desk) -> dict[str, Any]:
    return {"calendar": "ann", "event": (await desk.did("create_event", **EVENT))["event"]}


async def _record(desk: Desk) -> str:
    return str((await desk.did("add_record", kind="company", name="ACME", values={"phone": "1"}, about=""))["ref"])


async def _written(desk: Desk) -> str:
    run = desk.run("write")
    done(await desk.act(run, "write_file", path="plan.md", content="One"))
    return run.ref


async def move(desk: Desk) -> dict[str, Any]:
    return {**await _event(desk), "occurrence": "", "start": "2026-03-24T10:00", "minutes": 30}


async def move_one(desk: Desk) -> dict[str, Any]:
    return {**await _event(desk), "occurrence": "2026-03-30T14:00", "start": "2026-03-31T10:00", "minutes": 30}


async def cancel(desk: Desk) -> dict[str, Any]:
    return {**await _event(desk), "occurrence": ""}


async def cancel_one(desk: Desk) -> dict[str, Any]:
    return {**await _event(desk), "occurrence": "2026-03-30T14:00"}


async def invite(desk: Desk) -> dict[str, Any]:
    return {**await _event(desk), "to": ["maria@example.org"], "message": "Come."}


async def change(desk: Desk) -> dict[str, Any]:
    return {"ref": await _record(desk), "name": "", "values": {"phone": "2"}}


async def remove(desk: Desk) -> dict[str, Any]:
    return {"ref": await _record(desk)}


async def take_in(desk: Desk) -> dict[str, Any]:
    await desk.did("write_file", path="rows.csv", content=CSV)
    return {"kind": "company", "path": "rows.csv"}


async def give_out(desk: Desk) -> dict[str, Any]:
    await _record(desk)
    return {"kind": "company", "path": "all.csv"}


async def one_file(desk: Desk) -> dict[str, Any]:
    await _written(desk)
    return {"path": "plan.md"}


async def two_names(desk: Desk) -> dict[str, Any]:
    return {**await one_file(desk), "to": "old.md"}


async def take_back(desk: Desk) -> dict[str, Any]:
    return {"ref": await _written(desk)}


def just(**arguments: Any) -> Callable[[Desk], Awaitable[dict[str, Any]]]:
    async def given(_desk: Desk) -> dict[str, Any]:
        return arguments

    return given


ACTS: list[tuple[str, Callable[[Desk], Awaitable[dict[str, Any]]]]] = [
    ("write_file", just(path="plan.md", content="One")),
    ("move_file", two_names),
    ("delete_file", one_file),
    ("undo", take_back),
    ("draft_mail", just(**MAIL)),
    ("send_mail", just(**MAIL)),
    ("create_event", just(**EVENT)),
    ("move_event", move),
    ("move_event", move_one),
    ("cancel_event", cancel),
    ("cancel_event", cancel_one),
    ("invite_to_event", invite),
    ("add_record", just(kind="company", name="ACME", values={"phone": "1"}, about="")),
    ("change_record", change),
    ("remove_record", remove),
    ("import_crm", take_in),
    ("export_crm", give_out),
    ("post_message", just(channel="#general", text="Hello")),
    ("message_person", just(person="bo", text="Hello")),
    ("open_poll", just(channel="#general", question="Pizza?", options=["Yes", "No"])),
    ("remember", just(about="refunds", text="14 days")),
    ("queue_payment", just(payee="ACME", amount=20, currency="EUR", reference="1881", why="Paper")),
    ("draw_chart", just(path="a.png", kind="bar", title="A", data="a,b\nx,1\ny,2")),
    ("run_python", just(code="open('x.txt', 'w').write('1')", files=[], keep=["x.txt"])),
]
BY = [f"{name}-{given.__name__}" for name, given in ACTS]


@pytest.fixture
def desk(tmp_path: Path, sqlite_with_tables: str) -> Iterator[Desk]:
    made = Desk(open_store(sqlite_with_tables), tmp_path / "workspace")
    yield made
    made.store.close()


@pytest.mark.parametrize(("name", "given"), ACTS, ids=BY)
@shows("crash", *(name for name, _ in ACTS))
async def test_what_was_done_and_forgotten_is_not_done_again(
    desk: Desk, name: str, given: Callable[[Desk], Awaitable[dict[str, Any]]]
) -> None:
    arguments = await given(desk)
    run = desk.run("do it")
    first = done(await desk.act(run, name, "u1", **arguments))
    assert not first.error, first.content
    world = desk.world()
    desk.kill(run)
    again = done(await desk.act(run, name, "u1", **arguments))
    assert desk.world() == world
    assert not again.error, again.content
    assert again.data == first.data  # and what it takes to undo it is known
