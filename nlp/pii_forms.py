"""Personal data that has a written form: phones, mail addresses, numbers, dates of birth, plates, handles."""

from __future__ import annotations

import re

from nlp.annotation import PiiSpan, PiiType
from nlp.pii_words import DASH, masking_words

# An address begins where its characters do: else a long run without an @ would be walked through from each of them.
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]+ ?(?:@|\(at\)|\[at\]) ?[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")
_PHONE = re.compile(
    rf"(?<![\dA-Za-z])(?:\+ ?81[ ()\-]{{0,3}}0?|\(?0)\d{{1,4}}(?:{DASH}|[() ・.]|のノ){{0,3}}\d{{1,4}}"
    rf"(?:{DASH}|[() ・.]){{0,3}}\d{{3,4}}(?!\d)"
)
_KANJI_PHONE = re.compile(
    r"[〇零][〇零一二三四五六七八九]{1,4}[-−ー‐の(（]?[〇零一二三四五六七八九]{1,4}[-−ー‐の)）]?[〇零一二三四五六七八九]{4}"
)
_POSTAL = re.compile(rf"〒 ?\d{{3}} ?{DASH}? ?\d{{4}}(?!\d)|(?<![\d\-A-Za-z])\d{{3}}{DASH}\d{{4}}(?![\d\-])")
_TWELVE = re.compile(rf"(?<![\d\-])\d{{4}}(?: |{DASH})?\d{{4}}(?: |{DASH})?\d{{4}}(?![\d\-])")
_MY_NUMBER_CUE = re.compile(r"マイナンバー|ﾏｲﾅﾝﾊﾞｰ|番号|12桁|十二桁")
_CARD = re.compile(rf"(?<!\d)\d{{4}}(?: |{DASH})?\d{{4}}(?: |{DASH})?\d{{4}}(?: |{DASH})?\d{{2,4}}(?!\d)")
_ACCOUNT = re.compile(
    r"(?:口座(?:番号)?|普通(?:預金)?|当座(?:預金)?|貯蓄|振込先|ゆうちょ)[^\d\n。、]{0,12}?(?P<id>\d{6,8}|\d{5}[- ]\d{6,8})(?!\d)"
)
_PLATE = re.compile(
    r"(?:(?<![一-龥])[一-龥ヶ]{1,4}|いわき|つくば|とちぎ|なにわ) ?\d{2,3}[A-Z]? ?[ぁ-んA-Z]"
    r" ?(?:\d{2}-\d{2}|[・･.]{1,3}\d{1,3}|\d{1,4})(?![\d年月日時分円人台件])"
)
_HANDLE = re.compile(
    r"(?<![A-Za-z0-9._])@[A-Za-z0-9_.]{3,30}|https?://(?![A-Za-z0-9.\-]*\.(?:lg|go)\.jp(?:/|$))[A-Za-z0-9.\-]+/[A-Za-z0-9_./@?=&%~#\-]+"
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


def written_forms(plain: str) -> list[PiiSpan]:
    """What is recognised by how it is written. ``plain`` has half-width digits and letters, with the given text's offsets."""
    found: list[PiiSpan] = []
    if any(character.isdigit() for character in plain):
        found += _numbers(plain)
    else:
        if "〇" in plain or "零" in plain:
            found += _spans(_KANJI_PHONE, plain, "PHONE")
        if "年" in plain:
            found += _spans(_BIRTHDATE, plain, "BIRTHDATE")
    if "@" in plain or "ID" in plain or "アカ" in plain or "at" in plain or "://" in plain:
        found += _spans(_EMAIL, plain, "EMAIL") + _spans(_HANDLE, plain, "URL_ID") + _spans(_HANDLE_LABEL, plain, "URL_ID")
    return found


def _numbers(plain: str) -> list[PiiSpan]:
    found = _spans(_BIRTHDATE, plain, "BIRTHDATE") + _spans(_ACCOUNT, plain, "ACCOUNT") + _spans(_PLATE, plain, "PLATE")
    for match in _TWELVE.finditer(plain):
        cue = _MY_NUMBER_CUE.search(plain, max(0, match.start() - 20), match.start())
        if cue or is_my_number(match.group()):
            found.append(PiiSpan(*match.span(), "MY_NUMBER"))
    found += [PiiSpan(*match.span(), "ACCOUNT") for match in _CARD.finditer(plain) if _luhn(match.group())]
    found += [PiiSpan(*match.span(), "PHONE") for match in _PHONE.finditer(plain) if _is_phone(match.group())]
    found += _spans(_KANJI_PHONE, plain, "PHONE") + _spans(_POSTAL, plain, "POSTAL_CODE")
    return found + _spans(masking_words().labelled_id, plain, "OTHER_ID")


def _spans(pattern: re.Pattern[str], plain: str, kind: PiiType) -> list[PiiSpan]:
    spans = []
    for match in pattern.finditer(plain):
        group = next((name for name, value in match.groupdict().items() if value), 0)
        spans.append(PiiSpan(*match.span(group), kind))
    return spans


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
