"""Surges (急増): what came in more often than its own past explains, as they were found on a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base


class SurgeRun(Base):
    """One look at all series as they stood at the end of a day."""

    __tablename__ = "surge_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    as_of: Mapped[date] = mapped_column(index=True)
    series: Mapped[int] = mapped_column(doc="how many were looked at")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]


class Surge(Base):
    """A series that was too high for chance, its expectation, and the voices to begin with."""

    __tablename__ = "surges"
    __table_args__ = (Index(None, "run_id", "rank"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("surge_runs.id", ondelete="CASCADE"))
    rank: Mapped[int] = mapped_column(doc="1: the one to look at first")
    facet: Mapped[str] = mapped_column(String(16), doc="what rose: topic or theme")
    value: Mapped[str] = mapped_column(String(64), doc="a topic's id or a theme's name")
    by_facet: Mapped[str] = mapped_column(String(16), default="", doc="district or channel where it rose there alone; empty: in all")
    by_value: Mapped[str] = mapped_column(String(64), default="")
    since: Mapped[date]
    until: Mapped[date]
    observed: Mapped[int]
    expected: Mapped[float]
    upper: Mapped[float] = mapped_column(doc="the most that chance explains")
    p: Mapped[float]
    q: Mapped[float] = mapped_column(doc="the share of false reports among those at least as sure, all series taken together")
    where: Mapped[list[Any]] = mapped_column(default=list, doc='[{"facet", "value", "observed", "expected"}], the most over first')
    weeks: Mapped[list[Any]] = mapped_column(default=list, doc='[{"begins_on", "observed", "expected", "upper"}] of the last weeks')
    voices: Mapped[list[Any]] = mapped_column(default=list, doc="ids of three voices to begin with")
    is_campaign: Mapped[bool] = mapped_column(default=False, doc="near-copies explain it: shown as that, not as a surge")
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
