"""topics and surges: the history of topics, voices moved by hand, the map, surges, counts by month

Revision: 0006
Follows: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
DAY = {"sqlite": "date(received_on, 'start of month')", "postgresql": "CAST(date_trunc('month', received_on) AS date)"}
BY_TOPIC = (("topic",), *((name, "topic") for name in ("channel", "department", "district", "kind", "theme")), ("topic", "urgency"))


def upgrade() -> None:
    # With defaults, so that SQLite adds the columns in place: a table that others point to can't be written anew.
    op.add_column("topics", sa.Column("machine_name", sa.String(length=128), nullable=False, server_default=""))
    op.add_column("topics", sa.Column("seeds", JSON, nullable=False, server_default="[]"))
    op.add_column("topics", sa.Column("merged_into", sa.Integer(), nullable=True))
    op.add_column("topic_memberships", sa.Column("x", sa.Double(), nullable=True))
    op.add_column("topic_memberships", sa.Column("y", sa.Double(), nullable=True))
    op.add_column("topic_memberships", sa.Column("received_on", sa.Date(), nullable=False, server_default="1970-01-01"))
    op.execute("UPDATE topic_memberships SET received_on = (SELECT received_on FROM voices WHERE voices.id = voice_id)")
    op.drop_index(op.f("ix_topic_memberships_topic_id"), table_name="topic_memberships")
    op.create_index("ix_topic_memberships_by_day", "topic_memberships", ["topic_id", "received_on", "voice_id"])
    op.create_table(
        "topic_moves",
        sa.Column("voice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("moved_by", sa.String(length=64), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name=op.f("fk_topic_moves_voice_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_topic_moves_topic_id")),
        sa.PrimaryKeyConstraint("voice_id", name=op.f("pk_topic_moves")),
    )
    op.create_index(op.f("ix_topic_moves_topic_id"), "topic_moves", ["topic_id"])
    op.create_table(
        "topic_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("others", JSON, nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("kept_share", sa.Double(), nullable=True),
        sa.Column("drift", sa.Double(), nullable=True),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("voices", sa.LargeBinary(), nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_topic_events_topic_id")),
        sa.ForeignKeyConstraint(["run_id"], ["topic_runs.id"], name=op.f("fk_topic_events_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_events")),
    )
    op.create_index(op.f("ix_topic_events_topic_id_id"), "topic_events", ["topic_id", "id"])
    op.create_index(op.f("ix_topic_events_run_id"), "topic_events", ["run_id"])
    op.create_table(
        "topic_spaces",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("scheme", sa.String(length=64), nullable=False),
        sa.Column("arrays", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["topic_runs.id"], name=op.f("fk_topic_spaces_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_topic_spaces")),
    )
    op.create_table(
        "surge_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surge_runs")),
    )
    op.create_index(op.f("ix_surge_runs_as_of"), "surge_runs", ["as_of"])
    op.create_table(
        "surges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("facet", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("by_facet", sa.String(length=16), nullable=False),
        sa.Column("by_value", sa.String(length=64), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("observed", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Double(), nullable=False),
        sa.Column("upper", sa.Double(), nullable=False),
        sa.Column("p", sa.Double(), nullable=False),
        sa.Column("q", sa.Double(), nullable=False),
        sa.Column("where", JSON, nullable=False),
        sa.Column("weeks", JSON, nullable=False),
        sa.Column("voices", JSON, nullable=False),
        sa.Column("is_campaign", sa.Boolean(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["surge_runs.id"], name=op.f("fk_surges_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_surges_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surges")),
    )
    op.create_index(op.f("ix_surges_run_id_rank"), "surges", ["run_id", "rank"])
    op.create_table(
        "monthly_counts",
        sa.Column("facet", sa.String(length=16), nullable=False),
        sa.Column("by_facet", sa.String(length=16), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("by_value", sa.String(length=64), nullable=False),
        sa.Column("voices", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("facet", "by_facet", "month", "value", "by_value", name=op.f("pk_monthly_counts")),
        sqlite_with_rowid=False,
    )
    count_topics()
    month = DAY[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO monthly_counts (facet, by_facet, month, value, by_value, voices)"
        f" SELECT facet, by_facet, {month}, value, by_value, sum(voices) FROM daily_counts GROUP BY facet, by_facet, {month}, value, by_value"
    )


def count_topics() -> None:
    """Counts the voices that are there already by topic too. Later changes are counted as they happen (``core.facts``)."""
    cuts = []
    for names in BY_TOPIC:
        facet, by_facet = (*names, "")[:2]
        value, by_value = (*names, "''")[:2]
        grouped = ", ".join(("received_on", *names))
        cuts.append(f"SELECT '{facet}', '{by_facet}', received_on, {value}, {by_value}, count(*) FROM each_voice GROUP BY {grouped}")
    op.execute(
        "INSERT INTO daily_counts (facet, by_facet, received_on, value, by_value, voices)"
        " WITH each_voice AS (SELECT voices.received_on, channel, department, district, kind, theme, urgency,"
        " coalesce(CAST(topic_id AS varchar), '') AS topic"
        " FROM voices LEFT JOIN topic_memberships ON topic_memberships.voice_id = voices.id)"
        f" {' UNION ALL '.join(cuts)}"
    )


def downgrade() -> None:
    op.execute("DELETE FROM daily_counts WHERE facet = 'topic' OR by_facet = 'topic'")
    for table in ("monthly_counts", "surges", "surge_runs", "topic_spaces", "topic_events", "topic_moves"):
        op.drop_table(table)
    op.drop_index("ix_topic_memberships_by_day", table_name="topic_memberships")
    op.create_index(op.f("ix_topic_memberships_topic_id"), "topic_memberships", ["topic_id"])
    for name in ("received_on", "y", "x"):
        op.drop_column("topic_memberships", name)
    op.execute("UPDATE topics SET status = 'ended' WHERE status = 'merged'")
    for name in ("merged_into", "seeds", "machine_name"):
        op.drop_column("topics", name)
