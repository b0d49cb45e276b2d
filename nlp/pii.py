"""Personal data in Japanese text: rules for what has a written form, Sudachi's proper nouns for names and addresses.

What points at a person or a dwelling goes; what points at a problem stays (3丁目公園, 山田線, 店員さん). A surname that
stands alone is only a doubt here: ``doubts`` hands it to GiNZA's entity recogniser (``nlp.names``).
Offsets are code points of the given text: every normalisation below keeps the length.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import yaml

from nlp.annotation import PLACEHOLDERS, PiiSpan, PiiType
from nlp.japanese import Part, Token

WORDS = Path(__file__).resolve().parent.parent / "data" / "masking" / "words.yaml"

_DASHES = "-‐‑‒–—―−－ー─━ｰ"
_SAME_LENGTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}
_D = f"[{re.escape(_DASHES)}]"
_SEP = rf"[ .・]?(?:{_D}|[()のノ])?[ ]?"
_KANJI_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")

_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]+ ?(?:@|\(at\)|\[at\]) ?[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")
_PHONE = re.compile(
    rf"(?<![\dA-Za-z])(?:\+ ?81[ ()\-]{{0,3}}0?|\(?0)\d{{1,4}}(?:{_D}|[() ・.]|のノ){{0,3}}\d{{1,4}}(?:{_D}|[() ・.]){{0,3}}\d{{3,4}}(?!\d)"
)
_KANJI_PHONE = re.compile(
    r"[〇零][〇零一二三四五六七八九]{1,4}[-−ー‐の(（]?[〇零一二三四五六七八九]{1,4}[-−ー‐の)）]?[〇零一二三四五六七八九]{4}"
)
_POSTAL = re.compile(rf"〒 ?\d{{3}} ?{_D}? ?\d{{4}}(?!\d)|(?<![\d\-A-Za-z])\d{{3}}{_D}\d{{4}}(?![\d\-])")
_TWELVE = re.compile(rf"(?<![\d\-])\d{{4}}(?: |{_D})?\d{{4}}(?: |{_D})?\d{{4}}(?![\d\-])")
_MY_NUMBER_CUE = re.compile(r"マイナンバー|個人番号|ﾏｲﾅﾝﾊﾞｰ")
_CARD = re.compile(rf"(?<!\d)\d{{4}}(?: |{_D})?\d{{4}}(?: |{_D})?\d{{4}}(?: |{_D})?\d{{2,4}}(?!\d)")
_ACCOUNT = re.compile(
    r"(?:口座(?:番号)?|普通(?:預金)?|当座(?:預金)?|貯蓄|振込先|ゆうちょ)[^\d\n。、]{0,12}?(?P<id>\d{6,8}|\d{5}[- ]\d{6,8})(?!\d)"
)
_PLATE = re.compile(
    r"(?<![一-龥])[一-龥ぁ-んァ-ヶ]{1,4} ?\d{2,3}[A-Z]? ?[ぁ-んA-Z] ?(?:\d{2}-\d{2}|[・･.]{1,3}\d{1,3}|\d{1,4})(?![\d年月日時分円人台件])"
)
_HANDLE = re.compile(
    r"(?<![A-Za-z0-9._])@[A-Za-z0-9_.]{3,30}|https?://(?:www\.)?(?:twitter|x|instagram|facebook|tiktok|threads)\.(?:com|net)/[A-Za-z0-9_./@?=\-]+"
)
_HANDLE_LABEL = re.compile(
    r"(?:LINE|ライン|ツイッター|Twitter|インスタ(?:グラム)?|Instagram|フェイスブック|Facebook|X|TikTok|スカイプ|Skype)"
    r"の? ?(?:ID|アイディ|アカウント(?:名)?|アカ)"
    r"(?:は|が|:|：)? ?[「『(]?(?P<id>[A-Za-z0-9_.\-]{3,30})"
)
_YEAR = r"(?:(?:明治|大正|昭和|平成|令和|[MTSHR])\.? ?(?:\d{1,2}|元|[一二三四五六七八九十]{1,3})|(?:19|20)\d{2})"
_DATE = (
    rf"{_YEAR} ?(?:年|[./\-]) ?(?:\d{{1,2}}|[一二三四五六七八九十]{{1,3}}) ?(?:月|[./\-]) ?(?:\d{{1,2}}|[一二三四五六七八九十]{{1,3}})日?"
)
_BIRTHDATE = re.compile(
    rf"(?:生年月日|誕生日|生まれた日)[^\d一-龥MTSHR]{{0,6}}(?P<a>{_DATE})|(?P<b>{_DATE})(?= ?(?:生(?!活|徒|産|涯)|うまれ|誕生))"
)

_BLOCK = r"(?:\d{1,5}|[一二三四五六七八九十百〇]{1,5})"
_CHOME = rf"{_BLOCK} ?丁目"
_JOIN = rf" ?(?:{_D}|の|ノ|番地の?|番町?|丁目) ?"
_NUMBERS = re.compile(
    rf"(?:{_CHOME} ?{_BLOCK}(?:(?: ?番地?の? ?|{_JOIN}){_BLOCK} ?(?:号(?!室|線|車|機|棟))?| ?番地?)(?:{_JOIN}{_BLOCK})?"
    rf"|{_BLOCK} ?番地?の? ?{_BLOCK} ?号(?!室|線|車|機)"
    rf"|{_BLOCK} ?番地(?:の ?{_BLOCK})?"
    rf"|\d{{1,4}} ?(?:{_D}|の) ?\d{{1,4}}(?: ?(?:{_D}|の) ?\d{{1,4}}){{0,2}}(?: ?号(?!室|線|車|機))?)"
)
_HAS_BLOCK = re.compile(rf"\d ?(?:{_D}|の|番|丁目)|[一二三四五六七八九十] ?(?:番|丁目)")
_STRONG_NUMBERS = re.compile(rf"番地|号|(?:丁目|{_D}|の) ?{_BLOCK}(?:番|{_D}|の)")
_PROBLEM_AFTER = re.compile(
    r" ?(?:の|付近|先|あたり|辺り|近く|前|横|裏|角)?(?:の)?"
    r"(?:交差点|公園|信号|街灯|防犯灯|電柱|歩道|道路|市道|側溝|水路|横断歩道|ごみ集積|集積所|バス停|カーブ|踏切|橋|付近|あたり|辺り|近辺|一帯|地先)"
)
_HOME_CUE = re.compile(r"住所|居住|在住|住まい|住む|住んで|住み|自宅|実家|宅|転居|引っ越|送付先|〒")
_PREFECTURE = re.compile(r"(?:東京都|北海道|(?:京都|大阪)府|[一-龥]{2,3}県)")
_COUNTER_AFTER = re.compile(r" ?(?:時|分|円|人|名|台|件|回|本|点|割|%|kg|m|cm|メートル|月|年|日|度|号線|号車|対|倍|個|枚|冊|世帯)")


@dataclass(frozen=True, slots=True)
class MaskingWords:
    """The word lists of data/masking/words.yaml."""

    honorifics: frozenset[str]
    introductions: tuple[str, ...]
    before_name: frozenset[str]
    not_names: frozenset[str]
    ends_with_not_name: re.Pattern[str]
    place_suffixes: frozenset[str]
    surname_followers: frozenset[str]
    public_offices: frozenset[str]
    building: re.Pattern[str]
    labelled_id: re.Pattern[str]


@lru_cache(maxsize=1)
def masking_words() -> MaskingWords:
    """The lists, read once."""
    lists: dict[str, list[str]] = yaml.safe_load(WORDS.read_text("utf-8"))
    labels = "|".join(sorted(map(re.escape, lists["id_labels"]), key=len, reverse=True))
    buildings = "|".join(map(re.escape, lists["buildings"]))
    return MaskingWords(
        honorifics=frozenset(lists["honorifics"]),
        introductions=tuple(lists["introductions"]),
        before_name=frozenset(lists["before_name"]),
        not_names=frozenset(lists["not_names"]),
        # One character is too little to speak against a name (方, 人, 王): such a word must be the whole of it.
        ends_with_not_name=re.compile("(?:" + "|".join(re.escape(word) for word in lists["not_names"] if len(word) > 1) + ")$"),
        place_suffixes=frozenset(lists["place_suffixes"]),
        surname_followers=frozenset(lists["surname_followers"]),
        public_offices=frozenset(lists["public_offices"]),
        building=re.compile(
            rf"[ ,、]?(?:[一-龥ァ-ヶーA-Za-z・]{{0,12}}(?:{buildings})[一-龥ァ-ヶーA-Za-z・]{{0,8}}) ?"
            rf"(?:[A-Z]?{_D}?\d{{1,4}}(?:{_D}\d{{1,4}})? ?(?:号室|号|棟|階|F)?(?: ?\d{{2,4}} ?(?:号室|号)?)?)?"
            rf"|[ ]?\d{{2,4}} ?号室"
        ),
        labelled_id=re.compile(
            rf"(?:{labels})(?:は|が|の番号は|[:：]|[(（])? ?(?:No\.?|№)? ?"
            r"(?P<id>(?=[A-Z0-9\-]*\d)[A-Za-z0-9][A-Za-z0-9\-]{3,19})(?![A-Za-z0-9])",
            re.IGNORECASE,
        ),
    )


def find(text: str, tokens: Sequence[Token]) -> list[PiiSpan]:
    """The spans of personal data in a text, sorted, not overlapping.

    Args:
        text: the text as given.
        tokens: its morphemes (``nlp.japanese.tokenize``), with offsets into it.
    """
    plain = text.translate(_SAME_LENGTH)
    found: list[PiiSpan] = []
    if any(character.isdigit() for character in plain):
        found += _written_forms(plain)
    elif "〇" in plain or "零" in plain:
        found += _spans(_KANJI_PHONE, plain, "PHONE")
    if _HAS_BLOCK.search(plain):
        found += _addresses(plain, tokens, taken=found)
    if "@" in plain or "ID" in plain or "アカ" in plain or "at" in plain:
        found += _spans(_EMAIL, plain, "EMAIL")
        found += _spans(_HANDLE, plain, "URL_ID")
        found += _spans(_HANDLE_LABEL, plain, "URL_ID")
    found += _names(text, tokens)
    return settle(found)


def settle(found: Iterable[PiiSpan]) -> list[PiiSpan]:
    """Resolves overlaps: the longer span wins, then the earlier; sorted by place."""
    kept: list[PiiSpan] = []
    for span in sorted(found, key=lambda item: (item.start - item.end, item.start)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda item: item.start)


def mask(text: str, spans: Sequence[PiiSpan]) -> str:
    """The text with each span's placeholder in its place. ``spans`` must be settled."""
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += (text[at : span.start], PLACEHOLDERS[span.type])
        at = span.end
    return "".join((*parts, text[at:]))


def _spans(pattern: re.Pattern[str], plain: str, kind: PiiType) -> list[PiiSpan]:
    spans = []
    for match in pattern.finditer(plain):
        group = next((name for name, value in match.groupdict().items() if value), 0)
        spans.append(PiiSpan(*match.span(group), kind))
    return spans


def _written_forms(plain: str) -> list[PiiSpan]:
    found = _spans(_BIRTHDATE, plain, "BIRTHDATE") + _spans(_ACCOUNT, plain, "ACCOUNT") + _spans(_PLATE, plain, "PLATE")
    for match in _TWELVE.finditer(plain):
        cue = _MY_NUMBER_CUE.search(plain, max(0, match.start() - 20), match.start())
        if cue or is_my_number(match.group()):
            found.append(PiiSpan(*match.span(), "MY_NUMBER"))
    found += [PiiSpan(*match.span(), "ACCOUNT") for match in _CARD.finditer(plain) if _luhn(match.group())]
    found += [PiiSpan(*match.span(), "PHONE") for match in _PHONE.finditer(plain) if _is_phone(match.group())]
    found += _spans(_KANJI_PHONE, plain, "PHONE") + _spans(_POSTAL, plain, "POSTAL_CODE")
    return found + _spans(masking_words().labelled_id, plain, "OTHER_ID")


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isdigit())


def _is_phone(text: str) -> bool:
    digits = _digits(text)
    if text.startswith("+"):
        return 11 <= len(digits) <= 13
    return len(digits) == 10 or (len(digits) == 11 and digits[:3] in {"050", "060", "070", "080", "090", "020"})


def is_my_number(text: str) -> bool:
    """Whether twelve digits carry a valid check digit (総務省令第85号 第5条: weights 2–7 from the right, modulo 11)."""
    digits = [int(character) for character in _digits(text)]
    if len(digits) != 12 or len(set(digits)) == 1:
        return False
    weighted = sum(digit * (place + 2 if place < 6 else place - 4) for place, digit in enumerate(reversed(digits[:11])))
    rest = weighted % 11
    return digits[11] == (0 if rest <= 1 else 11 - rest)


def _luhn(text: str) -> bool:
    digits = [int(character) for character in _digits(text)]
    doubled = [sum(divmod(digit * 2, 10)) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return 14 <= len(digits) <= 16 and sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _addresses(plain: str, tokens: Sequence[Token], *, taken: Sequence[PiiSpan]) -> list[PiiSpan]:
    found: list[PiiSpan] = []
    for match in _NUMBERS.finditer(plain):
        if any(span.start < match.end() and match.start() < span.end for span in taken):
            continue
        head = _place_before(plain, tokens, match.start())
        if head == match.start() or _COUNTER_AFTER.match(plain, match.end()):
            continue
        cue = _HOME_CUE.search(plain, max(0, head - 12), head) or _HOME_CUE.match(plain, match.end() + 1) or _PREFECTURE.match(plain, head)
        strong = _STRONG_NUMBERS.search(match.group())
        if not cue and (not strong or _PROBLEM_AFTER.match(plain, match.end())):
            continue
        building = masking_words().building.match(plain, match.end())
        found.append(PiiSpan(head, building.end() if building else match.end(), "ADDRESS"))
    return found


_TOWN_END = re.compile(r"[都道府県市区町村郡字条東西南北上中下内台丘通]$|丁目$")


def _place_before(plain: str, tokens: Sequence[Token], number: int) -> int:
    """Where the place name that runs up to a block number begins; ``number`` itself when none does."""
    index = bisect_left(tokens, number, key=lambda token: token.start) - 1
    first, seen_place = number, False
    while index >= 0:
        token = tokens[index]
        if token.end < first:
            break
        if token.part & Part.PLACE or (token.end == first and _TOWN_END.search(token.surface)):
            seen_place = True
        elif token.surface.isspace():
            if index == 0 or not (first == number or tokens[index - 1].part & Part.PLACE):
                break
        elif token.end == first and token.part & Part.NOUN and token.part & Part.CONTENT and len(token.surface) <= 4:
            seen_place = seen_place or bool(token.part & Part.PROPER)
        else:
            break
        first = token.start
        index -= 1
    while first < number and plain[first].isspace():
        first += 1
    return first if seen_place else number


_NAME_CHARACTERS = re.compile(r"^[一-龥々ヶケァ-ヴーぁ-ん]{1,6}$")
_KANA_NAME = re.compile(r"^[ァ-ヴーｦ-ﾟ]{2,8}$")
_ANY_NAME = Part.SURNAME | Part.GIVEN_NAME | Part.PERSON


def _names(text: str, tokens: Sequence[Token]) -> list[PiiSpan]:
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
    return found + _titled(text, tokens, words)


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
    if text.startswith(words.introductions, tokens[last].end):
        return True
    before = tokens[first - 1].surface if first else ""
    labelled = before in {":", "："} and first >= 2 and tokens[first - 2].surface in words.before_name
    if labelled:
        return True
    families = tokens[first].part & Part.SURNAME
    return bool(families and last > first and tokens[last].part & Part.GIVEN_NAME and len(surface) >= 3)


def _titled(text: str, tokens: Sequence[Token], words: MaskingWords) -> list[PiiSpan]:
    """Names that Sudachi doesn't know as names: kana readings and rare kanji before a title or a 「と申します」."""
    found = []
    for index, token in enumerate(tokens):
        titled = token.surface in {"様", "さま", "さん", "氏", "ちゃん", "くん"} and index > 0
        if not titled and not (token.surface == "と" and text.startswith(words.introductions, token.start)):
            continue
        first = index
        while first > 0 and _may_be_name(tokens[first - 1], words) and tokens[first - 1].end == tokens[first].start and index - first < 3:
            first -= 1
        if first == index or words.ends_with_not_name.search(text, max(0, token.start - 8), token.start):
            continue
        if _unknown_enough(tokens[first:index], titled=titled):
            found.append(PiiSpan(tokens[first].start, token.start, "NAME"))
    return found


def _may_be_name(token: Token, words: MaskingWords) -> bool:
    if (
        token.surface in words.not_names
        or not _NAME_CHARACTERS.match(token.surface)
        or token.part & (Part.PARTICLE | Part.SUFFIX | Part.PREDICATE)
    ):
        return False
    return bool(token.part & (_ANY_NAME | Part.PROPER)) or bool(_KANA_NAME.match(token.surface) and token.part & Part.NOUN)


def _unknown_enough(run: Sequence[Token], *, titled: bool) -> bool:
    if any(token.part & _ANY_NAME for token in run):
        return True
    # A katakana noun before さん may be a shop or a job (パン屋さん, ヘルパーさん); before 「と申します」 it is a name.
    return not titled and all(_KANA_NAME.match(token.surface) for token in run)


def doubts(tokens: Sequence[Token], spans: Sequence[PiiSpan], *, places: Collection[str] = ()) -> list[PiiSpan]:
    """Surnames that stand alone where a person may stand, and that no rule decided: worth a look by an entity recogniser.

    ``places`` are the city's own place names, which are never doubted.
    """
    words = masking_words()
    unsure = []
    for token, following in pairwise(tokens):
        if not token.part & Part.SURNAME or len(token.surface) < 2 or following.surface not in words.surname_followers:
            continue
        if token.surface in words.not_names or token.surface in places:
            continue
        if not any(span.start < token.end and token.start < span.end for span in spans):
            unsure.append(PiiSpan(token.start, token.end, "NAME"))
    return unsure
