"""Family names without a title, by what is said of them: people promise, hand over, are told (以前永井が受けた)."""

from __future__ import annotations

import re
from collections.abc import Collection

from nlp.annotation import PiiSpan
from nlp.japanese import Part, Token
from nlp.pii.clues import Clues
from nlp.pii.lexicon import CLEAR, family_weight, given_weight
from nlp.pii.words import MaskingWords, masking_words

_PARTICLES = frozenset({"が", "は", "も", "に", "と", "へ", "なら", "から", "ばかり", "だけ", "には", "宛"})
_SPEAKERS = frozenset({"が", "は", "も", "と", "ばかり"})
# Between two boundaries a word that is nothing but a family name is one (税務課は原口、).
_BEFORE = re.compile(r"(?:^|[\n、。「『（(はの：:\s・/])$")
_BEHIND = re.compile(r"[、。」』）)@＠]|宛|でした|です|と名乗|とあり|と書|[ \u3000]?$|\n")
_SPEECH_NEAR = 6
_FOLLOWERS = _PARTICLES | {"の", "って", "という", "とかいう", "と", "なる", "親子", "姉妹", "兄弟", "ご", "っ", "て"}
_END = Token("", "", 0, 0, 0)
_NEAR = 9
_OBJECTS = frozenset({"が", "は", "も", "を"})
_GIVEN = re.compile(r"(?![一二三四五六七八九十百千])[\u3400-\u9fff々]{2,3}$")
_KANJI_WORD = re.compile(r"[\u3400-\u9fff々ヶノ]{2,3}$")


def actors(text: str, clues: Clues, *, places: Collection[str] = ()) -> list[PiiSpan]:
    """The family names right before something that only people do; a word that is more often a place needs speech."""
    words = masking_words()
    tokens = clues.tokens
    found = []
    for index in clues.proper:
        token = tokens[index]
        if len(token.surface) > 1 and token.surface not in places:
            following = tokens[index + 1] if index + 1 < len(tokens) else _END
            if _acts(text, token, following, words):
                found.append(PiiSpan(token.start, token.end, "NAME"))
    return found + _met(text, clues, words) + _given(clues)


def _met(text: str, clues: Clues, words: MaskingWords) -> list[PiiSpan]:
    """Words that are mostly something else (平野), where somebody is met or asked."""
    found = []
    for match in words.meetings.finditer(text):
        run = _KANJI_WORD.search(text, max(0, match.start() - 4), match.start())
        if run and family_weight(run.group()) and clues.is_word(*run.span()) and run.group() not in words.lands:
            found.append(PiiSpan(*run.span(), "NAME"))
    return found


def _given(clues: Clues) -> list[PiiSpan]:
    """Words that are nothing but given names, in kanji, as subject or object of a clause (二人目の晴人が)."""
    tokens = clues.tokens
    return [
        PiiSpan(tokens[index].start, tokens[index].end, "NAME")
        for index in clues.proper
        if tokens[index].part & Part.GIVEN_NAME
        and index + 1 < len(tokens)
        and tokens[index + 1].surface in _OBJECTS
        and (index == 0 or tokens[index - 1].part & (Part.PARTICLE | Part.SYMBOL))
        and _GIVEN.match(tokens[index].surface)
        and given_weight(tokens[index].surface) == CLEAR
    ]


def _acts(text: str, token: Token, following: Token, words: MaskingWords) -> bool:
    surface = token.surface
    if not family_weight(surface) or surface in words.lands:
        return False
    surname = bool(token.part & Part.SURNAME) or (not token.part & Part.PLACE and family_weight(surface) == CLEAR)
    if words.hearsay.match(text, token.end) or (surname and words.belongings.match(text, token.end)) or _stands_apart(text, token):
        return True
    return following.surface in _FOLLOWERS and _does(text, token, following, words, surname=surname)


def _stands_apart(text: str, token: Token) -> bool:
    """Whether a word that is nothing but a family name stands between two boundaries."""
    clear = token.part & Part.SURNAME and family_weight(token.surface) == CLEAR
    return bool(clear and _BEFORE.search(text, max(0, token.start - 1), token.start) and _BEHIND.match(text, token.end))


def _does(text: str, token: Token, following: Token, words: MaskingWords, *, surname: bool) -> bool:
    """Whether what follows is something that only people do."""
    near = min(following.end + _NEAR, len(text))
    stop = text.find("。", following.end, near)
    near = near if stop < 0 else stop
    if text[token.start - 1 : token.start] == "の":
        member = words.person_noun.search(text, max(0, token.start - 8), token.start - 1)
        return bool(member and words.person_moves.search(text, following.end, near))
    if surname:
        return bool(words.person_verbs.search(text, following.end, near))
    speaks = words.speech_verbs.search(text, following.end, min(near, following.end + _SPEECH_NEAR))
    return following.surface in _SPEAKERS and bool(speaks)
