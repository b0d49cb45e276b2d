"""Names by the words around them: a title or an office behind, 「と申します」, what only people do; family and given name together."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from nlp.annotation import PiiSpan
from nlp.japanese import Part, Token
from nlp.pii.clues import ANY_NAME, Clues
from nlp.pii.lexicon import CLEAR, POSSIBLE, family_weight, given_weight, senses
from nlp.pii.words import MaskingWords, masking_words

_NAME_CHARACTERS = re.compile(r"^[一-龥々﨑𠮷ヶケァ-ヴーぁ-ん]{1,6}$")
_KANA_NAME = re.compile(r"^[ァ-ヴーｦ-ﾟ]{2,8}$")
_MAY_BEGIN = ANY_NAME | Part.PLACE
# A clan of the past (朝倉氏遺跡).
_CLAN_AFTER = re.compile(r"(?:の|ゆかりの?)?(?:遺跡|館跡|館|城|神社|寺|庭園|一族|時代|墓所|滅亡|居城|家臣|菩提寺|屋敷|家紋|殿様|お殿様)")
_HISTORIC_AFTER = re.compile(
    r"(?:の|ゆかりの|にちなんだ)?"
    r"(?:句碑|歌碑|銅像|石像|像|記念館|文学館|美術館|生家|墓所|ゆかり|生誕|作品|本が|本を|小説|絵の|絵を|絵が|短歌|俳句|詩集|随筆)"
)
_TITLES = frozenset({"様", "さま", "さん", "氏", "殿", "ちゃん", "くん", "先生"})
# After these even a word that is also a place (福島, 和田) is a person; 「長崎さん」 is not asked about 市 or 県.
_NO_PERSON_END = re.compile(r"[市県都府道町区国省庁局部課駅校園院社店会]$")
_LONGEST_PART = 10
_NO_YOUTH = frozenset("諸主姫父母若大貴夫兄細暴名幼")


def titled(text: str, clues: Clues, *, places: Collection[str] = ()) -> list[PiiSpan]:
    """The names that a neighbour decides. ``places`` are the city's own, which さん after them doesn't make a person."""
    words = masking_words()
    found = _runs(text, clues, words) if clues.names else []
    spoken = _starts(words.speaks_or_acts_anywhere, text)
    if spoken or not clues.surfaces.isdisjoint(_TITLES):
        found += _before_titles(text, clues.tokens, spoken, words, places)
    return found if clues.surfaces.isdisjoint(words.job_beginnings) else found + _before_jobs(text, clues, words)


def _runs(text: str, clues: Clues, words: MaskingWords) -> list[PiiSpan]:
    found = []
    last = -1
    tokens = clues.tokens
    for index in clues.proper:
        if index <= last or not tokens[index].part & _MAY_BEGIN:
            continue
        last = _run_of_names(tokens, index)
        if last >= index and _is_person(text, tokens, index, last, words):
            found.append(PiiSpan(tokens[index].start, tokens[last].end, "NAME"))
    return found


def _run_of_names(tokens: Sequence[Token], index: int) -> int:
    """The last token of a name that begins at ``index`` (family, space, given); ``index - 1`` when none does."""
    if not tokens[index].part & ANY_NAME and not _place_as_family(tokens, index):
        return index - 1
    last = index
    while last + 1 < len(tokens):
        step = 2 if tokens[last + 1].surface in {" ", "　"} else 1
        if last + step >= len(tokens) or not tokens[last + step].part & ANY_NAME or last + step - index > 3:
            break
        last += step
    return last


def _place_as_family(tokens: Sequence[Token], index: int) -> bool:
    """A place that is a family name as well, with a given name right behind (千葉大輔, 長野さとみ)."""
    if not tokens[index].part & Part.PLACE or index + 1 == len(tokens) or not tokens[index + 1].part & Part.GIVEN_NAME:
        return False
    given = tokens[index + 1].surface
    return bool(family_weight(tokens[index].surface)) and (len(given) > 1 or given_weight(given) == CLEAR) and not senses(given).place


def _is_person(text: str, tokens: Sequence[Token], first: int, last: int, words: MaskingWords) -> bool:
    following = tokens[last + 1] if last + 1 < len(tokens) else None
    surface = text[tokens[first].start : tokens[last].end]
    after = following.surface if following else ""
    if _is_place_or_office(after, following, words) or words.ends_with_not_name.search(
        text, max(0, tokens[last].end - 8), tokens[last].end
    ):
        return False
    whole = last > first and bool(tokens[last].part & Part.GIVEN_NAME)
    if after in words.offices_of_places:
        tagged = bool(tokens[last].part & Part.SURNAME) and after not in words.town_offices
        return family_weight(surface) == CLEAR or whole or (tagged and len(surface) > 1)
    if after in words.honorifics or after in words.jobs or text.startswith(words.long_jobs, tokens[last].end):
        if after in {"氏", "家"} and following is not None and _CLAN_AFTER.match(text, following.end):
            return False
        if len(surface) == 1 and after in {"家", "君", "宅"}:
            return after == "君" and surface not in _NO_YOUTH and (first == 0 or not tokens[first - 1].part & Part.NOUN)
        return not _plain_noun(tokens[first : last + 1])
    labelled = first >= 2 and tokens[first - 1].surface in {":", "："} and tokens[first - 2].surface in words.before_name
    family = bool(tokens[first].part & Part.SURNAME) or _place_as_family(tokens, first)
    full = whole and family and len(surface) >= 3 and not _HISTORIC_AFTER.match(text, tokens[last].end)
    return full or labelled or text.startswith(words.speaks_or_acts, tokens[last].end)


def _is_place_or_office(after: str, following: Token | None, words: MaskingWords) -> bool:
    """Whether what follows makes the word a place's name (山田線), or the person one of public life (杉本知事)."""
    place = after in words.place_suffixes or (following is not None and bool(following.part & Part.PLACE))
    return place or after in words.public_offices


def _plain_noun(run: Sequence[Token]) -> bool:
    """Whether the dictionary takes the one word for somebody's name in general only (ガイド), and for a plain noun as well."""
    word = run[0].surface
    known = senses(word)
    if len(run) > 1 or run[0].part & (Part.SURNAME | Part.GIVEN_NAME) or known.name:
        return False
    return known.ordinary or len(word) > _LONGEST_PART


def _starts(pattern: re.Pattern[str], text: str) -> set[int]:
    """Where matches of a pattern begin, those inside others too."""
    found = set()
    match = pattern.search(text)
    while match:
        found.add(match.start())
        match = pattern.search(text, match.start() + 1)
    return found


def _before_titles(
    text: str, tokens: Sequence[Token], spoken: Collection[int], words: MaskingWords, places: Collection[str]
) -> list[PiiSpan]:
    """Names that Sudachi doesn't know as names: kana readings, rare kanji, and places, before a title or a 「と申します」."""
    found = []
    for index in [index for index, token in enumerate(tokens) if token[0] in _TITLES or token[3] in spoken]:
        token = tokens[index]
        titled = token.surface in _TITLES and index > 0
        if not titled and token.start not in spoken:
            continue
        if token.surface in {"氏", "家"} and _CLAN_AFTER.match(text, token.end):
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


def _before_jobs(text: str, clues: Clues, words: MaskingWords) -> list[PiiSpan]:
    """Family names before a job or an office (矢野医師, 小池主任): a place before 議員 may be a family name, a plain word not."""
    found = []
    tokens = clues.tokens
    for index in [index for index, word in enumerate(clues.words) if index and word in words.job_beginnings]:
        title, token = tokens[index].surface, tokens[index - 1]
        if not token.part & Part.NOUN or token.part & (ANY_NAME | Part.NUMBER):
            continue
        if title not in words.jobs and not text.startswith(words.long_jobs, token.end):
            continue
        weight = family_weight(token.surface)
        youth = title in {"君", "くん"} and token.surface not in _NO_YOUTH and (index == 1 or not tokens[index - 2].part & Part.NOUN)
        alone = index == 1 or not tokens[index - 2].part & (Part.PLACE | Part.PROPER)
        if not weight and token.part & Part.PLACE and token.surface not in words.lands and not _goes_on(tokens, index):
            weight = POSSIBLE  # a place that the dictionary doesn't know as a family name: no place has a 医師 or a 主任
        if weight == CLEAR or (weight and youth) or (weight and alone and len(token.surface) > 1):
            found.append(PiiSpan(token.start, token.end, "NAME"))
    return found


def _goes_on(tokens: Sequence[Token], index: int) -> bool:
    return index + 1 < len(tokens) and bool(tokens[index + 1].part & (Part.NOUN | Part.SUFFIX))


def _may_be_name(token: Token, words: MaskingWords) -> bool:
    if (
        token.surface in words.not_names
        or not _NAME_CHARACTERS.match(token.surface)
        or token.part & (Part.PARTICLE | Part.SUFFIX | Part.PREDICATE)
    ):
        return False
    return (
        bool(token.part & (ANY_NAME | Part.PROPER))
        or token.surface in words.short_surnames
        or bool(_KANA_NAME.match(token.surface) and token.part & Part.NOUN and not _only_plain(token.surface))
        or (len(token.surface) > 1 and bool(token.part & Part.NOUN) and family_weight(token.surface) > 0)
    )


def _only_plain(surface: str) -> bool:
    known = senses(surface)
    return known.ordinary and not known.name


def _unknown_enough(run: Sequence[Token], *, titled: bool) -> bool:
    if any(token.part & ANY_NAME and not _plain_noun([token]) for token in run):
        return True
    if len(run) == 1 and (run[0].surface in masking_words().short_surnames or family_weight(run[0].surface)):
        return True
    if len(run) == 1 and run[0].part & Part.PROPER and 2 <= len(run[0].surface) <= 4:
        return not senses(run[0].surface).ordinary
    # A katakana noun before さん may be a shop or a job (パン屋さん, ヘルパーさん); before 「と申します」 it is a name.
    return not titled and all(_KANA_NAME.match(token.surface) for token in run)
