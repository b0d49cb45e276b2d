"""A word in its context (KWIC): how a word that somebody asks for is written in the voices, and where exactly it stands in a text.

Pure functions; ``loop.concordances`` has the tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from nlp.japanese import tokenize
from nlp.similar import terms

_KANA = re.compile(r"[ぁ-ゖァ-ヶー]+")
_TO_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}
_TO_HIRAGANA = {katakana: hiragana for hiragana, katakana in _TO_KATAKANA.items()}
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_WIDE = {narrow: wide for wide, narrow in _NARROW.items() if wide != 0x3000}
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write what is looked for. ``terms`` are those that the index has it under.

    A word is found in all its forms (歩く: 歩いて, 歩かない) and has a ``norm``, Sudachi's; anything longer is found as it is written.
    """

    text: str
    terms: tuple[str, ...]
    norm: str = ""

    @property
    def is_word(self) -> bool:
        return bool(self.norm)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A place where a word stands: the word as the text has it, and what is before and after it, on one line."""

    left: str
    keyword: str
    right: str


@lru_cache(maxsize=256)
def spellings(wanted: str) -> tuple[Spelling, ...]:
    """A word or phrase as given, in the other kana (ごみ, ゴミ) and in the other width (JR, ＪＲ), each once."""
    texts = [wanted]
    if _KANA.fullmatch(wanted):
        texts += [wanted.translate(_TO_HIRAGANA), wanted.translate(_TO_KATAKANA)]
    texts += [wanted.translate(_NARROW), wanted.translate(_WIDE)]
    return tuple(_spelling(text) for text in dict.fromkeys(texts))


def _spelling(text: str) -> Spelling:
    tokens, found = tokenize(text), terms(text)
    return Spelling(text, found, tokens[0].norm if len(tokens) == 1 and found else "")


@lru_cache(maxsize=4096)
def places(text: str, wanted: str) -> tuple[tuple[int, int], ...]:
    """Where a word or phrase stands in a text: as it is written, whatever the kana, the width and the case; else in another form."""
    written, norms = _folded(wanted), {spelling.norm for spelling in spellings(wanted) if spelling.norm}
    if len(written) > 1 or not norms:  # a single character stands in the midst of other words, too
        found = tuple((match.start(), match.end()) for match in re.finditer(re.escape(written), _folded(text)))
        if found:
            return found
    return tuple((token.start, token.end) for token in tokenize(text) if token.norm in norms) if norms else ()


def excerpt(text: str, place: tuple[int, int], *, around: int) -> Excerpt:
    """A place with so many characters on either side, line breaks as spaces; … where the text goes on."""
    start, end = place
    left, right = text[max(0, start - around) : start], text[end : end + around]
    return Excerpt(
        left="…" * (start > around) + _one_line(left).lstrip(),
        keyword=_one_line(text[start:end]),
        right=_one_line(right).rstrip() + "…" * (end + around < len(text)),
    )


def sort_key(excerpt: Excerpt, *, left: bool) -> str:
    """What excerpts are ordered by: what follows the word, or what goes before it, read from the word outwards."""
    return _folded(excerpt.left[::-1] if left else excerpt.right)


def _folded(text: str) -> str:
    # Character by character, so that every offset stays: "".lower() may make two characters of one.
    plain = text.translate(_NARROW).translate(_TO_HIRAGANA)
    low = plain.lower()
    return low if len(low) == len(plain) else "".join(char.lower() if len(char.lower()) == 1 else char for char in plain)


def _one_line(text: str) -> str:
    return _SPACE.sub(" ", text)
