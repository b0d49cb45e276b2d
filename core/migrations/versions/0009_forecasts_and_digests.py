"""how fast departments answer, what is likely to be late, and which morning digests were sent

Revision: 0009
Follows: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TABLES = ("paces", "forecasts", "daily_runs", "digest_marks")


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("still_open", JSON, nullable=False),
        sa.PrimaryKeyConstraint("department", "kind", name=op.f("pk_paces")),
    )
    op.create_table(
        "forecasts",
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("overdue", sa.Integer(), nullable=False),
        sa.Column("expected_late", JSON, nullable=False),
        sa.Column("expected_in_all", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("department", name=op.f("pk_forecasts")),
    )
    op.create_table(
        "daily_runs",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("task", sa.String(length=32), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", "task", name=op.f("pk_daily_runs")),
    )
    op.create_table(
        "digest_marks",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("recipient", sa.String(length=80), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", "recipient", name=op.f("pk_digest_marks")),
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
