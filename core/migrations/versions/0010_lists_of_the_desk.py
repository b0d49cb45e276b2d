"""lists of the desk: indexes in the order of the lists, with what they are filtered by; whom a voice concerns, the other way round

Revision: 0010
Follows: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPEN = {"sqlite_where": sa.text("is_open = 1"), "postgresql_where": sa.text("is_open")}
CONCERNING = {"sqlite_where": sa.text("related != '[]'"), "postgresql_where": sa.text("related != '[]'")}
FILTERED = ["theme", "kind", "channel", "urgency", "district"]
DUE_OR_LAST = sa.text("coalesce(due_on, '9999-12-31')")
INDEXES = {
    "ix_voices_open_newest": ["folded", "received_on", "id", "department", *FILTERED, "due_on", "case_id", "is_open"],
    "ix_voices_open_due": ["folded", DUE_OR_LAST, "id", "department", *FILTERED, "received_on", "case_id", "is_open"],
}
FORMER = {
    "ix_voices_open_newest": ["received_on", "id", "folded"],
    "ix_voices_open_due": ["due_on", "id", "folded"],
    "ix_voices_open_lines": [
        "folded", "due_on", "theme", "kind", "channel", "urgency", "department", "district", "received_on", "case_id", "related", "is_open",
    ],
}  # fmt: skip

_SQLITE_ADD = "INSERT OR IGNORE INTO voice_concerns (department, voice_id) SELECT value, NEW.id FROM json_each(NEW.related);"
SQLITE_TRIGGERS = [
    f"CREATE TRIGGER voices_concern_new AFTER INSERT ON voices WHEN NEW.related <> '[]' BEGIN {_SQLITE_ADD} END",
    (
        "CREATE TRIGGER voices_concern_changed AFTER UPDATE OF related ON voices WHEN NEW.related <> OLD.related "
        f"BEGIN DELETE FROM voice_concerns WHERE voice_id = NEW.id; {_SQLITE_ADD} END"
    ),
]
POSTGRESQL_TRIGGERS = [
    """
    CREATE FUNCTION voices_concern() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            DELETE FROM voice_concerns WHERE voice_id = NEW.id;
        END IF;
        INSERT INTO voice_concerns (department, voice_id) SELECT value, NEW.id FROM jsonb_array_elements_text(NEW.related)
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END
    $$
    """,
    "CREATE TRIGGER voices_concern_new AFTER INSERT ON voices FOR EACH ROW WHEN (NEW.related <> '[]') EXECUTE FUNCTION voices_concern()",
    (
        "CREATE TRIGGER voices_concern_changed AFTER UPDATE OF related ON voices FOR EACH ROW "
        "WHEN (NEW.related IS DISTINCT FROM OLD.related) EXECUTE FUNCTION voices_concern()"
    ),
]


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "voice_concerns",
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("voice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_voice_concerns_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("department", "voice_id", name=op.f("pk_voice_concerns")),
        sqlite_with_rowid=False,
    )
    names = "jsonb_array_elements_text(related) AS named (value)" if on_postgresql else "json_each(related)"
    op.execute(
        f"INSERT INTO voice_concerns (department, voice_id) SELECT DISTINCT value, voices.id FROM voices, {names} WHERE related <> '[]'"
    )
    op.create_index(op.f("ix_voice_concerns_voice_id"), "voice_concerns", ["voice_id"])
    for statement in POSTGRESQL_TRIGGERS if on_postgresql else SQLITE_TRIGGERS:
        op.execute(statement)
    op.drop_index("ix_voices_concerning", table_name="voices")
    for name in FORMER:
        op.drop_index(name, table_name="voices")
    for name, columns in INDEXES.items():
        op.create_index(name, "voices", columns, **OPEN)
    op.drop_index("ix_voices_department_received_on", table_name="voices")
    op.create_index("ix_voices_department_newest", "voices", ["department", "received_on", "id", *FILTERED])


def downgrade() -> None:
    op.drop_index("ix_voices_department_newest", table_name="voices")
    op.create_index("ix_voices_department_received_on", "voices", ["department", "received_on"])
    for name in INDEXES:
        op.drop_index(name, table_name="voices")
    for name, columns in FORMER.items():
        op.create_index(name, "voices", columns, **OPEN)
    op.create_index("ix_voices_concerning", "voices", ["id"], **CONCERNING)
    table = " ON voices" if op.get_bind().dialect.name == "postgresql" else ""
    for name in ("voices_concern_new", "voices_concern_changed"):
        op.execute(f"DROP TRIGGER {name}{table}")
    if table:
        op.execute("DROP FUNCTION voices_concern()")
    op.drop_table("voice_concerns")
