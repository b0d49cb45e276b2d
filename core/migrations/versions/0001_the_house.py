"""the house: voices, labels, intake, topics, people, audit

Revision: 0001
Follows:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

# The audit trail is append-only for every client of the database, not only for this program.
SQLITE_TRIGGERS = [
    f"CREATE TRIGGER audit_entries_no_{act} BEFORE {act} ON audit_entries BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END"
    for act in ("UPDATE", "DELETE")
]
POSTGRESQL_TRIGGERS = [
    (
        "CREATE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit_entries is append-only'; END $$"
    ),
    (
        "CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_refuse()"
    ),
]


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint("digest", name=op.f("uq_audit_entries_digest")),
    )
    op.create_index(op.f("ix_audit_entries_actor"), "audit_entries", ["actor"], unique=False)
    op.create_index(op.f("ix_audit_entries_subject"), "audit_entries", ["subject"], unique=False)

    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_name", sa.String(length=255), nullable=False),
        sa.Column("source_sha256", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.String(length=255), nullable=False),
        sa.Column("encoding", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("checkpoint", sa.Integer(), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("rows_read = imported + duplicates + rejected", name=op.f("ck_batches_sums")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index(op.f("ix_batches_source_sha256"), "batches", ["source_sha256"], unique=False)

    op.create_table(
        "receipt_counters",
        sa.Column("fiscal_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("fiscal_year", name=op.f("pk_receipt_counters")),
    )
    op.create_table(
        "topic_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("voices", sa.Integer(), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("events", JSON, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_runs")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failed_sign_ins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "rejects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(length=255), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sealed_row", sa.LargeBinary(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_rejects_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejects")),
    )
    op.create_index(op.f("ix_rejects_batch_id_row"), "rejects", ["batch_id", "row"], unique=False)

    op.create_table(
        "topics",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("named_by", sa.Integer(), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("is_rest", sa.Boolean(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("keywords", JSON, nullable=False),
        sa.Column("examples", JSON, nullable=False),
        sa.Column("born_run_id", sa.Integer(), nullable=False),
        sa.Column("last_run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["born_run_id"], ["topic_runs.id"], name=op.f("fk_topics_born_run_id")),
        sa.ForeignKeyConstraint(["last_run_id"], ["topic_runs.id"], name=op.f("fk_topics_last_run_id")),
        sa.ForeignKeyConstraint(["named_by"], ["users.id"], name=op.f("fk_topics_named_by")),
        sa.ForeignKeyConstraint(["parent_id"], ["topics.id"], name=op.f("fk_topics_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topics")),
    )
    op.create_index(op.f("ix_topics_parent_id"), "topics", ["parent_id"], unique=False)

    op.create_table(
        "user_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("csrf_token", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_user_sessions")),
    )
    op.create_index(op.f("ix_user_sessions_expires_at"), "user_sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False)

    op.create_table(
        "voices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("receipt_number", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("context", JSON, nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("district", sa.String(length=64), nullable=False),
        sa.Column("theme", sa.String(length=64), nullable=False),
        sa.Column("subtheme", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("urgency", sa.String(length=32), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("pii_count", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("publishable", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_voices_text_not_empty")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_voices_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voices")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_voices_content_hash")),
        sa.UniqueConstraint("receipt_number", name=op.f("uq_voices_receipt_number")),
    )
    op.create_index(op.f("ix_voices_batch_id"), "voices", ["batch_id"], unique=False)
    op.create_index(op.f("ix_voices_department_received_on"), "voices", ["department", "received_on"], unique=False)
    op.create_index(op.f("ix_voices_external_id"), "voices", ["external_id"], unique=False)
    op.create_index(op.f("ix_voices_received_on_id"), "voices", ["received_on", "id"], unique=False)
    op.create_index(op.f("ix_voices_status_due_on"), "voices", ["status", "due_on"], unique=False)
    op.create_index(op.f("ix_voices_theme_received_on"), "voices", ["theme", "received_on"], unique=False)

    op.create_table(
        "answers",
        sa.Column("voice_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_answers_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("voice_id", name=op.f("pk_answers")),
    )
    op.create_index(op.f("ix_answers_published_on_voice_id"), "answers", ["published_on", "voice_id"], unique=False)

    op.create_table(
        "human_labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.Integer(), nullable=False),
        sa.Column("facet", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("machine_value", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_human_labels_user_id")),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_human_labels_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_human_labels")),
    )
    op.create_index(op.f("ix_human_labels_voice_id_facet_id"), "human_labels", ["voice_id", "facet", "id"], unique=False)

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
    op.create_index(op.f("ix_machine_labels_voice_id_facet"), "machine_labels", ["voice_id", "facet"], unique=True)

    op.create_table(
        "secrets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=16), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=128), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_secrets_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secrets")),
    )
    op.create_index(op.f("ix_secrets_key_id"), "secrets", ["key_id"], unique=False)
    op.create_index(op.f("ix_secrets_voice_id_field"), "secrets", ["voice_id", "field"], unique=True)

    op.create_table(
        "topic_memberships",
        sa.Column("voice_id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["topic_runs.id"], name=op.f("fk_topic_memberships_run_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_topic_memberships_topic_id")),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_topic_memberships_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("voice_id", name=op.f("pk_topic_memberships")),
    )
    op.create_index(op.f("ix_topic_memberships_topic_id"), "topic_memberships", ["topic_id"], unique=False)
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRESQL_TRIGGERS if on_postgresql else SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_topic_memberships_topic_id"), table_name="topic_memberships")

    op.drop_table("topic_memberships")
    op.drop_index(op.f("ix_secrets_voice_id_field"), table_name="secrets")
    op.drop_index(op.f("ix_secrets_key_id"), table_name="secrets")

    op.drop_table("secrets")
    op.drop_index(op.f("ix_machine_labels_voice_id_facet"), table_name="machine_labels")

    op.drop_table("machine_labels")
    op.drop_index(op.f("ix_human_labels_voice_id_facet_id"), table_name="human_labels")

    op.drop_table("human_labels")
    op.drop_index(op.f("ix_answers_published_on_voice_id"), table_name="answers")

    op.drop_table("answers")
    op.drop_index(op.f("ix_voices_theme_received_on"), table_name="voices")
    op.drop_index(op.f("ix_voices_status_due_on"), table_name="voices")
    op.drop_index(op.f("ix_voices_received_on_id"), table_name="voices")
    op.drop_index(op.f("ix_voices_external_id"), table_name="voices")
    op.drop_index(op.f("ix_voices_department_received_on"), table_name="voices")
    op.drop_index(op.f("ix_voices_batch_id"), table_name="voices")

    op.drop_table("voices")
    op.drop_index(op.f("ix_user_sessions_user_id"), table_name="user_sessions")
    op.drop_index(op.f("ix_user_sessions_expires_at"), table_name="user_sessions")

    op.drop_table("user_sessions")
    op.drop_index(op.f("ix_topics_parent_id"), table_name="topics")

    op.drop_table("topics")
    op.drop_index(op.f("ix_rejects_batch_id_row"), table_name="rejects")

    op.drop_table("rejects")
    op.drop_table("users")
    op.drop_table("topic_runs")
    op.drop_table("receipt_counters")
    op.drop_index(op.f("ix_batches_source_sha256"), table_name="batches")

    op.drop_table("batches")
    op.drop_index(op.f("ix_audit_entries_subject"), table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_actor"), table_name="audit_entries")

    op.drop_table("audit_entries")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_entries_refuse()")
