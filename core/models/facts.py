"""Counts of voices by one attribute and by two, by day and by month: what dashboards read in place of the voices."""

from __future__ import annotations

from datetime import date

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base


class DailyCount(Base):
    """How many voices of a day have ``value`` in ``facet`` and ``by_value`` in ``by_facet``; ``core.facts`` says which there are."""

    __tablename__ = "daily_counts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    facet: Mapped[str] = mapped_column(String(16), primary_key=True, doc="empty: all voices of the day")
    by_facet: Mapped[str] = mapped_column(String(16), primary_key=True, doc="empty: by one attribute alone")
    received_on: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(String(64), primary_key=True)
    by_value: Mapped[str] = mapped_column(String(64), primary_key=True)
    voices: Mapped[int]


class MonthlyCount(Base):
    """``DailyCount`` summed up by month, so that a year by two attributes is read in a few rows."""

    __tablename__ = "monthly_counts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    facet: Mapped[str] = mapped_column(String(16), primary_key=True)
    by_facet: Mapped[str] = mapped_column(String(16), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True, doc="its first day")
    value: Mapped[str] = mapped_column(String(64), primary_key=True)
    by_value: Mapped[str] = mapped_column(String(64), primary_key=True)
    voices: Mapped[int]
