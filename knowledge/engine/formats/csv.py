"""CSV and TSV: one table, its first row the head."""

from __future__ import annotations

import csv
import io

from knowledge.engine.formats.plain import decode, no_web_page
from knowledge.engine.readable import NotReadable, Parsed, cell, table

SUFFIXES = (".csv", ".tsv")
MAX_CELLS = 200_000
SAMPLE = 8_192  # characters from which the separator is told


def read(data: bytes) -> Parsed:
    """The rows; NotReadable for more cells than anybody reads."""
    text = no_web_page(decode(data))
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:SAMPLE], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows, cells = [], 0
    try:
        for row in csv.reader(io.StringIO(text), dialect):
            made = [cell(value) for value in row]
            cells += len(made)
            if cells > MAX_CELLS:
                raise NotReadable(
                    f"It has more than {MAX_CELLS:,} cells.", hint="Keep what people ask about, or use a database."
                )
            if any(made):
                rows.append(made)
    except csv.Error as error:
        raise NotReadable("Its rows cannot be told apart.", hint=str(error)) from error
    return Parsed(text=table(rows))
