"""Names in Latin letters and names of several katakana parts: only where somebody signs, is labelled or introduces themselves."""

from __future__ import annotations

import re

from nlp.annotation import PiiSpan
from nlp.pii.evidence import Contacts
from nlp.pii.lexicon import senses
from nlp.pii.words import masking_words

_UPPER, _LOWER = "A-ZÀ-ÖØ-ÞĀĂĄĆČĐĒĖĘĞĪŁŃŌŐŚŠŪŽẠ-Ỹ", "a-zß-öø-ÿā-žơưạ-ỹ"
_WORD = rf"[{_UPPER}](?:[{_LOWER}]{{1,15}}(?:[-'][{_UPPER}]?[{_LOWER}]{{1,12}})?|')(?:[{_UPPER}][{_LOWER}]{{1,12}})?"
_LATIN = re.compile(
    rf"(?<![A-Za-z@.])(?:{_WORD}(?: (?:{_WORD}|[{_UPPER}]\.?|de|da|dos|van|von|bin|al)){{1,4}}"
    rf"|[A-Z]{{2,12}}[ ,]{{1,2}}[A-Z]{{2,14}}|{_WORD})"
    r"(?![A-Za-z@])"
)
_MAY_HOLD_LATIN = re.compile(rf"[{_UPPER}](?:[{_LOWER}]|(?<=[A-Z])[A-Z] [A-Z]{{2}})")
_SAYS_I = re.compile(
    r"(?:I am|I'm|I’m|[Mm]y name is|[Ss]ent by|[Nn]ame|NAME|Mr\.?|Ms\.?|Mrs\.?|Dr\.?|私は|わたしは|僕は|名前は?|氏名|ぼくは)[ :,\n]{0,3}$"
)
_SIGNS_WITH = re.compile(r"(?:[Tt]his is|[Ff]rom|Regards,|Sincerely,|Thanks,)[ :,\n]{0,3}$")
# Capitalised words that are no part of a name.
_NO_WORDS = frozenset(
    word
    for line in (
        "Thank Thanks You Dear City Hall Office Best Regards Sincerely Hello Good Please The Google Maps Street Japan Japanese Tokyo Wi-Fi",
        "LINE ID TEL FAX NO QR AED PDF URL SNS JR NHK CSV OK NG PC IC AI DX",
        "Web Zoom Line YouTube Apple Windows Microsoft New York Park Road Station Very Much Yours Mayor Sir Madam To My This It In At We I",
    )
    for word in line.split()
)
_KATAKANA_PARTS = re.compile(
    r"(?<![ァ-ヴー・＝])[ァ-ヴー]{1,10}(?:(?:[・＝=][ァ-ヴー]{1,10}){1,5}|(?: [ァ-ヴー]{1,8}){1,4})(?![ァ-ヴー・＝])"
)
_MAY_HOLD_PARTS = re.compile(r"[ァ-ヴー][・＝= ][ァ-ヴー]")
_TITLE = re.compile(r"さん|様|さま|氏|先生|君|くん|ちゃん")
_SAYS = re.compile(r"(?: ?\([^)\n]{1,8}\))? ?(?:です|でございます|と ?申|と ?いいます|と ?言います|と名乗|という(?:者|人|方|名)|より)")
_I = re.compile(r"(?:私は|わたしは|僕は|ぼくは|名前は?|氏名|なまえ)[ :、]{0,2}$")


def foreign(plain: str, contacts: Contacts) -> list[PiiSpan]:
    """The foreign names of a text that a rule decides."""
    found = _katakana(plain, contacts) if _MAY_HOLD_PARTS.search(plain) else []
    if _MAY_HOLD_LATIN.search(plain):
        found += _latin(plain, contacts)
    return found


def _latin(plain: str, contacts: Contacts) -> list[PiiSpan]:
    found = []
    for match in _LATIN.finditer(plain):
        start, end = match.span()
        words = match.group().replace(",", " ").split()
        if not _NO_WORDS.isdisjoint(words) or (match.group().isupper() and len(words) < 2):
            continue
        title = _TITLE.match(plain, end)
        behind = title or _SAYS.match(plain, end) or plain.startswith((", born", " born", " (born"), end)
        if _SAYS_I.search(plain, max(0, start - 14), start):
            named = True
        elif len(words) == 1:
            named = bool(title) and not senses(match.group()).ordinary
        else:
            named = bool(behind) or (not match.group().isupper() and _stands_apart(plain, start, end, contacts))
        if named:
            found.append(PiiSpan(start, end, "NAME"))
    return found


def _stands_apart(plain: str, start: int, end: int, contacts: Contacts) -> bool:
    """Whether the stretch is a signature, or beside a contact."""
    beside = contacts.starts_behind(plain, end) or contacts.ends_before(plain, start)
    return beside or bool(_SIGNS_WITH.search(plain, max(0, start - 14), start)) or _signs(plain, start, end)


def _signs(plain: str, start: int, end: int) -> bool:
    """Whether the stretch is the text's last line or sentence, or shares its line with another spelling of itself (/, （)."""
    begins = plain[max(0, start - 8) : start].rstrip(" ")[-1:] in {"\n", ".", "。", "!", "?", "-", "–", "—", "~", "/"}
    ends = end + 8 >= len(plain) and not plain[end:].strip(" .\n")
    return begins and (ends or bool(re.match(r" ?[/(] ?[ァ-ヴ]", plain[end : end + 4])))


def _katakana(plain: str, contacts: Contacts) -> list[PiiSpan]:
    words = masking_words()
    found = []
    for match in _KATAKANA_PARTS.finditer(plain):
        start, end = match.span()
        parts = re.split("[・＝= ]", match.group())
        if words.not_names & set(parts):
            continue
        plain_words = sum(senses(part).ordinary and not senses(part).name for part in parts)
        unknown = len(parts) - plain_words
        title, says = _TITLE.match(plain, end), _SAYS.match(plain, end)
        mine = _I.search(plain, max(0, start - 8), start)
        beside = contacts.starts_behind(plain, end) or contacts.ends_before(plain, start)
        alone = (start == 0 or plain[start - 1] in "\n/ 。(（") and (end == len(plain) or plain[end] in "\n)）") and start > 0
        twin = re.search(rf"[{_LOWER}] ?[/(] ?$", plain[max(0, start - 4) : start])
        evidence = 2 * bool(mine) + 2 * bool(says and unknown) + 2 * bool(title) + 2 * bool(beside) + 2 * alone
        if evidence >= 2 and unknown and (unknown > plain_words or mine or twin or (says and "と申" in says.group())):
            found.append(PiiSpan(start, end, "NAME"))
    return found
