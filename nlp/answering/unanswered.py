"""Which questions of a voice no sentence of the answer speaks to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp import similar
from nlp.answering.questions import Question, questions
from nlp.answering.substance import Courtesy, substance
from nlp.vectors import Sif, unit

# Words of asking itself: they stand in every question and tell nothing of its subject.
_ASKING = re.compile(
    r"教える|知る|聞く|伺う|尋ねる|説明|回答|返事|連絡|質問|問い合わせ|理由|何故|何時|何処|何方|どう|如何|何|幾ら|欲しい|下さる|頂く|貰う|願う|御願い|"
    r"希望|要望|求める|検討|対応|為る|成る|出来る|有る|居る|無い|良い|思う|考える|言う|必要|事|物|所|為|方|場合|市|もっと|是非|早い|早急|直ぐ|今後|予定|"
    r"様|こと|もの|ため|よう|人|私|自分|皆|ちゃんと|きちんと|もう一つ|それと|又|次|其れ|此れ|此の|其の|あの|どの|同じ|他|一つ|点|件"
)
# A sentence that comes nearer to another question, by more than the margin, speaks to that one.
_MARGIN, _ANOTHERS = 0.05, 0.3
# Two words mean nearly the same from this cosine on.
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question, and how near the nearest sentence of the answer comes to it (0–1)."""

    question: Question
    nearness: float


def unanswered(voice: str, answer: str, *, courtesy: Courtesy, sif: Sif | None, below: float) -> list[Unanswered]:
    """The questions of a masked voice to which no sentence of the answer comes as near as ``below``, in the voice's order.

    A question without a word of its own (なんとかしてください) is answered by whatever is said.
    """
    asked = [(one, subject(one.subject(voice))) for one in questions(voice)]
    asked = [(one, terms) for one, terms in asked if terms]
    said = [subject(answer[start:end]) for start, end in substance(answer, courtesy)]
    near = nearness([terms for _, terms in asked], said, sif=sif)
    return [Unanswered(one, float(value)) for (one, _), value in zip(asked, near, strict=True) if value < below]


def nearness(asked: Sequence[Sequence[str]], said: Sequence[Sequence[str]], *, sif: Sif | None) -> NDArray[np.float64]:
    """How near the answer's sentences come to each question, 0 to 1: by the words of the question that they have, and by meaning."""
    if not asked or not said:
        return np.zeros(len(asked))
    near = np.array([[_covered(question, sentence, sif) for sentence in said] for question in asked])
    if sif is not None:
        vectors = sif.encode([*asked, *said])
        meaning = np.clip(vectors[: len(asked)] @ vectors[len(asked) :].T, 0.0, 1.0)
        near = np.maximum(near, (near + meaning) / 2)
    others = near < near.max(axis=0) - _MARGIN
    return np.asarray(np.clip(np.where(others, _ANOTHERS * near, near).max(axis=1), 0.0, 1.0), dtype=np.float64)


def _covered(question: Sequence[str], sentence: Sequence[str], sif: Sif | None) -> float:
    """The share of the question's words that the sentence has or nearly has, weighted by how rare they are."""
    weights = np.array([sif.weight(word) if sif is not None else 1.0 for word in question])
    return float(weights @ _met(question, sentence, sif) / weights.sum())


def _met(question: Sequence[str], sentence: Sequence[str], sif: Sif | None) -> NDArray[np.float64]:
    have = set(sentence)
    exact = np.array([float(_in(word, have)) for word in question])
    if sif is None or not sentence or exact.all():
        return exact
    rows = [[sif.lexicon.row(word) for word in many] for many in (question, sentence)]
    known = [unit(np.asarray(sif.lexicon.vectors([max(row, 0) for row in own]), dtype=np.float32)) for own in rows]
    near = np.clip(known[0] @ known[1].T, 0.0, 1.0)
    near[np.array(rows[0]) < 0] = 0
    near[:, np.array(rows[1]) < 0] = 0
    best = near.max(axis=1)
    return np.asarray(np.maximum(exact, np.where(best >= _ALIKE, best, 0.0)), dtype=np.float64)


def _in(word: str, have: set[str]) -> bool:
    """Whether a word is there, or a part of a longer one (分別 in 分別表), or the other way round."""
    return word in have or any(len(word) > 1 and len(other) > 1 and (word in other or other in word) for other in have)


def subject(text: str) -> tuple[str, ...]:
    """The terms of a text (``nlp.similar.terms``) without those that stand in every question."""
    return tuple(term for term in similar.terms(text) if not _ASKING.fullmatch(term))
