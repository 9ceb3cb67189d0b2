"""From the bytes of a file in the workspace to the text that an agent reads."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from knowledge.engine.readable import NotReadable
from tools.engine.failure import CannotDo
from tools.engine.files.workspace import LARGEST_FILE, text_in

if TYPE_CHECKING:
    from tools.engine.context import ToolContext

DOCUMENTS = frozenset({".pdf", ".docx", ".xlsx", ".xlsm", ".pptx"})  # parsed; anything else is read as it stands


async def text_of(path: str, content: bytes, ctx: ToolContext) -> str:
    """The text of a file; CannotDo says why there is none."""
    if PurePath(path).suffix.lower() in DOCUMENTS:
        try:
            return await ctx.knowledge.text_of(PurePath(path).name, content)
        except NotReadable as error:
            raise CannotDo(f"{path} cannot be read. {error.message}") from error
    if len(content) > LARGEST_FILE:
        raise CannotDo(f"{path} is larger than {LARGEST_FILE:,} bytes.")
    return text_in(content, path)
