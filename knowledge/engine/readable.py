"""What reading a file gives, and why it gives nothing: the words between the formats and everybody else."""

from __future__ import annotations

from typing import Literal

from kernel.errors import BosunError
from kernel.types import Frozen

MAX_BYTES = 20 * 1024 * 1024  # of one file
MAX_CHARACTERS = 4_000_000  # of the text of one file: about 3,000 chunks

Format = Literal["markdown", "text", "pages", "chat"]


class NotReadable(BosunError):
    """This file cannot be read."""

    code = "not_readable"


class Parsed(Frozen):
    """The text of a file. In "pages" a form feed stands between two pages."""

    text: str
    format: Format = "markdown"
    title: str = ""  # as the file itself says
    by_model: bool = False  # a language model has put it into words


def check_size(size: int) -> None:
    """NotReadable where a file is too large."""
    if size > MAX_BYTES:
        raise NotReadable(f"It is larger than {MAX_BYTES // 1024**2} MB.", hint="Split it into several documents.")


def check_length(text: str) -> str:
    """The text; NotReadable where there is none, or more than can be searched sensibly."""
    if not text.strip():
        raise NotReadable("There is no text in it.", hint="A scan has to be recognised as text first.")
    if len(text) > MAX_CHARACTERS:
        raise NotReadable(
            f"It has more than {MAX_CHARACTERS:,} characters of text.", hint="Split it into several documents."
        )
    return text


def cell(value: object) -> str:
    """A value in a Markdown table: one line, no bars."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split()).replace("|", "\\|")


def table(rows: list[list[str]]) -> str:
    """Rows of cells as a Markdown table; the first row is its head. Empty columns at the right are left out."""
    width = max((index + 1 for row in rows for index, value in enumerate(row) if value), default=0)
    if not width:
        return ""
    lines = ["| " + " | ".join([*row[:width], *[""] * (width - len(row))]) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]])
