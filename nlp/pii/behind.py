"""Names right behind a word that announces one: a label, a kin word, a role (旧姓は, 息子の, 弟, 上司は)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nlp.annotation import PiiSpan
from nlp.japanese import Part, Token
from nlp.pii.clues import Clues
from nlp.pii.evidence import ENOUGH, LABEL, STRONG, WEAK, after_kin, introduces, labelled
from nlp.pii.lexicon import CLEAR, NONE, POSSIBLE, can_be_name, given_weight, joined_weight, senses
from nlp.pii.words import KANJI, MaskingWords, masking_words

_LONGEST_LABEL = 10
_JOINT = re.compile(rf"[)\]】]?(?:の|は|が|、|:| |\(|「|・|/){{1,2}}(?=[{KANJI}ァ-ヴ])")
_PARTICLES = frozenset("のはが「")
_APART = frozenset({" ", "・", "、", "(", ":"})
_VALUE = re.compile(rf"[{KANJI}]{{1,4}}(?![{KANJI}])|[ァ-ヴー]{{1,5}}[子美代江枝乃](?![一-龥])|[ァ-ヴー]{{2,5}}(?![ァ-ヴー])")
_NAME_WORD = re.compile(rf"[{KANJI}]{{2,3}}$|[ァ-ヴー]{{2,4}}$")
_CASES = frozenset({"が", "は", "も", "を"})
_KANJI_BEFORE = re.compile(f"[{KANJI}]")
_COMPOUND_END = re.compile("[的中用代分達側後前時家婦校園式会者員費面語生親事物口手足目耳見]$")
_NUMERAL = re.compile("[一二三四五六七八九十百千歳才年月日人]")
_HIRAGANA = re.compile("[ぁ-ん]{2,4}$")
_STATES = re.compile("、|です|。|と|だ|で、")
_SIBLING = re.compile(rf"[と、・](?P<name>[{KANJI}]{{1,3}})(?![{KANJI}])")


class _Value(NamedTuple):
    """A possible name behind an announcing word."""

    before: str
    joint: str
    run: str
    start: int
    end: int

    @property
    def particle(self) -> bool:
        return not _PARTICLES.isdisjoint(self.joint)


def behind_words(plain: str, clues: Clues) -> list[PiiSpan]:
    """The names that the word before gives away."""
    found = _beside_kin(clues) + _beside_role(clues)
    words = masking_words()
    for value in _values(plain, clues, words):
        if words.no_values.search(value.run) or value.run in words.not_names:
            continue
        if after_kin(plain, value.start):
            found += _kin(plain, value, clues)
        elif _is_named(plain, value, clues):
            found.append(PiiSpan(value.start, value.end, "NAME"))
    return found


def _kin(plain: str, value: _Value, clues: Clues) -> list[PiiSpan]:
    """Behind a kin word, given names count; behind a particle a word that is also a plain one stays (孫の顔, 子が春に)."""
    here = PiiSpan(value.start, value.end, "NAME")
    weight = max(clues.family_weight(value.run, value.start), given_weight(value.run))
    if not weight:
        return [here] if "は" not in value.joint and _is_unknown_given(value, clues) else []
    if (value.particle or "、" in value.joint) and not clues.is_word(value.start, value.end):
        return []
    sibling = _SIBLING.match(plain, value.end)
    if sibling and given_weight(value.run) and given_weight(sibling["name"]):
        return [here, PiiSpan(*sibling.span("name"), "NAME")]
    sure = weight == CLEAR or not value.particle or clues.is_given(value.start, value.end)
    return [here] if sure else []


def _is_named(plain: str, value: _Value, clues: Clues) -> bool:
    """Whether a label or a role makes the word a name."""
    run, start, end = value.run, value.start, value.end
    if (value.particle or "、" in value.joint) and not clues.is_word(start, end):
        return False
    family, given = clues.family_weight(run, start), given_weight(run)
    points = labelled(plain, start)
    if len(run) == 1 and value.joint == "の" and clues.is_family(start, end) and not plain.startswith("の", end):
        return True  # 担当の原から
    if points == STRONG and value.particle and len(run) == 1 and not (introduces(plain, end) or plain[end : end + 1] in {"", "。", "、"}):
        points = WEAK
    if points < STRONG:
        if family == POSSIBLE and "は" in value.joint and len(run) > 1 and _STATES.match(plain, end):
            return True  # 副会長は三宅、会計は土屋です
        if family == POSSIBLE and value.joint == "の" and len(run) > 1 and plain[end : end + 1] in {"、", "。"}:
            return True  # 当直の沼田、
        points, given = WEAK, given if given == CLEAR and value.before.startswith("うち") else NONE
    if points == LABEL and not family and not given and joined_weight(run) >= STRONG:
        return True
    return max(family, given) > NONE and max(family, given) + points >= ENOUGH


def _beside_kin(clues: Clues) -> list[PiiSpan]:
    """Given names right behind a kin word without a joint (弟和也), or in hiragana behind の (妹のさつきは)."""
    words = masking_words()
    if clues.surfaces.isdisjoint(words.kin_words):
        return []
    tokens = clues.tokens
    found = []
    for index in [index for index, word in enumerate(clues.words[:-1]) if word in words.kin_words]:
        token = tokens[index + 1]
        if token.surface == "の":
            if index + 3 < len(tokens) and _is_hiragana_given(tokens[index + 2], tokens[index + 3]):
                found.append(PiiSpan(tokens[index + 2].start, tokens[index + 2].end, "NAME"))
        elif token.part & Part.NOUN and given_weight(token.surface) and (token.part & Part.GIVEN_NAME or _NAME_WORD.match(token.surface)):
            found.append(PiiSpan(token.start, token.end, "NAME"))
    return found


def _is_hiragana_given(token: Token, following: Token) -> bool:
    """Whether a word in hiragana is a given name behind a kin word; two kana are too often a plain word (父のため)."""
    long = len(token.surface) > 2 or bool(token.part & Part.GIVEN_NAME)
    return long and following.surface in _CASES and bool(_HIRAGANA.match(token.surface)) and given_weight(token.surface) > NONE


def _beside_role(clues: Clues) -> list[PiiSpan]:
    """Family names right behind a role, without a joint (担当笠松より)."""
    words = masking_words()
    tokens = clues.tokens
    return [
        PiiSpan(tokens[index].start, tokens[index].end, "NAME")
        for index in clues.proper
        if 0 < index < len(tokens) - 1
        and tokens[index - 1].surface in words.plain_roles
        and len(tokens[index].surface) > 1
        and can_be_name(tokens[index].surface)
        and not tokens[index + 1].part & (Part.NOUN | Part.SUFFIX)
    ]


def _is_unknown_given(value: _Value, clues: Clues) -> bool:
    """A given name that the dictionary lacks (長女 心春): two or three kanji of several words, no number.

    Behind a particle, each kanji is a token of its own, and none ends a common compound: much else may stand there.
    """
    run = value.run
    if not 2 <= len(run) <= 3 or senses(run).ordinary or _NUMERAL.search(run) or not _NAME_WORD.match(run):
        return False
    if not (clues.begins_token(value.start) and clues.begins_token(value.end)):
        return False
    return not value.particle or (all(map(clues.begins_token, range(value.start, value.end))) and not _COMPOUND_END.search(run))


def _values(plain: str, clues: Clues, words: MaskingWords) -> Iterator[_Value]:
    """The possible names behind words that announce one."""
    if clues.surfaces.isdisjoint(words.before_last):
        return
    tokens = clues.tokens
    for index in [index for index, word in enumerate(clues.words[:-1]) if word in words.before_last]:
        joint = _JOINT.match(plain, tokens[index].end)
        value = _VALUE.match(plain, joint.end()) if joint else None
        if joint and value and _may_follow(joint.group(), value.group(), tokens, index):
            before = _word_before(plain, tokens[index], words)
            if before:
                yield _Value(before, joint.group(), value.group(), *value.span())


def _may_follow(joint: str, run: str, tokens: Sequence[Token], index: int) -> bool:
    """Whether it is worth while to look closer, before the dictionary is asked.

    Behind a particle the run is one token that can be a name, or several of which the first is one or is a single kanji (湊|斗).
    """
    if joint in _APART:
        return True
    first = next((token for token in tokens[index + 2 : index + 4] if token.part & Part.NOUN), None)
    if first is None or not run.startswith(first.surface):
        return False
    if first.surface == run:
        return can_be_name(run)
    return bool(first.part & Part.PROPER) or len(first.surface) == 1


def _word_before(plain: str, token: Token, words: MaskingWords) -> str:
    """The whole word that ends with a token, if a name may follow it."""
    if token.surface in words.before_words and (len(token.surface) > 1 or not _KANJI_BEFORE.match(plain, token.start - 1)):
        return token.surface
    match = words.before_end.search(plain, max(0, token.end - _LONGEST_LABEL), token.end)
    return match.group() if match else ""
