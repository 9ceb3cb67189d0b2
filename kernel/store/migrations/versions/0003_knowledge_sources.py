"""Knowledge: where pieces open, vectors of several models beside each other, sources, memory."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added in place: the triggers of the index of words hang on these tables.
    op.add_column("document", sa.Column("url", sa.Text(), nullable=False, server_default=""))
    op.add_column("document", sa.Column("version", sa.Text(), nullable=False, server_default=""))
    op.add_column("chunk", sa.Column("url", sa.Text(), nullable=False, server_default=""))
    op.add_column("chunk", sa.Column("written_at", sa.BigInteger(), nullable=True))
    op.add_column("vector_index", sa.Column("embedder", sa.Text(), nullable=False, server_default=""))
    op.create_index("document_kind", "document", ["kind"])
    _vectors_by_model()
    op.create_table(
        "knowledge_source",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("fresh_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "knowledge_failure",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "key"),
    )
    op.create_table(
        "memory",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("readers", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("replaced_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ref"),
    )
    op.create_index("memory_subject", "memory", ["subject"])
    op.create_index("memory_lane", "memory", ["lane", "thread"])
    op.create_table(
        "knowledge_use",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("offered", sa.Integer(), nullable=False),
        sa.Column("cited", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )


def _vectors_by_model() -> None:
    """One vector for each chunk and model: while another model takes over, the old one still answers."""
    op.create_table(
        "chunk_vector_by_model",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("chunk_id", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["chunk_id"], ["chunk.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model", "chunk_id"),
    )
    op.execute(
        "INSERT INTO chunk_vector_by_model (model, chunk_id, dimension, data)"
        " SELECT model, chunk_id, dimension, data FROM chunk_vector"
    )
    op.drop_table("chunk_vector")
    op.rename_table("chunk_vector_by_model", "chunk_vector")
    op.create_index("chunk_vector_of_chunk", "chunk_vector", ["chunk_id"])
