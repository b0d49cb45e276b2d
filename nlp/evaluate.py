"""How often the labels are right, on texts whose labels a person gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlp.annotation import Annotation, Label
from nlp.corpus import Example
from nlp.train import calibration_error


@dataclass(frozen=True, slots=True)
class FacetScore:
    """One facet on the texts that have its label: hit rate, hit rate counting a second defensible label, macro F1, calibration error."""

    texts: int
    strict: float
    lenient: float
    macro_f1: float
    ece: float


@dataclass(frozen=True, slots=True)
class Report:
    """What ``koe evaluate`` says."""

    texts: int
    facets: dict[str, FacetScore]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "texts": self.texts,
            **{
                name: {
                    "texts": score.texts,
                    "strict": round(score.strict, 4),
                    "lenient": round(score.lenient, 4),
                    "macro_f1": round(score.macro_f1, 4),
                    "ece": round(score.ece, 4),
                }
                for name, score in self.facets.items()
            },
        }

    def as_text(self) -> str:
        """For people."""
        names = {"theme": "分野", "subtheme": "中分類", "kind": "種別", "urgency": "緊急度"}
        lines = [f"{self.texts:,} 件で測定"]
        for name, score in self.facets.items():
            second = f"、第2の正解も数えると {score.lenient:.3f}" if name == "theme" else ""
            rest = f"マクロ F1 {score.macro_f1:.3f}、較正誤差 {score.ece:.3f}（{score.texts:,} 件）"
            lines.append(f"  {names[name]}: 正解率 {score.strict:.3f}{second}、{rest}")
        return "\n".join(lines)


def evaluate(annotate: Callable[[Sequence[str]], list[Annotation]], examples: Sequence[Example]) -> Report:
    """Labels the texts and compares; a facet that no example has a label for is left out."""
    annotations = annotate([example.text for example in examples])
    facets = {}
    for name in ("theme", "subtheme", "kind", "urgency"):
        pairs = [
            (example, getattr(annotation, name))
            for example, annotation in zip(examples, annotations, strict=True)
            if getattr(example, name)
        ]
        if pairs:
            facets[name] = _score(name, pairs)
    return Report(len(examples), facets)


def _score(name: str, pairs: Sequence[tuple[Example, Label]]) -> FacetScore:
    from sklearn.metrics import f1_score

    truth = [getattr(example, name) for example, _ in pairs]
    said = [label.label for _, label in pairs]
    right = np.array([given == own for given, own in zip(truth, said, strict=True)])
    lenient = [hit or (name == "theme" and label.label in example.other_themes) for hit, (example, label) in zip(right, pairs, strict=True)]
    confidence = np.array([label.confidence for _, label in pairs], dtype=np.float32)
    return FacetScore(
        texts=len(pairs),
        strict=float(right.mean()),
        lenient=float(np.mean(lenient)),
        macro_f1=float(f1_score(truth, said, average="macro", labels=sorted(set(truth)), zero_division=0)),
        ece=calibration_error(confidence, right),
    )
