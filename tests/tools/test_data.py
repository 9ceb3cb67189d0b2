"""Databases are asked and never changed, whatever the statement says; charts are drawn from what came out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kernel.store import open_store
from kernel.types import ToolResult
from rules.engine.outcome import Parked
from tests.tools.cases import shows
from tests.tools.office import Office, done
from tests.tools.rogue import rogue
from tools.engine.data.reading import opened, run
from tools.engine.data.statement import understood
from tools.engine.failure import CannotDo
from tools.engine.setup.file import ToolsFile

ROWS = "CREATE TABLE sales (region TEXT, amount INTEGER, day DATE)"
SALES = [("north", 10, "2026-01-01"), ("south", 25, "2026-01-02"), ("north", 5, "2026-02-01")]


@pytest.fixture
def sqlite_file(tmp_path: Path) -> str:
    path = tmp_path / "shop.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(ROWS)
        connection.execute("CREATE TABLE salaries (name TEXT)")
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?)", SALES)
    connection.close()
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_shop(postgres_url: str) -> str:
    url = postgres_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url) as connection:
        connection.execute(ROWS)
        connection.execute("CREATE TABLE salaries (name TEXT)")
        connection.cursor().executemany("INSERT INTO sales VALUES (%s, %s, %s)", SALES)
    return url


class Shop(Office):
    """The office with a database."""

    def __init__(self, store: Any, folder: Path, url: str, **more: Any) -> None:
        database = {"url": "SHOP_URL", "purpose": "What was sold", **more}
        setup = ToolsFile.model_validate({"databases": {"shop": database}})
        super().__init__(store, folder, setup, SHOP_URL=url)
        self.url = url

    async def ask(self, sql: str) -> ToolResult:
        return done(await self.act(self.run("ask the shop"), "query_database", database="shop", sql=sql))


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("sqlite_file" if request.param == "sqlite" else "postgres_shop"))


@pytest.fixture
def shop(url: str, tmp_path: Path, sqlite_with_tables: str) -> Iterator[Shop]:
    made = Shop(open_store(sqlite_with_tables), tmp_path / "workspace", url, rows=2)
    yield made
    made.store.close()


@shows("works", "query_database")
@shows("hostile", "query_database")
async def test_rows_come_as_csv_and_are_outside_text(shop: Shop) -> None:
    found = await shop.ask("SELECT region, SUM(amount) AS total FROM sales GROUP BY region ORDER BY region")
    assert found.content == "region,total\nnorth,15\nsouth,25\n"
    assert {piece.origin for piece in found.pieces} == {"outside_text"}
    assert found.summary == "Read 2 rows of shop"


@shows("huge", "query_database")
async def test_no_more_rows_than_agreed_are_read(shop: Shop) -> None:
    found = await shop.ask("SELECT amount FROM sales ORDER BY amount")
    assert found.content == "amount\n5\n10\n\n[Cut here: only the first 2 rows are shown.]"


@shows("hangs", "query_database")
async def test_a_query_that_takes_too_long_is_ended(url: str, tmp_path: Path, sqlite_with_tables: str) -> None:
    here = Shop(open_store(sqlite_with_tables), tmp_path, url, seconds=0.3)
    endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT MAX(n) FROM t"
    found = await here.ask(endless)
    here.store.close()
    assert found.content == "The query took longer than 0.3 seconds."


@shows("works", "describe_database")
async def test_the_tables_are_described(shop: Shop) -> None:
    told = done(await shop.act(shop.run("what is there?"), "describe_database", database=""))
    assert told.content == "shop: What was sold"
    tables = done(await shop.act(shop.run("what is there?"), "describe_database", database="shop")).content
    assert "salaries(name TEXT)" in tables.replace("text", "TEXT")
    assert "sales(region" in tables


@shows("not let in", "query_database", "describe_database")
async def test_only_the_tables_that_are_named_are_read(url: str, tmp_path: Path, sqlite_with_tables: str) -> None:
    here = Shop(open_store(sqlite_with_tables), tmp_path, url, tables=["sales"])
    assert not (await here.ask("SELECT COUNT(*) FROM sales")).error
    for sql in (
        "SELECT name FROM salaries",
        "SELECT region FROM sales WHERE region IN (SELECT name FROM salaries)",
        "WITH sales AS (SELECT name FROM salaries) SELECT * FROM sales",
    ):
        refused = await here.ask(sql)
        assert refused.error
        assert "is not one of those that may be read: sales." in refused.content
    tables = done(await here.act(here.run("what is there?"), "describe_database", database="shop"))
    here.store.close()
    assert "salaries" not in tables.content


@shows("not there", "query_database")
async def test_what_the_database_refuses_is_said_without_the_password(shop: Shop) -> None:
    failed = await shop.ask("SELECT nothing FROM sales")
    assert failed.error
    assert "nothing" in failed.content
    assert shop.url not in failed.content


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM sales",
        "UPDATE sales SET amount = 0",
        "INSERT INTO sales VALUES ('x', 1, '2026-01-01')",
        "DROP TABLE sales",
        "SELECT 1; DROP TABLE sales",
        "WITH gone AS (DELETE FROM sales RETURNING *) SELECT * FROM gone",
        "SELECT * INTO copy FROM sales",
        "SELECT * FROM sales FOR UPDATE",
        "CREATE TABLE x AS SELECT * FROM sales",
        "COPY sales TO '/tmp/x'",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "SET statement_timeout = 0",
        "PRAGMA writable_schema = 1",
        "ATTACH DATABASE '/etc/passwd' AS x",
        "VACUUM INTO '/tmp/x'",
        "EXPLAIN ANALYZE DELETE FROM sales",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_sleep(60)",
        "SELECT pg_catalog.pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT load_extension('x')",
        "SELECT set_config('statement_timeout', '0', false)",
        "SELECT * FROM pg_shadow",
        "SELECT * FROM pg_catalog.pg_authid",
        "SELECT * FROM sqlite_master",
        "SELECT dblink_exec('host=x', 'DROP TABLE y')",
        "SELECT query_to_xml('delete from sales', true, true, '')",
        "SELECT * FROM sales WHERE amount = ?",
        "SELEC amount FROM sales",
        "",
        "--",
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_what_does_more_than_read_is_not_run(sql: str, dialect: str) -> None:
    with pytest.raises(CannotDo):
        understood(sql, dialect, ())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT region, COUNT(*) FROM sales WHERE amount > 3 GROUP BY region HAVING COUNT(*) > 1 LIMIT 5",
        "SELECT a.region FROM sales a JOIN sales b ON a.day = b.day LEFT JOIN sales c USING (region)",
        "SELECT region FROM sales UNION SELECT 'x' EXCEPT SELECT 'y'",
        "WITH t AS (SELECT SUM(amount) AS s, region FROM sales GROUP BY region) SELECT MAX(s) FROM t",
        "SELECT ROW_NUMBER() OVER (PARTITION BY region ORDER BY day), COALESCE(amount, 0), LOWER(region) FROM sales",
        "SELECT CASE WHEN amount > 3 THEN 'much' ELSE 'little' END FROM sales /* DROP TABLE sales */",
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_what_people_ask_is_understood(sql: str, dialect: str) -> None:
    assert "DROP" not in understood(sql, dialect, ("sales",)).sql


async def test_the_connection_itself_cannot_write(shop: Shop) -> None:
    """Whatever gets past the parser: the database was told to refuse."""
    with pytest.raises(CannotDo, match="does not take the statement"):
        opened(shop.url).run("DELETE FROM sales", 10, 5)
    assert "15" in (await shop.ask("SELECT SUM(amount) FROM sales WHERE region = 'north'")).content


async def test_a_database_that_is_not_there_is_a_sentence(tmp_path: Path, sqlite_with_tables: str) -> None:
    for address, says in (
        ("sqlite:////nowhere/x.sqlite3", "does not take the statement"),
        ("postgresql://127.0.0.1:9/x?connect_timeout=2", "cannot be reached"),
        ("mysql://x/y", "Only databases at sqlite:/// and postgresql:// can be asked."),
    ):
        here = Shop(open_store(sqlite_with_tables), tmp_path, address)
        found = await here.ask("SELECT COUNT(*) FROM sales")
        here.store.close()
        assert found.error
        assert says in found.content


@shows("hangs", "describe_database")
async def test_a_database_that_never_answers_is_given_up() -> None:
    """It lets us in, and says nothing more."""

    async with rogue(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", lambda _: b"") as server:
        database = opened(f"postgresql://bosun@127.0.0.1:{server.port}/shop?sslmode=disable&gssencmode=disable")
        with pytest.raises(CannotDo, match="did not answer in time"):
            await run(database, "SELECT 1", 1, 0.1, grace=0.4)


# -- charts --------------------------------------------------------------------------------------------------------

CSV = "month,north,south\nJan,10,25\nFeb,5,\nMar,7,3"


@pytest.fixture
def office(tmp_path: Path, sqlite_with_tables: str) -> Iterator[Office]:
    made = Office(open_store(sqlite_with_tables), tmp_path / "workspace")
    yield made
    made.store.close()


@pytest.mark.parametrize("kind", ["bar", "line", "scatter"])
@shows("works", "draw_chart")
async def test_a_chart_is_drawn_once_and_taken_back(office: Office, kind: str) -> None:
    run = office.run("draw sales.png")
    chart = {"path": "sales.png", "kind": kind, "title": "Sales in $", "data": CSV}
    drawn = done(await office.act(run, "draw_chart", **chart))
    assert not drawn.error, drawn.content
    content = (office.folder / "sales.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) > 5_000
    again = done(await office.act(run, "draw_chart", **{**chart, "data": "a,b\nx,1"}))
    assert again.content == "There is a file sales.png already. Choose another name."
    assert not done(await office.act(office.run(f"undo {run.ref}"), "undo", ref=run.ref)).error
    assert not (office.folder / "sales.png").exists()


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        ("pie", CSV, "A pie needs one series"),
        ("pie", "a,b\nx,-1", "A pie needs one series"),
        ("bar", "a,b\nx,many", "The column b holds something that is no number."),
        ("bar", "a,b\nx,inf", "The column b holds something that is no number."),
        ("bar", "a,b\nx", "Every row needs as many fields as the first line."),
        ("bar", "only a line", "A chart needs a line of names"),
        ("bar", "a,b\n" + "x,1\n" * 61, "More than 60 bar parts cannot be read."),
        ("line", "a,b\n" + "x,1\n" * 2001, "A chart has at most 2,000 rows and 8 series."),
    ],
)
@shows("garbage", "draw_chart")
async def test_what_cannot_be_drawn_is_said(office: Office, kind: str, data: str, says: str) -> None:
    run = office.run("draw x.png")
    failed = done(await office.act(run, "draw_chart", path="x.png", kind=kind, title="X", data=data))
    assert failed.error
    assert failed.content.startswith(says)


async def test_a_chart_that_nobody_named_is_asked_about(office: Office) -> None:
    run = office.run("show me the sales")
    outcome = await office.act(run, "draw_chart", path="y.png", kind="bar", title="Y", data=CSV)
    assert isinstance(outcome, Parked)
