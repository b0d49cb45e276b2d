"""What Sudachi's dictionary knows of a word apart from its context: every sense it has, where a token shows only the likeliest.

千葉 is a place in most sentences and a family name in some; a rule that has other evidence for a name asks here
whether the word can be one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from nlp.japanese import dictionary_senses
from nlp.pii.words import masking_words

_HIRAGANA_TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_KANA = re.compile(r"[ァ-ヴー]+")
_LONGEST = 8


class Senses(NamedTuple):
    """What a word can be. ``ordinary`` is any sense that is no proper noun; the readings are katakana."""

    family: frozenset[str]
    given: frozenset[str]
    place: bool
    ordinary: bool

    @property
    def name(self) -> bool:
        """Whether a family or a given name is written so."""
        return bool(self.family or self.given)


_UNKNOWN = Senses(frozenset(), frozenset(), place=False, ordinary=False)


@lru_cache(maxsize=20_000)
def senses(word: str) -> Senses:
    """The senses of a word as a whole; none for a word that the dictionary lacks. Half-width kana count as katakana."""
    if not word or len(word) > _LONGEST:
        return _UNKNOWN
    family, given = set(), set()
    place = ordinary = False
    for pos, reading in dictionary_senses(unicodedata.normalize("NFKC", word)):
        if pos[1] != "固有名詞":
            ordinary = ordinary or pos[0] not in {"接頭辞", "接尾辞", "記号", "補助記号"}
        elif pos[3] == "姓":
            family.add(reading)
        elif pos[3] == "名":
            given.add(reading)
        else:
            place = place or pos[2] == "地名"
    return Senses(frozenset(family), frozenset(given), place=place, ordinary=ordinary)


@lru_cache(maxsize=20_000)
def can_be_name(word: str) -> bool:
    """Whether a family or a given name is written so; the cheapest of the questions here, for words by the million."""
    return senses(word).name and word not in masking_words().not_names and word not in masking_words().lands


def katakana(kana: str) -> str:
    """Hiragana and half-width kana as katakana, without blanks: two spellings of a reading compare equal."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", kana)).translate(_HIRAGANA_TO_KATAKANA)


def is_reading_of(kana: str, name: str) -> bool:
    """Whether a name may be read so: a family name, a given name, or a family name and something behind it.

    True as well where the dictionary has neither part: then nothing speaks against it.
    """
    sound = katakana(kana)
    if not _KANA.fullmatch(sound):
        return False
    parts = name.split()
    known = [senses(part).family | senses(part).given for part in parts]
    if not any(known):
        return True
    return any(sound.startswith(reading) or sound.endswith(reading) for readings in known for reading in readings)


CLEAR, POSSIBLE, NONE = 2, 1, 0
# 九軒, 二階: counted things that are rare family names as well.
_COUNTED = re.compile("^[一二三四五六七八九十百千]+[軒本人件台個枚日月年時分回度階番戸校口色]$|^[一二三四五六七八九十百千〇]{2,}$")


def family_weight(word: str) -> int:
    """How far a word by itself is a family name: ``CLEAR`` where it is nothing else, ``POSSIBLE`` where it is a place or a word as well."""
    known = senses(word)
    if not known.family or word in masking_words().not_names or _COUNTED.match(word):
        return NONE
    return POSSIBLE if known.place or known.ordinary else CLEAR


def given_weight(word: str) -> int:
    """How far a word by itself is a given name."""
    known = senses(word)
    if not known.given or word in masking_words().not_names or _COUNTED.match(word):
        return NONE
    return POSSIBLE if known.place or known.ordinary or known.family else CLEAR


@lru_cache(maxsize=20_000)
def joined_weight(run: str) -> int:
    """How far a run of kanji is a family and a given name without a blank (渡部結衣): the best of its splits, 0 where none fits."""
    splits = ((family_weight(run[:cut]), given_weight(run[cut:])) for cut in range(1, len(run)))
    return max((family + given for family, given in splits if family and given), default=NONE)
