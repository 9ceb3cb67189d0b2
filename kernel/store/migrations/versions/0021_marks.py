"""People's reactions in the web chat."""

import sqlalchemy as sa
from alembic import op

from kernel.store import columns

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("web_message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("marks", columns.JsonText(), nullable=True))
