"""pauses that end."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("workflow_pause", schema=None) as batch_op:
        batch_op.add_column(sa.Column("until", columns.Moment(), nullable=True))
