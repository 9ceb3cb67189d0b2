"""Standing permissions."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "standing_grant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("scope", columns.JsonText(), nullable=False),
        sa.Column("policy", columns.JsonText(), nullable=False),
        sa.Column("givers", columns.JsonText(), nullable=False),
        sa.Column("headline", sa.String(), nullable=False),
        sa.Column("approval", sa.String(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("expires_at", columns.Moment(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", columns.Moment(), nullable=False),
        sa.Column("revoked_at", columns.Moment(), nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ref"),
    )
    with op.batch_alter_table("standing_grant", schema=None) as batch_op:
        batch_op.create_index("grant_of_tool", ["tool", "agent", "state"], unique=False)
