"""Tokens by SudachiPy (mode C), without a spaCy ``Doc``: about ten times faster (docs/adr/0003)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

# Sudachi takes at most 49,149 bytes at a time; 12,000 characters of four bytes stay below it.
_LONGEST_PIECE = 12_000
_BREAK = re.compile(r"[。！？!?\n]")
_UNENCODABLE = re.compile(r"[\ud800-\udfff]")
# Forms of kanji in family names that Sudachi's dictionary lacks; a name written so would be no name to it.
_USUAL_FORMS = str.maketrans("髙﨑濵𠮷栁", "高崎浜吉柳")
_UNUSUAL = re.compile(f"[{''.join(map(chr, _USUAL_FORMS))}]")


class Part:
    """What a token is, as far as the rest of nlp asks; several bits may be set. Plain integers: an ``IntFlag`` costs 2 µs a test."""

    NONE = 0
    CONTENT = 1
    NOUN = 2
    PREDICATE = 4
    SURNAME = 8
    GIVEN_NAME = 16
    PERSON = 32
    PLACE = 64
    NUMBER = 128
    SUFFIX = 256
    SYMBOL = 512
    PARTICLE = 1024
    PROPER = 2048
    VAGUE = 4096  # a noun of time, order or counting (いま, 先週, 列, 代): says little by itself
    NORMALISED = CONTENT | PREDICATE | SUFFIX


class Token(NamedTuple):
    """A morpheme. ``start`` and ``end`` are code-point offsets.

    ``norm`` is Sudachi's normalised form where the word carries meaning, else the surface; for models, not for people.
    """

    surface: str
    norm: str
    part: int
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """The morphemes of a text of any length. Offsets are exact in the given text; a lone surrogate counts as one character."""
    sayable = _UNENCODABLE.sub("�", text)
    tokens: list[Token] = []
    parts = _sudachi()[1]
    own = getattr(_own, "tokenizer", None)
    if own is None:
        own = _own.tokenizer = _Tokenizer()
    new, append, normalised = tuple.__new__, tokens.append, Part.NORMALISED
    for offset, piece in _pieces(sayable):
        start = offset
        usual = piece.translate(_USUAL_FORMS) if _UNUSUAL.search(piece) else piece
        morphemes = own.morphemes(usual)
        # A slice costs a tenth of ``surface()``. Where Sudachi makes several morphemes of one character (…), all but one are empty.
        for morpheme, stop, part in zip(morphemes, map(own.end, morphemes), map(own.part, morphemes), strict=True):
            end = offset + stop
            if end > start:
                surface = sayable[start:end]
                kind = parts[part]
                append(new(Token, (surface, morpheme.normalized_form() if kind & normalised else surface, kind, start, end)))
                start = end
    return tokens


def moved(tokens: Iterable[Token], by: int) -> list[Token]:
    """The same tokens so many characters further on (``_replace`` takes several times as long)."""
    new = tuple.__new__
    return [new(Token, (surface, norm, part, start + by, end + by)) for surface, norm, part, start, end in tokens]


def dictionary_senses(word: str) -> list[tuple[tuple[str, ...], str]]:
    """All that the dictionary has for this very word: part of speech and reading (katakana) of each sense."""
    words, _ = _sudachi()
    found = words.lookup(_UNENCODABLE.sub("�", word).translate(_USUAL_FORMS))
    return [(morpheme.part_of_speech(), morpheme.reading_form()) for morpheme in found]


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    while len(text) - start > _LONGEST_PIECE:
        window = text[start : start + _LONGEST_PIECE]
        breaks = [match.end() for match in _BREAK.finditer(window, _LONGEST_PIECE // 2)]
        length = breaks[-1] if breaks else _LONGEST_PIECE
        yield start, window[:length]
        start += length
    if start < len(text):
        yield start, text[start:]


class _Tokenizer:
    """Sudachi's, which serves one thread at a time; the dictionary behind it is shared.

    It fills the same list of morphemes each time, since making a new one takes a tenth of the whole.
    """

    def __init__(self) -> None:
        from sudachipy import Morpheme

        words, _ = _sudachi()
        self._tokenizer = words.create(mode="C", fields={"pos", "normalized_form"})
        self._list = self._tokenizer.tokenize("")
        self.end: Callable[[Any], int] = Morpheme.end
        self.part: Callable[[Any], int] = Morpheme.part_of_speech_id

    def morphemes(self, text: str) -> list[Any]:
        """The morphemes of a text, good until the next."""
        return list(self._tokenizer.tokenize(text, out=self._list))


_own = threading.local()


@lru_cache(maxsize=1)
def _sudachi() -> tuple[Any, list[int]]:
    from sudachipy import dictionary

    words = dictionary.Dictionary(dict="core")
    parts: list[int] = []
    while (pos := words.pos_of(len(parts))) is not None:
        parts.append(_part(pos))
    return words, parts


_PERSON = {"姓": Part.SURNAME, "名": Part.GIVEN_NAME, "一般": Part.PERSON}


def _part(pos: tuple[str, ...]) -> int:
    main, second, third, fourth = pos[:4]
    if main == "名詞":
        return _noun_part(second, third, fourth)
    if main in {"動詞", "形容詞", "形状詞"}:
        return Part.PREDICATE | Part.CONTENT if third != "非自立可能" else Part.PREDICATE
    if main in {"副詞", "感動詞", "連体詞"}:
        return Part.CONTENT if second != "フィラー" else Part.NONE
    if main == "接尾辞":
        return Part.SUFFIX
    if main in {"補助記号", "記号", "空白"}:
        return Part.SYMBOL
    return Part.PARTICLE if main in {"助詞", "助動詞"} else Part.NONE


def _noun_part(second: str, third: str, fourth: str) -> int:
    if second == "数詞":
        return Part.NUMBER | Part.NOUN
    if second != "固有名詞":
        return Part.NOUN | Part.CONTENT | (Part.VAGUE if third in {"副詞可能", "助数詞可能"} else 0)
    if third == "人名":
        return Part.NOUN | Part.CONTENT | Part.PROPER | _PERSON[fourth]
    if third == "地名":
        return Part.NOUN | Part.CONTENT | Part.PROPER | Part.PLACE
    return Part.NOUN | Part.CONTENT | Part.PROPER
