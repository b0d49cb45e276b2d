"""Another city: how soon models taught by our corpus fit a taxonomy that cuts the same matters differently.

data/gold/other_city holds such a taxonomy and the table that reads the gold voices' labels into it. Some voices play the staff's
decisions, the others test. Ours (the corpus's opinion as a view, the taxonomy's words as hints) stands against regressions that learn
from the same decisions alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from core.errors import InputError
from nlp import baselines
from nlp.classify import SUBTHEME_JOIN
from nlp.corpus import Example
from nlp.features import Blocks, Prepared
from nlp.gold import GoldVoice, Topic
from nlp.space import VIEWS
from nlp.train import Newcomer

DECISIONS = (0, 25, 50, 100, 200)
"""How many decisions the curve is drawn at."""
SEEDS = (0, 1, 2, 3, 4)
"""The draws that are reported; constants were chosen on others (docs/quality.md)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one city's topics read in another's taxonomy: by pair, and by the id of a voice where the pair's reading is wrong for it."""

    pairs: dict[Topic, Topic]
    voices: dict[str, Topic]

    def of(self, voice: GoldVoice) -> Topic:
        """The other city's main topic of a voice.

        Raises:
            InputError: its main topic isn't in the table.
        """
        if found := self.voices.get(voice.id) or self.pairs.get(voice.topics[0]):
            return found
        raise InputError(
            f"読みかえ表に「{SUBTHEME_JOIN.join(voice.topics[0])}」（{voice.id}）がありません。",
            hint="mapping.yaml の pairs に足してください。",
        )


@dataclass(frozen=True, slots=True)
class Point:
    """So many decisions, and the macro F1 of each draw's test voices."""

    decisions: int
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.scores))

    @property
    def spread(self) -> float:
        """The standard deviation over the draws."""
        return float(np.std(self.scores))


@dataclass(frozen=True, slots=True)
class Transfer:
    """The learning curves by way of labelling ("ours" and ``nlp.baselines.NAMES``), the number of voices that test, the draws."""

    themes: int
    tests: int
    seeds: tuple[int, ...]
    curves: dict[str, tuple[Point, ...]]

    @property
    def lead(self) -> float:
        """Macro F1 of ours less that of the best other, with all decisions."""
        last = {name: points[-1].mean for name, points in self.curves.items()}
        return last["ours"] - max(mean for name, mean in last.items() if name != "ours")


def load_reading(path: Path) -> Reading:
    """Reads mapping.yaml: ``pairs`` (theme, then 中分類) and ``voices`` (ids), each to 「分野 > 中分類」.

    Raises:
        InputError: the file is missing or of another form.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        pairs = {(theme, subtheme): _topic(target) for theme, row in content["pairs"].items() for subtheme, target in row.items()}
        return Reading(pairs, {name: _topic(target) for name, target in (content.get("voices") or {}).items()})
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError):
        raise InputError(f"読みかえ表 {path} が読めません。", hint="「大分類: {中分類: 分野 > 中分類}」の形にしてください。") from None


def _topic(target: str) -> Topic:
    theme, subtheme = target.split(SUBTHEME_JOIN)
    return theme, subtheme


@dataclass(frozen=True, slots=True)
class Trial:
    """Voices with the other city's labels, ready to be learnt from and tested on."""

    newcomer: Newcomer
    examples: tuple[Example, ...]
    texts: tuple[Prepared, ...]
    blocks: Blocks

    @classmethod
    def of(cls, newcomer: Newcomer, voices: Sequence[GoldVoice], texts: Sequence[Prepared], reading: Reading) -> Trial:
        """From gold voices with a main topic, and the same prepared."""
        examples = tuple(voice.as_example(topic=reading.of(voice)) for voice in voices)
        return cls(newcomer, examples, tuple(texts), newcomer.features.transform(texts))

    def draw(self, seed: int, *, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Decisions and test voices, shares of themes kept. The first n decisions have the themes' shares too, as far as n allows."""
        from sklearn.model_selection import train_test_split

        themes = np.array([example.theme for example in self.examples])
        decided, tests = train_test_split(np.arange(len(themes)), train_size=most, stratify=themes, random_state=seed)
        # Each voice's place among its theme's, as a share: in this order every theme advances alike.
        place = np.zeros(len(decided))
        for theme in np.unique(themes[decided]):
            inside = themes[decided] == theme
            place[inside] = (np.arange(inside.sum()) + 0.5) / inside.sum()
        return decided[np.argsort(place, kind="stable")], tests

    def ours(self, decided: NDArray[np.int64], tests: NDArray[np.int64]) -> list[str]:
        """The themes that our models give the test voices after these decisions."""
        learned = self.newcomer.learn([self.examples[row] for row in decided], self.blocks.take(decided))
        rows = self.blocks.take(tests).stacked(VIEWS["theme"])
        scores = rows @ learned.model.coefficients.T + learned.model.intercept
        return [learned.model.labels[best] for best in np.asarray(scores).argmax(axis=1)]

    def theirs(self, name: str, decided: NDArray[np.int64], tests: NDArray[np.int64]) -> list[str]:
        """The same by a baseline."""
        fitted: Callable[[Sequence[Prepared], Sequence[str]], baselines.Labeller] = getattr(baselines, name)
        say = fitted([self.texts[row] for row in decided], [self.examples[row].theme for row in decided])
        return [label.label for label in say([self.texts[row] for row in tests])]

    def by_words(self, tests: NDArray[np.int64]) -> list[str]:
        """The same by the taxonomy's words alone, which need no decision."""
        words = self.newcomer.words
        say = baselines.theme_words(words, otherwise=words.theme_names[-1])
        return [label.label for label in say([self.texts[row] for row in tests])]


def run(trial: Trial, *, decisions: Sequence[int] = DECISIONS, seeds: Sequence[int] = SEEDS) -> Transfer:
    """All curves. A regression has nothing to say before the first decision; the words alone are drawn at 0 only."""
    draws = [trial.draw(seed, most=max(decisions)) for seed in seeds]

    def point(count: int, say: Callable[[NDArray[np.int64], NDArray[np.int64]], list[str]]) -> Point:
        return Point(count, tuple(_macro_f1(trial, tests, say(decided[:count], tests)) for decided, tests in draws))

    curves = {"ours": tuple(point(count, trial.ours) for count in decisions)}
    for name in ("tfidf", "signalen"):
        by = _partial(trial, name)
        curves[name] = tuple(point(count, by) for count in decisions if count)
    themes = len(trial.newcomer.words.themes)
    return Transfer(themes, len(draws[0][1]), tuple(seeds), curves | {"words": (point(0, lambda _, tests: trial.by_words(tests)),)})


def _partial(trial: Trial, name: str) -> Callable[[NDArray[np.int64], NDArray[np.int64]], list[str]]:
    return lambda decided, tests: trial.theirs(name, decided, tests)


def _macro_f1(trial: Trial, tests: NDArray[np.int64], said: Sequence[str]) -> float:
    from sklearn.metrics import f1_score

    truth = [trial.examples[row].theme for row in tests]
    return float(f1_score(truth, said, average="macro", labels=sorted(set(truth)), zero_division=0))
