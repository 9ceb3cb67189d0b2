"""What the rules said, by version."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "rule_set",
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("content", columns.JsonText(), nullable=False),
        sa.Column("first_at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
