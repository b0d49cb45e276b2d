"""Names and readings in kana: behind a label, in quotes behind 読み, in a child's line with its school class."""

from __future__ import annotations

import re

from nlp.annotation import PiiSpan
from nlp.pii.evidence import ENOUGH, Contacts, aged, begins_sentence, introduces
from nlp.pii.lexicon import family_weight, given_weight, senses
from nlp.pii.words import masking_words

_JOINT = re.compile(r"[)\]】]?(?:(?P<strong>[:=]) ?| |は ?|\n)|(?P<close>[)\]】])")
_VALUE = re.compile(
    r"(?:[ァ-ヴー]{2,8}(?:[ ・][ァ-ヴー]{2,8}){0,2}|[ｦ-ﾟ]{2,10}(?: [ｦ-ﾟ]{2,10})?|[ぁ-んー]{2,6} [ぁ-んー]{1,6}?|[ぁ-んー]{3,9}?)"
    r"(?=$|[\s、。,()」』/】]|です|と申|とい|さん|様)"
)
_PAIR = re.compile(
    r"(?:^|(?<=[\n。！？!?」 年組は]))(?P<run>[ぁ-んー]{2,5} [ぁ-んー]{2,5}?|[ァ-ヴー]{2,6} [ァ-ヴー]{2,6})"
    r"(?=$|[\s、。,()/]|です|と申|とい)"
)
_QUOTED = re.compile(r"[「『](?P<run>[ァ-ヴーｦ-ﾟぁ-ん ]{2,12}|[\u4e00-\u9fff ]{1,6})[」』]")
_READS = re.compile(r"(?:読み|よみ|名前|氏名|名義)[^。「\n]{0,6}[「『]$")
_I_AM = re.compile(r"(?:ぼく|わたし|あたし|私|僕|なまえ|名前|おなまえ)は ?$")
_CLASS = frozenset({"年", "組"})
# With a birth date right behind, kana can be nothing but a name: ムカイ トモヤ、生年月日…, 祖母のサワは大正15年….
_BORN = re.compile(
    r"(?<![ァ-ヴー])(?P<run>[ァ-ヴー]{2,6} [ァ-ヴー]{2,6}|(?<=の)[ァ-ヴー]{2,4})"
    r"(?=[は、, (]{0,2}(?:生年月日|(?:明治|大正|昭和|平成|令和)[\d元一二三四五六七八九十]{1,3}年))"
)
_BIRTH = re.compile("生年月日|明治|大正|昭和|平成|令和")


def kana_names(plain: str, contacts: Contacts) -> list[PiiSpan]:
    """The names in kana that a rule decides; ``plain`` has half-width blanks."""
    found = _labelled(plain)
    if "「" in plain or "『" in plain:
        found += [
            PiiSpan(*match.span("run"), "NAME")
            for match in _QUOTED.finditer(plain)
            if _READS.search(plain, max(0, match.start() - 14), match.start() + 1) and _is_known(match["run"].strip())
        ]
    if "年" in plain and _BIRTH.search(plain):
        found += [PiiSpan(*match.span("run"), "NAME") for match in _BORN.finditer(plain)]
    return found + _pairs(plain, contacts) if " " in plain else found


def _labelled(plain: str) -> list[PiiSpan]:
    found = []
    for match in masking_words().strict_labels.finditer(plain):
        joint = _JOINT.match(plain, match.end())
        value = _VALUE.match(plain, joint.end()) if joint else None
        if joint and value:
            strong = bool(joint["strong"] or joint["close"] or introduces(plain, value.end()))
            if not _is_plain_word(value.group(), strong=strong):
                found.append(PiiSpan(*value.span(), "NAME"))
    return found


def _pairs(plain: str, contacts: Contacts) -> list[PiiSpan]:
    found = []
    for match in _PAIR.finditer(plain):
        start, end = match.span("run")
        first, _, second = match["run"].partition(" ")
        known = family_weight(first) + given_weight(second)
        of_class = plain[start - 2 : start - 1] in _CLASS and plain[start - 1] == " "
        alone = of_class or begins_sentence(plain, start)
        beside = contacts.ends_before(plain, start)
        told = (of_class and plain[end : end + 1] in {"", "\n"}) or (
            alone and (aged(plain, end) or contacts.starts_behind(plain, end) or beside)
        )
        told = told or bool(introduces(plain, end) and _I_AM.search(plain, max(0, start - 8), start))
        if told or known >= ENOUGH or (known and (introduces(plain, end) or beside)):
            found.append(PiiSpan(start, end, "NAME"))
    return found


def _is_known(run: str) -> bool:
    return bool(family_weight(run) or given_weight(run))


def _is_plain_word(value: str, *, strong: bool) -> bool:
    if " " in value or "・" in value:
        return False
    known = senses(value)
    return not known.name and (known.ordinary or not strong)
