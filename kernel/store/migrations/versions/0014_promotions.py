"""Rules that let calls through because people have agreed often enough."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "promotion",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("evidence", columns.JsonText(), nullable=False),
        sa.Column("proposed_at", columns.Moment(), nullable=False),
        sa.Column("promoted_at", columns.Moment(), nullable=True),
        sa.Column("expires_at", columns.Moment(), nullable=True),
        sa.Column("ended_at", columns.Moment(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("promotion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promotion_rule"), ["rule"], unique=False)
    op.create_table(
        "promoted_call",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("promotion_id", sa.String(), nullable=False),
        sa.Column("reviewed", sa.Boolean(), nullable=False),
        sa.Column("at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )
    with op.batch_alter_table("promoted_call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promoted_call_promotion_id"), ["promotion_id"], unique=False)
