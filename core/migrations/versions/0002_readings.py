"""readings: a voice's topic segments, related departments, and what may tell its writer

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
COLUMNS = ("segments", "related", "reidentifying")


def upgrade() -> None:
    with op.batch_alter_table("voices") as batch:
        for name in COLUMNS:
            batch.add_column(sa.Column(name, JSON, nullable=False, server_default="[]"))
    # The default was for the rows that are there; new ones always say their own.
    with op.batch_alter_table("voices") as batch:
        for name in COLUMNS:
            batch.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("voices") as batch:
        for name in reversed(COLUMNS):
            batch.drop_column(name)
