"""Names that other names give away: a list of people, who follows whom in an office, the reading in brackets, the same name again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.annotation import PiiSpan
from nlp.japanese import Part
from nlp.pii.clues import Clues
from nlp.pii.evidence import ENOUGH, begins_sentence, introduces
from nlp.pii.lexicon import CLEAR, NONE, POSSIBLE, family_weight, given_weight, is_reading_of, katakana, senses
from nlp.pii.spans import Cover
from nlp.pii.words import KANJI, masking_words

_MEMBER = rf"[{KANJI}ノ]{{1,4}}"
_TITLED = "(?:さん|様|氏|君|くん|先生)"
_LIST = re.compile(rf"(?<![{KANJI}ァ-ヴ])(?P<list>{_MEMBER}{_TITLED}?(?:(?:、|・|,|と|や|、と) ?{_MEMBER}{_TITLED}?){{1,9}})(?![{KANJI}])")
_JOINT = re.compile(f"{_TITLED}?[、・,とや ]+")
_PEOPLE = re.compile(
    r"、?(?:ほか|他|外)\d?[一二三四五\d]?(?:人|名)|(?:の|、|と私の|ら)?(?:[二三四五六七八九十2-9\d]{1,2}(?:人|名|軒|世帯|家族)|両(?:人|名|氏)|ら(?:が|は|の|に|と)|たち|コンビ)"
)
_WRITTEN = re.compile("の(?:「|字|漢字|読み)|と(?:読|書)")
_IN_CHARGE = re.compile("(?:が|は)(?:担当|対応|受け|来庁|来訪|説明|伺)")
_NAME = re.compile(_MEMBER)
_ACT = re.compile("が|は(?!ど|い)|も")
_NEXT = re.compile(
    rf"(?:さん|様|氏|君|先生)?(?:、|・|,|と|や|か|&) ?(?P<name>{_MEMBER}|[ァ-ヴー]{{2,5}})"
    r"(?=さん|様|氏|君|[\s、。,(]|と|が|は|の|に|も|を|で|です|$)"
)
_BEFORE = re.compile(rf"(?<![{KANJI}ァ-ヴー])(?P<name>{_MEMBER})(?:、|・|,|と|や|か) ?$")
_SUCCESSOR = re.compile(rf"(?:さん|様|氏)?から(?P<name>{_MEMBER})(?:さん|様|氏)?(?:に|へ)(?:替|代|変|交代|交替|引き継|引継|なっ|移)")
_BRACKET = re.compile(
    r" ?\((?:読み: ?|よみ: ?)?(?P<kana>[ぁ-んー]{1,7}(?: [ぁ-んー]{1,7})?|[ァ-ヴー]{1,8}(?:[ ・][ァ-ヴー]{1,8})?"
    r"|[ｦ-ﾟ]{1,12}(?: [ｦ-ﾟ]{1,12})?)(?:\)|と読)"
)
_BRACKETED = re.compile(rf"(?<![{KANJI}])(?P<name>[{KANJI}ノ]{{1,4}}){_BRACKET.pattern}")
_AFTER_KANA = re.compile(r" (?:[ｦ-ﾟ]{2,10} [ｦ-ﾟ]{1,10}|[ァ-ヴー]{2,8} [ァ-ヴー]{1,8})(?=$|[\s、。)です])")


def lists(plain: str, clues: Clues) -> list[PiiSpan]:
    """Lists of family names alone: all could be names, and one is nothing else (杉山、今井、原の三人), or three are."""
    found: list[PiiSpan] = []
    if not clues.surnames:
        return found
    for match in _LIST.finditer(plain):
        members, titled = _members(match), re.search(_TITLED, match["list"])
        weights = [clues.family_weight(plain[start:end], start) for start, end in members]
        if NONE in weights:
            # What leads up to the list (清掃班、杉山と森下が) is no member of it.
            last = len(weights) - weights[::-1].index(NONE)
            members, weights = members[last:], weights[last:]
        if len(members) < 2:
            continue
        counted = _PEOPLE.match(plain, match.end())
        sure = any(family_weight(plain[start:end]) == CLEAR for start, end in members)
        two = weights == [CLEAR, CLEAR] and sure and _ACT.match(plain, match.end())
        long = all(end - start > 1 for start, end in members)
        told = (
            bool(all(weights) and _IN_CHARGE.match(plain, match.end()))
            or (counted and (CLEAR in weights or long))
            or (titled and long and len(members) >= ENOUGH)
            or (two and long)
        )
        if told or weights.count(CLEAR) >= ENOUGH:
            found += [PiiSpan(start, end, "NAME") for start, end in members]
    return found


def _members(match: re.Match[str]) -> list[tuple[int, int]]:
    start, members = match.start("list"), []
    for joint in _JOINT.finditer(match["list"]):
        members.append((start, match.start("list") + joint.start()))
        start = match.start("list") + joint.end()
    last = _NAME.match(match.string, start)
    return [*members, (start, last.end() if last else match.end("list"))]


def readings(plain: str, people: Sequence[PiiSpan]) -> list[PiiSpan]:
    """The readings behind names that are known, and family names that their own reading gives away (角田(つのだ)と申します)."""
    if "(" not in plain and not _AFTER_KANA.search(plain):
        return []
    found = []
    for span in people:
        name = plain[span.start : span.end]
        bracket = _BRACKET.match(plain, span.end)
        if bracket and (" " in bracket["kana"] or is_reading_of(bracket["kana"], name)):
            found.append(PiiSpan(*bracket.span("kana"), "NAME"))
        beside = _AFTER_KANA.match(plain, span.end)
        if beside and re.match(rf"[{KANJI}]", name):
            found.append(PiiSpan(beside.start() + 1, beside.end(), "NAME"))
    for match in _BRACKETED.finditer(plain):
        if _tells_itself(plain, match, found):
            found += [PiiSpan(*match.span("name"), "NAME"), PiiSpan(*match.span("kana"), "NAME")]
    return found


def _tells_itself(plain: str, match: re.Match[str], found: Sequence[PiiSpan]) -> bool:
    """A family name with its reading is a name where somebody is introduced, or a role or another such name stands before."""
    name = match["name"]
    start, end = match.start("name"), plain.find(")", match.end("kana") - 1) + 1
    weight = family_weight(name) or POSSIBLE
    if katakana(match["kana"]) not in senses(name).family:
        return False
    role = masking_words().before_any.search(plain, max(0, start - 10), start + 1)
    listed = bool(found) and 0 <= start - found[-1].end <= 2
    told = (
        bool(introduces(plain, end) or _WRITTEN.match(plain, end))
        or bool(role and role.end() == start)
        or listed
        or plain.startswith(("さん", "様", "氏"), end)
    )
    return weight + bool(told) + begins_sentence(plain, start) >= (ENOUGH if weight == CLEAR else 2) and (told or weight == CLEAR)


def companions(plain: str, people: Sequence[PiiSpan], clues: Clues) -> list[PiiSpan]:
    """Family and given names joined to a known name: 杉山さんと森下, 宮田から安藤に代わりました. One step of the chain at a time."""
    found: list[PiiSpan] = []
    known, seen = Cover(people), {span.start for span in people}
    waiting = list(people)
    while waiting:
        span = waiting.pop()
        for match in (
            _NEXT.match(plain, span.end),
            _SUCCESSOR.match(plain, span.end),
            _BEFORE.search(plain, max(0, span.start - 8), span.start),
        ):
            if match is None or match.start("name") in seen or known.touches(*match.span("name")):
                continue
            name = match["name"]
            sure = CLEAR if match.re is not _SUCCESSOR else 1
            if (
                max(clues.family_weight(name, match.start("name")), given_weight(name) if given_weight(plain[span.start : span.end]) else 0)
                >= sure
            ):
                other = PiiSpan(*match.span("name"), "NAME")
                found.append(other)
                seen.add(other.start)
                waiting.append(other)
    return found


def repeats(plain: str, people: Sequence[PiiSpan], clues: Clues) -> list[PiiSpan]:
    """Tokens that are family or given names here and are known as one elsewhere in the text."""
    if not clues.names:
        return []
    tokens = clues.tokens
    known = {part for span in people for part in (plain[span.start : span.end], *plain[span.start : span.end].split())}
    words = masking_words()
    found = []
    for index in clues.proper:
        token = tokens[index]
        if token.surface in known and token.part & (Part.SURNAME | Part.GIVEN_NAME) and len(token.surface) > 1:
            after = tokens[index + 1] if index + 1 < len(tokens) else None
            if senses(token.surface).place and (after is None or after.surface not in words.surname_followers):
                continue
            if after is None or not (after.surface in words.place_suffixes or after.part & Part.PLACE):
                found.append(PiiSpan(token.start, token.end, "NAME"))
    return found
