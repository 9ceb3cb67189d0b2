"""What was written by runs that had read personal or secret data: whoever reads it has read such data too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.database import insert_new

if TYPE_CHECKING:
    from collections.abc import Iterable


class PersonalMark(SQLModel, table=True):
    """One text, of whatever kind. A mark is never taken away: what is new has a subject of its own."""

    __tablename__ = "personal_mark"

    subject: str = Field(primary_key=True)  # "run:R-7F3K", "document:...", "file:PATH:DIGEST"


def of_run(ref: str) -> str:
    """What a run said."""
    return f"run:{ref}"


def of_document(document_id: str) -> str:
    """A document or a memory."""
    return f"document:{document_id}"


def of_file(key: str, digest: str) -> str:
    """One version of a file."""
    return f"file:{key}:{digest}"


def mark(session: Session, subject: str) -> None:
    """Note it."""
    insert_new(session, PersonalMark, {"subject": subject})


def marked(session: Session, subjects: Iterable[str]) -> frozenset[str]:
    """Those of the subjects that are marked."""
    wanted = list(dict.fromkeys(subjects))
    if not wanted:
        return frozenset()
    found = session.exec(select(PersonalMark.subject).where(col(PersonalMark.subject).in_(wanted)))
    return frozenset(found)
