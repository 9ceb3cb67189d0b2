"""What the rules said, by version: kept so that any decision can be repeated as it was."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Field, Session, SQLModel, col

from kernel.store.columns import JsonText, Moment
from kernel.store.database import insert_new
from kernel.types import Json


class KeptRules(SQLModel, table=True):
    """A set of rules that was in force. Never changed: its version is the digest of its content."""

    __tablename__ = "rule_set"

    version: str = Field(primary_key=True)
    content: Json = Field(sa_type=JsonText)  # what `rules.engine.ruleset.from_content` takes
    first_at: datetime = Field(sa_type=Moment)


def keep(session: Session, version: str, content: Json, now: datetime) -> bool:
    """Keep a set of rules; False if it is there already."""
    return insert_new(session, KeptRules, {"version": version, "content": content, "first_at": now})


def content(session: Session, version: str) -> Json | None:
    """What the rules of this version said; None where they were not kept."""
    statement = select(col(KeptRules.content)).where(col(KeptRules.version) == version)
    return session.connection().execute(statement).scalar()
