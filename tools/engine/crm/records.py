"""What a record of the CRM holds, how it is shown, and how it travels as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import Field

from kernel.types import Frozen, Origin
from tools.engine.arguments import Arguments, OneLine
from tools.engine.failure import CannotDo
from tools.engine.fields import From, Returned, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal["company", "contact", "deal", "note", "task"]
KINDS: tuple[str, ...] = get_args(Kind)
MOST_ROWS = 2_000  # of one import
REF = r"^((?i:C)-[0-9A-Za-z]{4,10}|(company|contact|deal|note|task)-[0-9]{1,20})$"  # in our tables, in HubSpot
Wanted = tuple[str, dict[str, str], str]  # of a new record: name, fields, about
HAS: Mapping[str, tuple[str, ...]] = {
    "company": ("website", "phone", "industry", "text"),
    "contact": ("email", "phone", "role", "text"),
    "deal": ("amount", "currency", "stage", "due", "text"),
    "note": ("text",),
    "task": ("due", "owner", "done", "text"),
}


def normal(ref: str) -> str:
    """The ref as it is kept: those of our own tables in capitals."""
    return ref.upper() if ref[:2] in {"c-", "C-"} else ref


Short = Annotated[OneLine, Field(max_length=300)]


class Values(Arguments):
    """What stands in a record. What is left out stays as it is; '' empties a field."""

    email: Short | None = Field(default=None, description="Of a contact: the address")
    phone: Short | None = Field(default=None, description="Of a company or contact: the number")
    website: Short | None = Field(default=None, description="Of a company: the address")
    industry: Short | None = Field(default=None, description="Of a company: what it does")
    role: Short | None = Field(default=None, description="Of a contact: what they do there")
    amount: Short | None = Field(default=None, pattern=r"^(-?\d{1,12}(\.\d{1,2})?)?$", description="Of a deal: 1200.50")
    currency: Short | None = Field(default=None, pattern=r"^([A-Z]{3})?$", description="Of a deal: EUR")
    stage: Short | None = Field(default=None, description="Of a deal: how far it is")
    due: Short | None = Field(
        default=None, pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="Of a deal or task: the day, 2026-03-31"
    )
    owner: Short | None = Field(default=None, description="Of a task: the id of a person of the team")
    done: Literal["yes", "no", ""] | None = Field(default=None, description="Of a task: yes or no")
    text: str | None = Field(default=None, max_length=20_000, description="Notes, in prose")

    def given(self, kind: str) -> dict[str, str]:
        """The fields that were given. CannotDo where a record of that kind has no such field."""
        fields = {name: str(value) for name, value in self.model_dump().items() if value is not None}
        strange = sorted(fields.keys() - set(HAS[kind]))
        if strange:
            raise CannotDo(f"A {kind} has no {', '.join(strange)}. It has: name, {', '.join(HAS[kind])}.")
        return fields


class Record(Frozen):
    """A record as it is kept."""

    ref: str  # C-7F3K; contact-512 in HubSpot
    kind: str
    name: str
    fields: dict[str, str] = Field(default_factory=dict)
    about: str = ""  # ref of the record that it belongs to
    origin: Origin = "outside_text"

    def with_(self, name: str, fields: Mapping[str, str]) -> Record:
        """The record with these fields changed; '' empties one."""
        merged = {key: value for key, value in {**self.fields, **fields}.items() if value}
        return self.model_copy(update={"name": name or self.name, "fields": merged})


class CrmRow(Returned):
    """A record as agents read it."""

    ref: Annotated[str, From(names=True)]
    kind: str
    name: Annotated[str, From(title=True)]
    email: Annotated[str | None, From(names=True, personal=True)] = None
    phone: Annotated[str | None, From(personal=True)] = None
    website: str | None = None
    industry: str | None = None
    role: str | None = None
    amount: str | None = None
    currency: str | None = None
    stage: str | None = None
    due: str | None = None
    owner: str | None = None
    done: str | None = None
    text: str | None = None
    about: Annotated[str | None, From(names=True)] = None


def row(record: Record) -> Row:
    """The record with its label."""
    shown = CrmRow(ref=record.ref, kind=record.kind, name=record.name, about=record.about or None, **record.fields)
    return Row(record=shown, origin=record.origin, source=f"crm:{record.ref}")


def lines(record: Record) -> list[str]:
    """The record for people, one field a line."""
    about = [f"about: {record.about}"] if record.about else []
    return [f"name: {record.name}", *(f"{name}: {value}" for name, value in sorted(record.fields.items())), *about]


def to_csv(kind: str, records: Iterable[Record]) -> str:
    """The records as CSV. A value that a spreadsheet would take for a formula is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("ref", "name", *HAS[kind], "about"))
    for record in records:
        values = (record.ref, record.name, *(record.fields.get(name, "") for name in HAS[kind]), record.about)
        writer.writerow([f"'{value}" if value[:1] in "=+-@\t\r" and value[:1] else value for value in values])
    return text.getvalue()


def from_csv(kind: str, text: str) -> list[tuple[str, dict[str, str], str]]:
    """Name, fields and `about` of every row. CannotDo names the row that does not fit."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    known = {"ref", "name", "about", *HAS[kind]}
    heads = [head.strip().lower() for head in reader.fieldnames or ()]
    reader.fieldnames = heads
    if "name" not in heads:
        raise CannotDo(
            f"The first line has to name the columns, 'name' among them: name, {', '.join(HAS[kind])}, about."
        )
    if strange := sorted(set(heads) - known):
        raise CannotDo(f"A {kind} has no {', '.join(strange)[:200]}. It has: name, {', '.join(HAS[kind])}, about.")
    found = []
    for number, line in enumerate(reader, 2):
        if number > MOST_ROWS + 1:
            raise CannotDo(f"At most {MOST_ROWS:,} rows can be imported at a time.")
        found.append(_of_line(kind, number, {key: (value or "").strip() for key, value in line.items() if key}))
    return found


def _of_line(kind: str, number: int, line: dict[str, str]) -> tuple[str, dict[str, str], str]:
    plain = {
        key: value.removeprefix("'") if value[:2] in {"'=", "'+", "'-", "'@"} else value for key, value in line.items()
    }
    try:
        values = Values.model_validate({key: value for key, value in plain.items() if key in HAS[kind] and value})
    except ValueError as error:
        raise CannotDo(f"Line {number} does not fit: a value is not what its column wants.") from error
    name = plain.get("name", "")
    if not name or len(name) > 200 or not name.isprintable():
        raise CannotDo(f"Line {number} does not fit: every record needs a name of at most 200 characters.")
    return name, values.given(kind), plain.get("about", "")
