"""Labels: a machine's and a person's are different rows in different tables, and neither overwrites the other."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base
from core.models.enums import Facet
from core.types import NullableJsonType, StrEnumType


class MachineLabel(NamedTuple):
    """What a model said of one facet, how sure it was, and the words that decided it.

    Attributes:
        value: the label.
        confidence: 0 to 1.
        alternatives: ``{"label", "confidence"}`` each, best first.
        evidence: ``{"text", "weight", "start", "end"}`` each, in the masked text.
        model: the version of the model that said it.
        created_at: when.
        rule: the name of the city's rule that decided in place of the model, "" where the model did.
        by_model: what the model had said then, and its confidence; ``None`` where it decided itself.
    """

    value: str
    confidence: float
    alternatives: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    model: str
    created_at: datetime
    rule: str = ""
    by_model: tuple[str, float] | None = None

    @classmethod
    def from_stored(cls, stored: list[Any], *, model: str, created_at: datetime) -> MachineLabel:
        """From the column's ``[value, confidence, [[label, confidence], …], [[text, weight, start, end], …]]``.

        Where a rule decided, ``[rule, label, confidence]`` follows: its name, and what the model had said.
        """
        value, confidence, alternatives, evidence, *ruling = stored
        others = [dict(zip(("label", "confidence"), other, strict=True)) for other in alternatives]
        words = [dict(zip(("text", "weight", "start", "end"), word, strict=True)) for word in evidence]
        if not ruling:
            return cls(value, confidence, others, words, model, created_at)
        ((rule, said, likely),) = ruling
        return cls(value, confidence, others, words, model, created_at, rule, (said, likely))


class MachineReading(Base):
    """What a model said of a voice: a column a facet, empty where it said nothing."""

    __tablename__ = "machine_readings"

    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    theme: Mapped[list[Any] | None] = mapped_column(NullableJsonType, doc="as ``MachineLabel.from_stored`` reads it")
    subtheme: Mapped[list[Any] | None] = mapped_column(NullableJsonType)
    kind: Mapped[list[Any] | None] = mapped_column(NullableJsonType)
    urgency: Mapped[list[Any] | None] = mapped_column(NullableJsonType)
    department: Mapped[list[Any] | None] = mapped_column(NullableJsonType)
    model: Mapped[str] = mapped_column(String(64), doc="version of the model that said it")
    created_at: Mapped[datetime]

    def labels(self) -> dict[Facet, MachineLabel]:
        """The labels by facet."""
        said = {facet: getattr(self, facet.value) for facet in Facet}
        return {
            facet: MachineLabel.from_stored(label, model=self.model, created_at=self.created_at) for facet, label in said.items() if label
        }


class HumanLabel(Base):
    """What a person decided: a correction, or an acceptance of the machine's word. The newest of a facet is in force.

    What a person thinks is the newest that isn't ``undone``: that is what training learns from.
    """

    __tablename__ = "human_labels"
    __table_args__ = (Index(None, "voice_id", "facet", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"))
    facet: Mapped[Facet] = mapped_column(StrEnumType(Facet))
    value: Mapped[str] = mapped_column(String(64))
    machine_value: Mapped[str] = mapped_column(String(64), default="", doc="what the machine, or the city's rule, had said then")
    undone: Mapped[bool] = mapped_column(
        default=False, server_default=false(), doc="taken back, or written to put back what stood there: nobody's judgement"
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
