"""What the classifiers see of a text: word n-grams, character n-grams, and a SIF vector, each row of unit length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from nlp.annotation import PLACEHOLDERS, PiiSpan
from nlp.counting import CharacterCounts, Vocabulary, WordCounts
from nlp.japanese import Part, Token, moved
from nlp.line import ENDING, ENDING_WORDS, JOIN, NUMBER, OPENING, OPENING_WORDS, Line, WordBook, feature_name
from nlp.pii import mask
from nlp.vectors import Floats, Sif

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Prepared:
    """A text ready for the models: masked, and its tokens outside the masks with offsets into the masked text."""

    masked: str
    tokens: tuple[Token, ...]


def prepare(text: str, tokens: Sequence[Token], spans: Sequence[PiiSpan]) -> Prepared:
    """Masks a text and carries the tokens over; those that a span touches are dropped (no second tokenising)."""
    masked = mask(text, spans)
    if not spans:
        return Prepared(masked, tuple(tokens))
    kept: list[Token] = []
    first = shift = 0
    for span in spans:
        last = first
        while last < len(tokens) and tokens[last].end <= span.start:
            last += 1
        kept += moved(tokens[first:last], shift) if shift else tokens[first:last]
        while last < len(tokens) and tokens[last].start < span.end:
            last += 1
        first = last
        shift += len(PLACEHOLDERS[span.type]) - (span.end - span.start)
    return Prepared(masked, (*kept, *moved(tokens[first:], shift)))


def word_features(tokens: Sequence[Token]) -> list[str]:
    """Uni- and bigrams of normalised forms, with the opening and the ending marked: how a sentence ends tells its kind."""
    words = [NUMBER if token.part & Part.NUMBER else feature_name(token.norm) for token in tokens if not token.norm.isspace()]
    pairs = [*pairwise(words), *((ENDING, word) for word in words[-ENDING_WORDS:]), *((OPENING, word) for word in words[:OPENING_WORDS])]
    return [*words, *(f"{first}{JOIN}{second}" for first, second in pairs)]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The three views of n texts: sparse (n, words), sparse (n, characters), dense (n, 300)."""

    words: Any
    characters: Any
    sif: Floats

    def stacked(self, weights: tuple[float, float, float]) -> Any:
        """One sparse matrix, each view scaled."""
        from scipy.sparse import csr_matrix, hstack

        return hstack([self.words * weights[0], self.characters * weights[1], csr_matrix(self.sif * weights[2])]).tocsr()

    @classmethod
    def joined(cls, parts: Sequence[Blocks]) -> Blocks:
        """The views of all parts' texts."""
        from scipy.sparse import vstack

        words, characters = (vstack([getattr(part, view) for part in parts]).tocsr() for view in ("words", "characters"))
        return cls(words, characters, np.vstack([part.sif for part in parts]))

    def take(self, rows: Any) -> Blocks:
        """The same views of some of the texts."""
        return Blocks(self.words[rows], self.characters[rows], self.sif[rows])


class FeatureMaker:
    """Turns prepared texts into ``Blocks``. scikit-learn learns the vocabularies; ``nlp.counting`` counts."""

    def __init__(self, *, words: Vocabulary, characters: Vocabulary, sif: Sif) -> None:
        self.words = words
        self.characters = characters
        self.sif = sif
        self.book = WordBook(words.features, sif)
        self._words, self._characters = WordCounts(words, self.book), CharacterCounts(characters)

    @classmethod
    def fit(cls, sif: Sif, texts: Sequence[Prepared]) -> FeatureMaker:
        """Learns both vocabularies (seen in two texts or more)."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        words = TfidfVectorizer(token_pattern=r"\S+", lowercase=False, sublinear_tf=True, min_df=2, dtype=np.float32)
        characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2, dtype=np.float32)
        words.fit(_lines(texts))
        characters.fit(text.masked for text in texts)
        return cls(words=Vocabulary.of(words), characters=Vocabulary.of(characters), sif=sif)

    def transform(self, texts: Sequence[Prepared]) -> Blocks:
        """The three views of these texts, of many so many at a time: a line takes ten times the memory of its views."""
        parts = [self.views(self.book.line(texts[start : start + _BATCH])) for start in range(0, len(texts), _BATCH)]
        return Blocks.joined(parts) if len(parts) > 1 else parts[0] if parts else self.views(self.book.line(()))

    def views(self, line: Line) -> Blocks:
        """The three views of a line's texts."""
        content = line.content()
        words = line.words[content]
        return Blocks(
            self._words.transform(line),
            self._characters.transform(line.masked),
            self.sif.encode_rows(self.book.lexicon_rows(words), self.book.lexicon_weights(words), line.text_of[content], len(line.masked)),
        )


def _lines(texts: Sequence[Prepared]) -> Iterator[str]:
    return (" ".join(word_features(text.tokens)) for text in texts)
