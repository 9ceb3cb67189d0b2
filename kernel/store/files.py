"""Where the texts in the workspace come from. A file that was changed in another way has no label here."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlmodel import Field, Session, SQLModel, select

from kernel.store.columns import Moment

if TYPE_CHECKING:
    from collections.abc import Iterable


class FileLabel(SQLModel, table=True):
    """The origin of one version of a file, known by its content."""

    __tablename__ = "file_label"

    path: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)  # SHA-256 of the content
    origin: str
    run_id: str  # the run that wrote it
    written_at: datetime = Field(sa_type=Moment)


def label(session: Session, path: str, digest: str) -> FileLabel | None:
    """The label of this version of the file."""
    return session.get(FileLabel, (path, digest))


def labels(session: Session, paths: Iterable[str]) -> list[FileLabel]:
    """All labels of these files, of whatever version."""
    return list(session.exec(select(FileLabel).where(FileLabel.path.in_(list(paths)))))  # type: ignore[attr-defined]


def record(session: Session, path: str, digest: str, *, origin: str, run_id: str, now: datetime) -> None:
    """Label a version, before it is written; a label that it has already is replaced."""
    session.merge(FileLabel(path=path, digest=digest, origin=origin, run_id=run_id, written_at=now))


def forget_others(session: Session, path: str, digest: str) -> None:
    """Drop the labels of the versions that `digest` has replaced."""
    session.connection().execute(
        delete(FileLabel).where(FileLabel.path == path, FileLabel.digest != digest)  # type: ignore[arg-type]
    )


def copy(session: Session, path: str, to: str) -> None:
    """Give the labels of a file to another path, before it is moved there."""
    for row in labels(session, [path]):
        session.merge(FileLabel(**(row.model_dump() | {"path": to})))
