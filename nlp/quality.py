"""How good and how honest predictions are: hit rate, macro F1, calibration, and how many need no human at a wanted precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.classify import softmax
from nlp.vectors import Floats

SURE_PRECISION = 0.95
"""What "needs no human" means: of the labels taken as they are, so many are right."""


@dataclass(frozen=True, slots=True)
class Quality:
    """One facet's predictions against the truth.

    ``sure_above`` is the confidence from which on labels are right at ``SURE_PRECISION``, and
    ``coverage`` the share of texts that have it.
    """

    texts: int
    accuracy: float
    macro_f1: float
    ece: float
    sure_above: float
    coverage: float

    @classmethod
    def of(cls, probabilities: Floats, labels: Sequence[str], truth: NDArray[Any]) -> Quality:
        """From probabilities (n, labels)."""
        predicted = np.array(labels)[probabilities.argmax(axis=1)]
        return cls.of_labels(predicted, probabilities.max(axis=1), truth)

    @classmethod
    def of_labels(cls, predicted: NDArray[Any], confidence: Floats, truth: NDArray[Any]) -> Quality:
        """From labels with a confidence each, shape (n)."""
        from sklearn.metrics import f1_score

        right = predicted == truth
        sure_above, coverage = sure(confidence, right)
        return cls(
            texts=len(truth),
            accuracy=float(right.mean()),
            macro_f1=float(f1_score(truth, predicted, average="macro", labels=np.unique(truth), zero_division=0)),
            ece=calibration_error(confidence, right),
            sure_above=sure_above,
            coverage=coverage,
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def temperature(scores: Floats, truth: NDArray[Any], *, weights: NDArray[Any] | None = None) -> float:
    """The divisor of the scores under which held-out labels (column numbers) are likeliest; ``weights`` say how much each text counts."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        losses = -np.log(np.maximum(softmax(scores / np.exp(log_temperature))[rows, truth], 1e-12))
        return float(np.average(losses, weights=weights))

    return float(np.exp(minimize_scalar(loss, bounds=(-6.0, 2.0), method="bounded").x))


def calibration_error(confidence: Floats, right: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Expected calibration error: the mean gap between confidence and hit rate, over bins of equal width, weighted by size."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (place == one).sum() * abs(float(confidence[place == one].mean()) - float(right[place == one].mean()))
        for one in range(bins)
        if (place == one).any()
    ]
    return float(sum(gaps) / max(len(confidence), 1))


@dataclass(frozen=True, slots=True)
class Bin:
    """The texts of one tenth of the confidence scale: how many, their mean confidence, and how many of them are right."""

    low: float
    high: float
    texts: int
    confidence: float
    accuracy: float


def reliability(confidence: Floats, right: NDArray[np.bool_], *, bins: int = 10) -> list[Bin]:
    """What ``calibration_error`` sums up: the bins that hold texts, from low to high confidence."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(one / bins, (one + 1) / bins, int(inside.sum()), float(confidence[inside].mean()), float(right[inside].mean()))
        for one in range(bins)
        if (inside := place == one).any()
    ]


def precision_by_coverage(confidence: Floats, right: NDArray[np.bool_], *, steps: int = 20) -> list[tuple[float, float, float]]:
    """Taking the surest texts only: share taken, hit rate of those, and the confidence from which on they are taken."""
    order = np.argsort(-confidence, kind="stable")
    rate = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    taken = sorted({max(1, round(len(order) * step / steps)) for step in range(1, steps + 1)}) if len(order) else []
    return [(count / len(order), float(rate[count - 1]), float(confidence[order[count - 1]])) for count in taken]


def sure(confidence: Floats, right: NDArray[np.bool_], *, precision: float = SURE_PRECISION) -> tuple[float, float]:
    """The lowest confidence from which on the hit rate reaches ``precision``, and the share of texts above it; (1, 0) when none does."""
    order = np.argsort(-confidence, kind="stable")
    rate = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(rate >= precision)
    if not len(enough):
        return 1.0, 0.0
    return float(confidence[order[enough[-1]]]), float((enough[-1] + 1) / len(order))
