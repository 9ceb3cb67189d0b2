"""Excel workbooks: every sheet a heading with its rows as a table; formulas as the values that were last computed."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

from knowledge.engine.formats.packed import check_package
from knowledge.engine.readable import MAX_CHARACTERS, NotReadable, Parsed, cell, table

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".xlsx", ".xlsm")
MAX_CELLS = 200_000  # with something in them
MAX_BLANK = 2_000  # empty rows in a row: a sheet that says it has a million is read no further


def read(data: bytes) -> Parsed:
    """The rows of all sheets. NotReadable for more cells than anybody reads."""
    import openpyxl

    check_package(data, "an Excel workbook", "xl/workbook.xml")
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        parts = list(_sheets(book))
    except NotReadable:
        raise
    except Exception as error:  # openpyxl raises whatever the broken part makes it
        raise NotReadable("It is damaged: its sheets cannot be read.") from error
    return Parsed(text="\n\n".join(parts))


def _sheets(book: Any) -> Iterator[str]:
    left = MAX_CELLS
    for sheet in book.worksheets:
        rows, blank = [], 0
        for values in sheet.iter_rows(values_only=True):
            row = [cell(_plain(value)) for value in values]
            filled = sum(map(bool, row))
            blank = 0 if filled else blank + 1
            left -= filled
            if left < 0:
                raise NotReadable(
                    f"It has more than {MAX_CELLS:,} filled cells.",
                    hint="Keep what people ask about.",
                )
            if blank > MAX_BLANK:
                break
            if filled:
                rows.append(row)
        if rows and (shown := table(rows)):
            yield f"# {cell(sheet.title)}\n\n{shown[:MAX_CHARACTERS]}"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M")
    return value
