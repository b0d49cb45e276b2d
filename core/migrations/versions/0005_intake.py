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


FACETS = ("theme", "subtheme", "kind", "urgency", "department")
LABEL = {
    "sqlite": (
        "json_array(value, confidence, "
        "(SELECT json_group_array(json_array(each.value ->> 'label', each.value ->> 'confidence')) FROM json_each(alternatives) AS each), "
        "(SELECT json_group_array(json_array(each.value ->> 'text', each.value ->> 'weight', each.value ->> 'start', each.value ->> 'end')) "
        "FROM json_each(evidence) AS each))"
    ),
    "postgresql": (
        "jsonb_build_array(value, confidence, "
        "(SELECT coalesce(jsonb_agg(jsonb_build_array(other -> 'label', other -> 'confidence')), '[]') "
        "FROM jsonb_array_elements(alternatives) AS other), "
        "(SELECT coalesce(jsonb_agg(jsonb_build_array(word -> 'text', word -> 'weight', word -> 'start', word -> 'end')), '[]') "
        "FROM jsonb_array_elements(evidence) AS word))"
    ),
}
ONE_OF = {
    "sqlite": "max(CASE WHEN facet = '{facet}' THEN label END)",
    "postgresql": "(jsonb_agg(label) FILTER (WHERE facet = '{facet}')) -> 0",
}
SPREAD = {
    "sqlite": (
        "{facet} ->> 0, {facet} ->> 1, "
        "(SELECT json_group_array(json_object('label', each.value ->> 0, 'confidence', each.value ->> 1)) "
        "FROM json_each({facet} -> 2) AS each), "
        "(SELECT json_group_array(json_object('text', each.value ->> 0, 'weight', each.value ->> 1, "
        "'start', each.value ->> 2, 'end', each.value ->> 3)) FROM json_each({facet} -> 3) AS each)"
    ),
    "postgresql": (
        "{facet} ->> 0, CAST({facet} ->> 1 AS double precision), "
        "(SELECT coalesce(jsonb_agg(jsonb_build_object('label', other -> 0, 'confidence', other -> 1)), '[]') "
        "FROM jsonb_array_elements({facet} -> 2) AS other), "
        "(SELECT coalesce(jsonb_agg(jsonb_build_object('text', word -> 0, 'weight', word -> 1, 'start', word -> 2, 'end', word -> 3)), '[]') "
        "FROM jsonb_array_elements({facet} -> 3) AS word)"
    ),
}


def upgrade() -> None:
    # With defaults, so that SQLite adds the columns in place: a table that others point to can't be written anew.
    op.add_column("batches", sa.Column("content", sa.String(length=32), nullable=False, server_default="voices"))
    op.add_column("batches", sa.Column("plan", JSON, nullable=False, server_default="{}"))
    op.add_column("batches", sa.Column("started_by", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("batches", sa.Column("blank", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("rejects", sa.Column("resolution", sa.String(length=16), nullable=False, server_default=""))
    # One row a voice in place of five.
    op.create_table(
        "machine_readings",
        sa.Column("voice_id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(facet, JSON, nullable=True) for facet in FACETS),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_machine_readings_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("voice_id", name=op.f("pk_machine_readings")),
    )
    kind = op.get_bind().dialect.name
    gathered = ", ".join(ONE_OF[kind].format(facet=facet) for facet in FACETS)
    op.execute(
        f"INSERT INTO machine_readings (voice_id, {', '.join(FACETS)}, model, created_at) "
        f"SELECT voice_id, {gathered}, max(model), max(created_at) "
        f"FROM (SELECT voice_id, facet, {LABEL[kind]} AS label, model, created_at FROM machine_labels) AS said GROUP BY voice_id"
    )
    op.drop_table("machine_labels")
    # Signatures are made anew from the texts where there are none (nlp.campaigns).
    op.drop_table("text_bands")
    op.drop_table("distinct_texts")
    op.create_table(
        "wordings",
        sa.Column("voice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_wordings_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("voice_id", name=op.f("pk_wordings")),
    )
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
        cuts.append(f"SELECT '{facet}', '{by_facet}', received_on, {value}, {by_value}, sum(voices) FROM fine GROUP BY {grouped}")
    columns = ", ".join(("received_on", *ATTRIBUTES))
    op.execute(
        "INSERT INTO daily_counts (facet, by_facet, received_on, value, by_value, voices)"
        f" WITH fine AS (SELECT {columns}, count(*) AS voices FROM voices GROUP BY {columns}) {' UNION ALL '.join(cuts)}"
    )


def downgrade() -> None:
    op.create_table(
        "machine_labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.Integer(), nullable=False),
        sa.Column("facet", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("alternatives", JSON, nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_machine_labels_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machine_labels")),
    )
    for facet in FACETS:
        spread = SPREAD[op.get_bind().dialect.name].format(facet=facet)
        op.execute(
            "INSERT INTO machine_labels (voice_id, facet, value, confidence, alternatives, evidence, model, created_at) "
            f"SELECT voice_id, '{facet}', {spread}, model, created_at FROM machine_readings WHERE {facet} IS NOT NULL ORDER BY voice_id"
        )
    op.create_index(op.f("ix_machine_labels_voice_id_facet"), "machine_labels", ["voice_id", "facet"], unique=True)
    op.drop_table("machine_readings")
    op.create_table(
        "distinct_texts",
        sa.Column("text_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text_key", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["text_id"], ["voices.id"], name=op.f("fk_distinct_texts_text_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("text_id", name=op.f("pk_distinct_texts")),
        sa.UniqueConstraint("text_key", name=op.f("uq_distinct_texts_text_key")),
    )
    op.create_table(
        "text_bands",
        sa.Column("band", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("band", "text_id", name=op.f("pk_text_bands")),
        sqlite_with_rowid=False,
    )
    for table in ("wordings", "daily_counts", "mailbox_marks", "faq_counts", "faq_entries", "jobs", "uploads"):
        op.drop_table(table)
    op.drop_column("rejects", "resolution")
    for name in ("blank", "started_by", "plan", "content"):
        op.drop_column("batches", name)
