"""New models only when they are better: old and new are put to the decisions that staff made since the old ones were trained.

The old models never saw those decisions; the new ones answer for each by leave-one-out, as if they hadn't (``nlp.ridge``). So both are
held to the same unseen part, and no decision has to be kept out of training for the sake of the comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.settings import Settings
from nlp import artifacts, taxonomy
from nlp.classify import softmax
from nlp.corpus import Example
from nlp.train import Fitted, fit, prepare_texts, text_key
from nlp.vectors import Floats

_FACETS = ("theme", "kind", "urgency")


@dataclass(frozen=True, slots=True)
class Score:
    """How models did on the held-out decisions: how many labels were right, and the mean −log P of the right ones."""

    labels: int
    right: int
    loss: float

    def beats(self, other: Score) -> bool:
        """More right; or as many right, though not none, and surer of them."""
        return self.right > other.right or (self.right == other.right > 0 and self.loss < other.loss)


@dataclass(frozen=True, slots=True)
class Retrained:
    """What came of it: the folder in force, whether it is a new one, why, and both scores where they were compared."""

    folder: Path
    taken: bool
    reason: str
    old: Score | None = None
    new: Score | None = None


def retrain(settings: Settings, *, human: Sequence[Example] = ()) -> Retrained:
    """Trains on everything that is known now, and puts the result in force if it is better.

    Raises:
        InputError: corpus, cases or taxonomy can't be read.
    """
    current = artifacts.current_folder(settings)
    if current is None:
        return _take(fit(settings, human=human), settings, reason="いまの学習例と分類ファイルに合うモデルがなかったため")
    known = artifacts.seen(current)
    if not any(text_key(example.text) not in known for example in human):
        return Retrained(current, taken=False, reason="前回のあとに新しい判断がないため")
    fitted = fit(settings, human=human)
    fresh = np.array([row for row in range(fitted.human_from, len(fitted.examples)) if text_key(fitted.examples[row].text) not in known])
    new, old = _score_new(fitted, fresh), _score_old(current, settings, [fitted.examples[row] for row in fresh])
    if not new.beats(old):
        return Retrained(current, taken=False, reason="新しい判断で比べて、前のモデルより良くならなかったため", old=old, new=new)
    return _take(fitted, settings, reason="新しい判断で比べて、前のモデルより良いため", old=old, new=new)


def _take(fitted: Fitted, settings: Settings, *, reason: str, old: Score | None = None, new: Score | None = None) -> Retrained:
    return Retrained(artifacts.save(fitted.bundle, settings), taken=True, reason=reason, old=old, new=new)


def _score_new(fitted: Fitted, fresh: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Score:
    parts = []
    for name in _FACETS:
        held_out = fitted.held_out[name]
        rows = np.flatnonzero(np.isin(held_out.examples, fresh))
        probabilities = softmax(held_out.scores[rows] / fitted.bundle.temperatures[name])
        truth = [getattr(fitted.examples[index], name) for index in held_out.examples[rows]]
        parts.append(_score(probabilities, held_out.labels, truth))
    return _sum(parts)


def _score_old(folder: Path, settings: Settings, examples: Sequence[Example]) -> Score:
    classifier = artifacts.load(folder, lexicon=artifacts.lexicon_folder(settings), taxonomy=taxonomy.load(settings.taxonomy_dir))
    blocks = classifier.features.transform(prepare_texts([example.text for example in examples]))
    parts = []
    for name in _FACETS:
        rows = [row for row, example in enumerate(examples) if getattr(example, name)]
        probabilities = classifier.probabilities(name, blocks.take(rows))
        parts.append(_score(probabilities, classifier.labels[name], [getattr(examples[row], name) for row in rows]))
    return _sum(parts)


def _score(probabilities: Floats, labels: Sequence[str], truth: Sequence[str]) -> Score:
    column = {label: place for place, label in enumerate(labels)}
    right = sum(labels[int(row.argmax())] == label for row, label in zip(probabilities, truth, strict=True))
    # A label that the models don't know was given no chance at all.
    chances = [float(row[column[label]]) if label in column else 0.0 for row, label in zip(probabilities, truth, strict=True)]
    return Score(len(truth), right, float(-np.log(np.maximum(chances, 1e-6)).sum()))


def _sum(parts: Sequence[Score]) -> Score:
    labels = sum(part.labels for part in parts)
    return Score(labels, sum(part.right for part in parts), sum(part.loss for part in parts) / max(labels, 1))
