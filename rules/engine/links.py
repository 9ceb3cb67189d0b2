"""The links, addresses and account numbers in a free text: what leads a reader, or money, somewhere else."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Top-level domains that stand in prose without a scheme; with a scheme or "www." any name counts.
BARE = (
    "com|net|org|io|co|ai|app|dev|me|info|biz|xyz|site|online|shop|top|link|click|eu|ch|de|at|fr|it|es|nl|uk|us|ru|cn|"
    "in|jp|br|au|ca|pl|se|no|dk|fi|cz|gov|edu|mil|int|ly|to|gg|sh|cc|tv|ws|tk|ml"
)
URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>\"'`]+"
    rf"|(?<![\w@.])(?:[\w-]+\.)+(?:{BARE})(?![\w-])(?:[/?#:][^\s<>\"'`]*)?",
    re.IGNORECASE,
)
EMAIL = re.compile(r"(?<![\w.+-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){2,9}(?!\w)")
NUMBER = re.compile(r"(?<![\w.,])\+?\(?\d[\d ()/.-]{6,22}\d(?![\w%])")  # a phone, an account, a card
WALLET = re.compile(r"(?<!\w)(?:0x[0-9a-fA-F]{40}|bc1[0-9a-z]{20,70}|[13][1-9A-HJ-NP-Za-km-z]{25,34})(?!\w)")
LEAST_DIGITS = 8  # of a number that can be an account or a phone; dates are told apart
DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T]\d{1,2}[.:]?\d{0,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
TRAILING = ".,;:!?)]}'\"*_"


@lru_cache(maxsize=256)
def links(text: str) -> tuple[str, ...]:
    """Every link, mail address, account number, phone number and wallet in the text, in order, each once.

    Invisible characters and look-alike forms are undone first: nothing hides behind them.
    """
    shown = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    shown = shown.replace("[.]", ".").replace("(.)", ".").replace("hxxp", "http")
    found: dict[int, str] = {}
    taken: list[tuple[int, int]] = []
    for pattern in (EMAIL, URL, WALLET, IBAN, NUMBER):
        for match in pattern.finditer(shown):
            start, end = match.span()
            if any(start < until and since < end for since, until in taken):
                continue
            value = match[0].rstrip(TRAILING)
            if not value or (pattern is NUMBER and not _is_account(value)):
                continue
            if pattern is IBAN and not any(c.isdigit() for c in value[4:]):
                continue
            taken.append((start, end))
            found[start] = value
    return tuple(dict.fromkeys(found[start] for start in sorted(found)))


def _is_account(value: str) -> bool:
    return sum(c.isdigit() for c in value) >= LEAST_DIGITS and DATE.fullmatch(value.strip()) is None
