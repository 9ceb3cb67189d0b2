"""What people say of answers."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "feedback",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "person"),
    )
    op.create_index("feedback_lately", "feedback", ["at"])
