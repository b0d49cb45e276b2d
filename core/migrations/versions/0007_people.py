"""people: mail address, a password to be changed, sign-in by the city's own; keys for programs; looking through the trail

Revision: 0007
Follows: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
# SQLite's INSERT OR REPLACE takes a row's place without asking the trigger that keeps rows from being deleted.
NO_REPLACING = (
    "CREATE TRIGGER audit_entries_no_REPLACE BEFORE INSERT ON audit_entries "
    "WHEN EXISTS (SELECT 1 FROM audit_entries WHERE id = NEW.id OR digest = NEW.digest) "
    "BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END"
)
CONCERNING = {"sqlite_where": sa.text("related != '[]'"), "postgresql_where": sa.text("related != '[]'")}
COLUMNS = ("email", "must_change_password", "password_changed_at", "sign_in_by", "oidc_subject")


def upgrade() -> None:
    op.add_column("users", sa.Column("email", sa.String(length=255), nullable=False, server_default=""))
    op.add_column("users", sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("sign_in_by", sa.String(length=32), nullable=False, server_default="local"))
    op.add_column("users", sa.Column("oidc_subject", sa.String(length=255), nullable=True))
    op.create_index(op.f("ix_users_oidc_subject"), "users", ["oidc_subject"], unique=True)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_keys_token_hash")),
    )
    op.create_index(op.f("ix_audit_entries_action_id"), "audit_entries", ["action", "id"])
    op.create_index(op.f("ix_audit_entries_at"), "audit_entries", ["at"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(NO_REPLACING)
    op.create_index("ix_voices_concerning", "voices", ["id"], **CONCERNING)


def downgrade() -> None:
    op.drop_index("ix_voices_concerning", table_name="voices")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entries_no_REPLACE")
    op.drop_index(op.f("ix_audit_entries_at"), table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_action_id"), table_name="audit_entries")
    op.drop_table("api_keys")
    op.drop_index(op.f("ix_users_oidc_subject"), table_name="users")
    for name in reversed(COLUMNS):
        op.drop_column("users", name)
