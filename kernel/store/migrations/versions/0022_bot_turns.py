"""When other bots were answered."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "bot_turn",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("bot", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("bot_turn_of", "bot_turn", ["bot", "at"])
