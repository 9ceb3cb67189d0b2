"""Signed checkpoints of the ledger, as this installation has kept them; what one means is kernel/checkpoints.py."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import Moment


class CheckpointRow(SQLModel, table=True):
    """The end of the ledger at one moment. Never changed."""

    __tablename__ = "checkpoint"

    entries: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # of the ledger by then
    head: str  # hash of the last one
    at: datetime = Field(sa_type=Moment)
    key: str  # public key, hexadecimal
    signature: str  # hexadecimal


def kept(session: Session) -> list[CheckpointRow]:
    """All of them, oldest first."""
    return list(session.exec(select(CheckpointRow).order_by(col(CheckpointRow.entries))))


def newest(session: Session) -> CheckpointRow | None:
    """The last one."""
    return session.exec(select(CheckpointRow).order_by(col(CheckpointRow.entries).desc()).limit(1)).first()
