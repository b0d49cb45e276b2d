"""Names of people: Sudachi's proper nouns with a title, a 「と申します」, or family and given name together."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from nlp.annotation import PiiSpan
from nlp.japanese import Part, Token
from nlp.pii_words import MaskingWords, masking_words
from nlp.spans import Cover

_NAME_CHARACTERS = re.compile(r"^[一-龥々﨑𠮷ヶケァ-ヴーぁ-ん]{1,6}$")
_KANA_NAME = re.compile(r"^[ァ-ヴーｦ-ﾟ]{2,8}$")
_KANA_PARTS = re.compile(r"(?:[ァ-ヴー]{2,}[・＝]){1,3}[ァ-ヴー]{2,}(?=さん|様|さま|氏|先生|と申します|といいます|と言います)")
_ANY_NAME = Part.SURNAME | Part.GIVEN_NAME | Part.PERSON


def names(text: str, tokens: Sequence[Token], *, places: Collection[str] = ()) -> list[PiiSpan]:
    """The names that a rule decides. ``places`` are the city's own, which さん after them doesn't make a person."""
    words = masking_words()
    found = []
    index = 0
    while index < len(tokens):
        last = _run_of_names(tokens, index)
        if last < index:
            index += 1
            continue
        start, end = tokens[index].start, tokens[last].end
        following = tokens[last + 1] if last + 1 < len(tokens) else None
        if _is_person(text, tokens, index, last, following, words):
            found.append(PiiSpan(start, end, "NAME"))
        index = last + 1
    return found + _titled(text, tokens, words, places) + _joined(text, words)


def _run_of_names(tokens: Sequence[Token], index: int) -> int:
    """The last token of a name that begins at ``index`` (family, space, given); ``index - 1`` when none does."""
    if not tokens[index].part & _ANY_NAME:
        return index - 1
    last = index
    while last + 1 < len(tokens):
        step = 2 if tokens[last + 1].surface in {" ", "　"} else 1
        if last + step >= len(tokens) or not tokens[last + step].part & _ANY_NAME or last + step - index > 3:
            break
        last += step
    return last


def _is_person(text: str, tokens: Sequence[Token], first: int, last: int, following: Token | None, words: MaskingWords) -> bool:
    surface = text[tokens[first].start : tokens[last].end]
    after = following.surface if following else ""
    if after in words.public_offices or words.ends_with_not_name.search(text, max(0, tokens[last].end - 8), tokens[last].end):
        return False
    if after in words.place_suffixes or (following is not None and following.part & Part.PLACE):
        return False
    if after in words.honorifics:
        return not (after in {"家", "君", "宅"} and len(surface) == 1)
    if text.startswith(words.speaks_or_acts, tokens[last].end):
        return True
    before = tokens[first - 1].surface if first else ""
    labelled = before in {":", "："} and first >= 2 and tokens[first - 2].surface in words.before_name
    if labelled:
        return True
    families = tokens[first].part & Part.SURNAME
    return bool(families and last > first and tokens[last].part & Part.GIVEN_NAME and len(surface) >= 3)


_TITLES = frozenset({"様", "さま", "さん", "氏", "殿", "ちゃん", "くん", "先生"})
# After these even a word that is also a place (福島, 和田) is a person; 「長崎さん」 is not asked about 市 or 県.
_NO_PERSON_END = re.compile(r"[市県都府道町区国省庁局部課駅校園院社店会]$")


def _titled(text: str, tokens: Sequence[Token], words: MaskingWords, places: Collection[str]) -> list[PiiSpan]:
    """Names that Sudachi doesn't know as names: kana readings, rare kanji, and places, before a title or a 「と申します」."""
    found = []
    for index, token in enumerate(tokens):
        titled = token.surface in _TITLES and index > 0
        if not titled and not text.startswith(words.speaks_or_acts, token.start):
            continue
        first = index
        while first > 0 and _may_be_name(tokens[first - 1], words) and tokens[first - 1].end == tokens[first].start and index - first < 3:
            first -= 1
        if first == index or words.ends_with_not_name.search(text, max(0, token.start - 8), token.start):
            continue
        run = tokens[first:index]
        name = text[run[0].start : token.start]
        if _NO_PERSON_END.search(name) or name in places or (first > 0 and tokens[first - 1].part & Part.PLACE):
            continue
        if _unknown_enough(run, titled=titled):
            found.append(PiiSpan(run[0].start, token.start, "NAME"))
    return found


def _joined(text: str, words: MaskingWords) -> list[PiiSpan]:
    """Names in parts (マリア・サントス), which the dictionary knows only by half."""
    matches = _KANA_PARTS.finditer(text) if "・" in text or "＝" in text else ()
    return [PiiSpan(*match.span(), "NAME") for match in matches if not words.not_names & set(re.split("[・＝]", match.group()))]


def _may_be_name(token: Token, words: MaskingWords) -> bool:
    if (
        token.surface in words.not_names
        or not _NAME_CHARACTERS.match(token.surface)
        or token.part & (Part.PARTICLE | Part.SUFFIX | Part.PREDICATE)
    ):
        return False
    return (
        bool(token.part & (_ANY_NAME | Part.PROPER))
        or token.surface in words.short_surnames
        or bool(_KANA_NAME.match(token.surface) and token.part & Part.NOUN)
    )


def _unknown_enough(run: Sequence[Token], *, titled: bool) -> bool:
    if any(token.part & _ANY_NAME for token in run):
        return True
    if len(run) == 1 and run[0].surface in masking_words().short_surnames:
        return True
    if len(run) == 1 and run[0].part & Part.PROPER and 2 <= len(run[0].surface) <= 4:
        return True
    # A katakana noun before さん may be a shop or a job (パン屋さん, ヘルパーさん); before 「と申します」 it is a name.
    return not titled and all(_KANA_NAME.match(token.surface) for token in run)


def doubts(tokens: Sequence[Token], spans: Sequence[PiiSpan], *, places: Collection[str] = ()) -> list[PiiSpan]:
    """Surnames that stand alone where a person may stand, and that no rule decided: worth a look by an entity recogniser.

    ``places`` are the city's own place names, which are never doubted.
    """
    words = masking_words()
    decided = Cover(spans)
    unsure = []
    for token, following in pairwise(tokens):
        if not token.part & Part.SURNAME or len(token.surface) < 2 or following.surface not in words.surname_followers:
            continue
        if token.surface in words.not_names or token.surface in words.lands or token.surface in places:
            continue
        if not decided.touches(token.start, token.end):
            unsure.append(PiiSpan(token.start, token.end, "NAME"))
    return unsure
