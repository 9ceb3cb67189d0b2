"""Who is on the way back from a page where they sign in to an MCP server."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "mcp_sign_in",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("server", sa.String(), nullable=False),
        sa.Column("began_at", columns.Moment(), nullable=False),
        sa.Column("answer", columns.JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
