"""What topics are shown by: keywords by class-based TF-IDF, a name, typical voices.

c-TF-IDF: Grootendorst, "BERTopic: Neural topic modeling with a class-based TF-IDF procedure", 2022; through BERTopic's own transformer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlp.topics.keywords import told_together
from nlp.topics.words import Document, Ints, Term, Words, blocks
from nlp.vectors import Floats

NAMELESS = "名前のない話題"
_BLOCK = 100_000
_KEYWORDS = 10
_CONSIDERED = 3 * _KEYWORDS
_NAME_WORDS = 3
_NEARLY = 0.85
_EXAMPLES = 5
_TYPICAL = 30
_TELLING = 15
_MANY_TERMS = 200_000  # of more, those that were said once name nothing and only cost time


@dataclass(frozen=True, slots=True)
class Description:
    """What a topic is shown by: keywords with their weight, the name made of them, and its typical voices (ids), a few and some more."""

    name: str
    keywords: tuple[tuple[str, float], ...]
    examples: tuple[int, ...]
    typical: tuple[int, ...] = ()


def describe(documents: Sequence[Document], labels: Ints, vectors: Floats, centroids: Floats) -> list[Description]:
    """Keywords, name and typical voices of each topic of a few voices."""
    if not len(centroids):
        return []
    likeness = (vectors * centroids[np.maximum(labels, 0)]).sum(axis=1)
    return describe_all(Words.of(documents), labels, likeness, len(centroids))


def describe_all(voices: Words, labels: Ints, likeness: Floats, count: int) -> list[Description]:
    """Keywords, name and typical voices of each topic.

    Args:
        voices: all voices, with those that are in no topic: their words are common words, too.
        labels: each one's topic, 0 to ``count`` - 1, or less.
        likeness: each one's cosine with its topic's middle.
        count: how many topics there are.
    """
    words, counts = class_counts(voices, labels, count)
    rows = told_together(voices, telling_words(words, counts), most=_KEYWORDS)
    order = np.lexsort((-likeness, labels))
    starts = np.searchsorted(labels[order], np.arange(count + 1))
    return [
        _described(rows[topic], _typical(voices, order[starts[topic] : starts[topic + 1]])) for topic in range(count)
    ]  # fmt: skip


def describe_above(voices: Words, labels: Ints, groups: Sequence[int], below: Sequence[Description]) -> list[Description]:
    """The same of the level above: ``groups`` is each topic's parent, numbered from 0. Typical are the voices typical of the largest."""
    count = max(groups, default=-1) + 1
    places = np.append(np.array(groups, dtype=np.int64), -1)
    rows = told_together(voices, telling_words(*class_counts(voices, places[np.maximum(labels, -1)], count)), most=_KEYWORDS)
    sizes = np.bincount(labels[labels >= 0], minlength=len(groups))
    found = []
    for group in range(count):
        members = sorted((topic for topic, own in enumerate(groups) if own == group), key=lambda topic: (-sizes[topic], topic))
        typical = [below[topic].typical[place] for place in range(_TYPICAL) for topic in members if place < len(below[topic].typical)]
        found.append(_described(rows[group], tuple(typical[:_TYPICAL])))
    return found


def class_counts(voices: Words, labels: Ints, count: int) -> tuple[list[Term], Any]:
    """The words that are counted, each with its commonest surface, and how often each topic says them: shape (count + 1, words).

    The last row is that of the voices in no topic.
    """
    from scipy.sparse import csr_matrix

    said = np.bincount(voices.terms.numbers, minlength=len(voices.term_list))
    norms: dict[str, int] = {}
    norm_of = np.array([norms.setdefault(term.norm, len(norms)) for term in voices.term_list], dtype=np.int64)
    total = csr_matrix((count + 1, len(norms)), dtype=np.float64)
    rows = np.where(labels < 0, count, labels)
    for start, stop in blocks(len(voices), _BLOCK):
        numbers, voice_of = voices.terms.span(start, stop)
        part = (np.ones(len(numbers)), (rows[start:stop][voice_of], norm_of[numbers]))
        total = total + csr_matrix(part, shape=total.shape)
    often = np.flatnonzero(np.asarray(total.sum(axis=0)).ravel() > (0 if len(norms) < _MANY_TERMS else 1))
    shown: dict[int, tuple[int, Term]] = {}
    for term, norm, times in zip(voices.term_list, norm_of.tolist(), said.tolist(), strict=True):
        if times and (norm not in shown or (times, term) > shown[norm]):
            shown[norm] = (times, term)
    return [shown[norm][1] for norm in often.tolist()], total[:, often]


def telling_words(words: Sequence[Term], counts: Any) -> list[list[tuple[Term, float]]]:
    """Each topic's words and weights, the most telling first; ``counts`` has a further row for the rest."""
    from bertopic.vectorizers import ClassTfidfTransformer

    if not len(words):
        return [[] for _ in range(counts.shape[0] - 1)]
    # Between BERTopic's two ways: with the square root of how often a topic says a word, rare words come first; without it, common ones.
    ways = (ClassTfidfTransformer(reduce_frequent_words=reduce).fit(counts).transform(counts.copy()).tocsr() for reduce in (True, False))
    few, many = ways
    weights = few.multiply(many).sqrt().tocsr()
    found = []
    for topic in range(counts.shape[0] - 1):
        row = weights[topic]
        best = sorted(zip((-row.data).tolist(), row.indices.tolist(), strict=True))[:_CONSIDERED]
        found.append([(words[column], -weight) for weight, column in best if weight < 0])
    return found


def _described(words: Sequence[tuple[Term, float]], typical: tuple[int, ...]) -> Description:
    keywords = tuple((term.surface, round(weight, 4)) for term, weight in words[:_KEYWORDS])
    return Description(name_of(words), keywords, typical[:_EXAMPLES], typical)


def name_of(words: Sequence[tuple[Term, float]]) -> str:
    """The first nouns that don't say the same again, joined (「除雪・歩道・通学路」); verbs only where there are no two nouns.

    A compound takes the place of a part that was chosen before it only when it weighs nearly as much (車社会 for 社会, not
    自然災害 for 自然).
    """
    nouns = [(term.surface, weight) for term, weight in words if term.is_noun]
    verbs = [(term.surface, weight) for term, weight in words if not term.is_noun] if len(nouns) < 2 else []
    chosen: dict[str, float] = {}
    for word, weight in [*nouns, *verbs]:
        if any(word in other for other in chosen):
            continue
        parts = [other for other in chosen if other in word]
        if any(weight < _NEARLY * chosen[part] for part in parts):
            continue
        if len(chosen) - len(parts) == _NAME_WORDS:
            break
        chosen = {other: own for other, own in chosen.items() if other not in parts} | {word: weight}
    return "・".join(chosen) or NAMELESS


def _typical(voices: Words, nearest: Ints) -> tuple[int, ...]:
    """The voices nearest to the middle; among them those long enough to say something come first."""
    ranked = nearest[:_TYPICAL]
    long = voices.lengths[ranked] >= _TELLING
    return tuple(voices.ids[np.concatenate([ranked[long], ranked[~long]])].tolist())
