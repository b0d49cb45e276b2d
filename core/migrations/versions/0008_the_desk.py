"""the desk: cases, drafts and their approvals, what each member of staff has seen

Revision: 0008
Follows: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OPEN = {"sqlite_where": sa.text("is_open = 1"), "postgresql_where": sa.text("is_open")}
OPEN_INDEXES = {
    "ix_voices_open_newest": ["received_on", "id", "folded"],
    "ix_voices_open_due": ["due_on", "id", "folded"],
    "ix_voices_open_department": ["department", "due_on", "folded"],
    "ix_voices_open_lines": [
        "folded", "due_on", "theme", "kind", "channel", "urgency", "department", "district", "received_on", "case_id", "related", "is_open",
    ],
}  # fmt: skip
IN_CASE = {"sqlite_where": sa.text("case_id IS NOT NULL"), "postgresql_where": sa.text("case_id IS NOT NULL")}
OWN = {"sqlite_where": sa.text("department = ''"), "postgresql_where": sa.text("department = ''")}
SHARED = {"sqlite_where": sa.text("department <> ''"), "postgresql_where": sa.text("department <> ''")}
TABLES = (
    "cases",
    "case_parts",
    "case_pauses",
    "case_events",
    "case_notes",
    "case_files",
    "drafts",
    "draft_revisions",
    "approvals",
    "dispatches",
    "looks",
    "saved_views",
    "desk_acts",
)


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("disposition", sa.String(length=32), nullable=True),
        sa.Column("close_reason", sa.String(length=32), nullable=True),
        sa.Column("forwarded_to", sa.String(length=64), nullable=False),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("paused_on", sa.Date(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("interim_on", sa.Date(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["changed_by"], ["users.id"], name=op.f("fk_cases_changed_by")),
        sa.ForeignKeyConstraint(["merged_into"], ["cases.id"], name=op.f("fk_cases_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_lead_id"), "cases", ["lead_id"])
    op.create_index(op.f("ix_cases_status_closed_on"), "cases", ["status", "closed_on"])
    op.create_table(
        "case_parts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("is_lead", sa.Boolean(), nullable=False),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("passages", JSON, nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("return_reason", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_parts_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=op.f("fk_case_parts_assignee_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_parts")),
    )
    op.create_index(op.f("ix_case_parts_assignee_id_case_id"), "case_parts", ["assignee_id", "case_id"])
    op.create_index(op.f("ix_case_parts_case_id_department"), "case_parts", ["case_id", "department"], unique=True)
    op.create_index(op.f("ix_case_parts_department_case_id"), "case_parts", ["department", "case_id"])
    op.create_table(
        "case_pauses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("voices", JSON, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_pauses_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_pauses")),
    )
    op.create_index(op.f("ix_case_pauses_case_id_since"), "case_pauses", ["case_id", "since"])
    op.create_table(
        "case_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_case_events_user_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_events_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_events")),
    )
    op.create_index(op.f("ix_case_events_case_id_id"), "case_events", ["case_id", "id"])
    op.create_table(
        "case_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=128), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_case_notes_user_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_notes_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_notes")),
    )
    op.create_index(op.f("ix_case_notes_case_id_id"), "case_notes", ["case_id", "id"])
    op.create_index(op.f("ix_case_notes_key_id"), "case_notes", ["key_id"])
    op.create_table(
        "case_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=128), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_case_files_user_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_files_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_files")),
    )
    op.create_index(op.f("ix_case_files_case_id_id"), "case_files", ["case_id", "id"])
    op.create_index(op.f("ix_case_files_key_id"), "case_files", ["key_id"])
    op.create_table(
        "drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("disposition", sa.String(length=32), nullable=True),
        sa.Column("delivery", sa.String(length=32), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("sources", JSON, nullable=False),
        sa.Column("drafter_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_drafts_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["drafter_id"], ["users.id"], name=op.f("fk_drafts_drafter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    op.create_index(op.f("ix_drafts_case_id_id"), "drafts", ["case_id", "id"])
    op.create_index(op.f("ix_drafts_state_case_id"), "drafts", ["state", "case_id"])
    op.create_table(
        "draft_revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_draft_revisions_user_id")),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_draft_revisions_draft_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_revisions")),
    )
    op.create_index(op.f("ix_draft_revisions_draft_id_version"), "draft_revisions", ["draft_id", "version"], unique=True)
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("position", sa.String(length=32), nullable=False),
        sa.Column("delegate_id", sa.Integer(), nullable=True),
        sa.Column("self_allowed", sa.Boolean(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_approvals_draft_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["delegate_id"], ["users.id"], name=op.f("fk_approvals_delegate_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_approvals_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index(op.f("ix_approvals_draft_id_round_step"), "approvals", ["draft_id", "round", "step"], unique=True)
    op.create_index(op.f("ix_approvals_state_department_position"), "approvals", ["state", "department", "position"])
    op.create_table(
        "dispatches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.Integer(), nullable=False),
        sa.Column("delivery", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_dispatches_voice_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_dispatches_draft_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatches")),
    )
    op.create_index(op.f("ix_dispatches_draft_id_voice_id"), "dispatches", ["draft_id", "voice_id"], unique=True)
    op.create_index(op.f("ix_dispatches_state_id"), "dispatches", ["state", "id"])
    op.create_index(op.f("ix_dispatches_voice_id"), "dispatches", ["voice_id"])
    op.create_table(
        "looks",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("voice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("here_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_looks_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_looks_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "voice_id", name=op.f("pk_looks")),
    )
    op.create_index(op.f("ix_looks_voice_id_here_at"), "looks", ["voice_id", "here_at"])
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("query", sa.String(length=4000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_saved_views_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    op.create_index("ix_saved_views_own", "saved_views", ["user_id", "name"], unique=True, **OWN)
    op.create_index("ix_saved_views_shared", "saved_views", ["department", "name"], unique=True, **SHARED)
    op.create_table(
        "desk_acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_desk_acts_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_acts")),
    )
    op.create_index(op.f("ix_desk_acts_user_id_id"), "desk_acts", ["user_id", "id"])
    # SQLite adds the columns in place only in this form: a table that others point to can't be written anew.
    if op.get_bind().dialect.name == "sqlite":
        op.execute("ALTER TABLE voices ADD COLUMN case_id INTEGER CONSTRAINT fk_voices_case_id REFERENCES cases (id)")
    else:
        op.add_column("voices", sa.Column("case_id", sa.Integer(), nullable=True))
        op.create_foreign_key(op.f("fk_voices_case_id"), "voices", "cases", ["case_id"], ["id"])
    for table, name in (("voices", "is_open"), ("voices", "folded"), ("human_labels", "undone")):
        op.add_column(table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("position", sa.String(length=32), nullable=False, server_default=""))
    op.execute("UPDATE voices SET is_open = (1 = 1) WHERE status NOT IN ('answered', 'closed')")
    op.create_index(op.f("ix_voices_case_id"), "voices", ["case_id"], **IN_CASE)
    for name, columns in OPEN_INDEXES.items():
        op.create_index(name, "voices", columns, **OPEN)
    op.drop_index(op.f("ix_voices_status_due_on"), table_name="voices")


def downgrade() -> None:
    op.create_index(op.f("ix_voices_status_due_on"), "voices", ["status", "due_on"])
    for name in (*OPEN_INDEXES, "ix_voices_case_id"):
        op.drop_index(name, table_name="voices")
    op.drop_column("users", "position")
    op.drop_column("human_labels", "undone")
    op.drop_column("voices", "folded")
    op.drop_column("voices", "is_open")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_voices_case_id", "voices")
    op.drop_column("voices", "case_id")
    for name in reversed(TABLES):
        op.drop_table(name)
