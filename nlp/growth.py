"""How labels get better with more examples: models learnt from shares of the corpus, put to the same test voices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.settings import Settings
from nlp.annotation import Label
from nlp.classify import softmax
from nlp.corpus import Example
from nlp.evaluate import FacetScore, Outcome
from nlp.features import Prepared
from nlp.gold import GoldVoice
from nlp.quality import temperature
from nlp.space import VIEWS
from nlp.train import learn_facets

SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
_SEED = 20261121


@dataclass(frozen=True, slots=True)
class Step:
    """Models of so many examples: their scores by facet (theme, kind)."""

    examples: int
    facets: dict[str, FacetScore]


def curve(
    settings: Settings,
    examples: Sequence[Example],
    texts: Sequence[Prepared],
    voices: Sequence[GoldVoice],
    tests: Sequence[Prepared],
    *,
    shares: Sequence[float] = SHARES,
) -> tuple[Step, ...]:
    """One step for each share of the examples; a smaller share is part of every larger one.

    Args:
        settings: whose taxonomy it is.
        examples: labelled voices to learn from.
        texts: the same, prepared.
        voices: labelled test voices, all with a main topic and a kind.
        tests: the same, prepared.
        shares: how much of the examples, 0 to 1.
    """
    order = np.random.default_rng(_SEED).permutation(len(examples))
    return tuple(_step(settings, examples, texts, voices, tests, order[: round(len(order) * share)].tolist()) for share in shares)


def _step(
    settings: Settings,
    examples: Sequence[Example],
    texts: Sequence[Prepared],
    voices: Sequence[GoldVoice],
    tests: Sequence[Prepared],
    rows: Sequence[int],
) -> Step:
    taught = [examples[row] for row in rows]
    features, learned = learn_facets(settings, taught, [texts[row] for row in rows])
    blocks = features.transform(tests)
    facets = {}
    for name, facet in learned.items():
        truth = np.array([getattr(taught[row], name) for row in facet.held_out.examples])
        heat = temperature(facet.held_out.scores, np.searchsorted(facet.held_out.labels, truth))
        scores = np.asarray(blocks.stacked(VIEWS[name]) @ facet.model.coefficients.T + facet.model.intercept, dtype=np.float32)
        chances = softmax(scores / heat)
        said = [Label(facet.model.labels[best], float(row[best])) for row, best in zip(chances, chances.argmax(axis=1), strict=True)]
        wanted = [[theme for theme, _ in voice.topics] if name == "theme" else [voice.kind] for voice in voices]
        facets[name] = FacetScore.of(Outcome.of(wanted, said))
    return Step(len(rows), facets)
