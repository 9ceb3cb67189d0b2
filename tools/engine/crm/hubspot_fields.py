"""What a record is called in HubSpot: the names of its fields there, and how their values are written.

Source: HubSpot's public OpenAPI documents of its CRM objects, version 3, and its guides to notes and tasks.
"""

from __future__ import annotations

import html
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from selectolax.lexbor import LexborHTMLParser

from tools.engine.crm.records import KINDS, Record
from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES: Mapping[str, str] = {
    "company": "companies",
    "contact": "contacts",
    "deal": "deals",
    "note": "notes",
    "task": "tasks",
}
NAMES: Mapping[str, Mapping[str, str]] = {  # kind -> our field -> HubSpot's property
    "company": {
        "name": "name",
        "website": "website",
        "phone": "phone",
        "industry": "industry",
        "text": "description",
    },
    "contact": {"email": "email", "phone": "phone", "role": "jobtitle"},
    "deal": {
        "name": "dealname",
        "amount": "amount",
        "currency": "deal_currency_code",
        "stage": "dealstage",
        "due": "closedate",
        "text": "description",
    },
    "note": {},
    "task": {"name": "hs_task_subject", "text": "hs_task_body", "due": "hs_timestamp", "done": "hs_task_status"},
}
ALSO: Mapping[str, tuple[str, ...]] = {  # what is read beside them
    "contact": ("firstname", "lastname"),
    "note": ("hs_note_body", "hs_timestamp"),
}
CHANGED = {"contact": "lastmodifieddate"}  # the property that says when; of the other kinds "hs_lastmodifieddate"
DONE, OPEN = "COMPLETED", "NOT_STARTED"
PROSE = frozenset({"hs_note_body", "hs_task_body"})  # HTML


def properties_of(kind: str) -> list[str]:
    """What is asked for of a record."""
    return [*NAMES[kind].values(), *ALSO.get(kind, ())]


def ref_of(kind: str, number: str) -> str:
    """What we call a record of HubSpot."""
    return f"{kind}-{number}"


def parts_of(ref: str) -> tuple[str, str]:
    """The kind and the number of a record. CannotDo where it is none of HubSpot's."""
    kind, _, number = ref.partition("-")
    if kind not in KINDS or not number.isdecimal():
        raise CannotDo(f"There is no record {ref[:40]}. Look it up with search_crm.")
    return kind, number


def written(kind: str, name: str, fields: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The properties of a new record. CannotDo where HubSpot keeps no such thing."""
    found = changed(kind, name, fields)
    if kind == "note":
        found |= {"hs_note_body": _note(name, fields.get("text", ""))}
    if kind in {"note", "task"}:  # neither is without a time
        found.setdefault("hs_timestamp", _moment(now))
    if kind == "task":
        found.setdefault("hs_task_status", OPEN)
    return found


def changed(kind: str, name: str, fields: Mapping[str, str]) -> dict[str, str]:
    """The properties that these fields are; an empty name is none, an empty value empties its property."""
    lacks = sorted(field for field in fields if field not in NAMES[kind] and not (kind == "note" and field == "text"))
    if lacks:
        raise CannotDo(f"HubSpot keeps no {', '.join(lacks)} of a {kind}. Put it into a note about it.")
    found = {NAMES[kind][field]: _value(field, value) for field, value in fields.items() if field in NAMES[kind]}
    if name and kind == "contact":
        first, _, last = name.rpartition(" ")
        found |= {"firstname": first or last, "lastname": last if first else ""}
    elif name and kind != "note":
        found[NAMES[kind]["name"]] = name
    return {key: _html(value) if key in PROSE else value for key, value in found.items()}


def difference(before: Record, after: Record) -> dict[str, str]:
    """The properties that change one record into the other."""
    if before.kind == "note":
        same = (before.name, before.fields.get("text", "")) == (after.name, after.fields.get("text", ""))
        return {} if same else {"hs_note_body": _note(after.name, after.fields.get("text", ""))}
    names = sorted(before.fields.keys() | after.fields.keys())
    fields = {key: after.fields.get(key, "") for key in names if before.fields.get(key) != after.fields.get(key)}
    return changed(before.kind, after.name if after.name != before.name else "", fields)


def read(kind: str, found: Any, about: str = "") -> Record | None:
    """A record from HubSpot's answer; None where it is none. What outsiders wrote stands in it as well."""
    known = found.get("properties") if isinstance(found, dict) else None
    number = str(found.get("id", "")) if isinstance(found, dict) else ""
    if not isinstance(known, dict) or not number.isdecimal():
        return None
    values = {key: str(value) for key, value in known.items() if value is not None and value != ""}
    text = {key: _plain(value) if key in PROSE else value for key, value in values.items()}
    fields = {field: _shown(field, text[there]) for field, there in NAMES[kind].items() if there in text}
    name = fields.pop("name", "")
    if kind == "contact":
        name = " ".join(filter(None, (text.get("firstname"), text.get("lastname"))))
    elif kind == "note":
        name, _, rest = text.get("hs_note_body", "").partition("\n")
        fields |= {"text": rest.strip()} if rest.strip() else {}
    return Record(
        ref=ref_of(kind, number), kind=kind, name=name[:200] or "[no name]", fields=fields, about=about
    )  # its origin is outside_text: forms and customers write into it


def _note(name: str, text: str) -> str:
    return _html(f"{name}\n{text}" if text else name)


def _html(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>")


def _plain(text: str) -> str:
    parsed = LexborHTMLParser(text.replace("<br>", "\n").replace("<br/>", "\n").replace("</p>", "</p>\n"))
    return parsed.body.text(separator="").strip() if parsed.body else ""


def _value(field: str, value: str) -> str:
    if field == "due" and value:
        return _moment(datetime.combine(date.fromisoformat(value), time(12), UTC))
    if field == "done":
        return DONE if value == "yes" else OPEN
    return value


def _shown(field: str, value: str) -> str:
    if field == "due":
        return value[:10]
    if field == "done":
        return "yes" if value == DONE else "no"
    return value


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
