"""Labels: a machine's and a person's are different rows in different tables, and neither overwrites the other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base
from core.models.enums import Facet
from core.types import StrEnumType


class MachineLabel(Base):
    """What a model said of a voice, how sure it was, and the words that decided it."""

    __tablename__ = "machine_labels"
    __table_args__ = (Index(None, "voice_id", "facet", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"))
    facet: Mapped[Facet] = mapped_column(StrEnumType(Facet))
    value: Mapped[str] = mapped_column(String(64))
    confidence: Mapped[float]
    alternatives: Mapped[list[Any]] = mapped_column(default=list, doc='[{"label", "confidence"}], best first')
    evidence: Mapped[list[Any]] = mapped_column(default=list, doc='[{"text", "weight", "start", "end"}] in the masked text')
    model: Mapped[str] = mapped_column(String(64), doc="version of the model that said it")
    created_at: Mapped[datetime]


class HumanLabel(Base):
    """What a person decided: a correction, or an acceptance of the machine's word. The newest of a facet is in force."""

    __tablename__ = "human_labels"
    __table_args__ = (Index(None, "voice_id", "facet", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"))
    facet: Mapped[Facet] = mapped_column(StrEnumType(Facet))
    value: Mapped[str] = mapped_column(String(64))
    machine_value: Mapped[str] = mapped_column(String(64), default="", doc="what the machine had said then")
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
