"""Theme, 中分類, kind, urgency and department of a text: linear models, so that every decision can be taken apart.

All models see the same features (``nlp.features``) and are applied in one product. Probabilities are calibrated by a
temperature (Guo et al., "On calibration of modern neural networks", ICML 2017) found on held-out folds.
A word's share of a decision is exact: the sum over its features of coefficient × value, against the mean of all labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlp.annotation import Evidence, Label
from nlp.features import Blocks, FeatureMaker, Prepared
from nlp.japanese import Part, Token
from nlp.taxonomy import Taxonomy
from nlp.vectors import SMOOTHING, Floats

SUBTHEME_JOIN = " > "
_ALTERNATIVES = 3
_EVIDENCE = 6
_LEAST_SHARE = 0.04
_EVIDENCE_PARTS = Part.CONTENT | Part.SUFFIX


@dataclass(frozen=True, slots=True)
class LinearModel:
    """One facet's model: labels (k), coefficients for the three views ((k, words), (k, characters), (k, 300)), intercepts (k)."""

    labels: tuple[str, ...]
    words: Floats
    characters: Floats
    sif: Floats
    intercept: Floats
    temperature: float

    @classmethod
    def from_estimator(cls, estimator: Any, *, blocks: tuple[int, int], weights: tuple[float, float, float], temperature: float) -> LinearModel:
        """Folds the views' weights into the coefficients of a fitted ``LogisticRegression``."""
        coefficients = np.asarray(estimator.coef_, dtype=np.float32)
        intercept = np.asarray(estimator.intercept_, dtype=np.float32)
        if len(estimator.classes_) == 2:  # scikit-learn keeps one row for two labels
            coefficients, intercept = np.vstack([-coefficients, coefficients]) / 2, np.concatenate([-intercept, intercept]) / 2
        first, second = blocks[0], blocks[0] + blocks[1]
        return cls(
            labels=tuple(map(str, estimator.classes_)),
            words=coefficients[:, :first] * weights[0],
            characters=coefficients[:, first:second] * weights[1],
            sif=coefficients[:, second:] * weights[2],
            intercept=intercept,
            temperature=temperature,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The labels of one text."""

    theme: Label
    subtheme: Label
    kind: Label
    urgency: Label
    department: Label


class Classifier:
    """The models of all facets, applied together."""

    def __init__(self, features: FeatureMaker, models: Mapping[str, LinearModel], taxonomy: Taxonomy) -> None:
        self.features = features
        self.models = dict(models)
        order = ("theme", "subtheme", "kind", "urgency")
        self._words = np.vstack([self.models[name].words for name in order]).T.copy()
        self._characters = np.vstack([self.models[name].characters for name in order]).T.copy()
        self._sif = np.vstack([self.models[name].sif for name in order]).T.copy()
        self._intercept = np.concatenate([self.models[name].intercept for name in order])
        ends = np.cumsum([len(self.models[name].labels) for name in order])
        self._columns = {name: slice(int(end) - len(self.models[name].labels), int(end)) for name, end in zip(order, ends, strict=True)}
        self._pairs = [tuple(label.split(SUBTHEME_JOIN, 1)) for label in self.models["subtheme"].labels]
        themes = self.models["theme"].labels
        self._theme_of_pair = np.array([themes.index(theme) for theme, _ in self._pairs])
        self._departments, self._desk = _desk(self._pairs, taxonomy)

    def decide(self, texts: Sequence[Prepared], *, evidence: bool = True) -> list[Decision]:
        """The labels of some texts, in order. ``evidence=False`` leaves out the deciding words (faster)."""
        if not texts:
            return []
        blocks = self.features.transform(texts)
        logits = self.logits(blocks)
        theme = self._probabilities("theme", logits)
        kind = self._probabilities("kind", logits)
        urgency = self._probabilities("urgency", logits)
        pair = self._pair_probabilities(theme, logits)
        department = pair @ self._desk
        decisions = []
        for row, text in enumerate(texts):
            words = _RowWords(self, blocks, row, text.tokens) if evidence else None
            decisions.append(self._decision(words, theme[row], pair[row], kind[row], urgency[row], department[row]))
        return decisions

    def logits(self, blocks: Blocks) -> Floats:
        """All facets' scores before calibration, shape (n, sum of labels)."""
        return np.asarray(
            blocks.words @ self._words + blocks.characters @ self._characters + blocks.sif @ self._sif + self._intercept, dtype=np.float32
        )

    def probabilities(self, name: str, blocks: Blocks) -> Floats:
        """One facet's calibrated probabilities, shape (n, labels)."""
        return self._probabilities(name, self.logits(blocks))

    def _probabilities(self, name: str, logits: Floats) -> Floats:
        return softmax(logits[:, self._columns[name]] / self.models[name].temperature)

    def _pair_probabilities(self, theme: Floats, logits: Floats) -> Floats:
        """P(theme) × P(中分類 | theme), shape (n, pairs)."""
        within = np.exp(_shifted(logits[:, self._columns["subtheme"]] / self.models["subtheme"].temperature))
        sums = np.zeros_like(theme)
        for index in range(theme.shape[1]):
            sums[:, index] = within[:, self._theme_of_pair == index].sum(axis=1)
        return np.asarray(theme[:, self._theme_of_pair] * within / np.maximum(sums[:, self._theme_of_pair], 1e-12), dtype=np.float32)

    def _decision(self, words: _RowWords | None, theme: Floats, pair: Floats, kind: Floats, urgency: Floats, department: Floats) -> Decision:
        best = int(theme.argmax())
        inside = np.flatnonzero(self._theme_of_pair == best)
        within = pair[inside] / max(float(theme[best]), 1e-12)
        names = [self._pairs[index][1] for index in inside]
        theme_words = words.evidence("theme", best) if words else ()
        return Decision(
            theme=_label(self.models["theme"].labels, theme, evidence=theme_words),
            subtheme=_label(names, within) if names else Label("", 0.0),
            kind=_label(self.models["kind"].labels, kind, evidence=words.evidence("kind", int(kind.argmax())) if words else ()),
            urgency=_label(
                self.models["urgency"].labels, urgency, evidence=words.evidence("urgency", int(urgency.argmax())) if words else ()
            ),
            department=_label(self._departments, department, evidence=theme_words),
        )

    def word_scores(self, name: str, label: int) -> tuple[Floats, Floats]:
        """A label's coefficients for words and SIF, less the mean over the facet's labels: what speaks for it and not for all."""
        model = self.models[name]
        return model.words[label] - model.words.mean(axis=0), model.sif[label] - model.sif.mean(axis=0)


class _RowWords:
    """One text's tokens with what each adds to a label."""

    def __init__(self, classifier: Classifier, blocks: Blocks, row: int, tokens: Sequence[Token]) -> None:
        self._classifier = classifier
        start, end = blocks.words.indptr[row], blocks.words.indptr[row + 1]
        self._values = dict(zip(blocks.words.indices[start:end].tolist(), blocks.words.data[start:end].tolist(), strict=True))
        self._tokens = [token for token in tokens if token.part & _EVIDENCE_PARTS and not token.part & Part.NUMBER]
        self._vocabulary = classifier.features.words.vocabulary_
        sif = classifier.features.sif
        self._rows = [sif.lexicon.row(token.norm) for token in self._tokens]
        self._weights = [SMOOTHING / (SMOOTHING + sif.frequencies.get(token.norm, 0.0)) for token in self._tokens]

    def evidence(self, name: str, label: int) -> tuple[Evidence, ...]:
        if not self._tokens:
            return ()
        words, dense = self._classifier.word_scores(name, label)
        vectors = self._classifier.features.sif.lexicon.vectors([max(row, 0) for row in self._rows])
        projected = (vectors @ dense).tolist()
        weight = sum(one for one, row in zip(self._weights, self._rows, strict=True) if row >= 0) or 1.0
        scores: dict[str, float] = {}
        places: dict[str, Token] = {}
        for token, row, own, share in zip(self._tokens, self._rows, projected, self._weights, strict=True):
            if token.norm in scores:
                scores[token.norm] += own * share / weight if row >= 0 else 0.0
                continue
            feature = self._vocabulary.get(token.norm)
            value = self._values.get(feature, 0.0) * float(words[feature]) if feature is not None else 0.0
            scores[token.norm] = value + (own * share / weight if row >= 0 else 0.0)
            places[token.norm] = token
        positive = sum(score for score in scores.values() if score > 0)
        if positive <= 0:
            return ()
        best = sorted(((score / positive, norm) for norm, score in scores.items() if score > 0), reverse=True)[:_EVIDENCE]
        return tuple(
            Evidence(places[norm].surface, share, places[norm].start, places[norm].end) for share, norm in best if share >= _LEAST_SHARE
        )


def softmax(scores: Floats) -> Floats:
    """Rows of probabilities."""
    powers = np.exp(_shifted(scores))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def _shifted(scores: Floats) -> Floats:
    return np.asarray(scores - scores.max(axis=1, keepdims=True), dtype=np.float32)


def _label(names: Sequence[str], probabilities: Floats, *, evidence: tuple[Evidence, ...] = ()) -> Label:
    order = np.argsort(-probabilities, kind="stable")[: _ALTERNATIVES + 1]
    ranked = [(names[index], float(probabilities[index])) for index in order]
    (label, confidence), *others = ranked
    return Label(label, confidence, tuple(others), evidence)


def _desk(pairs: Sequence[tuple[str, ...]], taxonomy: Taxonomy) -> tuple[list[str], Floats]:
    """The departments, and the 0/1 matrix (pairs, departments) of the city's file."""
    answering = [taxonomy.department_of(theme, subtheme) for theme, subtheme in pairs]
    names = sorted(set(answering))
    matrix = np.zeros((len(pairs), len(names)), dtype=np.float32)
    matrix[np.arange(len(pairs)), [names.index(name) for name in answering]] = 1.0
    return names, matrix
