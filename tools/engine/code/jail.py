"""Locks itself up, then runs the Python it is given on standard input. A program: it imports nothing of ours, is run
without our environment, and says READY to its starter once every lock has been tried.

Landlock: nothing but its folder can be changed, and beside it only the Python installation read. Seccomp: no network,
no other process, no owner, mode or time of a file, no namespace, mount or device. Limits: processor time, memory, the
size of a file, open files. No capability, no new privilege, no core dump. Where the machine gives a network namespace,
that as well.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import resource
import socket
import struct
import sys
from pathlib import Path

READY = b"READY"
MEMORY = 1024 * 1024
OPEN_FILES, THREADS = 64, 64

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every processor
READS = 1 << 2 | 1 << 3  # files, folders
# Execute, write, read file, read folder, remove folder, remove file; then all that can be made: device, folder, file,
# socket, pipe, block device, link. 13 and later depend on the kernel: move elsewhere, cut, control devices.
HANDLED = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
WRITES = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8  # write, remove both, make folders and files: no links, no pipes
NETWORK, SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
NEW_USER, NEW_NETWORK, NEW_IPC = 0x10000000, 0x40000000, 0x08000000

libc = ctypes.CDLL(None, use_errno=True)


class CannotIsolateError(Exception):
    """This machine does not let a process lock itself up."""


def _call(what: str, number: int, *arguments: object) -> int:
    """A system call; CannotIsolateError where it fails."""
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        raise CannotIsolateError(f"{what}: {errno.errorcode.get(ctypes.get_errno(), '?')}")
    return result


def _control(what: str, *arguments: int) -> None:
    values = [ctypes.c_ulong(each) for each in (*arguments, 0, 0, 0, 0)[:5]]
    if libc.prctl(*values) != 0:
        raise CannotIsolateError(f"{what}: {errno.errorcode.get(ctypes.get_errno(), '?')}")


def abi() -> int:
    """The version of Landlock that the kernel has; CannotIsolateError where it has none, or it is switched off."""
    return _call("Landlock", CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))


def landlock(folder: str, reads: list[str], files: list[str]) -> None:
    """From now on nothing can be opened but the folder, and beneath `reads` and of `files` for reading."""
    version = abi()
    handled = HANDLED[max(known for known in HANDLED if known <= version)]
    values = [handled, *([NETWORK] if version >= 4 else []), *([SCOPES] if version >= 6 else [])]
    attributes = struct.pack(f"={len(values)}Q", *values)
    rules = _call("Landlock", CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    cut = 1 << 14 if version >= 3 else 0
    for path, rights in [(folder, READS | WRITES | cut), *((each, READS) for each in reads)]:
        _allow(rules, path, rights & handled)
    for path in files:
        _allow(rules, path, 1 << 2)
    _call("Landlock", RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        there = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        beneath = struct.pack("=Qi", rights, there)
        _call("Landlock", ADD_RULE, ctypes.c_int(rules), ctypes.c_int(1), beneath, ctypes.c_uint32(0))
    finally:
        os.close(there)


def seccomp(code: bytes) -> None:
    """From now on only the system calls that the filter allows are made."""
    kept = ctypes.create_string_buffer(code, len(code))
    about = struct.pack("@HP", len(code) // 8, ctypes.addressof(kept))
    where = ctypes.create_string_buffer(about, len(about))
    _control("seccomp", PR_SET_SECCOMP, 2, ctypes.addressof(where))


def drop_capabilities() -> None:
    """No capability is left, whoever started us."""
    header = struct.pack("=Ii", 0x20080522, 0)
    number = 91 if platform.machine() == "aarch64" else 126
    _call("capabilities", number, header, struct.pack("=6I", *[0] * 6))


def limit(seconds: int, memory_mb: int, disk_mb: int) -> None:
    """What it may use, soft and hard."""
    for kind, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory_mb * MEMORY),
        (resource.RLIMIT_FSIZE, disk_mb * MEMORY),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, THREADS),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def lock_up(job: dict[str, object]) -> None:
    """Every lock, and a try at each door. CannotIsolateError where one does not hold."""
    libc.unshare(NEW_USER | NEW_NETWORK | NEW_IPC)  # one lock more, where the machine gives it
    limit(int(str(job["seconds"])), int(str(job["memory_mb"])), int(str(job["disk_mb"])))
    _control("privileges", PR_SET_NO_NEW_PRIVS, 1)
    drop_capabilities()
    _control("parent", PR_SET_PDEATHSIG, 9)  # whoever gets other rights loses these two, so they come now
    _control("dumps", PR_SET_DUMPABLE, 0)
    landlock(str(job["folder"]), list(job["reads"]), ["/dev/urandom"])  # type: ignore[call-overload]
    seccomp(bytes.fromhex(str(job["filter"])))
    for door in (_reads_a_file, _changes_a_mode, _opens_a_socket, _starts_a_process):
        try:
            door()
        except OSError:
            continue
        raise CannotIsolateError(f"it {door.__name__.strip('_').replace('_', ' ')} all the same")


def _reads_a_file() -> None:
    os.close(os.open("/etc/passwd", os.O_RDONLY))


def _changes_a_mode() -> None:
    Path().chmod(0o700)


def _opens_a_socket() -> None:
    socket.socket().close()


def _starts_a_process() -> None:
    if os.fork() == 0:
        os._exit(0)


def main() -> None:
    """jail.py JOB, with the code on standard input and a pipe for READY as descriptor `ready`."""
    job = json.loads(sys.argv[1])
    ready = int(job["ready"])
    code = sys.stdin.buffer.read()
    os.chdir(job["folder"])
    sys.path[:] = [each for each in sys.path if each] + job["packages"]
    try:
        lock_up(job)
    except Exception as error:
        os.write(ready, f"{type(error).__name__}: {error}"[:200].encode())
        os._exit(71)
    os.write(ready, READY)
    os.close(ready)
    sys.argv = ["code.py"]
    exec(compile(code, "code.py", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})  # noqa: S102  its purpose


if __name__ == "__main__":
    main()
