"""Addresses down to the block: what points at a dwelling goes, what points at a problem stays (3丁目公園, 駅前2丁目の交差点)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from nlp.annotation import PiiSpan
from nlp.japanese import Token
from nlp.pii.buildings import building_end, may_hold_room, rooms
from nlp.pii.places import Head, formal_place, place_before, place_by_tokens
from nlp.pii.spans import Cover
from nlp.pii.words import DASH

_KANJI_NUMBER = r"[一二三四五六七八九十百千〇]{1,6}"
_NUMBER = r"(?:\d{1,5}|[一二三四五六七八九十百千〇零壱弐参拾]{1,7})"
_LOT = r"[甲乙丙丁イロハニ]?"
_JOIN = rf" ?(?:{DASH}|の|ノ|番地の?|番町?|丁目) ?"
_STEP = rf"(?:{DASH}|の|ノ)"
_NOT_A_HOUSE = r"(?!室|線|車|機|棟|館)"
_BLOCK = re.compile(
    rf"(?:{_NUMBER} ?丁目 ?{_NUMBER}(?:(?: ?番地?の? ?|{_JOIN}){_NUMBER} ?(?:号{_NOT_A_HOUSE})?| ?番地?)"
    rf"(?:{_JOIN}{_NUMBER}(?: ?号(?:室|{_NOT_A_HOUSE}))?)?"
    rf"|{_NUMBER} ?番地?の? ?{_NUMBER} ?号{_NOT_A_HOUSE}"
    rf"|{_LOT}{_NUMBER} ?番地(?:の? ?{_NUMBER}(?:{_JOIN}{_NUMBER})?)?"
    rf"|{_NUMBER} ?丁目 ?{_NUMBER}(?!\d)"
    rf"|{_LOT}(?<!\d)\d{{1,5}} ?{_STEP} ?\d{{1,4}}(?: ?{_STEP} ?[A-Z]?\d{{1,4}}){{0,3}}(?!{DASH}?\d)(?: ?号{_NOT_A_HOUSE})?)"
)
# Numbers that make an address only behind a full place (津山市大字上原七の八, 木之元町黒田918).
_BARE_BLOCK = re.compile(
    rf"{_KANJI_NUMBER}の{_KANJI_NUMBER}(?:の{_KANJI_NUMBER})?|{_LOT}(?<![\d.,])\d{{1,5}}(?![\d.,][\d]|\d|{DASH}|丁目|番)"
)
_MAY_HOLD_BLOCK = re.compile(
    rf"\d ?(?:{DASH}|の|番|丁目)|[一二三四五六七八九十](?: ?(?:番|丁目)|の[一二三四五六七八九十])|[町村字区][一-龥]{{0,6}}\d"
)
# What every block number has, and every bare one: behind a place that is formal, or in steps of kanji.
_BLOCK_SIGN = re.compile(rf"[\d丁番](?:(?<=丁)目|(?<=番)(?:地|の? ?{_NUMBER})|(?<=\d) ?{_STEP} ?\d)")
_BARE_SIGN = re.compile(
    r"[都道府県市郡区字一二三四五六七八九十百千〇]"
    r"(?:(?<=[都道府県市郡区字])[一-龥々ヶヵケノッ之﨑𠮷\u3400-\u4dbf\sのがつみ甲乙丙丁イロハニ]{0,40}?[\d一二三四五六七八九十百千〇]"
    r"|の[一二三四五六七八九十百千〇]{1,6}の[一二三四五六七八九十百千〇])"
)
# 番地, 号 or three steps can be nothing but an address; two numbers with a dash may be a score, a span, a paragraph.
_CERTAIN = re.compile(rf"番地|号|(?:丁目|{DASH}|の) ?{_NUMBER}(?:番|{DASH}|の)")
_PROBLEM_AFTER = re.compile(
    r" ?(?:の|付近|先|あたり|辺り|近く|前|横|裏|角)?(?:の)?"
    r"(?:交差点|公園|信号|街灯|防犯灯|電柱|歩道|道路|市道|側溝|水路|横断歩道|ごみ集積|集積所|バス停|カーブ|踏切|橋|付近|あたり|辺り|近辺|一帯|地先|地内|空き地|空地|工事|現場)"
)
_HOME_BEFORE = re.compile(r"住所|居住|在住|住まい|住む|住んで|住み|自宅|実家|宅|転居|引っ越|送付先|送り先|本籍|〒|うちは|わが家|我が家")
_HOME_AFTER = re.compile(
    r".(?:居住|在住|住まい|お住まい|住む|住んで|住み|自宅|実家|宅)"
    r"|[、,） )]{0,2}(?:の|に住む|在住の)?[^、。\n]{0,8}?(?:様|さん|氏)"
)
_PERSON_BEFORE = re.compile(r"(?:様|さん|氏|殿)(?:の住所)?[（(、, :：]{0,2}$")
_COUNTER_AFTER = re.compile(
    r" ?(?:時|分|円|人|名|台|件|回|本|点|割|%|kg|m|cm|メートル|月|年|日|度|号線|号車|対|倍|個|枚|冊|世帯"
    r"|丁目|ヘクタール|平米|㎡|ha|軒|戸|棟|番目|つ|か所|カ所|ヶ所|箇所|社|校|歳|才)"
)
_BOOK = re.compile(r"ISBN[- :]{0,2}[\d\-]{0,13}$")
_BESIDE = 4


def addresses(
    plain: str, tokens: Sequence[Token], *, taken: Sequence[PiiSpan], people: Sequence[PiiSpan], places: Collection[str]
) -> list[PiiSpan]:
    """Places with a block number where a dwelling is meant, with the building and room behind; buildings with a room alone.

    Args:
        plain: the text with half-width digits, offsets unchanged.
        tokens: its morphemes.
        taken: spans that are something else (a phone is no block number).
        people: names: a block number beside one is a home.
        places: the city's own place names.
    """
    block, bare, room = _BLOCK_SIGN.search(plain), _BARE_SIGN.search(plain), may_hold_room(plain)
    if (block or bare) and not _MAY_HOLD_BLOCK.search(plain):
        block = bare = None
    if not block and not bare and not room:
        return []
    otherwise = Cover(taken)
    found = rooms(plain, tokens, taken=otherwise) if room else []
    if block:
        found += _blocks(plain, tokens, otherwise, Cover(people), places)
    return found + _bare(plain, tokens, otherwise, Cover(found), places) if bare else found


def _blocks(plain: str, tokens: Sequence[Token], otherwise: Cover, named: Cover, places: Collection[str]) -> list[PiiSpan]:
    found = []
    for match in _BLOCK.finditer(plain):
        if (
            otherwise.touches(*match.span())
            or _COUNTER_AFTER.match(plain, match.end())
            or _BOOK.search(plain, max(0, match.start() - 20), match.start())
        ):
            continue
        certain = bool(_CERTAIN.search(match.group()))
        head = place_before(plain, tokens, match.start(), places, certain=certain)
        if head.start == match.start():
            continue
        beside = named.is_beside(head.start, match.end(), within=_BESIDE)
        if beside or _is_dwelling(plain, head, match, certain=certain or head.own):
            found.append(PiiSpan(head.start, building_end(plain, match.end(), taken=otherwise), "ADDRESS"))
    return found


def _bare(plain: str, tokens: Sequence[Token], otherwise: Cover, known: Cover, places: Collection[str]) -> list[PiiSpan]:
    found = []
    for match in _BARE_BLOCK.finditer(plain):
        before = plain[match.start() - 1 : match.start()]
        if not before or ord(before) < 0x3041 or otherwise.touches(*match.span()) or known.touches(*match.span()):
            continue
        if _COUNTER_AFTER.match(plain, match.end()) or _PROBLEM_AFTER.match(plain, match.end()):
            continue
        head = formal_place(plain, tokens, match.start())
        taken = head is not None and head.town
        if not taken and match.group().count("の") > 1:
            head = head or place_by_tokens(plain, tokens, match.start(), places, certain=True)
            taken = head.start < match.start() and _is_dwelling(plain, head, match, certain=True)
        if head and taken:
            found.append(PiiSpan(head.start, building_end(plain, match.end(), taken=otherwise), "ADDRESS"))
    return found


def _is_dwelling(plain: str, head: Head, block: re.Match[str], *, certain: bool) -> bool:
    if _HOME_BEFORE.search(plain, max(0, head.start - 12), head.start) or _HOME_AFTER.match(plain, block.end()):
        return True
    if _PERSON_BEFORE.search(plain, max(0, head.start - 8), head.start):
        return True
    return (certain or head.formal) and not _PROBLEM_AFTER.match(plain, block.end())
