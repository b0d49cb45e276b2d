"""What a machine read of a voice by grammar: judgements, requests, questions, and for or against."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base


class Opinion(Base):
    """One row a voice. All offsets are code points of its masked text; ``nlp.opinions`` says what each part means."""

    __tablename__ = "opinions"

    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    stance: Mapped[str] = mapped_column(String(8), doc="賛成, 反対 or どちらでもない")
    confidence: Mapped[float] = mapped_column(doc="0–1, of the stance")
    stance_words: Mapped[list[Any]] = mapped_column(default=list, doc="[[start, end]] of the words that decided the stance")
    pairs: Mapped[list[Any]] = mapped_column(
        default=list, doc='[{"topic", "predicate", "polarity", "topic_span": [start, end], "predicate_span": [start, end]}]'
    )
    requests: Mapped[list[Any]] = mapped_column(default=list, doc="[[start, end]] of sentences that ask for something")
    questions: Mapped[list[Any]] = mapped_column(default=list, doc="[[start, end]] of sentences that ask to know something")
    model: Mapped[str] = mapped_column(String(64), doc="version of the parser and of the rules")
    created_at: Mapped[datetime]
