"""intake: plans of batches, uploads, jobs, FAQ, mailboxes, daily counts

Revision: 0005
Follows: 0004
"""

from __future__ import annotations

from itertools import combinations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ATTRIBUTES = ("channel", "department", "district", "kind", "subtheme", "theme", "urgency")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    # With defaults, so that SQLite adds the columns in place: a table that others point to can't be written anew.
    op.add_column("batches", sa.Column("content", sa.String(length=32), nullable=False, server_default="voices"))
    op.add_column("batches", sa.Column("plan", JSON, nullable=False, server_default="{}"))
    op.add_column("batches", sa.Column("started_by", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("batches", sa.Column("blank", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("rejects", sa.Column("resolution", sa.String(length=16), nullable=False, server_default=""))
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("uploaded_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_sha256"), "uploads", ["sha256"])
    op.create_index(op.f("ix_uploads_created_at"), "uploads", ["created_at"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("arguments", JSON, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=255), nullable=False),
        sa.Column("result", JSON, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=128), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_jobs_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_state_id"), "jobs", ["state", "id"])
    op.create_index(op.f("ix_jobs_batch_id"), "jobs", ["batch_id"])
    op.create_table(
        "faq_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=100), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("theme", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faq_entries")),
    )
    op.create_index(op.f("ix_faq_entries_number"), "faq_entries", ["number"], unique=True)
    op.create_table(
        "faq_counts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["faq_entries.id"], name=op.f("fk_faq_counts_entry_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_faq_counts_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faq_counts")),
    )
    op.create_index(
        op.f("ix_faq_counts_entry_id_since_until_batch_id"), "faq_counts", ["entry_id", "since", "until", "batch_id"], unique=True
    )
    op.create_index(op.f("ix_faq_counts_batch_id"), "faq_counts", ["batch_id"])
    op.create_index(op.f("ix_faq_counts_since_until"), "faq_counts", ["since", "until"])
    op.create_table(
        "mailbox_marks",
        sa.Column("mailbox", sa.String(length=255), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", name=op.f("pk_mailbox_marks")),
    )
    op.create_table(
        "daily_counts",
        sa.Column("facet", sa.String(length=16), nullable=False),
        sa.Column("by_facet", sa.String(length=16), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("by_value", sa.String(length=64), nullable=False),
        sa.Column("voices", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("facet", "by_facet", "received_on", "value", "by_value", name=op.f("pk_daily_counts")),
        sqlite_with_rowid=False,
    )
    count_voices()


def count_voices() -> None:
    """Counts the voices that are there already. Later ones are counted as they come in (``core.facts``)."""
    paired = [name for name in ATTRIBUTES if name != "subtheme"]
    cuts = []
    for names in ((), *((name,) for name in ATTRIBUTES), *combinations(paired, 2)):
        facet, by_facet = (*names, "", "")[:2]
        value, by_value = (*names, "''", "''")[:2]
        grouped = ", ".join(("received_on", *names))
        cuts.append(f"SELECT '{facet}', '{by_facet}', received_on, {value}, {by_value}, sum(voices) FROM fine GROUP BY {grouped}")  # noqa: S608
    columns = ", ".join(("received_on", *ATTRIBUTES))
    op.execute(
        "INSERT INTO daily_counts (facet, by_facet, received_on, value, by_value, voices)"  # noqa: S608
        f" WITH fine AS (SELECT {columns}, count(*) AS voices FROM voices GROUP BY {columns}) {' UNION ALL '.join(cuts)}"
    )


def downgrade() -> None:
    for table in ("daily_counts", "mailbox_marks", "faq_counts", "faq_entries", "jobs", "uploads"):
        op.drop_table(table)
    op.drop_column("rejects", "resolution")
    for name in ("blank", "started_by", "plan", "content"):
        op.drop_column("batches", name)
