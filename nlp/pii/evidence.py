"""What stands around a possible name, as points: a name is taken where word and surroundings together reach ``ENOUGH``.

The word gives 0–2 points for a family and for a given name (``nlp.pii.lexicon``); its place gives the rest.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from nlp.annotation import PiiSpan
from nlp.pii.words import masking_words

ENOUGH = 3
LABEL, STRONG, WEAK, NOTHING = 3, 2, 1, 0

_SEPARATORS = " \u3000\t、,，/／|・:：;()（）「」『』[]【】<>＜＞☎✉℡📞📱-―─→"
_CONTACT_WORD = re.compile(
    r"[(（]?(?:携帯|電話番号|電話|自宅|連絡先|TEL|Tel|tel|℡|☎|FAX|メール(?:アドレス)?|Mail|mail|E-?mail|Phone|phone|〒|番号|住所)"
)
_LABEL_JOINT = re.compile(r"(?:[)\]】」』〉]{1,2} ?|[)\]】]? ?[:=] ?|[ \t\n]{1,2}|[)\]】]?[:=]?[ \n]{1,2})$")
_PARTICLE_JOINT = re.compile(r"(?:は|が|も|の|、|「|『|\(|は、|が「|は「| )$")
_KIN_JOINT = re.compile(r"(?:の| |、|\(|「|は|が|も|・|:|/){1,2}$")
_SENTENCE_START = re.compile(r"(?:^|[\n。！？!?」』♪…～~])[ \t]{0,12}$")
_OPEN = re.compile(r"[、,，(「『/・→:;】\]）)] ?$| $")
_INTRODUCES = re.compile(
    r" ?(?:です(?!ら)|でした|でございます|と申|ともうし|と言います|といいます|という(?:者|人|方|名|男|女|子|職員)|と名乗|って(?:人|いう人)"
    r"|より[。\n]?$|@[一-龥ぁ-んァ-ヴ])"
)
_TITLED = re.compile(r" ?(?:さん|様|さま|氏|殿|君|くん|ちゃん|先生)")
_SCHOOL_CLASS = re.compile(r"[\d一二三四五六] ?(?:年|ねん)(?:生|せい)?(?: ?[\d一二三四五]{1,2} ?(?:組|くみ))? ?$")
_PERSON_LABEL = re.compile(r"[一-龥](?:者|人|名|主|員)(?: ?[:=] ?|[)\]】] ?| {1,2})$")
_AGED = re.compile(
    r" ?(?:\((?:[男女]性?、?|[\d一二三四五六七八九十〇]{1,4} ?[歳才]?|[\d一二三四五六七八九十]{1,3}代)"
    r"|\d{1,3} ?[歳才さ]|\d ?(?:年|ねん)|拝|代理|本人)"
)
_READING = re.compile(r" ?\([ぁ-んァ-ヴーｦ-ﾟ]{2,9}[ ・][ぁ-んァ-ヴーｦ-ﾟ]{1,9}\)")
_CLOSES = re.compile(r" ?(?:$|[\n。、,，.)）」』/／(;】\]])")


class Around(NamedTuple):
    """Points for what is left and right of a stretch."""

    left: int
    right: int

    @property
    def points(self) -> int:
        """The evidence of both sides; mere boundaries count once."""
        if self.left <= WEAK and self.right <= WEAK:
            return min(self.left, self.right)
        return self.left + self.right if min(self.left, self.right) > NOTHING else max(self.left, self.right)


class Contacts:
    """Where phones, addresses, numbers and the like begin and end: a name is often right beside one."""

    def __init__(self, spans: Iterable[PiiSpan]) -> None:
        self._starts = sorted(span.start for span in spans)
        self._ends = sorted(span.end for span in spans)

    def ends_before(self, plain: str, at: int, *, reach: int = 8) -> bool:
        """Whether one ends before ``at`` with nothing but separators (or の, a word like 電話) between."""
        index = bisect_right(self._ends, at) - 1
        if index < 0 or at - self._ends[index] > reach:
            return False
        between = plain[self._ends[index] : at]
        return not between.strip(_SEPARATORS + "\nの")

    def starts_behind(self, plain: str, at: int, *, reach: int = 10) -> bool:
        """Whether one begins behind ``at`` with nothing but separators or a word like 電話 between."""
        index = bisect_left(self._starts, at)
        if index == len(self._starts) or self._starts[index] - at > reach:
            return False
        between = plain[at : self._starts[index]].strip(_SEPARATORS + "\n")
        return not between or bool(_CONTACT_WORD.match(between))


def around(plain: str, start: int, end: int, contacts: Contacts) -> Around:
    """The points for what stands on either side of ``plain[start:end]``."""
    return Around(_left(plain, start, contacts), _right(plain, end, contacts))


def labelled(plain: str, start: int) -> int:
    """``LABEL`` behind 氏名: or フリガナ, ``STRONG`` behind 名前は, else nothing."""
    words = masking_words()
    for joint, points in ((_LABEL_JOINT, LABEL), (_PARTICLE_JOINT, STRONG)):
        match = joint.search(plain, max(0, start - 4), start)
        if match and words.strict_label_end.search(plain, max(0, match.start() - 8), match.start()):
            return points
    if words.strict_label_end.search(plain, max(0, start - 8), start):
        return STRONG
    return STRONG if _PERSON_LABEL.search(plain, max(0, start - 8), start) else NOTHING


def after_kin(plain: str, start: int) -> bool:
    """Whether 息子の, 妻 , 双子の stands right before."""
    match = _KIN_JOINT.search(plain, max(0, start - 2), start)
    return bool(match and masking_words().kin_end.search(plain, max(0, match.start() - 8), match.start()))


def _left(plain: str, start: int, contacts: Contacts) -> int:
    if points := labelled(plain, start):
        return points
    if after_kin(plain, start) or contacts.ends_before(plain, start):
        return STRONG
    window = max(0, start - 12)
    if _SCHOOL_CLASS.search(plain, window, start) or _PERSON_LABEL.search(plain, window, start):
        return STRONG
    return WEAK if begins_sentence(plain, start) or _OPEN.search(plain, max(0, start - 2), start) else NOTHING


def _right(plain: str, end: int, contacts: Contacts) -> int:
    if (
        _READING.match(plain, end)
        or _TITLED.match(plain, end)
        or _INTRODUCES.match(plain, end)
        or _AGED.match(plain, end)
        or contacts.starts_behind(plain, end)
    ):
        return STRONG
    return WEAK if _CLOSES.match(plain, end) else NOTHING


def begins_sentence(plain: str, start: int) -> bool:
    """Whether a text, a line or a sentence begins here."""
    # Far from the text's own beginning ^ would be the window's.
    return bool(_SENTENCE_START.search(plain, max(0, start - 14), start)) and (start < 14 or not plain[start - 14 : start].isspace())


def introduces(plain: str, end: int) -> bool:
    """Whether です, と申します, という者 and the like follow."""
    return bool(_INTRODUCES.match(plain, end))


def aged(plain: str, end: int) -> bool:
    """Whether an age, a sex, a school year or 拝 follows."""
    return bool(_AGED.match(plain, end))
