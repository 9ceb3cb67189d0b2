"""From the bytes of a file in the workspace to the text that an agent reads."""

from __future__ import annotations

from tools.engine.failure import CannotDo
from tools.engine.files.workspace import LARGEST_FILE, text_in


async def text_of(path: str, content: bytes) -> str:
    """The text of a file; CannotDo says why there is none."""
    if len(content) > LARGEST_FILE:
        raise CannotDo(f"{path} is larger than {LARGEST_FILE:,} bytes.")
    return text_in(content, path)
