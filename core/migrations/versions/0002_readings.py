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
    # Plain ALTER TABLE on both: making the table anew, as batch mode does, would take every row that hangs on a voice with it.
    for name in COLUMNS:
        op.add_column("voices", sa.Column(name, JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.execute(f"ALTER TABLE voices DROP COLUMN {name}")
