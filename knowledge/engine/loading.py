"""From the bytes of a file to its text: which formats are read, and why the others are refused."""

from __future__ import annotations

import codecs
import hashlib
from pathlib import PurePath
from typing import TYPE_CHECKING

from kernel.errors import BosunError

if TYPE_CHECKING:
    from knowledge.engine.documents import Format

MAX_BYTES = 20 * 1024 * 1024
FORMATS: dict[str, Format] = {".md": "markdown", ".txt": "text"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])


class NotReadable(BosunError):
    """This file cannot be read."""

    code = "not_readable"


def format_of(name: str) -> Format:
    """The format that a file's name says; NotReadable for one that is not read."""
    suffix = PurePath(name).suffix.lower()
    if suffix not in FORMATS:
        what = f"{suffix} files are" if suffix else "A file without an extension is"
        raise NotReadable(f"{what} not read yet.", hint="Markdown (.md) and plain text (.txt) are.")
    return FORMATS[suffix]


def check_size(size: int) -> None:
    """NotReadable where a file is too large."""
    if size > MAX_BYTES:
        raise NotReadable(f"It is larger than {MAX_BYTES // 1024**2} MB.", hint="Split it into several documents.")


def decode(data: bytes) -> str:
    """The text of a file, with plain line ends and without control characters.

    UTF-8, or what a byte order mark says; else what charset-normalizer finds. NotReadable says why not: too large,
    empty, not text, in an encoding that cannot be told.
    """
    check_size(len(data))
    text = _unicode(data).replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROL)
    if not text.strip():
        raise NotReadable("It is empty.")
    return text


def _unicode(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise NotReadable(f"It starts like {encoding} and is not.", hint="Save it as UTF-8.") from error
    if b"\0" in data:
        raise NotReadable("It is not text.", hint="Only its name says so.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _guessed(data)


def _guessed(data: bytes) -> str:
    """A text in an older encoding."""
    import charset_normalizer  # 30 ms, and nearly every file is UTF-8

    best = charset_normalizer.from_bytes(data).best()
    if best is None:
        raise NotReadable("It is not text, or its encoding cannot be told.", hint="Save it as UTF-8.")
    return str(best)


def content_hash(*parts: str) -> str:
    """SHA-256 of some texts in order, 64 hexadecimal digits."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()
