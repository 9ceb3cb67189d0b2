"""What a tool returns, field by field: each field declares where its value comes from, and a field without a
declaration carries the label of its record."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from kernel.types import Labelled, Origin, Source, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kernel.types import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class From:
    """Where the value of a field comes from: `email: Annotated[str, From(origin="address_book", names=True)]`.

    Give an origin only where the field can hold nothing else: an administered record (`address_book`, `member`,
    `paid_before`) or what this call has made (`made_here`). A field that an outsider can fill has none.
    """

    origin: Origin | None = None  # None: the label of the record
    names: bool = False  # an id, a path or an address: a requester whose words found this one record meant it too
    title: bool = False  # what people call the record: of several, the one that is called as they typed is meant
    personal: bool = False  # personal or secret data


PLAIN = From()


class Returned(BaseModel):
    """Base of what a tool returns as a record; closed and immutable. Fields that are not set are not shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A record with its label. Without one it counts as text from outside."""

    record: Returned
    origin: Origin = "outside_text"
    source: str = ""  # "payment:P-7F3K"
    personal: bool = False  # all of it
    readers: tuple[str, ...] = ()  # empty: the whole team


def rows_of(
    records: Iterable[Returned],
    *,
    origin: Origin = "outside_text",
    source: str = "",
    personal: bool = False,
    readers: tuple[str, ...] = (),
) -> list[Row]:
    """The records, all with the same label."""
    return [Row(record=record, origin=origin, source=source, personal=personal, readers=readers) for record in records]


def records(
    rows: Sequence[Row],
    *,
    summary: str = "",
    empty: str = "Nothing was found.",
    note: str = "",
    more: bool = False,
    sources: tuple[Source, ...] = (),
) -> ToolResult:
    """The result that shows these records, one a line, every value with its origin.

    `note` is a sentence of our own behind them; `empty` is the sentence where there are none. `more`: others fit as
    well, so that none of them is the one that a look-up found.
    """
    note = f"{note} There are more that fit.".strip() if more else note
    shown = [row.record.model_dump(mode="json", exclude_none=True) for row in rows]
    pieces = [piece for number, row in enumerate(rows, 1) for piece in _pieces(number, row, shown[number - 1])]
    lines = [" | ".join(f"{name}: {_text(value)}" for name, value in record.items()) for record in shown]
    if not rows:
        lines = [empty]
    lines += [note] if note else []
    own = tuple(Labelled(text=sentence, origin="nowhere") for sentence in (empty if not rows else "", note) if sentence)
    data = {"records": shown, **({"more": True} if more else {})}
    return ToolResult(content="\n".join(lines), pieces=(*pieces, *own), sources=sources, data=data, summary=summary)


def declared(model: type[Returned], name: str) -> From:
    """What the model says of its field."""
    return next((each for each in model.model_fields[name].metadata if isinstance(each, From)), PLAIN)


def _pieces(number: int, row: Row, shown: dict[str, Json]) -> Iterable[Labelled]:
    model = type(row.record)
    for name, value in shown.items():
        field = declared(model, name)
        for leaf in _leaves(value):
            yield Labelled(
                text=leaf,
                origin=field.origin or row.origin,
                source=row.source,
                field=name,
                record=number,
                names=field.names,
                title=field.title,
                personal=field.personal or row.personal,
                readers=row.readers,
            )


def _leaves(value: Json) -> Iterable[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif value is not None and value != "":
        yield _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
