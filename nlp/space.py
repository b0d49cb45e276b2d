"""The space in which labels are learnt: the views of the examples stacked into one matrix, and every facet solved in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp import ridge
from nlp.artifacts import StoredModel
from nlp.classify import SUBTHEME_JOIN
from nlp.corpus import Example
from nlp.features import Blocks
from nlp.vectors import Floats

# How much each view (words, characters, SIF) counts for a facet; by leave-one-out on data/corpus.
VIEWS: dict[str, tuple[float, float, float]] = {
    "theme": (1.0, 1.0, 2.0),
    "subtheme": (1.0, 1.0, 2.0),
    "kind": (1.0, 1.0, 1.0),
    "urgency": (1.0, 1.0, 1.0),
}
# Regularisation, likewise.
PENALTY = {"theme": 2.0, "subtheme": 2.0, "kind": 2.0, "urgency": 2.0}
# How far labels count alike, however many examples each has (1: wholly): a city's mix of voices is not the corpus's. Urgent voices, one in
# seventy, count for more than all others: one missed is worse than two false alarms.
_BALANCE = {"theme": 1.0, "subtheme": 0.75, "kind": 0.75, "urgency": 2.0}
# How far an example speaks for the themes that it names beside its main one: without it, their words would speak against them.
_NAMED_TOO = 0.2
# What is none of the others has no words of its own; an example of it says less than one of a label that has.
_REST_LABEL, _REST_WEIGHT = "その他", {"kind": 0.35}
# Under another city's themes: how much the corpus's opinion counts as a view of a text, and the regularisation and balance of few
# decisions beside the taxonomy's words. Chosen on draws that bench/quality.py doesn't report (docs/quality.md).
_OPINION_VIEW = 4.0
_OPINION_PENALTY = 150.0
_OPINION_BALANCE = 0.0
_OPINIONATED = {"theme", "subtheme"}


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One facet's scores (n, labels) of the examples that have its label, each by a model without it; which examples those are."""

    scores: Floats
    labels: tuple[str, ...]
    examples: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the corpus's own labels make of a text: a linear map of its stacked views, (k, d) and (k)."""

    coefficients: Floats
    offset: Floats

    def of(self, rows: Any) -> Floats:
        """The opinions of some texts, shape (n, k)."""
        return np.asarray(rows @ self.coefficients.T + self.offset, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Space:
    """The examples' features, those of the taxonomy's words, and, under another city's themes, the corpus's opinion of them."""

    blocks: Blocks
    hint_blocks: Blocks
    opinion: Opinion | None = None

    def with_opinion(self, taught: Sequence[Example]) -> Space:
        """Adds what the labels of ``taught``, the first of the examples, make of every text as a further view of it."""
        labels = [[example.theme, f"{example.theme}{SUBTHEME_JOIN}{example.subtheme}"] for example in taught]
        names = sorted({name for both in labels for name in both})
        column = {name: place for place, name in enumerate(names)}
        targets = np.zeros((len(taught), len(names)))
        for row, both in enumerate(labels):
            targets[row, [column[name] for name in both]] = 1.0
        rows = self.blocks.take(np.arange(len(taught))).stacked(VIEWS["theme"])
        solved = ridge.solve(rows, np.ones(len(taught)), targets, penalty=PENALTY["theme"])
        # Centre and scale by what the models say of texts that they haven't seen, as they haven't seen a city's own.
        middle = solved.held_out.mean(axis=0)
        scale = _OPINION_VIEW / float(np.linalg.norm(solved.held_out - middle, axis=1).mean())
        return replace(self, opinion=Opinion(solved.coefficients * np.float32(scale), (solved.intercept - middle) * np.float32(scale)))

    def learn(self, names: Sequence[str], examples: Sequence[Example], hints: Sequence[Example]) -> dict[str, Learned]:
        """The models of some facets."""
        return {name: self._solve(_Task.of(name, examples, hints, balance=self._balance(name))) for name in names}

    def learn_within(self, theme: str, examples: Sequence[Example], hints: Sequence[Example]) -> Learned:
        """The model of one theme's 中分類 against each other."""
        task = _Task.of("subtheme", examples, hints, balance=self._balance("subtheme"), theme=theme)
        return self._solve(task)

    def _rows(self, task: _Task) -> Any:
        from scipy.sparse import csr_matrix, hstack, vstack

        views = VIEWS[task.name]
        rows = vstack([self.blocks.take(task.used).stacked(views), self.hint_blocks.take(task.hints_used).stacked(views)]).tocsr()
        return rows if self.opinion is None or task.name not in _OPINIONATED else hstack([rows, csr_matrix(self.opinion.of(rows))]).tocsr()

    def _penalty(self, name: str) -> float:
        return PENALTY[name] if self.opinion is None or name not in _OPINIONATED else _OPINION_PENALTY

    def _balance(self, name: str) -> float:
        return _BALANCE[name] if self.opinion is None or name not in _OPINIONATED else _OPINION_BALANCE

    def _solve(self, task: _Task) -> Learned:
        # A label that only the taxonomy's words stand for is learnt too.
        classes = np.unique(task.labels)
        targets = np.maximum(task.labels[:, None] == classes, _NAMED_TOO * task.named_too(classes))
        solved = ridge.solve(self._rows(task), task.weights, targets, penalty=self._penalty(task.name))
        coefficients, intercept = solved.coefficients, solved.intercept
        if self.opinion is not None and task.name in _OPINIONATED:
            width = self.opinion.coefficients.shape[1]
            beyond = coefficients[:, width:]
            coefficients = coefficients[:, :width] + beyond @ self.opinion.coefficients
            intercept = intercept + beyond @ self.opinion.offset
        names = tuple(map(str, classes))
        return Learned(StoredModel(names, coefficients, intercept), HeldOut(solved.held_out[: len(task.used)], names, task.used))


@dataclass(frozen=True, slots=True)
class Learned:
    """A facet's model, and what models without each example say of it."""

    model: StoredModel
    held_out: HeldOut


@dataclass(frozen=True, slots=True)
class _Task:
    """What a facet is learnt from: the examples and hints that have its label, those labels, how much each counts, and further themes."""

    name: str
    used: NDArray[np.int64]
    hints_used: NDArray[np.int64]
    labels: NDArray[Any]
    weights: NDArray[Any]
    others: tuple[tuple[str, ...], ...]

    def named_too(self, classes: NDArray[Any]) -> NDArray[np.bool_]:
        """Which further themes each example names, shape (examples and hints, classes); none for another facet than the theme."""
        named = np.zeros((len(self.labels), len(classes)), dtype=np.bool_)
        column = {label: place for place, label in enumerate(classes.tolist())}
        for row, others in enumerate(self.others):
            named[row, [column[other] for other in others if other in column]] = True
        return named

    @classmethod
    def of(cls, name: str, examples: Sequence[Example], hints: Sequence[Example], *, balance: float, theme: str = "") -> _Task:
        labels, used = _labels(examples, name, theme)
        hinted, hints_used = _labels(hints, name, theme)
        weights = np.array([examples[index].weight for index in used])
        if len(used):
            _, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
            weights *= (counts.mean() / counts[place]) ** balance
            weights[labels == _REST_LABEL] *= _REST_WEIGHT.get(name, 1.0)
        every = np.concatenate([weights, [hints[index].weight for index in hints_used]])
        others = tuple(examples[index].other_themes for index in used) if name == "theme" else ()
        return cls(name, used, hints_used, np.concatenate([labels, hinted]), every, others)


def _labels(examples: Sequence[Example], name: str, theme: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The given labels of a facet, and the indices of the examples that have one."""
    used = [index for index, item in enumerate(examples) if getattr(item, name) and (not theme or item.theme == theme)]
    values = [
        f"{theme}{SUBTHEME_JOIN}{examples[index].subtheme}" if name == "subtheme" else getattr(examples[index], name) for index in used
    ]
    return np.array(values, dtype=np.str_), np.array(used, dtype=np.int64)
