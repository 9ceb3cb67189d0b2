"""Approvals that are shown together on one card."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.add_column(sa.Column("batch", sa.String(), nullable=False, server_default=""))
        batch_op.create_index(batch_op.f("ix_approval_batch"), ["batch"], unique=False)
