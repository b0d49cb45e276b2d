"""How like two voices are, by rare words in common and by meaning. Pure functions; ``nlp.likeness`` has the tables."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.settings import Settings
from nlp import artifacts
from nlp.japanese import Part, Token, tokenize
from nlp.line import Line
from nlp.vectors import Sif

LONGEST_TERM = 64
_PLACEHOLDER = re.compile(r"〔[^〔〕]{1,8}〕")
_NOT_WORDS = re.compile(r"[\W_]+")

# Words of a text that are looked up at most.
_MOST_LOOKUPS = 48
# With less than this in hand, a word that is too common by itself is looked up together with others, or for its newest voices.
_ENOUGH = 2_000


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question to the index: the voices that hold all these terms; where ``limit`` isn't 0, the newest so many.

    ``weight`` is what holding the terms counts. With a limit, ``last`` is the newest voice that is asked for, 0 for any.
    """

    terms: tuple[str, ...]
    weight: float
    limit: int = 0
    last: int = 0


def terms(masked: str) -> tuple[str, ...]:
    """The words of a masked text by which it can be found, each once, in the text's order.

    Sudachi's normalised forms of what carries meaning; no numbers, no words of time and counting, none of the masks' own words.
    Letters and digits only, folded, so that an index has to cut at spaces and nowhere else.
    """
    return terms_of(tokenize(_PLACEHOLDER.sub(" ", masked)))


def terms_of(tokens: Iterable[Token]) -> tuple[str, ...]:
    """The same from tokens that are there already, those of the masks left out."""
    return _once([_terms[token.norm] for token in tokens if token.part & _ASKED == Part.CONTENT])


def terms_of_line(line: Line) -> list[tuple[str, ...]]:
    """The same of many texts' tokens at once."""
    places = np.flatnonzero(line.parts & _ASKED == Part.CONTENT)
    tokens = line.tokens
    found = [_terms[tokens[place][1]] for place in places.tolist()]
    ends = np.searchsorted(line.text_of[places], np.arange(len(line.masked) + 1)).tolist()
    return [_once(found[start:end]) for start, end in pairwise(ends)]


def _once(found: Iterable[str]) -> tuple[str, ...]:
    once = dict.fromkeys(found)
    once.pop("", None)
    return tuple(once)


class _Terms(dict[str, str]):
    """The term of each word form, made when it is first asked for; forgotten when they are too many."""

    def __missing__(self, norm: str) -> str:
        if len(self) >= _MOST_TERMS:
            self.clear()
        term = self[norm] = _NOT_WORDS.sub("", norm.casefold())[:LONGEST_TERM]
        return term


# Of these a term's word is the first and none of the others.
_ASKED = Part.CONTENT | Part.NUMBER | Part.VAGUE
_terms = _Terms()
_MOST_TERMS = 100_000


def rarity(documents: int, voices: int) -> float:
    """What a word counts that stands in ``documents`` of ``voices``: the less common, the more (inverse document frequency)."""
    return math.log1p(max(voices, 1) / max(documents, 1))


def lookups(documents: Mapping[str, int], voices: int, *, budget: int) -> tuple[Lookup, ...]:
    """Which words of a text to look up, rarest first, so that no more than ``budget`` postings are read in all.

    ``documents`` gives in how many voices each word of the text stands. Where even the rarest are common, they are looked up
    together (voices that hold two of them), and then one by one for their newest voices.
    """
    ordered = sorted((count, term) for term, count in documents.items() if count > 0)
    chosen: list[Lookup] = []
    left = budget
    for count, term in ordered[:_MOST_LOOKUPS]:
        if count > left:
            break
        chosen.append(Lookup((term,), rarity(count, voices)))
        left -= count
    common = ordered[len(chosen) : len(chosen) + 3]
    if budget - left >= min(_ENOUGH, budget) or not common:
        return tuple(chosen)
    weight = {term: rarity(count, voices) for count, term in common}
    names = [term for _, term in common]
    together = [(first, second) for place, first in enumerate(names) for second in names[place + 1 :]]
    share = left // (len(together) + 1)
    if not share:
        return tuple(chosen)
    chosen += [Lookup(pair, sum(weight[term] for term in pair), share) for pair in together]
    chosen.append(Lookup((names[0],), weight[names[0]], share))
    return tuple(chosen)


def best(found: Sequence[tuple[Lookup, Sequence[int]]], *, without: Iterable[int] = (), limit: int) -> list[int]:
    """The voices that the lookups found, those with the most weight first, newer ones first among equals."""
    if not found:
        return []
    ids = np.concatenate([np.asarray(voices, dtype=np.int64) for _, voices in found])
    weights = np.concatenate([np.full(len(voices), lookup.weight) for lookup, voices in found])
    voices, place = np.unique(ids, return_inverse=True)
    sums = np.bincount(place, weights=weights, minlength=len(voices))
    kept = ~np.isin(voices, np.fromiter(without, dtype=np.int64))
    voices, sums = voices[kept], sums[kept]
    return [int(voice) for voice in voices[np.lexsort((-voices, -sums))[:limit]]]


def scores(
    query: Sequence[str], candidates: Sequence[Sequence[str]], *, weights: Mapping[str, float], sif: Sif | None
) -> NDArray[np.float64]:  # fmt: skip
    """How like each candidate is to the query, 0 to 1, all given as terms.

    The mean of two cosines: of the words, weighted by ``weights`` (a word without one counts as the heaviest), and of the SIF
    vectors. Without models, the first alone.
    """
    heaviest = max(weights.values(), default=1.0)
    words = {term: weights.get(term, heaviest) ** 2 for term in query}
    own = math.sqrt(sum(words.values())) or 1.0
    lexical = np.zeros(len(candidates))
    for place, candidate in enumerate(candidates):
        common = sum(words.get(term, 0.0) for term in candidate)
        length = math.sqrt(sum(weights.get(term, heaviest) ** 2 for term in candidate)) or 1.0
        lexical[place] = common / (own * length)
    if sif is None or not candidates:
        return np.asarray(np.clip(lexical, 0.0, 1.0))
    vectors = sif.encode([query, *candidates])
    return np.asarray(np.clip((lexical + np.maximum(vectors[1:] @ vectors[0], 0.0)) / 2, 0.0, 1.0))


def load_sif(settings: Settings) -> Sif | None:
    """The SIF vectors of the models in force, without the models (milliseconds); ``None`` when there are no models yet."""
    folder = artifacts.current_folder(settings)
    return _sif(folder, artifacts.lexicon_folder(settings)) if folder else None


@lru_cache(maxsize=2)
def _sif(folder: Path, lexicon: Path) -> Sif | None:
    try:
        return artifacts.load_sif(folder, lexicon)
    except (OSError, ValueError, KeyError, ModelError):
        return None  # likeness by words alone is better than no page
