"""What nlp says of one text: the values that ingest saves, `koe annotate` prints and the pages show.

Named tuples: a frozen dataclass takes four times as long on its way between processes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

PiiType = Literal[
    "NAME", "ADDRESS", "PHONE", "EMAIL", "POSTAL_CODE", "MY_NUMBER", "BIRTHDATE", "ACCOUNT", "PLATE", "URL_ID", "OTHER_ID"
]  # fmt: skip

PLACEHOLDERS: dict[PiiType, str] = {
    "NAME": "〔氏名〕",
    "ADDRESS": "〔住所〕",
    "PHONE": "〔電話〕",
    "EMAIL": "〔メール〕",
    "POSTAL_CODE": "〔郵便番号〕",
    "MY_NUMBER": "〔マイナンバー〕",
    "BIRTHDATE": "〔生年月日〕",
    "ACCOUNT": "〔口座番号〕",
    "PLATE": "〔車両番号〕",
    "URL_ID": "〔アカウント〕",
    "OTHER_ID": "〔番号〕",
}
"""What stands in the masked text in place of each type."""


# How shares and confidences are written: looked up in a third of the time that it takes to write one.
_THOUSANDTHS = tuple(repr(number / 1000) for number in range(1001))
_TEN_THOUSANDTHS = tuple(repr(number / 10_000) for number in range(10_001))


@lru_cache(maxsize=50_000)
def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class PiiSpan(NamedTuple):
    """Personal data found: code-point offsets into the given text, end exclusive."""

    start: int
    end: int
    type: PiiType

    def as_dict(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "type": self.type}


class Evidence(NamedTuple):
    """A word that spoke for a label: its share of the decision (0–1) and code-point offsets into the masked text."""

    text: str
    weight: float
    start: int
    end: int

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text, "weight": round(self.weight, 3), "start": self.start, "end": self.end}


class Ruling(NamedTuple):
    """The name of the city's rule that decided in place of the model, and what the model had said."""

    rule: str
    label: str
    confidence: float


class Label(NamedTuple):
    """One decision: the label, its calibrated confidence (0–1), the next best, and the words that decided it.

    ``held`` (判断保留): the confidence is too low to act on; ``label`` is then no more than the likeliest of many.
    ``ruling``: a rule of the city's decided, not the model (``nlp.routing``).
    """

    label: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = ()
    evidence: tuple[Evidence, ...] = ()
    held: bool = False
    ruling: Ruling | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "confidence": round(self.confidence, 4),
            "held": self.held,
            "alternatives": [{"label": label, "confidence": round(confidence, 4)} for label, confidence in self.alternatives],
            "evidence": [item.as_dict() for item in self.evidence],
        }


def stored(labels: Sequence[Label]) -> tuple[str | None, ...]:
    """A text's labels as ``core.models.MachineLabel.from_stored`` reads them: JSON text each, ``None`` for one that names nothing.

    Short, since there are five for each voice. Labels that were decided by the same words share them.
    """
    told: dict[int, str] = {}
    return tuple([_stored(label, told) if label.label else None for label in labels])


def _stored(label: Label, told: dict[int, str]) -> str:
    value, confidence, alternatives, evidence, _, ruling = label
    words = told.get(id(evidence))
    if words is None:
        words = ",".join([f"[{_quoted(text)},{_THOUSANDTHS[round(weight * 1000)]},{start},{end}]" for text, weight, start, end in evidence])
        told[id(evidence)] = words
    others = ",".join([f"[{_quoted(name)},{_TEN_THOUSANDTHS[round(likely * 10_000)]}]" for name, likely in alternatives])
    ruled = f",[{_quoted(ruling.rule)},{_quoted(ruling.label)},{_TEN_THOUSANDTHS[round(ruling.confidence * 10_000)]}]" if ruling else ""
    return f"[{_quoted(value)},{_TEN_THOUSANDTHS[round(confidence * 10_000)]},[{others}],[{words}]{ruled}]"


class Segment(NamedTuple):
    """A stretch of a text about one matter; a text's segments follow each other and cover it.

    ``start`` and ``end`` are code-point offsets into the given text, ``masked_start`` and ``masked_end`` into the masked one.
    """

    start: int
    end: int
    masked_start: int
    masked_end: int
    theme: str
    subtheme: str
    department: str
    confidence: float

    def as_dict(self) -> dict[str, Any]:
        return {
            "start": self.start,
            "end": self.end,
            "theme": self.theme,
            "subtheme": self.subtheme,
            "department": self.department,
            "confidence": round(self.confidence, 4),
        }

    def in_masked(self) -> dict[str, Any]:
        """The same with the offsets into the masked text, which is what is stored and shown."""
        return self.as_dict() | {"start": self.masked_start, "end": self.masked_end}


class Annotation(NamedTuple):
    """All that is said of one text. ``model`` names the version of the models that said it.

    ``related`` are departments that a voice concerns beside the one that answers for it (関係課). ``reidentifying`` names
    what is left in the masked text that is rare together (年齢, 病気…), empty when nobody can be told by it. ``terms`` are the words by
    which the text is found (``nlp.similar.terms``).
    """

    masked: str
    pii: tuple[PiiSpan, ...]
    theme: Label
    subtheme: Label
    kind: Label
    urgency: Label
    department: Label
    related: tuple[str, ...]
    segments: tuple[Segment, ...]
    reidentifying: tuple[str, ...]
    terms: tuple[str, ...]
    model: str

    def as_dict(self) -> dict[str, Any]:
        """The line of ``koe annotate`` without its id."""
        return {
            "masked": self.masked,
            "pii": [span.as_dict() for span in self.pii],
            "theme": self.theme.as_dict() | {"subtheme": self.subtheme.label},
            "kind": self.kind.as_dict(),
            "urgency": self.urgency.as_dict(),
            "department": self.department.as_dict() | {"related": list(self.related)},
            "segments": [segment.as_dict() for segment in self.segments],
            "reidentifying": list(self.reidentifying),
        }
