"""What MCP servers say of their tools: the version that was reviewed, and the one that was seen last; and who is on the
way back from a page where they sign in to one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, delete, update
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment
from kernel.types import Json


class McpTool(SQLModel, table=True):
    """A tool of an MCP server. It is offered only while what is seen is what was accepted."""

    __tablename__ = "mcp_tool"

    server: str = Field(primary_key=True)
    tool: str = Field(primary_key=True)  # as the server calls it
    description: str = Field(sa_type=Text)  # as last seen
    arguments: Json = Field(sa_type=JsonText)  # JSON Schema, as last seen
    digest: str  # SHA-256 of both
    seen_at: datetime = Field(sa_type=Moment)
    accepted: str = ""  # the digest that was accepted; empty: none was
    accepted_description: str = Field(default="", sa_type=Text)
    accepted_arguments: Json = Field(default=None, sa_type=JsonText, nullable=True)
    accepted_by: str = ""  # Person id
    told: str = ""  # the digest that people were told of


class McpSignIn(SQLModel, table=True):
    """Somebody was sent to sign in. The code that they come back with is worth nothing to whoever did not send them."""

    __tablename__ = "mcp_sign_in"

    key: str = Field(primary_key=True)  # SHA-256 of the state that goes with them
    server: str
    began_at: datetime = Field(sa_type=Moment)
    answer: Json = Field(default=None, sa_type=JsonText, nullable=True)  # what they came back with


def of_server(session: Session, server: str) -> list[McpTool]:
    """All tools that the server was ever seen to offer, by name."""
    return list(session.exec(select(McpTool).where(col(McpTool.server) == server).order_by(col(McpTool.tool))))


def everything(session: Session) -> list[McpTool]:
    """All tools of all servers."""
    return list(session.exec(select(McpTool).order_by(col(McpTool.server), col(McpTool.tool))))


def get(session: Session, server: str, tool: str) -> McpTool | None:
    """The tool of a server."""
    return session.get(McpTool, (server, tool))


def save(session: Session, row: McpTool) -> None:
    """Store what is known of a tool."""
    session.merge(row)


def tell(session: Session, server: str, seen: dict[str, str]) -> bool:
    """Note that people are told of these tools (name -> digest); False if they were told of all of them before.

    One statement a tool: of two processes that see the same change, one tells of it.
    """
    fresh = False
    for tool, digest in seen.items():
        statement = (
            update(McpTool)
            .where(col(McpTool.server) == server, col(McpTool.tool) == tool, col(McpTool.told) != digest)
            .values(told=digest)
        )
        fresh = session.connection().execute(statement).rowcount > 0 or fresh
    return fresh


def accept(session: Session, server: str, tool: str, digest: str, by: str) -> bool:
    """Accept what is seen now, if that has this digest; False if it has changed since."""
    row = session.get(McpTool, (server, tool))
    if row is None or row.digest != digest:
        return False
    row.accepted, row.accepted_by = digest, by
    row.accepted_description, row.accepted_arguments = row.description, row.arguments
    session.add(row)
    return True


def begin_sign_in(session: Session, key: str, server: str, now: datetime) -> None:
    """Note that somebody was sent to sign in; what is older counts no longer."""
    session.connection().execute(delete(McpSignIn).where(col(McpSignIn.server) == server))
    session.add(McpSignIn(key=key, server=server, began_at=now))


def answer_sign_in(session: Session, key: str, answer: Json, since: datetime) -> str | None:
    """Keep what somebody came back with, once; the server, or None where nobody was sent since then."""
    row = session.get(McpSignIn, key)
    if row is None or row.began_at < since or row.answer is not None:
        return None
    row.answer = answer
    session.add(row)
    return row.server


def take_sign_in(session: Session, key: str) -> Json:
    """What somebody came back with, once; None where nobody has yet."""
    row = session.get(McpSignIn, key)
    if row is None or row.answer is None:
        return None
    session.delete(row)
    return row.answer
