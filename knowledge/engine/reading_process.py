"""The process that parses one file: `python -m knowledge.engine.reading_process MODULE`, bytes in, JSON out."""

from __future__ import annotations

import importlib
import os
import sys
import warnings

import orjson

from knowledge.engine.readable import NotReadable, Parsed

MEMORY = 1024**3  # bytes of address space
PROCESSOR = 30  # seconds
NICENESS = 10


def main() -> None:
    """Parse what is on stdin."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get into the answer
    _limit()
    warnings.simplefilter("ignore")
    try:
        parsed: Parsed = importlib.import_module(sys.argv[1]).read(sys.stdin.buffer.read())
        answer = parsed.model_dump()
    except NotReadable as error:
        answer = {"refused": error.message, "hint": error.hint}
    except MemoryError:
        answer = {"refused": "Reading it needed more memory than a document may.", "hint": ""}
    except Exception as error:  # whatever a library raises for a broken file
        answer = {"refused": f"It is damaged or not of this kind ({type(error).__name__}).", "hint": ""}
    answers.write(orjson.dumps(answer, option=orjson.OPT_NON_STR_KEYS))
    answers.flush()
    os._exit(0)


def _limit() -> None:
    """As much time and memory as a document may take; where the system has no limits, the caller's clock is one."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.nice(NICENESS)


if __name__ == "__main__":
    main()
