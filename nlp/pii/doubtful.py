"""Surnames that stand alone where a person may stand. GiNZA decides (``nlp.pii.recogniser``)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from nlp.annotation import PiiSpan
from nlp.japanese import Part, Token
from nlp.pii.clues import Clues
from nlp.pii.evidence import after_kin
from nlp.pii.lexicon import CLEAR, can_be_name, family_weight, senses
from nlp.pii.spans import Cover
from nlp.pii.words import MaskingWords, masking_words

_CLAUSE = 16
_KANJI_WORD = re.compile(r"^[\u3400-\u9fff々ヶノ]{1,3}$")
_SUBJECT = frozenset({"が", "は", "に", "と", "も", "へ", "なら", "です"})
_SUBJECTS = frozenset({"が", "は", "も"})
_SURNAME = Part.SURNAME
_NAMED = frozenset({"です", "という", "って", "だ", "でし"})


def stand_alone(clues: Clues, spans: Sequence[PiiSpan], places: Collection[str]) -> list[PiiSpan]:
    """The doubts of a text (``nlp.pii.finding.doubts``)."""
    masking = masking_words()
    tokens, words, parts = clues.tokens, clues.words, clues.parts
    last = len(tokens) - 1
    candidates = [
        (tokens[index], tokens[index + 1])
        for index in clues.nouns
        if index < last and (parts[index] & _SURNAME or words[index + 1] in _SUBJECT) and can_be_name(words[index])
    ]
    unsure = [(token, following) for token, following in candidates if _may_be_name(token, following, masking, places)]
    if not unsure:
        return []
    plain, decided = "".join(words), Cover(spans)
    return [
        PiiSpan(token.start, token.end, "NAME")
        for token, following in unsure
        if not decided.touches(token.start, token.end) and _stands_like_a_person(plain, token, following, masking)
    ]


def _may_be_name(token: Token, following: Token, words: MaskingWords, places: Collection[str]) -> bool:
    """Whether the word by itself can be a name, in front of a particle that a person may have."""
    surface = token.surface
    if token.part & Part.SURNAME:
        clear = family_weight(surface) == CLEAR and not following.part & (Part.NOUN | Part.SUFFIX)
        likely = clear or (following.surface in words.surname_followers and family_weight(surface) > 0)
    else:
        likely = not token.part & Part.NUMBER and surface not in words.things and bool(_KANJI_WORD.match(surface))
    return likely and surface not in places


def _stands_like_a_person(plain: str, token: Token, following: Token, words: MaskingWords) -> bool:
    """A word whose likeliest sense is another needs a kin word before it or something behind it that only people do."""
    clause_end = plain.find("。", following.end, following.end + _CLAUSE)
    clause_end = following.end + _CLAUSE if clause_end < 0 else clause_end
    if plain[token.start - 1 : token.start] == "の" and words.person_noun.search(plain, max(0, token.start - 8), token.start - 1):
        return family_weight(token.surface) > 0
    if token.part & Part.SURNAME:
        known = senses(token.surface)
        likely = following.surface in _NAMED or (not known.ordinary and (not known.place or following.surface in _SUBJECTS))
        return likely or bool(words.person_moves.search(plain, following.end, clause_end))
    if after_kin(plain, token.start):
        return True
    if len(token.surface) == 1 or not family_weight(token.surface):
        return False
    if following.surface == "です":
        return plain[token.start - 1 : token.start] in {"の", "、"}
    done = words.person_moves if token.part & Part.PLACE else words.person_verbs
    return bool(done.search(plain, following.end, clause_end))
