"""Tokens by SudachiPy (mode C), without a spaCy ``Doc``: about ten times faster (docs/adr/0003)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntFlag
from functools import lru_cache
from typing import Any, NamedTuple

# Sudachi takes at most 49,149 bytes at a time; 12,000 characters of four bytes stay below it.
_LONGEST_PIECE = 12_000
_BREAK = re.compile(r"[。！？!?\n]")
_UNENCODABLE = re.compile(r"[\ud800-\udfff]")


class Part(IntFlag):
    """What a token is, as far as the rest of nlp asks; several may hold."""

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


class Token(NamedTuple):
    """A morpheme. ``start`` and ``end`` are code-point offsets; ``norm`` is Sudachi's normalised form (for models, not for people)."""

    surface: str
    norm: str
    part: Part
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """The morphemes of a text of any length. Offsets are exact in the given text; a lone surrogate counts as one character."""
    sayable = _UNENCODABLE.sub("�", text)
    tokens: list[Token] = []
    tokenizer, parts = _sudachi()
    for start, piece in _pieces(sayable):
        for morpheme in tokenizer.tokenize(piece):
            surface = morpheme.surface()
            if surface:
                part = parts[morpheme.part_of_speech_id()]
                tokens.append(Token(surface, morpheme.normalized_form(), part, start + morpheme.begin(), start + morpheme.end()))
    return tokens


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


@lru_cache(maxsize=1)
def _sudachi() -> tuple[Any, list[Part]]:
    from sudachipy import SplitMode, dictionary

    words = dictionary.Dictionary(dict="core")
    parts: list[Part] = []
    while (pos := words.pos_of(len(parts))) is not None:
        parts.append(_part(pos))
    return words.create(mode=SplitMode.C), parts


_PERSON = {"姓": Part.SURNAME, "名": Part.GIVEN_NAME, "一般": Part.PERSON}


def _part(pos: tuple[str, ...]) -> Part:
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


def _noun_part(second: str, third: str, fourth: str) -> Part:
    if second == "数詞":
        return Part.NUMBER | Part.NOUN
    if second != "固有名詞":
        return Part.NOUN | Part.CONTENT
    if third == "人名":
        return Part.NOUN | Part.CONTENT | Part.PROPER | _PERSON[fourth]
    if third == "地名":
        return Part.NOUN | Part.CONTENT | Part.PROPER | Part.PLACE
    return Part.NOUN | Part.CONTENT | Part.PROPER
