"""Family and given name with a blank between (堤 航平, 長野 さとみ): the lexicon's points and those of the surroundings together."""

from __future__ import annotations

import re

from nlp.annotation import PiiSpan
from nlp.pii.clues import Clues
from nlp.pii.evidence import ENOUGH, LABEL, NOTHING, STRONG, WEAK, Contacts, around
from nlp.pii.lexicon import CLEAR, NONE, POSSIBLE, given_weight, senses
from nlp.pii.words import KANJI, masking_words

_BLANK = re.compile(rf"(?<=[{KANJI}])[ \t]{{1,2}}(?=[{KANJI}ぁ-んァ-ヴｦ-ﾟ])")
_FAMILY = re.compile(rf"[{KANJI}ノ]{{1,8}}$")
_RIGHT = (
    r"(?=$|[\s、。,.()/・:;!?！？」』\]】〕>|\-0-9A-Za-z✉☎℡…♪]|です|でし|でござ|と申|と言|とい|と名|さん|様|さま|氏|殿|君|くん|ちゃん|先生|より|から|まで|宛|拝|"
    r"が|は|の|を|も|に|と|へ|で|だ|や|夫妻|議員|医師|委員|会長)"
)
_GIVEN = re.compile(rf"(?:[{KANJI}]{{1,4}}?|[ぁ-んー]{{1,6}}?|[ァ-ヴー]{{1,8}}?[子美代江枝]?|[ｦ-ﾟ]{{1,8}}){_RIGHT}")
_HIRAGANA = {length: re.compile(rf"[ぁ-んー]{{{length}}}{_RIGHT}") for length in (5, 4, 3, 2)}
_MORE = re.compile(rf" (?:[{KANJI}]{{1,3}}|[ァ-ヴー]{{2,8}}|[ぁ-んー]{{2,5}}?){_RIGHT}")
_HEADING = re.compile(r" ?[:】]")


def pairs(plain: str, contacts: Contacts, clues: Clues) -> list[PiiSpan]:
    """The names of two parts or three; ``plain`` has half-width blanks."""
    if " " not in plain and "\t" not in plain:
        return []
    found = []
    families: set[str] = set()
    for blank in _BLANK.finditer(plain):
        given = _known_given(plain, blank.end()) or _GIVEN.match(plain, blank.end())
        if given is None or _HEADING.match(plain, given.end()):
            continue
        run = _FAMILY.search(plain, max(0, blank.start() - 8), blank.start())
        if run is None:
            continue
        start, family = _family(plain, run.start(), blank.start(), clues)
        if plain[start : blank.start()] in families:
            family = CLEAR
        end = _end(plain, given.end())
        if _points(plain, start, family, blank, given, end, contacts) >= ENOUGH:
            found.append(PiiSpan(start, end, "NAME"))
            families.add(plain[start : blank.start()])
    return found


def _known_given(plain: str, at: int) -> re.Match[str] | None:
    """The given name in hiragana that the dictionary knows, where a shorter piece ends before a seeming particle (さ|とみ)."""
    for length in (5, 4, 3, 2):
        match = _HIRAGANA[length].match(plain, at)
        if match and given_weight(match.group()):
            return match
    return None


def _family(plain: str, start: int, end: int, clues: Clues) -> tuple[int, int]:
    """The longest family name that ends a run of kanji, behind a label or a kin word (父清水); the run itself with no weight else."""
    for cut in range(start, end):
        weight = clues.family_weight(plain[cut:end], cut)
        if weight and (cut == start or clues.begins_token(cut) or masking_words().before_end.search(plain, max(0, cut - 8), cut)):
            return cut, weight
    return start, NONE


def _points(plain: str, start: int, family: int, blank: re.Match[str], given: re.Match[str], end: int, contacts: Contacts) -> int:
    value = given.group()
    words = masking_words()
    if (
        value in words.not_names
        or (plain[start : blank.start()] in words.not_names and blank.start() - start > 1)
        or words.no_values.search(plain, start, given.end())
    ):
        return 0
    sides = around(plain, start, end, contacts)
    second = given_weight(value)
    if second == NONE:
        kana = not re.match(rf"[{KANJI}]", value)
        if senses(value).ordinary and sides.left < LABEL and (not kana or max(sides) < STRONG):
            return 0
        # A given name that no dictionary has: behind a family name that is nothing else, written in kana.
        told = sides.left >= STRONG or sides.right >= STRONG
        second = POSSIBLE if kana and len(value) > 1 and (told or not senses(value).ordinary) else NONE
    if family == NONE and (blank.start() - start > 3 or (second < CLEAR and sides.points < LABEL)):
        return 0
    if family + second == POSSIBLE and sides.points < STRONG:
        return 0
    bounded = WEAK if sides.left and sides.right else NOTHING
    return family + second + max(sides.points, bounded)


def _end(plain: str, end: int) -> int:
    """Behind a third part (近藤 エミリー 沙羅)."""
    more = _MORE.match(plain, end)
    return more.end() if more and given_weight(more.group().strip()) else end
