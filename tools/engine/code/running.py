"""Starting the jail, feeding it, and taking what it made: nothing that it writes is followed, trusted or endless."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import shutil
import signal
import stat
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.engine.code import filter as calls
from tools.engine.code import jail
from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Iterable, Mapping

    from tools.engine.setup.file import CodeSetup

OUTPUT = 200_000  # bytes that are taken of what it prints
LOOK_EVERY = 0.1  # seconds between two looks at how much it has written
LEFT = 3600.0  # seconds after which a folder belongs to no process any more
STARTING = 20.0  # seconds for the interpreter and the locks, on a busy machine
GRACE = 2.0  # seconds that it may take longer by the clock than by the processor
# Where the interpreter and its libraries lie. Read, never run: no program can be started from inside.
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
ENVIRONMENT = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What became of it."""

    output: str  # what it printed, errors included
    files: Mapping[str, bytes]  # of those that were asked for
    lacks: tuple[str, ...]  # asked for, and not there
    ended: str  # in words; empty: by itself, without an error


def problem(folder: Path) -> str:
    """Why code cannot be run here, for people; empty where it can. `folder` is where its folders would be."""
    if not sys.platform.startswith("linux"):
        return "Only Linux can lock a process up as this needs."
    try:
        jail.abi()
        calls.program(platform.machine())
    except jail.CannotIsolateError as error:
        return f"This machine cannot lock a process up ({error})."
    inside = [root for root in _readable() if folder.resolve().is_relative_to(Path(root).resolve())]
    return f"The data folder lies in {inside[0]}, which code may read." if inside else ""


async def trial(folder: Path, setup: CodeSetup) -> str:
    """Lock a process up in a new `folder` and have it compute something: why that fails, for people; or empty."""
    try:
        ran = await run("print(6 * 7)", {}, (), folder, setup)
    except CannotDo as error:
        return error.message
    return "" if ran.output == "42\n" else f"Python does not start inside the locks. {ran.output[-200:]}"


async def run(code: str, given: Mapping[str, bytes], wanted: Iterable[str], folder: Path, setup: CodeSetup) -> Ran:
    """Run the code in a new `folder`, with the files `given`, and take the files `wanted`; the folder is gone after.

    CannotDo where this machine cannot lock it up: then nothing was run.
    """
    if why := problem(folder):
        raise CannotDo(f"{why} So nothing was run.")
    try:
        await asyncio.to_thread(_furnish, folder, given)
        output, ended = await _run(code, folder, setup)
        found = {name: content for name in wanted if (content := _taken(folder, name)) is not None}
        return Ran(output=output, files=found, lacks=tuple(name for name in wanted if name not in found), ended=ended)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _furnish(folder: Path, given: Mapping[str, bytes]) -> None:
    folder.mkdir(mode=0o700, parents=True)
    now = folder.stat().st_mtime
    for other in folder.parent.iterdir():  # what is left of processes that were killed
        if other.stat().st_mtime < now - LEFT:
            shutil.rmtree(other, ignore_errors=True)
    for name, content in given.items():
        (folder / name).write_bytes(content)


async def _run(code: str, folder: Path, setup: CodeSetup) -> tuple[str, str]:
    says, ready = os.pipe()
    packages = sysconfig.get_path("purelib")
    job = {
        "folder": str(folder),
        "seconds": setup.seconds,
        "memory_mb": setup.memory_mb,
        "disk_mb": setup.disk_mb,
        "reads": _readable(),
        "packages": [packages],
        "filter": calls.program(platform.machine()).hex(),
        "ready": ready,
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-B", jail.__file__, json.dumps(job)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=folder,
            env=ENVIRONMENT,
            start_new_session=True,
            pass_fds=(ready,),
        )
    finally:
        os.close(ready)
    try:
        output, ended = await _watched(process, says, code, folder, setup)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        with os.fdopen(says, "rb") as pipe:
            said = pipe.read(300)
    if said != jail.READY:
        why = said.decode(errors="replace") or "it was ended before it was locked up"
        raise CannotDo(f"The process could not be locked up ({why}), so nothing was run.")
    return output.decode(errors="replace"), ended or _ending(process.returncode or 0, setup)


async def _watched(process: Process, says: int, code: str, folder: Path, setup: CodeSetup) -> tuple[bytes, str]:
    """What it prints until it ends, and why it was ended where it went beyond a limit."""
    printed, reasons = bytearray(), list[str]()

    def stop(why: str) -> None:
        reasons.append(f"{why} and was ended.")
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    tasks = [
        asyncio.create_task(_feed(process, code)),
        asyncio.create_task(_read(process, printed, stop)),
        asyncio.create_task(_watch(folder, setup, stop)),
    ]
    try:
        async with asyncio.timeout(STARTING):
            await _locked_up(says)
        async with asyncio.timeout(setup.seconds + GRACE):
            await process.wait()
    except TimeoutError:
        stop(f"It took longer than {setup.seconds} seconds")
        await process.wait()
    finally:
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return bytes(printed), reasons[0] if reasons else ""


async def _locked_up(says: int) -> None:
    """Until the process has said that it is, or that it cannot be, or has ended."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(says, told.set)
    try:
        await told.wait()
    finally:
        loop.remove_reader(says)


async def _feed(process: Process, code: str) -> None:
    pipe = process.stdin
    if pipe is not None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            pipe.write(code.encode())
            await pipe.drain()
        pipe.close()


async def _read(process: Process, printed: bytearray, stop: Callable[[str], None]) -> None:
    """Until it has closed its output, or printed too much."""
    pipe = process.stdout
    while pipe is not None and (chunk := await pipe.read(65536)):
        printed += chunk[: OUTPUT - len(printed)]
        if len(printed) >= OUTPUT:
            return stop(f"It printed more than {OUTPUT:,} bytes")
    return None


async def _watch(folder: Path, setup: CodeSetup, stop: Callable[[str], None]) -> None:
    """Until it has written too much."""
    while True:
        if await asyncio.to_thread(_written, folder) > setup.disk_mb * jail.MEMORY:
            return stop(f"It wrote more than {setup.disk_mb} MB")
        await asyncio.sleep(LOOK_EVERY)


def _written(folder: Path) -> int:
    """Bytes in the folder; every file counts as a block at least, so that many empty ones are something too."""
    total = 0
    for place, folders, files in os.walk(folder, followlinks=False):
        for name in (*folders, *files):
            with contextlib.suppress(OSError):
                total += max(os.lstat(Path(place) / name).st_size, 4096)
    return total


def _taken(folder: Path, name: str) -> bytes | None:
    """A plain file of the folder; None for whatever else stands under that name."""
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        return file.read() if stat.S_ISREG(about.st_mode) and about.st_nlink == 1 else None


def _ending(status: int, setup: CodeSetup) -> str:
    if status == 0:
        return ""
    if status in {-signal.SIGXCPU, -signal.SIGKILL}:
        return f"It took more than {setup.seconds} seconds of processor time, or too much memory, and was ended."
    return "It ended with an error." if status > 0 else f"It was ended by the system (signal {-status})."


def _readable() -> list[str]:
    """What it may read beside its folder: where Python and its libraries are installed."""
    own = [str(Path(sys.base_prefix) / "lib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    return list(dict.fromkeys([*LIBRARIES, *own]))
