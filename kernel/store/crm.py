"""The local CRM: companies, contacts, deals, notes and tasks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment
from kernel.store.database import insert_new
from kernel.types import Json

KINDS = ("company", "contact", "deal", "note", "task")


class CrmRecord(SQLModel, table=True):
    """One record. `fields` holds what its kind has; a record that was deleted stays, with `deleted_at`."""

    __tablename__ = "crm_record"

    id: str = Field(primary_key=True)  # the call that made it: the same call makes it once
    ref: str = Field(unique=True)  # "C-7F3K"
    kind: str = Field(index=True)
    name: str  # of the company or person, title of the deal, first line of the note or task
    fields: Json = Field(sa_type=JsonText)  # {"email": ..., "amount": ...}
    about: str = Field(default="", index=True)  # ref of the record that it belongs to
    words: str = Field(sa_type=Text)  # everything that it is found by
    origin: str  # label of the run that wrote it last
    created_at: datetime = Field(sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)
    deleted_at: datetime | None = Field(default=None, sa_type=Moment, nullable=True)


def add(session: Session, record: CrmRecord) -> bool:
    """Store a new record; False if its call has made one or its ref is taken."""
    return insert_new(session, CrmRecord, record.model_dump())


def by_id(session: Session, record_id: str) -> CrmRecord | None:
    """The record that this call made."""
    return session.get(CrmRecord, record_id)


def by_ref(session: Session, ref: str) -> CrmRecord | None:
    """The record with this ref, deleted or not."""
    return session.exec(select(CrmRecord).where(col(CrmRecord.ref) == ref)).first()


def everything(session: Session) -> list[CrmRecord]:
    """All records that are there, in order of their refs."""
    return list(session.exec(select(CrmRecord).where(col(CrmRecord.deleted_at).is_(None)).order_by(col(CrmRecord.ref))))


def search(session: Session, kind: str | None, words: list[str], limit: int, about: str = "") -> list[CrmRecord]:
    """Records that contain every word, last changed first."""
    statement = select(CrmRecord).where(col(CrmRecord.deleted_at).is_(None))
    if kind is not None:
        statement = statement.where(col(CrmRecord.kind) == kind)
    if about:
        statement = statement.where(col(CrmRecord.about) == about)
    for word in words:
        statement = statement.where(col(CrmRecord.words).icontains(word, autoescape=True))
    return list(session.exec(statement.order_by(col(CrmRecord.changed_at).desc(), col(CrmRecord.ref)).limit(limit)))
