"""What answers of a model that are under way may cost at most."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "model_reservation",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("workflow", sa.String(), nullable=False),
        sa.Column("at", columns.Moment(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
    )
