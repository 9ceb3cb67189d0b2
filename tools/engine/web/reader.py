"""From a fetched page to its title and text. HTML is taken apart in a process of its own, see readable.py."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tools.engine.failure import CannotDo
from tools.engine.web import readable

if TYPE_CHECKING:
    from tools.engine.web.page import Page

PARSING = 8  # seconds of work on one page


async def title_and_text(page: Page, *, seconds: int = PARSING) -> tuple[str, str]:
    """Title and text of a page; the title is empty where there is none. CannotDo if reading takes too long."""
    if "html" not in page.kind:
        return "", page.text[: readable.MOST_TEXT]
    reader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(Path(readable.__file__)),
        page.url,
        str(seconds),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.defpath},
    )
    try:
        async with asyncio.timeout(seconds):
            answer, _ = await reader.communicate(page.text.encode(errors="replace"))
    except TimeoutError as error:
        raise CannotDo("The page is built so that reading it takes too long.") from error
    finally:
        if reader.returncode is None:
            reader.kill()
            await reader.wait()
    if reader.returncode != 0:
        raise CannotDo("The page is built so that it cannot be read.")
    found = orjson.loads(answer)
    return found["title"], found["text"]
