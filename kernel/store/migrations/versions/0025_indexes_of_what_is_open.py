"""Indexes hold what is looked for by them, and not every row."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

WITHOUT = (
    ("outbox_lane", "outbox"),
    ("outbox_due", "outbox"),
    ("ix_outbox_remote_id", "outbox"),
    ("ix_outbox_subject", "outbox"),
    ("ix_run_parent_id", "run"),
    ("ix_inbox_conversation_id", "inbox"),
)
WITH = (
    ("outbox_open", "outbox", ["lane", "id"], "state IN ('queued', 'sending')"),
    ("outbox_due", "outbox", ["retry_at"], "state = 'queued'"),
    ("outbox_remote", "outbox", ["remote_id"], "remote_id IS NOT NULL"),
    ("outbox_subject", "outbox", ["subject"], "subject IS NOT NULL"),
    ("run_parent", "run", ["parent_id"], "parent_id IS NOT NULL"),
    ("inbox_conversation", "inbox", ["conversation_id"], "conversation_id IS NOT NULL"),
)


def upgrade() -> None:
    """Change the tables."""
    for name, table in WITHOUT:
        op.drop_index(name, table)
    for name, table, columns, where in WITH:
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
