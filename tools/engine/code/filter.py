"""The filter of system calls for code that nobody has read, as the kernel runs it: classic BPF."""

from __future__ import annotations

import errno
import struct

from tools.engine.code.jail import CannotIsolateError
from tools.engine.code.syscalls import NEWEST, PROCESSORS

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000  # SECCOMP_RET_...; REFUSE carries an error number
NEW_THREAD = 0x00010000  # CLONE_THREAD


def program(machine: str) -> bytes:
    """The filter for this kind of processor, eight bytes a step. CannotIsolateError where its calls are not known."""
    processor = PROCESSORS.get(machine)
    if processor is None:
        raise CannotIsolateError(f"the system calls of {machine} are not known here")
    load, equal, at_least, any_of, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    number, kind, first = 0, 4, 16  # offsets in the kernel's description of a call
    refuse = [(answer, 0, 0, REFUSE | errno.EPERM)]
    unknown = [(answer, 0, 0, REFUSE | errno.ENOSYS)]
    steps = [
        (load, 0, 0, kind),
        (equal, 1, 0, processor.audit),
        (answer, 0, 0, KILL),
        (load, 0, 0, number),
        (at_least, 0, 1, NEWEST + 1),  # x32 among them
        *unknown,
        (equal, 0, 1, processor.clone3),  # its flags cannot be looked at: the C library then uses clone
        *unknown,
        *[step for each in processor.refused for step in ((equal, 0, 1, each), *refuse)],
        (equal, 0, 4, processor.clone),
        (load, 0, 0, first),
        (any_of, 1, 0, NEW_THREAD),
        *refuse,
        (answer, 0, 0, ALLOW),
        (equal, 0, 4, processor.prlimit),
        (load, 0, 0, first),
        (equal, 1, 0, 0),  # its own limits
        *refuse,
        (answer, 0, 0, ALLOW),
        (answer, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
