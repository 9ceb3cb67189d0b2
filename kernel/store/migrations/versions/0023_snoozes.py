"""People who for a while want no digest of a workflow."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "workflow_snooze",
        sa.Column("workflow", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("until", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("workflow", "person"),
    )
