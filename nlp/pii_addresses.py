"""Addresses down to the block: what points at a dwelling goes, what points at a problem stays (3丁目公園, 駅前2丁目の交差点)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from functools import lru_cache

from nlp.annotation import PiiSpan
from nlp.japanese import Part, Token
from nlp.pii_words import DASH, masking_words
from nlp.spans import Cover

_NUMBER = r"(?:\d{1,5}|[一二三四五六七八九十百〇]{1,5})"
_JOIN = rf" ?(?:{DASH}|の|ノ|番地の?|番町?|丁目) ?"
_NOT_A_HOUSE = r"(?!室|線|車|機|棟|館)"
_BLOCK = re.compile(
    rf"(?:{_NUMBER} ?丁目 ?{_NUMBER}(?:(?: ?番地?の? ?|{_JOIN}){_NUMBER} ?(?:号{_NOT_A_HOUSE})?| ?番地?)(?:{_JOIN}{_NUMBER})?"
    rf"|{_NUMBER} ?番地?の? ?{_NUMBER} ?号{_NOT_A_HOUSE}"
    rf"|{_NUMBER} ?番地(?:の? ?{_NUMBER})?"
    rf"|(?<!\d)\d{{1,4}} ?(?:{DASH}|の) ?\d{{1,4}}(?: ?(?:{DASH}|の) ?\d{{1,4}}){{0,2}}(?!{DASH}?\d)(?: ?号{_NOT_A_HOUSE})?)"
)
_MAY_HOLD_BLOCK = re.compile(rf"\d ?(?:{DASH}|の|番|丁目)|[一二三四五六七八九十] ?(?:番|丁目)")
# 番地, 号 or three steps can be nothing but an address; two numbers with a dash may be a score, a span, a paragraph.
_CERTAIN = re.compile(rf"番地|号|(?:丁目|{DASH}|の) ?{_NUMBER}(?:番|{DASH}|の)")
_PROBLEM_AFTER = re.compile(
    r" ?(?:の|付近|先|あたり|辺り|近く|前|横|裏|角)?(?:の)?"
    r"(?:交差点|公園|信号|街灯|防犯灯|電柱|歩道|道路|市道|側溝|水路|横断歩道|ごみ集積|集積所|バス停|カーブ|踏切|橋|付近|あたり|辺り|近辺|一帯|地先)"
)
_HOME_BEFORE = re.compile(r"住所|居住|在住|住まい|住む|住んで|住み|自宅|実家|宅|転居|引っ越|送付先|〒")
_HOME_AFTER = re.compile(
    r".(?:居住|在住|住まい|お住まい|住む|住んで|住み|自宅|実家|宅)"
    r"|[、,） )]{0,2}(?:の|に住む|在住の)?[^、。\n]{0,8}?(?:様|さん|氏)"
)
_PERSON_BEFORE = re.compile(r"(?:様|さん|氏|殿)(?:の住所)?[（(、, :：]{0,2}$")
_CITY = re.compile(r"(?:東京都|北海道|(?:京都|大阪)府|[一-龥]{2,3}県)|[一-龥]{1,4}[市区郡](?!民|役所)")
_COUNTER_AFTER = re.compile(r" ?(?:時|分|円|人|名|台|件|回|本|点|割|%|kg|m|cm|メートル|月|年|日|度|号線|号車|対|倍|個|枚|冊|世帯)")
_TOWN_END = re.compile(r"[都道府県市区町村郡字条東西南北上中下内台丘通]$|丁目$")
_CITY_END = re.compile(r"[市区町村郡]$")
_INSIDE_NAMES = {"ヶ", "ケ", "ノ", "之"}
_TOWN_REACH = 8
_BESIDE = 4


def addresses(
    plain: str, tokens: Sequence[Token], *, taken: Sequence[PiiSpan], people: Sequence[PiiSpan], places: Collection[str]
) -> list[PiiSpan]:
    """Places with a block number where a dwelling is meant, with the building and room behind.

    Args:
        plain: the text with half-width digits, offsets unchanged.
        tokens: its morphemes.
        taken: spans that are something else (a phone is no block number).
        people: names: a block number beside one is a home.
        places: the city's own place names.
    """
    found: list[PiiSpan] = []
    if not _MAY_HOLD_BLOCK.search(plain):
        return found
    otherwise, named = Cover(taken), Cover(people)
    for match in _BLOCK.finditer(plain):
        if otherwise.touches(*match.span()) or _COUNTER_AFTER.match(plain, match.end()):
            continue
        certain = bool(_CERTAIN.search(match.group()))
        head, known = _place_before(plain, tokens, match.start(), places, certain=certain)
        if head == match.start():
            continue
        beside = named.is_beside(head, match.end(), within=_BESIDE)
        if beside or _is_dwelling(plain, head, match, certain=certain or known):
            building = masking_words().building.match(plain, match.end())
            found.append(PiiSpan(head, building.end() if building else match.end(), "ADDRESS"))
    return found


def _is_dwelling(plain: str, head: int, block: re.Match[str], *, certain: bool) -> bool:
    if _HOME_BEFORE.search(plain, max(0, head - 12), head) or _HOME_AFTER.match(plain, block.end()):
        return True
    if _PERSON_BEFORE.search(plain, max(0, head - 8), head) or _CITY.match(plain, head):
        return True
    return certain and not _PROBLEM_AFTER.match(plain, block.end())


def _place_before(plain: str, tokens: Sequence[Token], number: int, places: Collection[str], *, certain: bool) -> tuple[int, bool]:
    """Where the place name that runs up to a block number begins (``number`` itself when none does), and whether it is the city's own.

    With ``certain`` numbers plain nouns may be the place (a town that no dictionary has), else it must be known as one.
    """
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
    while first < number and plain[first].isspace():
        first += 1
    own = _ends_with_place(tuple(sorted(places))).search(plain, max(0, number - _TOWN_REACH), number)
    if own:
        return min(own.start(), first), True
    short = number > first and (plain[first:number] in places or plain.find("丁目", number, number + 4) > 0)
    if seen_place or (certain and (number - first >= 2 or short)):
        return first, False
    return number, False


def _may_be_town(token: Token, end: int) -> bool:
    noun = token.part & Part.NOUN and token.part & Part.CONTENT
    return bool(token.end == end and noun and len(token.surface) <= 4 and token.surface not in masking_words().no_places)


@lru_cache(maxsize=4)
def _ends_with_place(places: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted((place for place in places if len(place) > 1), key=len, reverse=True)
    return re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))})町?$" if longest_first else r"(?!)")
