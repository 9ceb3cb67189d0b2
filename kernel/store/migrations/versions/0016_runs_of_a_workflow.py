"""runs of a workflow."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Change the tables."""
    only = sa.text("workflow IS NOT NULL")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(
            "run_workflow", ["workflow", "created_at"], unique=False, sqlite_where=only, postgresql_where=only
        )
