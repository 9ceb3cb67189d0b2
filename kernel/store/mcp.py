"""What MCP servers say of their tools: the version that was reviewed, and the one that was seen last."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, update
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
