"""Past answers and FAQ entries in the order in which they fit a voice. Pure; ``loop.drafting`` finds them.

A past answer is as good as the voice that it answered is like the new one (by rare words, by letters, by meaning), a little better
when it has the new voice's own words, when the labels are the same, and when it is newer (docs/adr/0036).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from nlp import similar
from nlp.answering import letters
from nlp.vectors import Sif

# On the sample each of the three alone finds the same matter less often than all together (docs/adr/0036).
_WORDS, _LETTERS, _MEANING = 0.45, 0.4, 0.15
# The same words in the answer itself, and the same labels, settle what is nearly equal; they never outweigh another matter.
_ANSWER_WORDS = 0.05
_SUBTHEME, _THEME, _KIND, _DEPARTMENT = 0.15, 0.06, 0.06, 0.03
# Below this, a source has no more in common with the voice than chance gives.
LEAST_FIT = 0.09
# Two answers of which so many words are the same say the same (other dates, other places).
_SAME_WORDING = 0.8
# One question of several gets a source of its own where its words are met so well.
_LEAST_FOR_QUESTION = 0.3
# An answer that only thanked is shown where none that says something fits nearly as well.
_THANKED_ONLY = 0.8
# Shared words explain nothing where they are so much less rare than the voice's rarest.
_LEAST_RARE, _MOST_SHARED = 0.3, 6
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Labels:
    """What a voice is about: theme, 中分類, kind, department; "" where unknown."""

    theme: str = ""
    subtheme: str = ""
    kind: str = ""
    department: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """Something that was answered: the masked text of what was asked, its terms and those of what was said, labels, and when.

    Terms are ``nlp.similar.terms``. ``empty``: the answer only thanked (``nlp.answering.substance``).
    """

    key: int
    text: str
    asked: tuple[str, ...]
    said: tuple[str, ...]
    labels: Labels
    answered_on: date | None = None
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A voice: its masked text and its terms, its labels, and the terms of each of its questions."""

    text: str
    terms: tuple[str, ...]
    labels: Labels = Labels()
    questions: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """A past answer's place: how well it fits (0–1), the words in common, the rarest first, and the question that it fits (-1: none)."""

    key: int
    score: float
    shared: tuple[str, ...]
    question: int = -1
    others: int = 0


def rank(
    asked: Asked, past: Sequence[Past], *, weights: Mapping[str, float], sif: Sif | None, limit: int, least: float = LEAST_FIT
) -> list[Fit]:  # fmt: skip
    """The ``limit`` sources that fit best, best first, newer first among equals; each wording once (``Fit.others`` counts the rest).

    ``weights`` are the terms' rarities. Where a voice has several questions, each that some source meets has one among the first.
    """
    if not past:
        return []
    scores = fits(asked, past, weights=weights, sif=sif)
    order = sorted(range(len(past)), key=lambda place: (-round(float(scores[place]), 4), -_day(past[place]), past[place].key))
    groups = _by_wording([place for place in order if scores[place] >= least], past)
    best = [group[0] for group in groups]
    by_question = _by_question(asked, [past[place] for place in best], weights)
    first = _one_for_each(by_question, scores[best])
    chosen = sorted({*first[:limit], *[row for row in range(len(best)) if row not in first][: max(0, limit - len(first))]})
    return [
        Fit(
            key=past[best[row]].key,
            score=float(scores[best[row]]),
            shared=shared_words(asked.terms, past[best[row]], weights),
            question=_question_of(by_question, row),
            others=len(groups[row]) - 1,
        )
        for row in chosen
    ]


def fits(asked: Asked, past: Sequence[Past], *, weights: Mapping[str, float], sif: Sif | None) -> NDArray[np.float64]:
    """How well each fits, 0 to 1."""
    plain = similar.scores(asked.terms, [one.asked for one in past], weights=weights, sif=None)
    meaning = _meaning(asked.terms, [one.asked for one in past], sif) if sif else plain
    spelled = letters.likeness(asked.text, [one.text for one in past])
    answers = similar.scores(asked.terms, [one.said for one in past], weights=weights, sif=None)
    own = np.array([_same_labels(asked.labels, one.labels) for one in past])
    labels, whole = _SUBTHEME + _THEME + _KIND + _DEPARTMENT, _WORDS + _LETTERS + _MEANING + _ANSWER_WORDS
    said = np.array([_THANKED_ONLY if one.empty else 1.0 for one in past])
    like = _WORDS * plain + _LETTERS * spelled + _MEANING * meaning + _ANSWER_WORDS * answers
    return np.asarray(said * like / whole * (1 + own) / (1 + labels))


def shared_words(terms: Sequence[str], one: Past, weights: Mapping[str, float]) -> tuple[str, ...]:
    """The words that both have and not everybody, the rarest first."""
    least = _LEAST_RARE * max((weights.get(term, 0.0) for term in terms), default=0.0)
    common = {term for term in set(terms) & {*one.asked, *one.said} if weights.get(term, 0.0) >= least}
    return tuple(sorted(common, key=lambda term: (-weights.get(term, 0.0), term))[:_MOST_SHARED])


def wording(terms: Sequence[str]) -> frozenset[str]:
    """What makes two answers the same: their words without numbers."""
    return frozenset(filter(None, (_DIGITS.sub("", unicodedata.normalize("NFKC", term)) for term in terms)))


def _same_labels(own: Labels, other: Labels) -> float:
    """What the labels that both have alike count."""
    theme = bool(own.theme) and own.theme == other.theme
    return (
        _THEME * theme
        + _SUBTHEME * (theme and bool(own.subtheme) and own.subtheme == other.subtheme)
        + _KIND * (bool(own.kind) and own.kind == other.kind)
        + _DEPARTMENT * (bool(own.department) and own.department == other.department)
    )


def _meaning(terms: Sequence[str], others: Sequence[Sequence[str]], sif: Sif) -> NDArray[np.float64]:
    vectors = sif.encode([terms, *others])
    return np.asarray(np.clip(vectors[1:] @ vectors[0], 0.0, 1.0), dtype=np.float64)


def _day(one: Past) -> int:
    return one.answered_on.toordinal() if one.answered_on else 0


def _by_wording(order: Sequence[int], past: Sequence[Past]) -> list[list[int]]:
    """Places in groups of the same wording, the first of each the best."""
    groups: list[tuple[frozenset[str], list[int]]] = []
    for place in order:
        words = wording(past[place].said)
        for known, members in groups:
            if len(words & known) >= _SAME_WORDING * len(words | known):
                members.append(place)
                break
        else:
            groups.append((words, [place]))
    return [members for _, members in groups]


def _by_question(asked: Asked, past: Sequence[Past], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """How well each source meets each question, shape (questions, sources)."""
    rows = [similar.scores(terms, [one.asked for one in past], weights=weights, sif=None) for terms in asked.questions if past]
    return np.array(rows).reshape(len(rows), len(past))


def _one_for_each(by_question: NDArray[np.float64], scores: NDArray[np.float64]) -> list[int]:
    """For each question of several the source that meets it best."""
    if len(by_question) < 2:
        return []
    chosen = [int((row + scores / 2).argmax()) for row in by_question if row.max(initial=0.0) >= _LEAST_FOR_QUESTION]
    return list(dict.fromkeys(chosen))


def _question_of(by_question: NDArray[np.float64], source: int) -> int:
    if not len(by_question):
        return -1
    best = int(by_question[:, source].argmax())
    return best if by_question[best, source] > 0 else -1
