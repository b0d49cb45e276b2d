"""opinions: what was read of each voice

Revision: 0004
Follows: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "opinions",
        sa.Column("voice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stance", sa.String(length=8), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("stance_words", JSON, nullable=False),
        sa.Column("pairs", JSON, nullable=False),
        sa.Column("requests", JSON, nullable=False),
        sa.Column("questions", JSON, nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_opinions_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("voice_id", name=op.f("pk_opinions")),
    )


def downgrade() -> None:
    op.drop_table("opinions")
