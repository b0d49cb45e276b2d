"""What topics see of voices: content words for their vectors, and telling words with their surfaces for their names.

At a city's size a voice must cost bytes, not objects: words are numbers, a number's word stands once in a vocabulary, and the parts that
worker processes bring back are joined by giving their numbers anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray

from nlp.japanese import Part, Token, tokenize
from nlp.vectors import content_words

Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]
STOPWORDS = Path(__file__).resolve().parents[2] / "data" / "topics" / "stopwords.yaml"
_Word = TypeVar("_Word", str, "Term")


class Term(NamedTuple):
    """A word that may tell one topic from another: the form that is counted, and how it is shown."""

    norm: str
    surface: str
    is_noun: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A voice as topics see it: its id, its content words (for vectors) and its topic words with their surfaces (for names)."""

    id: int
    words: tuple[str, ...]
    terms: tuple[Term, ...]
    length: int


@dataclass(frozen=True, slots=True)
class Column:
    """The words of many voices, one after the other, as numbers of a vocabulary; ``ends[i]`` is where voice i's end."""

    numbers: Numbers
    ends: Ints

    def span(self, start: int, stop: int) -> tuple[Numbers, Ints]:
        """The numbers of the voices from ``start`` to ``stop``, and to which of them (counted from 0) each belongs."""
        first = self.ends[start - 1] if start else 0
        counts = np.diff(self.ends[start:stop], prepend=first)
        return self.numbers[first : self.ends[stop - 1] if stop else 0], np.repeat(np.arange(stop - start), counts)

    def take(self, rows: Ints) -> Column:
        """Some voices, in the given order."""
        counts = np.diff(self.ends, prepend=0)[rows]
        ends = np.cumsum(counts)
        shifts = np.repeat(self.ends[rows] - ends, counts)
        return Column(self.numbers[np.arange(len(shifts)) + shifts], ends)


@dataclass(frozen=True, slots=True)
class Words:
    """Many voices: ids, lengths in characters, content words and telling words, with the vocabularies that the numbers point to."""

    ids: Ints
    lengths: Numbers
    words: Column
    terms: Column
    vocabulary: tuple[str, ...]
    term_list: tuple[Term, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Words:
        """The same voices in columns."""
        vocabulary, words = _numbered([item.words for item in documents])
        term_list, terms = _numbered([item.terms for item in documents])
        ids = np.array([item.id for item in documents], dtype=np.int64)
        return cls(ids, np.array([item.length for item in documents], dtype=np.int32), words, terms, vocabulary, term_list)

    @classmethod
    def join(cls, parts: Iterable[Words]) -> Words:
        """Voices that were read in parts, in that order."""
        vocabulary: dict[str, int] = {}
        term_list: dict[Term, int] = {}
        ids, lengths, words, terms = [], [], [], []
        for part in parts:
            ids.append(part.ids)
            lengths.append(part.lengths)
            words.append(_renumbered(part.words, part.vocabulary, vocabulary))
            terms.append(_renumbered(part.terms, part.term_list, term_list))
        if not ids:
            return cls.of([])
        return cls(
            np.concatenate(ids), np.concatenate(lengths), _end_to_end(words), _end_to_end(terms), tuple(vocabulary), tuple(term_list)
        )

    def take(self, rows: Ints) -> Words:
        """Some voices, in the given order, with the same vocabularies."""
        return Words(
            self.ids[rows], self.lengths[rows], self.words.take(rows), self.terms.take(rows), self.vocabulary, self.term_list
        )  # fmt: skip


def blocks(total: int, size: int) -> Iterator[tuple[int, int]]:
    """Starts and stops of blocks of at most ``size``."""
    return ((start, min(start + size, total)) for start in range(0, total, size))


def words_of(rows: Sequence[tuple[int, str]]) -> Words:
    """The words of (id, masked text) pairs; a module-level function, so that a worker process can be given it."""
    return Words.of([document(voice_id, tokenize(text)) for voice_id, text in rows])


def document(voice_id: int, tokens: Sequence[Token]) -> Document:
    """A voice's tokens as a ``Document``. Neighbouring nouns also count as one term (防犯 + カメラ)."""
    stop = _stopwords()
    terms: list[Term] = []
    before: Token | None = None
    for token in tokens:
        noun = bool(token.part & Part.NOUN and token.part & Part.CONTENT and not token.part & Part.VAGUE)
        if noun and before is not None and before.end == token.start and token.norm not in stop and before.norm not in stop:
            terms.append(Term(_solid(before.norm + token.norm), before.surface + token.surface, is_noun=True))
        before = token if noun else None
        telling = noun or (token.part & Part.PREDICATE and token.part & Part.CONTENT)
        if telling and token.norm not in stop and (len(token.surface) > 1 or _is_kanji(token.surface)):
            terms.append(Term(_solid(token.norm), token.surface if noun else _dictionary_form(token), is_noun=noun))
    return Document(voice_id, tuple(map(_solid, content_words(tokens))), tuple(terms), tokens[-1].end if tokens else 0)


def _numbered(texts: Sequence[Sequence[_Word]]) -> tuple[tuple[_Word, ...], Column]:
    places: dict[_Word, int] = {}
    numbers = [places.setdefault(word, len(places)) for words in texts for word in words]
    return tuple(places), Column(np.array(numbers, dtype=np.int32), np.cumsum([len(words) for words in texts], dtype=np.int64))


def _renumbered(column: Column, own: Sequence[_Word], places: dict[_Word, int]) -> Column:
    new = np.array([places.setdefault(word, len(places)) for word in own], dtype=np.int32)
    return Column(new[column.numbers] if len(new) else column.numbers, column.ends)


def _end_to_end(columns: Sequence[Column]) -> Column:
    before = np.cumsum([0, *(len(column.numbers) for column in columns[:-1])])
    ends = [column.ends + start for column, start in zip(columns, before, strict=True)]
    return Column(np.concatenate([column.numbers for column in columns]), np.concatenate(ends))


def _dictionary_form(token: Token) -> str:
    """A verb's or adjective's stem with the ending of its dictionary form (変わら → 変わる), in the writer's own spelling."""
    if token.surface[-1] == token.norm[-1]:
        return token.surface
    return token.norm if token.norm[0] == token.surface[0] else token.surface


def _solid(norm: str) -> str:
    """A form without spaces or breaks, since words are stored as lines."""
    return norm if norm.isalnum() else "".join(norm.split())


def _is_kanji(text: str) -> bool:
    return "一" <= text <= "龥"


@lru_cache(maxsize=1)
def _stopwords() -> frozenset[str]:
    return frozenset(yaml.safe_load(STOPWORDS.read_text("utf-8"))["stopwords"])
