"""FAQ (よくある質問): entries by their source's number, and how often each was looked at in a period."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base


class FaqEntry(Base):
    """A question that the city answers on its pages. Masked like everything that is shown."""

    __tablename__ = "faq_entries"
    __table_args__ = (Index(None, "number", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(100), doc="the source's own number, or one made from the question")
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text, default="")
    theme: Mapped[str] = mapped_column(String(64), default="")
    department: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime]


class FaqCount(Base):
    """How often an entry was looked at from ``since`` to ``until`` (both included), as one file told it. Of several, the newest holds."""

    __tablename__ = "faq_counts"
    __table_args__ = (Index(None, "entry_id", "since", "until", "batch_id", unique=True), Index(None, "since", "until"))

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("faq_entries.id", ondelete="CASCADE"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"), index=True)
    since: Mapped[date]
    until: Mapped[date]
    views: Mapped[int]
