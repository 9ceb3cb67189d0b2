"""workflow drafts."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "workflow_draft",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", columns.SqlText(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("run_ref", sa.String(), nullable=False),
        sa.Column("at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("ref"),
    )
