"""run_python: what is run computes, and reaches nothing: not the network, not a file, not a process, not a secret."""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kernel.store import files as labels_of
from kernel.store import open_store
from kernel.types import ToolResult
from rules.engine.outcome import Parked
from tests.tools.cases import shows
from tests.tools.office import Office, done
from tools.engine.code import filter as calls
from tools.engine.code import jail, running
from tools.engine.files.workspace import digest_of
from tools.engine.setup.file import CodeSetup, ToolsFile

pytestmark = pytest.mark.skipif(bool(running.problem(Path("/nowhere"))), reason="this kernel cannot lock a process up")

SECRET = "s3cret-in-the-environment"


class Desk(Office):
    """The office with code switched on, and a file of sales."""

    def __init__(self, store: Any, folder: Path, **limits: int) -> None:
        super().__init__(store, folder / "workspace", ToolsFile.model_validate({"code": {"enabled": True, **limits}}))
        self.folder.mkdir(exist_ok=True)
        (self.folder / "sales.csv").write_text("month,amount\nMay,10\nJune,32\n")

    async def python(self, code: str, *, files: tuple[str, ...] = (), keep: tuple[str, ...] = ()) -> ToolResult:
        run = self.run("run it")
        arguments = {"code": code, "files": list(files), "keep": list(keep)}
        _, result = await self.approved(run, "run_python", by="dee", **arguments)
        return result


@pytest.fixture
def desk(tmp_path: Path, sqlite_with_tables: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("BOSUN_TEST_SECRET", SECRET)
    made = Desk(open_store(sqlite_with_tables), tmp_path, seconds=20, disk_mb=2)
    yield made
    made.store.close()


SUM = """
import csv
import numpy as np
rows = list(csv.DictReader(open("sales.csv")))
total = np.array([float(row["amount"]) for row in rows]).sum()
print("total", total)
open("total.txt", "w").write(f"{total}\\n")
"""


@shows("works", "run_python")
@shows("hostile", "run_python")
async def test_it_computes_on_the_files_that_it_is_given_and_leaves_the_ones_that_are_kept(desk: Desk) -> None:
    run = desk.run("sum it")
    arguments: dict[str, Any] = {"code": SUM, "files": ["sales.csv"], "keep": ["reports/total.txt"]}
    ref, result = await desk.approved(run, "run_python", by="dee", **arguments)
    assert result.content == "total 42.0\n\nKept: reports/total.txt."
    assert (desk.folder / "reports" / "total.txt").read_text() == "42.0\n"
    assert [piece.origin for piece in result.pieces] == ["outside_text", "made_here"]  # nobody has labelled the file
    label = desk.store.read_now(lambda session: labels_of.label(session, "reports/total.txt", digest_of("42.0\n")))
    assert label is not None
    assert label.origin == "outside_text"
    assert list((desk.folder.parent / "code").iterdir()) == []  # nothing stays
    _, undone = await desk.approved(desk.run("undo it"), "undo", by="ann", ref=ref)
    assert "reports/total.txt" in undone.content
    assert not (desk.folder / "reports" / "total.txt").exists()


async def test_people_see_the_code_before_it_runs(desk: Desk) -> None:
    outcome = await desk.act(desk.run("sum it"), "run_python", code=SUM, files=["sales.csv"], keep=[])
    assert isinstance(outcome, Parked)
    preview = await desk.tools.get("run_python").preview(  # type: ignore[union-attr]
        {"code": SUM, "files": ["sales.csv"], "keep": []}, desk.context("01CALL", desk.run("x"))
    )
    assert preview.payloads[0].content == SUM
    assert [fact.value for fact in preview.facts][:2] == ["sales.csv", "nothing"]


async def test_it_is_off_by_default(tmp_path: Path, sqlite_with_tables: str) -> None:
    office = Office(open_store(sqlite_with_tables), tmp_path)
    assert not office.tools.is_on("run_python")  # no agent is told of it
    _, refused = await office.approved(office.run("x"), "run_python", by="dee", code="print(1)", files=[], keep=[])
    assert refused.content == "Code is not run on this installation: tools.yaml does not have it on."
    office.store.close()


ATTEMPTS = """
import ctypes, os, resource, socket, subprocess, sys, threading
libc = ctypes.CDLL(None, use_errno=True)

def syscall(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")

wait = threading.Event().wait

def connect():
    reached = socket.socket()
    reached.connect(("127.0.0.1", PORT))

ATTEMPTS = {
    "read a file of the system": lambda: open("/etc/passwd").read(),
    "read the workspace": lambda: open(WORKSPACE + "/sales.csv").read(),
    "list the data folder": lambda: os.listdir(os.path.dirname(WORKSPACE)),
    "climb out": lambda: open("../../workspace/sales.csv").read(),
    "list the root": lambda: os.listdir("/"),
    "read our environment": lambda: open(f"/proc/{os.getppid()}/environ").read(),
    "read its own environment": lambda: open("/proc/self/environ").read(),
    "read our memory": lambda: open(f"/proc/{os.getppid()}/mem", "rb").read(1),
    "write outside": lambda: open(OUTSIDE, "w").write("x"),
    "append outside": lambda: open(OUTSIDE, "a").write("x"),
    "cut a file outside": lambda: os.truncate(OUTSIDE, 0),
    "delete outside": lambda: os.unlink(OUTSIDE),
    "move something in": lambda: os.rename(OUTSIDE, "mine"),
    "move something out": lambda: (open("a", "w").close(), os.rename("a", OUTSIDE)),
    "change a mode outside": lambda: os.chmod(OUTSIDE, 0o777),
    "change a time outside": lambda: os.utime(OUTSIDE),
    "change an owner outside": lambda: os.chown(OUTSIDE, 1, 1),
    "link to a file": lambda: os.link(OUTSIDE, "hard"),
    "point to a file": lambda: os.symlink("/etc/passwd", "soft"),
    "make a pipe with a name": lambda: os.mkfifo("pipe"),
    "make a socket with a name": lambda: socket.socket(socket.AF_UNIX).bind("here"),
    "open a socket": lambda: socket.socket(),
    "connect": connect,
    "send a datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", PORT)),
    "look up a name": lambda: socket.getaddrinfo("example.org", 443),
    "listen": lambda: socket.socket().listen(),
    "fork": os.fork,
    "start a program": lambda: subprocess.run(["/bin/true"]),
    "become a program": lambda: os.execv("/bin/true", ["true"]),
    "start a shell": lambda: os.posix_spawn("/bin/sh", ["sh"], {}),
    "signal us": lambda: os.kill(os.getppid(), 0),
    "signal all": lambda: os.kill(-1, 9),
    "trace us": lambda: syscall(101 if sys.maxsize and os.uname().machine == "x86_64" else 117, 16, os.getppid(), 0, 0),
    "limit us": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1)),
    "raise its own limit": lambda: resource.setrlimit(resource.RLIMIT_CPU, (9999, 9999)),
    "get another namespace": lambda: syscall(272 if os.uname().machine == "x86_64" else 97, 0x10000000),
    "use io_uring": lambda: syscall(425, 8, ctypes.create_string_buffer(256)),
    "make a process the new way": lambda: syscall(435, ctypes.create_string_buffer(88), 88),
    "use a call that is newer than all": lambda: syscall(470),
    "use a call of the x32 kind": lambda: syscall(0x40000000 + 39),
    "take a huge piece of memory": lambda: bytearray(10**11),
    "start endless threads": lambda: [threading.Thread(target=wait, daemon=True).start() for _ in range(500)],
}
for name, attempt in ATTEMPTS.items():
    try:
        attempt()
    except (OSError, MemoryError, RuntimeError, ValueError):
        continue
    print("ESCAPED:", name)
print(sorted(os.environ.items()), "tried", len(ATTEMPTS), flush=True)
os._exit(0)
"""


@shows("not let in", "run_python")
async def test_no_way_out_is_open(desk: Desk, tmp_path: Path) -> None:
    """Every attempt in one process, against a real server, real files and ourselves."""
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    before = outside.stat()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        known = {"PORT": server.getsockname()[1], "WORKSPACE": str(desk.folder), "OUTSIDE": str(outside)}
        told = "\n".join(f"{name} = {value!r}" for name, value in known.items())
        result = await desk.python(told + ATTEMPTS, keep=("soft", "hard", "pipe", "here"))
        with pytest.raises(BlockingIOError):
            server.accept()
    assert "ESCAPED" not in result.content
    assert "tried 42" in result.content
    assert SECRET not in result.content
    after = outside.stat()
    assert outside.read_text() == "untouched"
    kept = ("st_mode", "st_uid", "st_mtime_ns", "st_nlink", "st_size")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert "It wrote no soft." in result.content


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("while True: pass", "and was ended."),
        ("import os, time\nos.close(1); os.close(2); time.sleep(600)", "It took longer than 1 seconds and was ended."),
        ("while True: print('x' * 100000)", "It printed more than 200,000 bytes and was ended."),
        (
            "n = 0\nwhile True:\n    n += 1\n    open(f'f{n}', 'wb').write(b'x' * 500000)",
            "It wrote more than 2 MB and was ended.",
        ),
        ("import os\nn = 0\nwhile True:\n    n += 1\n    os.mkdir(f'd{n}')", "It wrote more than 2 MB and was ended."),
    ],
    ids=["computes", "sleeps", "prints", "writes", "litters"],
)
@shows("hangs", "run_python")
@shows("huge", "run_python")
async def test_what_goes_on_for_ever_is_ended(desk: Desk, tmp_path: Path, code: str, says: str) -> None:
    quick = code.startswith(("while True: pass", "import os, time"))
    limits = {"seconds": 1 if quick else 20, "disk_mb": 2}
    ran = await running.run(code, {}, (), tmp_path / "code" / "1", CodeSetup(enabled=True, **limits))
    assert says in ran.ended
    assert not (tmp_path / "code" / "1").exists()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("x = [0] * 10**10", "MemoryError"),
        ("open('big', 'wb').write(b'x' * 3_000_000)", "File too large"),
        ("import requests_that_is_not_there", "ModuleNotFoundError"),
        ("def", "SyntaxError"),
        ("import sys; sys.exit(71)", "It ended with an error."),
        ("import bot.engine.app", "ModuleNotFoundError"),
    ],
)
@shows("not there", "run_python")
@shows("garbage", "run_python")
async def test_what_fails_says_why(desk: Desk, code: str, says: str) -> None:
    failed = await desk.python(code)
    assert failed.error
    assert says in failed.content


async def test_what_is_there_under_a_kept_name_is_not_replaced(desk: Desk) -> None:
    refused = await desk.python("open('sales.csv', 'w').write('mine')", keep=("sales.csv",))
    assert refused.content == "There is a file sales.csv already. Choose another name."
    assert "May,10" in (desk.folder / "sales.csv").read_text()
    missing = await desk.python("print(1)", files=("nowhere.csv",))
    assert missing.content == "There is no nowhere.csv in the workspace."
    for name in ("../x", "a/../../x"):
        outside = await desk.python("print(1)", files=(name,))
        assert outside.error
        assert "workspace" in outside.content
    for name in (".hidden", "x/", ""):
        wrong = done(await desk.act(desk.run("x"), "run_python", code="1", files=[name], keep=[]))
        assert "do not fit" in wrong.content


def locked(folder: Path, code: str, filtered: bytes) -> tuple[bytes, bytes]:
    """Start the jail with this filter: what it says to its starter, and what it prints."""
    says, ready = os.pipe()
    job = {"folder": str(folder), "seconds": 5, "memory_mb": 512, "disk_mb": 1, "packages": [], "ready": ready}
    job |= {"reads": running._readable(), "filter": filtered.hex()}
    done = subprocess.run(
        [sys.executable, "-I", "-S", jail.__file__, json.dumps(job)],
        input=code.encode(),
        pass_fds=(ready,),
        capture_output=True,
        check=False,
    )
    os.close(ready)
    with os.fdopen(says, "rb") as pipe:
        return pipe.read(), done.stdout


def test_where_a_lock_does_not_hold_nothing_is_run(tmp_path: Path) -> None:
    """The filter is one that lets everything through, none at all, and one that is no filter."""
    good = calls.program(os.uname().machine)
    assert locked(tmp_path, "print('ran')", good) == (b"READY", b"ran\n")
    lets_all = struct.pack("=HBBI", 0x06, 0, 0, calls.ALLOW)
    said, printed = locked(tmp_path, "print('ran')", lets_all)
    assert (said, printed) == (b"CannotIsolateError: it changes a mode all the same", b"")
    for broken in (b"", b"\xff" * 8):
        said, printed = locked(tmp_path, "print('ran')", broken)
        assert said.startswith(b"CannotIsolateError: seccomp")
        assert printed == b""


def test_a_processor_that_is_not_known_and_a_data_folder_among_the_libraries_are_refused() -> None:
    with pytest.raises(jail.CannotIsolateError, match="riscv64"):
        calls.program("riscv64")
    assert "which code may read" in running.problem(Path("/usr/lib/bosun/data/code"))
    assert stat.S_ISREG(Path(jail.__file__).stat().st_mode)
