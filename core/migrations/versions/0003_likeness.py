"""likeness: search index, distinct texts, campaigns, blind senders

Revision: 0003
Follows: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Terms come split and folded; the tokenizer only has to cut at spaces. No positions, no lengths: neither is asked for.
SQLITE_INDEX = "CREATE VIRTUAL TABLE voice_search USING fts5(terms, detail=none, columnsize=0, tokenize='ascii')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_table(
            "voice_search",
            sa.Column("voice_id", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("terms", sa.Text(), nullable=False),
            sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_voice_search_voice_id"), ondelete="CASCADE"),
            sa.PrimaryKeyConstraint("voice_id", name=op.f("pk_voice_search")),
        )
        op.create_table(
            "voice_postings",
            sa.Column("term", sa.String(length=64, collation="C"), nullable=False),
            sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("voices", sa.ARRAY(sa.Integer()), nullable=False),
            sa.PrimaryKeyConstraint("term", "block", name=op.f("pk_voice_postings")),
        )
    else:
        op.execute(SQLITE_INDEX)

    op.create_table(
        "search_terms",
        sa.Column("term", sa.String(length=64), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("term", name=op.f("pk_search_terms")),
        sqlite_with_rowid=False,
    )
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
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["merged_into"], ["campaigns.id"], name=op.f("fk_campaigns_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_table(
        "campaign_members",
        sa.Column("voice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_members_campaign_id")),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_campaign_members_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("voice_id", name=op.f("pk_campaign_members")),
    )
    op.create_index(op.f("ix_campaign_members_campaign_id_text_id"), "campaign_members", ["campaign_id", "text_id"], unique=False)
    op.create_table(
        "senders",
        sa.Column("voice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_senders_voice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("voice_id", name=op.f("pk_senders")),
    )
    op.create_index(op.f("ix_senders_key_id"), "senders", ["key_id"], unique=False)
    op.create_table(
        "reading_marks",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("voice_id", sa.Integer(), nullable=False),
        sa.Column("scheme", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_reading_marks")),
    )


def downgrade() -> None:
    op.drop_table("reading_marks")
    op.drop_index(op.f("ix_senders_key_id"), table_name="senders")

    op.drop_table("senders")
    op.drop_index(op.f("ix_campaign_members_campaign_id_text_id"), table_name="campaign_members")

    op.drop_table("campaign_members")
    op.drop_table("campaigns")
    op.drop_table("text_bands")
    op.drop_table("distinct_texts")
    op.drop_table("search_terms")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_table("voice_postings")
    op.execute("DROP TABLE voice_search")
