"""Markdown and plain text; and from bytes to text for every other format that is one."""

from __future__ import annotations

import codecs

from knowledge.engine.readable import NotReadable, Parsed, check_size

SUFFIXES = (".md", ".markdown", ".txt", ".text", ".rst", ".log")
MARKDOWN = (".md", ".markdown")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])


def read(data: bytes) -> Parsed:
    """The text as it stands."""
    return Parsed(text=no_web_page(decode(data)), format="text")


def no_web_page(text: str) -> str:
    """The text; NotReadable for a whole web page under the name of a text, a login page as a rule."""
    if text[:200].lstrip().lower().startswith("<!doctype html"):
        raise NotReadable(
            "It is a web page, whatever its name says.", hint="It is often the login page of the site it came from."
        )
    return text


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
