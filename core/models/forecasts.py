"""What each department's past says about its open voices, made anew each day; and what was done for a day, once for all workers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base


class Pace(Base):
    """How long voices wait for the end of their handling. ``kind`` empty: all of the department; ``department`` empty: of the city."""

    __tablename__ = "paces"

    department: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    as_of: Mapped[date]
    ended: Mapped[int] = mapped_column(doc="voices that it was learnt from and that were answered or closed")
    waiting: Mapped[int] = mapped_column(doc="those that were open still")
    still_open: Mapped[list[Any]] = mapped_column(doc="the share that is open still at the end of 0, 1, 2 … open days after receipt")


class Forecast(Base):
    """A department's open voices and how many of them are likely to be late. ``department`` empty: all."""

    __tablename__ = "forecasts"

    department: Mapped[str] = mapped_column(String(64), primary_key=True)
    as_of: Mapped[date]
    open: Mapped[int] = mapped_column(doc="open voices with a deadline")
    overdue: Mapped[int] = mapped_column(doc="those of them whose deadline has passed")
    expected_late: Mapped[list[Any]] = mapped_column(doc="of those due within 0, 1, 2 … open days, how many are expected to be late")
    expected_in_all: Mapped[float] = mapped_column(doc="of all that aren't overdue yet")


class DailyRun(Base):
    """A task that was begun for a day; a second worker finds the row and leaves it."""

    __tablename__ = "daily_runs"

    day: Mapped[date] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(String(32), primary_key=True)
    begun_at: Mapped[datetime]


class DigestMark(Base):
    """A morning digest that was handed to the mail server."""

    __tablename__ = "digest_marks"

    day: Mapped[date] = mapped_column(primary_key=True)
    recipient: Mapped[str] = mapped_column(String(80), primary_key=True, doc="user:ID or department:NAME; no address")
    sent_at: Mapped[datetime]
