"""Nouns as a name may hold them: compounds and what they end in, without persons, numbers and words that name nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from nlp.japanese import Part, dictionary_senses, tokenize
from nlp.opinions.words import Word
from nlp.topic_names.nominal import lists

_PERSON = "名詞-固有名詞-人名"
_PLACE = "名詞-固有名詞-地名"
_AREAS = {"方面", "圏", "地方", "周辺", "エリア", "全域", "全体", "市", "県", "町", "村", "区", "地区", "側", "温泉", "内", "外"}
_READABLE = re.compile(r"[ぁ-んァ-ヶー一-鿿々〆A-Za-zＡ-Ｚａ-ｚ・-]+")
_MOST_LETTERS = 6
_LONGEST_NOUN = 12
_OF_THINGS = {"が", "を", "の", "も", "は", "と", "へ", "や"}
_POLITE = ("さん", "様", "ちゃん", "くん", "ら", "たち", "達")


class Noun(NamedTuple):
    """A noun as written, and the form under which its spellings are counted together.

    ``doubtful``: what in it is a place by its sentence, but might be a family name (千葉, and in 千葉邸); empty where nothing is.
    """

    text: str
    key: str
    is_place: bool = False
    doubtful: str = ""


@lru_cache(maxsize=50_000)
def key_of(text: str) -> str:
    """A form that the spellings of a word share (子供, 子ども, こども), for counting; never shown."""
    return "".join(token.norm for token in tokenize(text))


@lru_cache(maxsize=50_000)
def parts_of(text: str) -> tuple[str, ...]:
    """The keys of a noun's parts (人口減少: 人口, 減少)."""
    return tuple(token.norm for token in tokenize(text) if token.part & Part.CONTENT)


@lru_cache(maxsize=50_000)
def is_fit(text: str) -> bool:
    """Whether a noun may stand in a name at all: no number, no name of a person, nothing that isn't a word."""
    if not _READABLE.fullmatch(text) or len(text) > _LONGEST_NOUN or sum(character.isascii() for character in text) > _MOST_LETTERS:
        return False
    if len(text) == 1 and not "一" <= text <= "鿿":
        return False
    if text in lists().empty or key_of(text) in _empty_keys():
        return False
    tokens = tokenize(text)
    if any(token.part & (Part.NUMBER | Part.SYMBOL | Part.PERSON) for token in tokens):
        return False
    return not any(token.part & (Part.SURNAME | Part.GIVEN_NAME) and not _may_be_a_place(token.surface) for token in tokens)


def is_impersonal(word: str) -> bool:
    """Whether no part of a fit word, seen without its sentence, might be a person's name: not 千葉."""
    return is_fit(word) and not any(token.part & Part.PROPER and _may_be_a_person(token.surface) for token in tokenize(word))


@lru_cache(maxsize=1)
def _empty_keys() -> frozenset[str]:
    return frozenset(key_of(word) for word in lists().empty)


@lru_cache(maxsize=10_000)
def _may_be_a_place(word: str) -> bool:
    return any(sense[2] == "地名" for sense, _ in dictionary_senses(word))


@lru_cache(maxsize=10_000)
def _may_be_a_person(word: str) -> bool:
    return any(sense[2] == "人名" for sense, _ in dictionary_senses(word))


def runs(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """The unbroken sequences of nouns, (first, last)."""
    first: int | None = None
    for at, word in enumerate([*words, None]):
        if word is not None and _is_part(words, at):
            first = at if first is None else first
            continue
        if first is not None:
            start = first
            while start < at and words[start].tag.startswith("接尾辞"):
                start += 1
            if start < at and not words[at - 1].tag.startswith("接頭辞"):
                yield start, at - 1
        first = None


def _is_part(words: Sequence[Word], at: int) -> bool:
    word = words[at]
    before = words[at - 1] if at else None
    if word.text.isspace() or word.tag.startswith(("名詞-数詞", "名詞-助動詞語幹", "接尾辞-名詞的-助数詞")):
        return False
    if "助数詞可能" in word.tag and before is not None and before.tag.startswith("名詞-数詞"):
        return False
    if word.tag.startswith("形容詞"):  # 良 + さ
        return at + 1 < len(words) and words[at + 1].text == "さ" and words[at + 1].tag.startswith("接尾辞")
    if "副詞可能" in word.tag and (word.dep != "compound" or before is None or not before.tag.startswith("名詞")):
        return False
    return word.tag.startswith(("名詞", "接頭辞", "接尾辞-名詞的"))


def variants(words: Sequence[Word], first: int, last: int) -> Iterator[Noun]:
    """A compound and what it ends in: 駅前駐車場, 駐車場."""
    if first == last and "形状詞" in words[first].tag and (last + 1 == len(words) or words[last + 1].text not in _OF_THINGS):
        return  # 不便だ, 中途半端な
    for start in range(first, last + 1):
        inside = words[start : last + 1]
        if inside[0].tag.startswith("接尾辞") or (start > first and words[start - 1].tag.startswith("接頭辞")):
            continue
        text = "".join(word.text for word in inside)
        if any(word.tag.startswith(_PERSON) for word in inside) or not is_fit(text) or text.endswith(("的", *_POLITE)):
            continue
        if start > first and len(text) < 2:
            continue
        place = inside[0].tag.startswith(_PLACE) and all(word.tag.startswith(_PLACE) or word.text in _AREAS for word in inside[1:])
        doubtful = next((word.text for word in inside if word.tag.startswith(_PLACE) and _may_be_a_person(word.text)), "")
        yield Noun(text, key_of(text), place, doubtful)
