"""Theme, 中分類, kind, urgency and department of a text: linear models, so that every decision can be taken apart.

All models see the same features (``nlp.features``) and are applied in one product. Probabilities are calibrated by a
temperature (Guo et al., "On calibration of modern neural networks", ICML 2017) found on held-out folds.
A word's share of a decision is exact: the sum over its features of coefficient × value, against the mean of all labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nlp import segments
from nlp.annotation import Evidence, Label
from nlp.evidence import WordShares
from nlp.features import Blocks, FeatureMaker, Prepared
from nlp.line import Line
from nlp.segments import Stretch
from nlp.taxonomy import Taxonomy
from nlp.vectors import Floats, steady_product

SUBTHEME_JOIN = " > "
_ALTERNATIVES = 3
# Scores are rounded to so many steps a unit, far finer than they are told: then no last digit depends on a text's neighbours.
_STEPS = 2**16
# A department this likely is one that the voice concerns too.
_RELATED = 0.25


FACETS = ("theme", "subtheme", "kind", "urgency")
"""The facets in the order of their labels' columns."""


@dataclass(frozen=True, slots=True)
class LinearModel:
    """All facets' labels side by side (k in all), and what speaks for each.

    Attributes:
        labels: each facet's labels, in the order of ``FACETS`` and of the columns.
        temperatures: each facet's.
        words: coefficients of the word view, shape (d, k).
        characters: the same of the character view.
        sif: the same of the vector view, shape (300, k).
        intercept: shape (k).
    """

    labels: Mapping[str, tuple[str, ...]]
    temperatures: Mapping[str, float]
    words: Floats
    characters: Floats
    sif: Floats
    intercept: Floats

    def columns(self, facet: str) -> slice:
        """Where a facet's labels are."""
        start = sum(len(self.labels[name]) for name in FACETS[: FACETS.index(facet)])
        return slice(start, start + len(self.labels[facet]))

    def theme_alone(self) -> LinearModel:
        """The model of the theme, the first columns: a tenth of the work."""
        own = self.columns("theme")
        words, characters, sif = (np.ascontiguousarray(view[:, own]) for view in (self.words, self.characters, self.sif))
        return LinearModel({"theme": self.labels["theme"]}, self.temperatures, words, characters, sif, self.intercept[own])

    def logits(self, blocks: Blocks) -> Floats:
        """All labels' scores before calibration, shape (n, k)."""
        # By columns each feature's coefficients are fetched once for all texts, and what is added to a text keeps its order.
        words, characters = blocks.words.tocsc() @ self.words, blocks.characters.tocsc() @ self.characters
        scores = words + characters + steady_product(blocks.sif, self.sif) + self.intercept
        return np.asarray(np.round(scores * _STEPS) / _STEPS, dtype=np.float32)

    def probabilities(self, facet: str, logits: Floats) -> Floats:
        """One facet's calibrated probabilities, shape (n, labels)."""
        return softmax(logits[:, self.columns(facet)] / self.temperatures[facet])


class Decision(NamedTuple):
    """The labels of one text."""

    theme: Label
    subtheme: Label
    kind: Label
    urgency: Label
    department: Label
    related: tuple[str, ...] = ()
    segments: tuple[TopicSegment, ...] = ()


class TopicSegment(NamedTuple):
    """A stretch [start, end) of the masked text, what it is about, and how sure that is."""

    start: int
    end: int
    theme: str
    subtheme: str
    department: str
    confidence: float


class Classifier:
    """The models of all facets, applied together. Below the confidence ``hold_below`` a label is held back (判断保留)."""

    def __init__(self, features: FeatureMaker, model: LinearModel, taxonomy: Taxonomy, *, hold_below: float = 0.0) -> None:
        self.features = features
        self.labels = model.labels
        self.hold_below = hold_below
        self._model = model
        self._theme_alone = model.theme_alone()
        self._columns = {name: model.columns(name) for name in FACETS}
        self._pairs = [tuple(label.split(SUBTHEME_JOIN, 1)) for label in self.labels["subtheme"]]
        self._theme_of_pair = np.array([self.labels["theme"].index(theme) for theme, _ in self._pairs])
        # A label's coefficients less the mean over its facet: what speaks for it and not for all.
        self._own = {
            name: (_above_mean(model.words[:, self._columns[name]].T), _above_mean(model.sif[:, self._columns[name]].T))
            for name in ("theme", "kind", "urgency")
        }
        self._taxonomy = taxonomy
        self._ordinary = taxonomy.urgencies[-1]
        self._departments, self._desk = _desk(self._pairs, taxonomy)

    def decide(self, texts: Sequence[Prepared], *, line: Line | None = None, evidence: bool = True) -> list[Decision]:
        """The labels of some texts, in order. ``line``: the texts as one, where it is there. ``evidence=False`` leaves out the deciding
        words (faster).
        """
        if not texts:
            return []
        line = line or self.features.book.line(texts)
        blocks = self.features.views(line)
        logits = self._model.logits(blocks)
        theme = self._model.probabilities("theme", logits)
        kind = self._model.probabilities("kind", logits)
        urgency = self._model.probabilities("urgency", logits)
        pair = self._pair_probabilities(theme, logits)
        department = steady_product(pair, self._desk).astype(np.float32)
        spoken = self._spoken(line, blocks, {"theme": theme, "kind": kind, "urgency": urgency}) if evidence else {}
        decided = self._labels(self.labels["theme"], theme, spoken.get("theme"))
        decisions = map(
            Decision,
            decided,
            self._subthemes(theme.argmax(axis=1), pair),
            self._labels(self.labels["kind"], kind, spoken.get("kind")),
            self._labels(self.labels["urgency"], urgency, spoken.get("urgency")),
            self._labels(self._departments, department, [label.evidence for label in decided]),
        )
        return self._with_segments(texts, list(decisions), theme, department)

    def _with_segments(self, texts: Sequence[Prepared], decisions: Sequence[Decision], theme: Floats, department: Floats) -> list[Decision]:
        found = self._segments(texts, decisions, theme)
        related: list[list[str]] = [[part.department for part in parts] for parts in found]
        rows, places = np.nonzero(department >= _RELATED)
        order = np.lexsort((-department[rows, places], rows))
        for row, place in zip(rows[order].tolist(), places[order].tolist(), strict=True):
            related[row].append(self._departments[place])
        return [
            Decision(*decision[:5], _others(names, decision.department.label), parts)
            for decision, names, parts in zip(decisions, related, found, strict=True)
        ]

    def _segments(self, texts: Sequence[Prepared], decisions: Sequence[Decision], whole: Floats) -> list[tuple[TopicSegment, ...]]:
        """Each text's topics: one for a short text, and for a letter as many as its sentences tell."""
        found: list[tuple[TopicSegment, ...]] = [(_whole(text, decision),) for text, decision in zip(texts, decisions, strict=True)]
        places = {
            row: sentences
            for row, text in enumerate(texts)
            if len(text.masked) >= segments.SHORTEST_LETTER and len(sentences := segments.sentences(text.masked)) > 1
        }
        if not places:
            return found
        pieces = [piece for row, where in places.items() for piece in segments.cut(texts[row], where)]
        own = self._theme_alone.probabilities("theme", self._theme_alone.logits(self.features.transform(pieces)))
        parts: list[tuple[int, Stretch]] = []
        at = 0
        for row, where in places.items():
            inside = slice(at, at + len(where))
            at += len(where)
            scores = segments.sentence_scores(pieces[inside], own[inside], whole[row])
            stretches = segments.stretches(texts[row].masked, where, scores)
            if len(stretches) > 1:
                parts += [(row, stretch) for stretch in stretches]
        if parts:
            self._name_parts(texts, parts, found)
        return found

    def _name_parts(self, texts: Sequence[Prepared], parts: Sequence[tuple[int, Stretch]], found: list[tuple[TopicSegment, ...]]) -> None:
        """Labels stretches as texts of their own; neighbours that then have one theme and department become one segment."""
        themes = self.labels["theme"]
        pieces = [piece for row, stretch in parts for piece in segments.cut(texts[row], [(stretch.start, stretch.end)])]
        logits = self._model.logits(self.features.transform(pieces))
        theme = self._model.probabilities("theme", logits)
        pair = self._pair_probabilities(theme, logits)
        letters: dict[int, list[TopicSegment]] = {}
        for (row, stretch), own, both in zip(parts, theme, pair, strict=True):
            inside = np.flatnonzero(self._theme_of_pair == stretch.theme)
            subtheme = self._pairs[inside[int(both[inside].argmax())]][1] if len(inside) else ""
            name = themes[stretch.theme]
            segment = TopicSegment(
                stretch.start, stretch.end, name, subtheme, self._taxonomy.department_of(name, subtheme), float(own[stretch.theme])
            )
            letters.setdefault(row, []).append(segment)
        for row, letter in letters.items():
            found[row] = tuple(letter)

    def probabilities(self, name: str, blocks: Blocks) -> Floats:
        """One facet's calibrated probabilities, shape (n, labels)."""
        return self._model.probabilities(name, self._model.logits(blocks))

    def _pair_probabilities(self, theme: Floats, logits: Floats) -> Floats:
        """P(theme) × P(中分類 | theme), shape (n, pairs)."""
        within = np.exp(_shifted(logits[:, self._columns["subtheme"]] / self._model.temperatures["subtheme"]))
        sums = np.zeros_like(theme)
        for index in range(theme.shape[1]):
            sums[:, index] = within[:, self._theme_of_pair == index].sum(axis=1)
        return np.asarray(theme[:, self._theme_of_pair] * within / np.maximum(sums[:, self._theme_of_pair], 1e-12), dtype=np.float32)

    def _labels(
        self, names: Sequence[str], probabilities: Floats, evidence: Sequence[tuple[Evidence, ...]] | None = None
    ) -> list[Label]:  # fmt: skip
        """The label of each row and the next best, those of probability 0 left out."""
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, : _ALTERNATIVES + 1]
        likely = np.take_along_axis(probabilities, order, axis=1)
        found = []
        for row, (places, confidences) in enumerate(zip(order.tolist(), likely.tolist(), strict=True)):
            (name, best), *others = zip([names[place] for place in places], confidences, strict=True)
            alternatives = tuple(others if confidences[-1] > 0 else [other for other in others if other[1] > 0])
            found.append(Label(name, best, alternatives, evidence[row] if evidence else (), best < self.hold_below))
        return found

    def _subthemes(self, themes: NDArray[np.int64], pair: Floats) -> list[Label]:
        """The 中分類 of each row within its theme: as likely as both are right."""
        within = np.where(self._theme_of_pair == themes[:, None], pair, np.float32(0))
        return self._labels([subtheme for _, subtheme in self._pairs], within)

    def _spoken(self, line: Line, blocks: Blocks, said: Mapping[str, Floats]) -> dict[str, list[tuple[Evidence, ...]]]:
        """The deciding words of each text for each facet's likeliest label. Nothing makes a voice an ordinary one."""
        shares = WordShares(self.features, line, blocks)
        best = {name: probabilities.argmax(axis=1) for name, probabilities in said.items()}
        asked = {name: np.ones(len(labels), dtype=bool) for name, labels in best.items()}
        if self._ordinary in self.labels["urgency"]:
            asked["urgency"] = best["urgency"] != self.labels["urgency"].index(self._ordinary)
        return {name: shares.of(*self._own[name], labels, asked[name]) for name, labels in best.items()}


def softmax(scores: Floats) -> Floats:
    """Rows of probabilities."""
    powers = np.exp(_shifted(scores))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def _above_mean(coefficients: Floats) -> Floats:
    return np.ascontiguousarray(coefficients - coefficients.mean(axis=0), dtype=np.float32)


def _shifted(scores: Floats) -> Floats:
    return np.asarray(scores - scores.max(axis=1, keepdims=True), dtype=np.float32)


def _others(departments: Sequence[str], answering: str) -> tuple[str, ...]:
    """Departments beside the one that answers: those of the other segments, and those nearly as likely."""
    return tuple([name for name in dict.fromkeys(departments) if name and name != answering])


def _whole(text: Prepared, decision: Decision) -> TopicSegment:
    theme = decision.theme
    return TopicSegment(0, len(text.masked), theme.label, decision.subtheme.label, decision.department.label, theme.confidence)


def _desk(pairs: Sequence[tuple[str, ...]], taxonomy: Taxonomy) -> tuple[list[str], Floats]:
    """The departments, and the 0/1 matrix (pairs, departments) of the city's file."""
    answering = [taxonomy.department_of(theme, subtheme) for theme, subtheme in pairs]
    names = sorted(set(answering))
    matrix = np.zeros((len(pairs), len(names)), dtype=np.float32)
    matrix[np.arange(len(pairs)), [names.index(name) for name in answering]] = 1.0
    return names, matrix
