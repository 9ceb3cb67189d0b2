"""From the bytes of a file to its text. Whatever is not plain text is parsed in a process of its own, with limits.

A broken or hostile file costs that process and a sentence, nothing else.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import pkgutil
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple, Protocol

import orjson

from kernel.config import ROOT
from kernel.errors import BosunError
from knowledge.engine import formats
from knowledge.engine.formats import plain
from knowledge.engine.readable import NotReadable, Parsed, check_length, check_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Place

SECONDS = 60.0  # for one file, by the clock
AT_ONCE = 2  # files that are parsed side by side
PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
DESCRIBED = "A picture, as the language model describes it:"
MAX_PICTURE = 5 * 1024 * 1024  # bytes: what model services take
STARTS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}


class NoEyes(BosunError):
    """It is a picture, and no language model is configured that could look at it."""

    code = "no_eyes"


class Behalf(NamedTuple):
    """For whom a file is read: what that costs is theirs."""

    person: str = ""  # Person id; empty: it is of a source
    place: Place | None = None


NOBODY = Behalf()


class Eyes(Protocol):
    """Whoever can look at a picture."""

    async def describe(self, picture: bytes, media_type: str, behalf: Behalf) -> str:
        """What is on it, and every text in it, as Markdown. NotReadable or ModelError where it cannot be looked at."""
        ...


class Reader:
    """Reads files. `eyes`: who looks at pictures; without them pictures wait until there are some."""

    def __init__(self, eyes: Eyes | None = None) -> None:
        self.eyes = eyes
        self._at_once: asyncio.Semaphore | None = None

    async def read(self, name: str, data: bytes, behalf: Behalf = NOBODY) -> Parsed:
        """The text of a file; NotReadable says why there is none. The name says which format it should be.

        NoEyes or ModelError for a picture that cannot be looked at now.
        """
        check_size(len(data))
        suffix = suffix_of(name)
        if suffix in PICTURES:
            return await self._look(data, PICTURES[suffix], behalf)
        if suffix in plain.SUFFIXES:
            text = plain.no_web_page(await asyncio.to_thread(plain.decode, data))
            return Parsed(text=check_length(text), format="markdown" if suffix in plain.MARKDOWN else "text")
        if not data:
            raise NotReadable("It is empty.")
        if self._at_once is None:
            self._at_once = asyncio.Semaphore(AT_ONCE)
        async with self._at_once:
            parsed = await _in_a_process(suffix, data)
        check_length(parsed.text)
        return parsed

    async def _look(self, data: bytes, media_type: str, behalf: Behalf) -> Parsed:
        if not data.startswith(STARTS[media_type]):
            raise NotReadable("It is not a picture of this kind, whatever its name says.")
        if len(data) > MAX_PICTURE:
            raise NotReadable(f"The picture is larger than {MAX_PICTURE // 1024**2} MB.")
        if self.eyes is None:
            raise NoEyes
        said = check_length(await self.eyes.describe(data, media_type, behalf))
        return Parsed(text=f"{DESCRIBED}\n\n{said}", by_model=True)


def suffix_of(name: str) -> str:
    """The suffix of a file that can be read; NotReadable for any other."""
    suffix = PurePath(name).suffix.lower()
    if suffix not in modules() and suffix not in PICTURES:
        what = f"{suffix} files are" if suffix else "A file without an extension is"
        known = ", ".join(sorted([*modules(), *PICTURES]))
        raise NotReadable(f"{what} not read.", hint=f"Read are {known}.")
    return suffix


@functools.cache
def modules() -> Mapping[str, str]:
    """Suffix -> the module of the format."""
    found: dict[str, str] = {}
    for info in pkgutil.iter_modules(formats.__path__, f"{formats.__name__}."):
        module = importlib.import_module(info.name)
        found.update(dict.fromkeys(getattr(module, "SUFFIXES", ()), info.name))
    return found


async def _in_a_process(suffix: str, data: bytes) -> Parsed:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "knowledge.engine.reading_process",
        modules()[suffix],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "MALLOC_ARENA_MAX": "2"},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(SECONDS):
            answer, _ = await process.communicate(data)
    except TimeoutError as error:
        raise NotReadable("Reading it took too long, so it was given up.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not answer:
        raise NotReadable("Reading it needed more time or memory than a document may, so it was given up.")
    said = orjson.loads(answer)
    if "refused" in said:
        raise NotReadable(said["refused"], hint=said["hint"])
    return Parsed.model_validate(said)
