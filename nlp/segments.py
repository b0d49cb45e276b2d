"""A long letter in topic segments: sentences scored by the theme model, the best path through them found by dynamic programming.

Utiyama, Isahara, "A statistical model for domain-independent text segmentation", ACL 2001, chooses segments by the likeliest path;
here the states are the themes, so that a segment comes with its theme. Staying is free, changing the theme costs, and costs less
where the writer marks a turn (a new paragraph, もう一つ, ところで).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.annotation import PLACEHOLDERS, PiiSpan
from nlp.features import Prepared
from nlp.japanese import Part, moved
from nlp.vectors import Floats

SHORTEST_LETTER = 120
"""Texts of fewer characters are one segment: two topics of a line each are better shown as alternatives."""

# By the letters of data/corpus and data/gold (docs/quality.md): what a change of theme costs, how much less at a marked turn, how much
# the whole letter's themes count in each sentence, and how many content words make a sentence that speaks with its full weight.
CHANGE_COST = 1.7
TURN_DISCOUNT = 1.0
_CONTEXT = 0.15
_FULL_WEIGHT = 6
_SENTENCE = re.compile(r"[^。！？!?\n]*(?:[。！？!?]+[」』）)]*|\n+|$)\s*")
_SHORTEST_PIECE = 8
_LEAST = np.float32(1e-6)
_FARTHEST = -8.0
# Where a writer of letters turns to another matter.
_TURN = re.compile(
    r"\s*(?:[・●○◆■□※\-ー①-⑳]|[(（]?[0-9０-９一二三四五]+[)）.．、]|また|もう[一１1ひ]つ|もうひとつ|それから|それと|ところで|さて|次に|つぎに|最後に|さらに"
    r"|加えて|ついでに|あと|別件|話は変わ|話が変わ|余談|一方|ほかに|他に|なお|第[一二三四]に)"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a masked text, [start, end), and the number of its theme among the model's labels."""

    start: int
    end: int
    theme: int


def sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text are; together they cover it. Crumbs (a bullet, a 「はい。」) go with what follows."""
    found: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE.finditer(text):
        if match.end() - start >= _SHORTEST_PIECE and match.end() > match.start():
            found.append((start, match.end()))
            start = match.end()
    if start < len(text):
        if found:
            found[-1] = (found[-1][0], len(text))
        else:
            found.append((0, len(text)))
    return found


def cut(text: Prepared, places: Sequence[tuple[int, int]]) -> Iterator[Prepared]:
    """The sentences at these places as texts of their own, with offsets that begin anew."""
    at = 0
    tokens = text.tokens
    for start, end in places:
        while at < len(tokens) and tokens[at].start < start:
            at += 1
        first = at
        while at < len(tokens) and tokens[at].start < end:
            at += 1
        yield Prepared(text.masked[start:end], tuple(moved(tokens[first:at], -start)))


def best_path(
    log_probabilities: Floats, turns: Sequence[bool], *, change: float = CHANGE_COST, discount: float = TURN_DISCOUNT
) -> list[int]:
    """The likeliest sequence of themes (Viterbi), given log P(theme | sentence), shape (sentences, themes).

    ``turns[i]`` says whether the writer marks a turn before sentence ``i``.
    """
    score = log_probabilities[0].astype(np.float64)
    came_from: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    for row, turn in zip(log_probabilities[1:], turns[1:], strict=True):
        cost = change - (discount if turn else 0.0)
        best = int(score.argmax())
        stay = score >= score[best] - cost
        came_from.append(np.where(stay, np.arange(len(score)), best))
        score = np.where(stay, score, score[best] - cost) + row
    path = [int(score.argmax())]
    for step in reversed(came_from):
        path.append(int(step[path[-1]]))
    return path[::-1]


def sentence_scores(pieces: Sequence[Prepared], own: Floats, whole: Floats) -> Floats:
    """Scores like log P(theme | sentence) of a letter's sentences (n, k), with what the whole letter (k) is about behind each.

    A sentence of few content words (よろしくお願いします) says little about its theme, and goes with its neighbours.
    """
    words = np.array([sum(1 for token in piece.tokens if token.part & Part.CONTENT) for piece in pieces], dtype=np.float32)
    weight = np.minimum(1.0, words / _FULL_WEIGHT)[:, None]
    scores = np.log(own + _LEAST) + _CONTEXT * np.maximum(np.log(whole + _LEAST), _FARTHEST)
    return np.asarray(weight * scores, dtype=np.float32)


def stretches(text: str, places: Sequence[tuple[int, int]], log_probabilities: Floats) -> list[Stretch]:
    """A text's segments: neighbouring sentences of one theme together."""
    turns = [bool(_TURN.match(text, start)) or text[max(0, start - 1) : start] == "\n" for start, _ in places]
    found: list[Stretch] = []
    for (start, end), theme in zip(places, best_path(log_probabilities, turns), strict=True):
        if found and found[-1].theme == theme:
            found[-1] = Stretch(found[-1].start, end, theme)
        else:
            found.append(Stretch(start, end, theme))
    return found


def given_offset(offset: int, spans: Sequence[PiiSpan]) -> int:
    """The place in the given text of a place in the masked one that isn't inside a placeholder."""
    shift = 0
    for span in spans:
        if span.start + shift >= offset:
            break
        shift += len(PLACEHOLDERS[span.type]) - (span.end - span.start)
    return offset - shift
