"""Accounts that belong to one person beyond what people.yaml says, and the codes by which they are linked.

An account is named by its key, "platform:tenant:user". What a link means is bot/engine/linked.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from kernel.store.columns import JsonText, Moment, partial
from kernel.store.database import insert_new
from kernel.types import Actor, Json, Place


class Link(SQLModel, table=True):
    """An account that counts as a person, until it is unlinked. What has ended is kept: votes look back."""

    __tablename__ = "link"
    __table_args__ = (  # an account is one person's at a time, whatever two processes do in the same instant
        partial("link_account", "account", where="ended_at IS NULL", unique=True),
    )

    id: str = Field(primary_key=True)
    account: str
    principal: str  # Person.id: a key of people.yaml, or the account key of somebody not listed there
    name: str  # of the account, as its platform showed it
    at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class LinkCode(SQLModel, table=True):
    """A code that somebody was given and has not used."""

    __tablename__ = "link_code"

    digest: str = Field(primary_key=True)  # of the code: who reads the database cannot use it
    account: str = Field(index=True)  # key of the account that asked for it
    actor: Json = Field(sa_type=JsonText)
    place: Json = Field(sa_type=JsonText)  # where it was asked for
    expires_at: datetime = Field(sa_type=Moment)


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkState:
    """A link as it was read; the columns mean what they mean in `Link`."""

    id: str
    account: str
    principal: str
    name: str
    at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """Who asked for a code, and where."""

    digest: str
    actor: Actor
    place: Place
    expires_at: datetime


_NAMES = tuple(LinkState.__dataclass_fields__)


def since(session: Session, before: datetime) -> list[LinkState]:
    """The links that hold, and those that have ended after `before`; oldest first."""
    lasting = or_(col(Link.ended_at).is_(None), col(Link.ended_at) > before)
    found = select(*(getattr(Link, name) for name in _NAMES)).where(lasting).order_by(col(Link.at), col(Link.id))
    return [LinkState(**row._mapping) for row in session.connection().execute(found)]


def add(session: Session, link: LinkState) -> bool:
    """Link an account; False, and nothing changed, where it is linked already."""
    return insert_new(session, Link, {name: getattr(link, name) for name in _NAMES})


def follow(session: Session, principal: str, to: str) -> None:
    """Everything that is linked with one person is linked with another from now on."""
    moved = update(Link).where(col(Link.principal) == principal, col(Link.ended_at).is_(None)).values(principal=to)
    session.connection().execute(moved)


def end(session: Session, account: str, now: datetime) -> bool:
    """Unlink an account; False where it is not linked."""
    ended = update(Link).where(col(Link.account) == account, col(Link.ended_at).is_(None)).values(ended_at=now)
    return session.connection().execute(ended).rowcount == 1


def offer(session: Session, code: Code) -> None:
    """Keep a code; an earlier one of the same account counts no longer."""
    session.connection().execute(delete(LinkCode).where(col(LinkCode.account) == code.actor.account))
    values = {
        "digest": code.digest,
        "account": code.actor.account,
        "actor": code.actor.model_dump(mode="json", exclude_defaults=True),
        "place": code.place.model_dump(mode="json", exclude_defaults=True),
        "expires_at": code.expires_at,
    }
    insert_new(session, LinkCode, values)


def offered(session: Session, digest: str, now: datetime) -> Code | None:
    """The code, while it counts."""
    found = session.get(LinkCode, digest)
    if found is None or found.expires_at <= now:
        return None
    actor, place = Actor.model_validate(found.actor), Place.model_validate(found.place)
    return Code(digest=digest, actor=actor, place=place, expires_at=found.expires_at)


def use(session: Session, digest: str) -> bool:
    """Use a code up; False where somebody was first."""
    return session.connection().execute(delete(LinkCode).where(col(LinkCode.digest) == digest)).rowcount == 1
