"""Dates of birth: a date with a word for birth beside it. Any other date stays."""

from __future__ import annotations

import re

from nlp.annotation import PiiSpan

_KANJI = "〇零一二三四五六七八九十百千壱壹弐貳参參拾廿卅元"
_SMALL = rf"(?:\d{{1,2}}|[{_KANJI}]{{1,4}})"
_ERA = r"(?:明治|大正|昭和|平成|令和|[明大昭平令]|[MTSHR])"
_YEAR = rf"(?:{_ERA}\.? ?{_SMALL}|(?:19|20)\d{{2}}|[一二][{_KANJI}]{{3}})"
# 1954年(昭和29年)12月8日: the same year once more, in the other calendar.
_AGAIN = rf"(?: ?[(・/] ?{_YEAR}年?\)?)?"
_DATE = rf"{_YEAR} ?年?{_AGAIN} ?[年./\-−ー・、]? ?{_SMALL} ?(?:月|[./\-−ー・]) ?{_SMALL}日?"
_MONTH_DAY = rf"{_SMALL}月{_SMALL}日"
_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_WESTERN = (
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|\d{{1,2}}(?:st|nd|rd|th)? {_MONTHS},? \d{{4}}"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d{2})"
)
_BORN = r"(?:生(?!活|徒|産|涯|命|態|物|き|け|か|ご|ゴ|ま)|生まれ|うまれ|産まれ|出生(?!届|率|数)|誕生(?!日(?:会|パ)))"
# A bound that a rule sets (4月2日生まれ以降の子) tells of nobody.
_RULE = r"(?:まれ)?(?:の(?:人|方|子|者|児)?)?(?:以降|以前|以後|まで|から(?!の|、)|より)"
_LABELLED = re.compile(
    rf"(?:生年月日|誕生日(?!会|パ)|生まれた日|出生日|出生年月日|せいねんがっぴ|たんじょうび)(?:\([^)\d]{{1,4}}\))?[^\d一-龥MTSHR]{{0,6}}"
    rf"(?P<date>{_DATE}|{_MONTH_DAY}|(?:19|20)\d{{6}}(?!\d)|[3-5]?\d{{6}}(?!\d))"
)
_FOLLOWED = re.compile(
    rf"(?P<date>{_DATE})[)）]?(?= ?(?:\(?{_ERA}[^)\n]{{1,8}}\) ?)?(?:に|の)? ?(?!生{_RULE}){_BORN}"
    r"|[^。\n]{0,8}?(?:が|は)[^。\n]{0,6}(?:生年月日|誕生日(?!会)|生まれた日))"
)
_SAID_BORN = re.compile(
    rf"\b(?:[Bb]orn|BORN|[Bb]irth ?(?:day|date)?|[Dd]ate of [Bb]irth|DOB)(?: (?:is|was))?[ :,]{{0,3}}(?:on |in )?(?P<date>{_WESTERN})"
)
# One date put right by another (…生まれではなく…), or the births of several.
_JOINT = (
    r" ?(?:生まれ|生)? ?(?:では?なく(?:て)?|じゃなく(?:て)?|は(?:間違い|誤り|誤)で?|と|→|か|または)[、, ]?"
    r"(?:正しくは|本当は|次男は|妹は|弟は)? ?"
)
_NEXT = re.compile(rf"{_JOINT}(?P<date>{_DATE}|{_MONTH_DAY})")
_BEFORE = re.compile(rf"(?P<date>{_DATE}){_JOINT}$")
# …の誕生日が昭和31年と印字されています。昭和36年8月30日が正しいです。
_MENDED = re.compile(rf"(?P<date>{_DATE})(?=が正し|が本当|に(?:直|訂正|修正|改め))")
_REACH = 40
_CUES = ("生まれ", "日生", "生年月日", "誕生", "出生", "うまれ", "産まれ", "orn", "irth", "DOB", "たんじょう", "日)", "日 生", "BORN")
_NUMBER_BORN = re.compile(r"\d[)） ]?生")


def birthdates(plain: str) -> list[PiiSpan]:
    """The dates of birth in a text with half-width digits."""
    if not ("生" in plain or "誕" in plain or "まれ" in plain or "orn" in plain or "irth" in plain or "OB" in plain or "BORN" in plain):
        return []
    if not any(cue in plain for cue in _CUES) and not _NUMBER_BORN.search(plain):
        return []
    found = [
        PiiSpan(*match.span("date"), "BIRTHDATE") for pattern in (_LABELLED, _FOLLOWED, _SAID_BORN) for match in pattern.finditer(plain)
    ]
    if found:
        found += [PiiSpan(*match.span("date"), "BIRTHDATE") for match in _MENDED.finditer(plain)]
    return found + [other for span in found for other in _others(plain, span)]


def _others(plain: str, span: PiiSpan) -> list[PiiSpan]:
    after = _NEXT.match(plain, span.end)
    before = _BEFORE.search(plain, max(0, span.start - _REACH), span.start)
    return [PiiSpan(*match.span("date"), "BIRTHDATE") for match in (after, before) if match]
