"""Where the place in front of a block number begins: by what addresses are built of (県, 市, 町, 字), else by Sudachi's place names."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from nlp.japanese import Part, Token
from nlp.pii.words import masking_words

_PREFECTURE = re.compile(
    "北海道|東京都|(?:京都|大阪)府|(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|神奈川|新潟|富山|石川|福井|山梨|長野|岐阜|静岡|愛知|三重|滋賀|"
    "兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分|宮崎|鹿児島|沖縄)県"
)
# 市 and 区 of an address, not of 市民, 市役所, 区間.
_CITY = re.compile(
    r"[一-龥々ヶケノッぁ-ん]{1,8}[市郡](?!民|役所|内|外|立|営|政|長|議|道|場|街)|[一-龥々ヶケ]{1,6}区(?!役所|民|間|域|長|画|分|議)"
)
_FORMAL = re.compile("[都道府県市郡区字]")
_HAMLET = re.compile(r"大字|小字|(?<![一-龥])字(?=[一-龥ァ-ヴ])|(?<=[町村市字])字(?=[一-龥ァ-ヴ])")
_TOWN = re.compile(r"[一-龥々ヶケぁ-ん]{1,8}[町村](?!内|会|長|民|議|営|立|道)")
_KANJI_RUN = re.compile(r"[一-龥々ヶヵケノッ之﨑𠮷\u3400-\u4dbf]")
_INSIDE_TOWN = re.compile(r"[都道府県市区町村郡字][一-龥]{1,3}$")
_ADDRESS_UNIT = "都道府県市区町村郡字"
_LABEL = re.compile(
    "^(?:[旧新現前元]?住所|自宅|実家|本宅|[旧新現前元]?居所|本籍|勤務先|転居先|転入先|転出先|引越先|送付先|宛先|送り先|所在地|[旧新現]宅"
    "|先日|現在|今年|昨年|先月|今月)(?=.{2})"
)
_WINDOW = 40
_TOWN_END = re.compile(r"[都道府県市区町村郡字条東西南北上中下内台丘通]$|丁目$")
_CITY_END = re.compile(r"[市区町村郡]$")
_INSIDE_NAMES = {"ヶ", "ケ", "ノ", "之"}
_TOWN_REACH = 8


class Head(NamedTuple):
    """The place in front of a number. ``formal``: names a prefecture, a city or a hamlet; ``own``: the city's own town."""

    start: int
    formal: bool = False
    town: bool = False
    own: bool = False


def place_before(plain: str, tokens: Sequence[Token], number: int, places: Collection[str], *, certain: bool) -> Head:
    """The place that runs up to a block number; begins at ``number`` itself when there is none.

    With ``certain`` numbers plain nouns may be the place (a town that no dictionary has), else it must be known as one.
    """
    return formal_place(plain, tokens, number) or place_by_tokens(plain, tokens, number, places, certain=certain)


def formal_place(plain: str, tokens: Sequence[Token], number: int) -> Head | None:
    """The place that runs up to a block number and names a prefecture, a city or a hamlet."""
    start = _run_start(plain, number)
    if not _FORMAL.search(plain, start, number):
        return None
    run = plain[start:number]
    if label := _LABEL.match(run):
        start += label.end()
        run = plain[start:number]
    prefecture = _PREFECTURE.search(run)
    if prefecture:
        return Head(start + prefecture.start(), formal=True, town=True)
    formal = bool(_CITY.search(run) or _HAMLET.search(run))
    if formal:
        return Head(_without_lead(tokens, start, number), formal=True, town=bool(_TOWN.search(run) or _HAMLET.search(run)))
    return None


_PREFIXES = frozenset("新元本上下東西南北中大小")


def _run_start(plain: str, number: int) -> int:
    start = number
    lowest = max(0, number - _WINDOW)
    while start > lowest:
        character = plain[start - 1]
        inside = _KANJI_RUN.match(character) or (character.isspace() and start - 1 > lowest and plain[start - 2] in _ADDRESS_UNIT)
        # 月の浦, 西が丘: a kana inside a town's name, behind the city's.
        kana = character in "のがつみ" and start < number and _INSIDE_TOWN.search(plain, max(0, start - 6), start - 1)
        if not inside and not kana:
            break
        start -= 1
    while start < number and plain[start].isspace():
        start += 1
    return start


def _without_lead(tokens: Sequence[Token], start: int, number: int) -> int:
    """The run without nouns of another sort in front (転居後長浜市…): words of time are no place."""
    index = bisect_left(tokens, start, key=lambda token: token.start)
    while index < len(tokens) and tokens[index].end < number:
        token = tokens[index]
        if not token.part & Part.VAGUE or len(token.surface) < 2:
            break
        index += 1
    return tokens[index].start if index < len(tokens) and start <= tokens[index].start < number else start


def place_by_tokens(plain: str, tokens: Sequence[Token], number: int, places: Collection[str], *, certain: bool) -> Head:
    """The place that runs up to a block number by what its words are; begins at ``number`` itself when there is none."""
    index = bisect_left(tokens, number, key=lambda token: token.start) - 1
    first, seen_place = number, False
    while index >= 0:
        token = tokens[index]
        if token.end < first:
            break
        if token.part & Part.PLACE or (token.end == first and _TOWN_END.search(token.surface)):
            seen_place = True
        elif token.surface.isspace():
            if index == 0 or not (first == number or tokens[index - 1].part & Part.PLACE):
                break
        elif token.surface in _INSIDE_NAMES and index > 0 and tokens[index - 1].part & Part.NOUN:
            pass
        elif token.part & Part.SUFFIX and token.end == number and index > 0 and _CITY_END.search(tokens[index - 1].surface):
            seen_place = True  # a town that is also a suffix (潮見市港, 堺市堺)
        elif not _may_be_town(token, first):
            break
        else:
            seen_place = seen_place or bool(token.part & Part.PROPER)
        first = token.start
        index -= 1
    first = _whole_name(plain, first, number, seen_place=seen_place)
    own = _ends_with_place(tuple(sorted(places))).search(plain, max(0, number - _TOWN_REACH), number)
    if own:
        return Head(min(own.start(), first), own=True)
    short = number > first and (plain[first:number] in places or plain.find("丁目", number, number + 4) > 0)
    if seen_place or (certain and (number - first >= 2 or short)):
        return Head(first)
    return Head(number)


def _whole_name(plain: str, first: int, number: int, *, seen_place: bool) -> int:
    """Without blanks in front; with the first character of a town that the tokenizer takes for a prefix (新涯北)."""
    while first < number and plain[first].isspace():
        first += 1
    prefixed = seen_place and first > 0 and plain[first - 1] in _PREFIXES
    return first - 1 if prefixed and not _KANJI_RUN.match(plain[first - 2 : first - 1] or " ") else first


def _may_be_town(token: Token, end: int) -> bool:
    noun = token.part & Part.NOUN and token.part & Part.CONTENT
    return bool(token.end == end and noun and len(token.surface) <= 4 and token.surface not in masking_words().no_places)


@lru_cache(maxsize=4)
def _ends_with_place(places: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted((place for place in places if len(place) > 1), key=len, reverse=True)
    return re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))})町?$" if longest_first else r"(?!)")
