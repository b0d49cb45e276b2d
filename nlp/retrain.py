"""New models only when they are better: old and new are put to the decisions that staff made since the old ones were trained.

The old models never saw those decisions; the new ones answer for each by leave-one-out, as if they hadn't (``nlp.ridge``). So both are
held to the same unseen part, and no decision has to be kept out of training for the sake of the comparison.

A few decisions, or one-sided ones, may win there and spoil all else: the new models must not be worse on the labelled test set either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.settings import Settings
from nlp import artifacts, gold, taxonomy
from nlp.classify import Classifier, softmax
from nlp.corpus import Example
from nlp.taxonomy import Taxonomy
from nlp.train import Fitted, decision_key, fit, prepare_texts
from nlp.vectors import Floats

_FACETS = ("theme", "kind", "urgency")
# By how much the hit rate and the macro F1 on the test set may fall: what a handful of its voices make.
_MAY_LOSE = 0.01
_FEWEST = 50  # voices of the test set that a city's themes must have for it to tell anything


@dataclass(frozen=True, slots=True)
class Score:
    """How models did on labelled texts: how many labels were right, the mean −log P of the right ones, the macro F1 of the themes."""

    labels: int
    right: int
    loss: float
    macro_f1: float = 0.0

    def beats(self, other: Score) -> bool:
        """More right; or as many right, though not none, and surer of them."""
        return self.right > other.right or (self.right == other.right > 0 and self.loss < other.loss)

    def spoils(self, other: Score) -> bool:
        """Worse by more than chance on the same texts."""
        lost = (other.right - self.right) / max(self.labels, 1)
        return lost > _MAY_LOSE or other.macro_f1 - self.macro_f1 > _MAY_LOSE


@dataclass(frozen=True, slots=True)
class Retrained:
    """What came of it: the folder in force, whether it is a new one, why, and both scores where they were compared.

    ``old`` and ``new`` are on the decisions made since, ``old_test`` and ``new_test`` on the test set; ``decisions`` were learnt from.
    """

    folder: Path
    taken: bool
    reason: str
    decisions: int = 0
    old: Score | None = None
    new: Score | None = None
    old_test: Score | None = None
    new_test: Score | None = None

    def as_dict(self) -> dict[str, Any]:
        """What a job tells: figures before and after."""
        told: dict[str, Any] = {"taken": self.taken, "reason": self.reason, "decisions": self.decisions}
        if self.old and self.new:
            told |= {"held_out": self.new.labels, "right_before": self.old.right, "right_after": self.new.right}
            told |= {"held_out_f1": [round(self.old.macro_f1, 3), round(self.new.macro_f1, 3)]}
        if self.old_test and self.new_test:
            told |= {"test_f1": [round(self.old_test.macro_f1, 3), round(self.new_test.macro_f1, 3)]}
        return told


def retrain(settings: Settings, *, human: Sequence[Example] = ()) -> Retrained:
    """Trains on everything that is known now, and puts the result in force if it is better.

    Raises:
        InputError: corpus, cases or taxonomy can't be read.
    """
    current = artifacts.current_folder(settings)
    if current is None:
        reason = "いまの学習例と分類ファイルに合うモデルがなかったため"
        return _take(fit(settings, human=human), settings, Retrained(Path(), taken=True, reason=reason, decisions=len(human)))
    known = artifacts.seen(current)
    if not any(decision_key(example) not in known for example in human):
        return Retrained(current, taken=False, reason="前回のあとに新しい判断がないため", decisions=len(human))
    fitted = fit(settings, human=human)
    found = _compared(fitted, current, known, settings)
    if found.new is None or found.old is None or not found.new.beats(found.old):
        return replace(found, reason="新しい判断で比べて、前のモデルより良くならなかったため")
    if found.new_test and found.old_test and found.new_test.spoils(found.old_test):
        return replace(found, reason="新しい判断では良くなったが、正解つきの声では前のモデルより悪くなったため")
    return _take(fitted, settings, replace(found, taken=True, reason="新しい判断で比べて、前のモデルより良いため"))


def _compared(fitted: Fitted, current: Path, known: frozenset[str], settings: Settings) -> Retrained:
    """Old and new models on the decisions that the old ones don't know, and on the test set where it has the city's themes."""
    words = taxonomy.load(settings.taxonomy_dir)
    before = artifacts.load(current, lexicon=artifacts.lexicon_folder(settings), taxonomy=words)
    fresh = np.array([row for row in range(fitted.human_from, len(fitted.examples)) if decision_key(fitted.examples[row]) not in known])
    test = _test_set(settings, words)
    return Retrained(
        current,
        taken=False,
        reason="",
        decisions=len(fitted.examples) - fitted.human_from,
        old=_score(before, [fitted.examples[row] for row in fresh]),
        new=_score_new(fitted, fresh),
        old_test=_score(before, test) if test else None,
        new_test=_score(fitted.bundle.classifier(words), test) if test else None,
    )


def _take(fitted: Fitted, settings: Settings, found: Retrained) -> Retrained:
    return replace(found, folder=artifacts.save(fitted.bundle, settings))


def _test_set(settings: Settings, words: Taxonomy) -> list[Example]:
    """The voices of the test set whose theme is one of the city's; none where too few are."""
    folder = settings.data / "gold"
    voices = gold.load(folder).voices if any(folder.glob("*.jsonl")) else ()
    examples = [example for voice in voices if (example := voice.as_example()).theme in words.theme_names]
    return examples if len(examples) >= _FEWEST else []


def _score_new(fitted: Fitted, fresh: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Score:
    parts = {}
    for name in _FACETS:
        held_out = fitted.held_out[name]
        rows = np.flatnonzero(np.isin(held_out.examples, fresh))
        probabilities = softmax(held_out.scores[rows] / fitted.bundle.temperatures[name])
        truth = [getattr(fitted.examples[index], name) for index in held_out.examples[rows]]
        parts[name] = _Part(probabilities, held_out.labels, truth)
    return _sum(parts)


def _score(classifier: Classifier, examples: Sequence[Example]) -> Score:
    blocks = classifier.features.transform(prepare_texts([example.text for example in examples]))
    parts = {}
    for name in _FACETS:
        rows = [row for row, example in enumerate(examples) if getattr(example, name)]
        truth = [getattr(examples[row], name) for row in rows]
        parts[name] = _Part(classifier.probabilities(name, blocks.take(rows)), classifier.labels[name], truth)
    return _sum(parts)


class _Part(NamedTuple):
    """One facet: what is said of n texts, shape (n, labels), and what is true."""

    probabilities: Floats
    labels: Sequence[str]
    truth: Sequence[str]

    @property
    def said(self) -> list[str]:
        return [self.labels[int(row.argmax())] for row in self.probabilities]

    @property
    def loss(self) -> float:
        column = {label: place for place, label in enumerate(self.labels)}
        # A label that the models don't know was given no chance at all.
        chances = [float(row[column[label]]) if label in column else 0.0 for row, label in zip(self.probabilities, self.truth, strict=True)]
        return float(-np.log(np.maximum(chances, 1e-6)).sum())


def _sum(parts: Mapping[str, _Part]) -> Score:
    from sklearn.metrics import f1_score

    labels = sum(len(part.truth) for part in parts.values())
    right = sum(label == said for part in parts.values() for label, said in zip(part.truth, part.said, strict=True))
    truth, said = parts["theme"].truth, parts["theme"].said
    macro = float(f1_score(truth, said, average="macro", labels=sorted(set(truth)), zero_division=0)) if truth else 0.0
    return Score(labels, right, sum(part.loss for part in parts.values()) / max(labels, 1), macro)
