"""Opening the database and running transactions in it; tables and queries live in the modules beside this one.

On SQLite every write transaction runs in one thread, reads in a few others; nothing in a transaction awaits.
On Postgres transactions run in a pool of threads. What a transaction wants to wake, it says with `wake`,
and the subscribers are called after the commit, in the event loop: no path waits for a poll. What a subscriber would
write first, it may write in the transaction that wakes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, SQLModel

from kernel.errors import StoreConflict, StoreError
from kernel.store.engines import open_engine
from kernel.store.prepared import DRIVER, Prepared, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


__all__ = ["Session", "Store", "insert_new", "open_store", "wake"]

CONFLICTS = frozenset({"40001", "40P01"})  # Postgres: serialization failure, deadlock
T = TypeVar("T")
log = logging.getLogger(__name__)

WAKES = "bosun.wakes"
TOGETHER = 32  # writes that share a commit
LINGER = 0.01  # seconds that a write which is not synced waits for one to share its commit with


def wake(session: Session, topic: str, key: str = "") -> None:
    """Have the subscribers of `topic` called with `key` once this transaction has committed."""
    session.info.setdefault(WAKES, {})[(topic, key)] = None


def insert_new(session: Session, table: type[SQLModel], values: dict[str, object]) -> bool:
    """Insert one row unless its key exists; says whether it was inserted. Columns left out are NULL."""
    return _insert_new(table, session.get_bind().dialect.name).count(session, values) == 1


@functools.cache
def _insert_new(table: type[SQLModel], dialect: str) -> Prepared:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return Prepared(insert(table).on_conflict_do_nothing())


class _Joined(Session):
    """A session within the transaction that its caller has begun in a connection, and commits.

    It takes part when it is first asked for more than a prepared statement. It knows its connection: to ask for that
    costs as much as a statement otherwise. Where it is `apart`, on SQLite, its rollback leaves what others did before.
    """

    def __init__(self, connection: Connection, *, apart: bool = False) -> None:
        mode: Literal["rollback_only", "create_savepoint"] = "create_savepoint" if apart else "rollback_only"
        super().__init__(connection, expire_on_commit=False, join_transaction_mode=mode)
        self._within = connection
        self._apart = apart
        self._joined: Connection | None = None
        if connection.dialect.name == "sqlite":
            self.info[DRIVER] = connection.connection.driver_connection
        if apart:
            self._do("SAVEPOINT apart")

    def connection(self, *arguments: Any, **named: Any) -> Connection:
        if arguments or named:
            return super().connection(*arguments, **named)
        if self._joined is None:
            self._joined = super().connection()
        return self._joined

    def get_bind(self, *arguments: Any, **named: Any) -> Engine | Connection:
        return super().get_bind(*arguments, **named) if arguments or named else self._within

    def keep(self) -> None:
        """Commit, as far as the caller does not."""
        if self.in_transaction():
            self.commit()
        if self._apart:
            self._do("RELEASE apart")

    def take_back(self) -> None:
        """Roll back what was done in it; where it is not apart, all of the transaction."""
        self.rollback()
        if self._apart:
            self._do("ROLLBACK TO apart", "RELEASE apart")
        else:
            self._within.rollback()

    def _do(self, *statements: str) -> None:
        for statement in statements:
            execute(self.info[DRIVER], statement)


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What a committed work returned, and the subscribers to call."""

    result: T
    calls: tuple[Callable[[], None], ...]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who is called after a commit that woke a topic."""

    call: Callable[..., None]
    prepare: Callable[[Session, str], object] | None  # done in the transaction itself; `call` gets what it returned


@dataclass(frozen=True, slots=True)
class Pending:
    """A write that waits for its turn."""

    work: Callable[[Session], Any]
    synced: bool
    future: asyncio.Future[Any]


Outcome = Done[Any] | BaseException


class Store:
    """The database of one installation.

    `write` and `read` take a plain function of a session and run it in a thread as one transaction.
    A database that is away raises StoreError; the function's own exceptions pass through after a rollback.
    On SQLite, writes that wait for each other share a commit: each keeps its own savepoint and its own outcome.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._subscribers: defaultdict[str, list[Subscriber]] = defaultdict(list)
        self._writers = ThreadPoolExecutor(1 if self.is_sqlite else 8, "store-write")
        self._readers = self._writers if not self.is_sqlite else ThreadPoolExecutor(2, "store-read")
        self._waiting: deque[Pending] = deque()
        self._writing = False  # a batch of waiting writes is under way
        self._lingering: asyncio.TimerHandle | None = None  # begins a batch that waits for more
        self._connection: Connection | None = None  # of the one writing thread
        self._idle: deque[Connection] = deque()  # of SQLite, to read with

    @property
    def folder(self) -> Path:
        """Where the file of a SQLite database is."""
        return Path(self.engine.url.database or "").parent

    def on(
        self,
        topic: str,
        subscriber: Callable[..., None],
        *,
        prepare: Callable[[Session, str], object] | None = None,
    ) -> None:
        """Call `subscriber(key)` in the event loop after each commit that woke `topic`.

        With `prepare`, that is called as `prepare(session, key)` at the end of the transaction itself, in its thread,
        and the subscriber as `subscriber(key, what it returned)`.
        """
        self._subscribers[topic].append(Subscriber(subscriber, prepare))

    async def write(self, work: Callable[[Session], T], *, synced: bool = True) -> T:
        """Run `work` in one transaction and return what it returns, after the commit.

        Not `synced`: on SQLite it waits a moment for another write to share its commit; the commit survives the death
        of the process as every other, but a power cut only once a later one was synced. For what is found out again
        where it is missing.
        """
        loop = asyncio.get_running_loop()
        if not self.is_sqlite:
            done = await loop.run_in_executor(self._writers, functools.partial(self._transact, work, synced=synced))
            self._deliver(done)
            return done.result
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(Pending(work, synced, future))
        if not self._writing and synced:
            self._write_waiting(loop)
        elif not self._writing and self._lingering is None:
            self._lingering = loop.call_later(LINGER, self._write_waiting, loop)
        return await future

    def _write_waiting(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER))]
        self._writing = bool(batch)
        if not batch:
            return
        self._writers.submit(self._write_batch, loop, batch)

    def _write_batch(self, loop: asyncio.AbstractEventLoop, batch: list[Pending]) -> None:
        outcomes: list[Outcome]
        try:
            outcomes = self._commit_together(batch)
        except BaseException as error:
            outcomes = [error] * len(batch)
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(self._settle, loop, batch, outcomes)

    def _settle(self, loop: asyncio.AbstractEventLoop, batch: list[Pending], outcomes: list[Outcome]) -> None:
        """Begin the next batch, then tell everybody what became of theirs."""
        self._write_waiting(loop)
        for pending, outcome in zip(batch, outcomes, strict=True):
            future = pending.future
            if isinstance(outcome, BaseException):
                if not future.cancelled():
                    future.set_exception(outcome)
                continue
            if not future.cancelled():
                future.set_result(outcome.result)
            self._deliver(outcome)

    @staticmethod
    def _deliver(done: Done[Any]) -> None:
        for call in done.calls:
            call()

    async def read(self, work: Callable[[Session], T], *, brief: bool = False) -> T:
        """Run `work` in a transaction that is rolled back.

        `brief`: it takes a millisecond or two, which on SQLite costs less here and now than in a thread.
        """
        if brief and self.is_sqlite:
            return self.read_now(work)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    def write_now(self, work: Callable[[Session], T]) -> T:
        """`write` for callers without an event loop (CLI, migrations, tests). Wakes nobody."""
        return self._transact(work, wakes=False).result

    def read_now(self, work: Callable[[Session], T]) -> T:
        """`read` for callers without an event loop."""
        try:
            with self._to_read() as connection, _Joined(connection) as session:
                if self.is_sqlite:
                    _begin(connection, "BEGIN")
                return work(session)
        except OperationalError as error:
            raise StoreError(f"The database cannot be read: {error.orig}") from error

    @contextlib.contextmanager
    def _to_read(self) -> Iterator[Connection]:
        """A connection; on SQLite one that is kept for this, unless it failed."""
        if not self.is_sqlite:
            with self.engine.connect() as connection:
                yield connection
            return
        connection = self._idle.pop() if self._idle else self.engine.connect()
        try:
            yield connection
            connection.rollback()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _transact(self, work: Callable[[Session], T], *, synced: bool = True, wakes: bool = True) -> Done[T]:
        try:
            with self.engine.connect() as connection, self._begun(connection, synced), _Joined(connection) as session:
                done = Done(work(session), self._wakes(session) if wakes else ())
                session.keep()
                connection.commit()
                return done
        except OperationalError as error:
            kind = StoreConflict if getattr(error.orig, "sqlstate", None) in CONFLICTS else StoreError
            raise kind(f"The database cannot be written: {error.orig}") from error

    def _commit_together(self, batch: list[Pending]) -> list[Outcome]:
        """Run each work in one transaction, all but the first in a savepoint of their own, and commit.

        A work that fails takes back only its own. The connection is kept: there is one writing thread.
        """
        try:
            if self._connection is None:
                self._connection = self.engine.connect()
            with self._begun(self._connection, any(one.synced for one in batch)):
                outcomes = [self._outcome(self._connection, batch[0].work)]
                if len(batch) > 1 and isinstance(outcomes[0], BaseException):  # its rollback was one of everything
                    _begin(self._connection, "BEGIN IMMEDIATE")
                outcomes += [self._outcome(self._connection, one.work, apart=True) for one in batch[1:]]
                self._connection.commit()
                return outcomes
        except BaseException as error:
            self._drop_connection()
            if isinstance(error, OperationalError):
                raise StoreError(f"The database cannot be written: {error.orig}") from error
            raise

    def _outcome(self, connection: Connection, work: Callable[[Session], T], *, apart: bool = False) -> Outcome:
        with _Joined(connection, apart=apart) as session:
            try:
                done = Done(work(session), self._wakes(session))
                session.keep()
            except OperationalError:
                raise  # the database, not the work: nothing of the batch is written
            except Exception as error:
                session.take_back()
                return error
            return done

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _begun(self, connection: Connection, synced: bool) -> Iterator[None]:
        """A write transaction has begun in the connection; its commit waits for the disk if `synced`."""
        if not self.is_sqlite:
            if not synced:
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
            yield
            return
        driver: Any = connection.connection.driver_connection
        if not synced:
            driver.execute("PRAGMA synchronous=NORMAL")
        try:
            _begin(connection, "BEGIN IMMEDIATE")
            yield
        finally:
            if not synced:
                driver.execute("PRAGMA synchronous=FULL")

    def _wakes(self, session: Session) -> tuple[Callable[[], None], ...]:
        """Who is to be called after the commit, each with what it prepares now."""
        woken = session.info.pop(WAKES, ())
        return tuple(_call(session, one, key) for topic, key in woken for one in self._subscribers.get(topic, ()))

    def close(self) -> None:
        """Wait for running transactions and close all connections."""
        self._writers.shutdown()
        self._readers.shutdown()
        for connection in (self._connection, *self._idle):
            if connection is not None:
                connection.close()
        self.engine.dispose()


def _begin(connection: Connection, how: str) -> None:
    """Begin a transaction on SQLite: ours to begin there, SQLAlchemy's to end."""
    connection.begin()
    execute(connection.connection.driver_connection, how)


def _call(session: Session, subscriber: Subscriber, key: str) -> Callable[[], None]:
    if subscriber.prepare is None:
        return functools.partial(subscriber.call, key)
    return functools.partial(subscriber.call, key, subscriber.prepare(session, key))


def open_store(url: str) -> Store:
    """Connect to `url` (`sqlite:///path` or `postgresql://...`). Creates no tables: see `migrations.upgrade`."""
    return Store(open_engine(url))
