"""How a person is reached: phones, mail addresses, postal codes, handles and pages of their own."""

from __future__ import annotations

import re

from nlp.annotation import PiiSpan
from nlp.pii.words import DASH, masking_words

# An address begins where its characters do: else a long run without an @ would be walked through from each of them.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-@])[A-Za-z0-9._%+\-]+ ?(?:@|\(at\)|\[at\]|\(アット\)|[★☆]) ?"
    r"[A-Za-z0-9\-]+(?:(?:\.|\(dot\)|\[dot\])[A-Za-z0-9\-]+)+"
)

_PHONE = re.compile(
    rf"(?<![\dA-Za-z])(?:\+ ?81[ ()\-]{{0,3}}0?\)?|\(?0)\d{{1,4}}(?:{DASH}|[() ・./]|の|ノ){{0,3}}\d{{1,4}}"
    rf"(?:{DASH}|[() ・./]|の|ノ){{0,3}}\d{{3,4}}(?!\d)"
)
_ABROAD = re.compile(rf"(?<![\dA-Za-z+])\+ ?[1-9]\d{{0,2}}(?:(?:{DASH}|[() .]){{1,3}}\d{{1,5}}){{2,5}}(?!\d)")
_LOCAL = re.compile(
    rf"(?:電話|でんわ|TEL|Tel|tel|℡|☎|FAX|Fax|ファックス|ファクス)(?:番号)?[はが:. ]{{0,2}}(?P<id>\d{{2,4}}{DASH}\d{{4}})(?![\d\-])"
)
_KANJI = "[〇零○一二三四五六七八九]"
_KANJI_GAP = rf"(?:{DASH}|[()の・ ])?"
_KANJI_PHONE = re.compile(rf"[〇零○]{_KANJI}{{1,4}}{_KANJI_GAP}{_KANJI}{{1,4}}{_KANJI_GAP}{_KANJI}{{4}}(?!{_KANJI})")
_MOBILE = {"050", "060", "070", "080", "090", "020"}

_POSTAL_LABELLED = re.compile(
    rf"(?:〒|〠|郵便番号|ゆうびんばんごう)[はが:の)】 ]{{0,3}}"
    rf"(?P<code>\d{{3}} ?{DASH}? ?\d{{4}}(?!\d)|{_KANJI}{{3}} ?{DASH}? ?{_KANJI}{{4}})"
)
_KANJI_POSTAL = re.compile(rf"(?<![一-龥〇]){_KANJI}{{3}}{DASH}{_KANJI}{{4}}(?!{_KANJI}|{DASH})")
_POSTAL = re.compile(rf"(?<![\d\-−.A-Za-z])\d{{3}}{DASH}\d{{4}}(?![\d\-−A-Za-z.])")
_NUMBERS_A_THING = re.compile(r"(?:約|第|[Nn]o\.?|№|品番|型番|規格|図面|図番|番号|コード|内線|課|条|式|号)[はがのを: ]{0,2}$")
_THING_AFTER = re.compile(r" ?(?:円|人|名|個|本|枚|件|台|号|番|条|項|型|式|ページ|[ァ-ヴ]{2,}|[一-龥]{0,2}(?:用|製))")

_SITE = r"[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+"
# A city's own pages, and the state's: no person's.
_PUBLIC = (
    r"(?:[A-Za-z0-9\-]{1,63}\.){0,8}(?:(?:city|pref|town|vill|village|metro)[.\-]"
    r"|[A-Za-z0-9.\-]{1,80}\.(?:lg|go|ed)\.jp(?![A-Za-z0-9.\-]))"
)
_PATH = r"[A-Za-z0-9_./@?=&%~#+!:\-]*[A-Za-z0-9_/@~=#\-]"
_PAGE = re.compile(rf"(?:https?://|(?<![A-Za-z0-9@._/\-])(?=[A-Za-z0-9.\-]{{4,60}}/[A-Za-z0-9@~]))(?!{_PUBLIC}){_SITE}/{_PATH}")
_OWN_HOST = re.compile(
    r"https?://[A-Za-z0-9\-]+\.(?:hatena[a-z]*|fc2|livedoor|ameb[a-z]*|blog[a-z]*|wordpress|tumblr|github|wixsite|jimdo[a-z]*|seesaa|cocolog[a-z\-]*|"
    r"booth|stores|theshop|base|itch|bsky|example)\.[A-Za-z.]{2,12}(?![A-Za-z0-9/.])"
)
_HANDLE = re.compile(
    rf"(?<![A-Za-z0-9._/@])@(?=[A-Za-z0-9_.\-]{{0,40}}[A-Za-z_])[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{{1,38}}[A-Za-z0-9_])(?:@{_SITE})?"
)
_SERVICE = (
    r"(?:LINE|ライン|ツイッター|Twitter|twitter|インスタ(?:グラム)?|Instagram|フェイスブック|Facebook|FB|X|TikTok|ティックトック|スカイプ|Skype|"
    r"Discord|ディスコード|Threads|スレッズ|note|YouTube|ユーチューブ|mixi|カカオトーク|WhatsApp|Telegram|テレグラム|Zoom|メルカリ)"
)
_HANDLE_LABEL = re.compile(
    rf"(?:{_SERVICE}(?:\(旧[A-Za-z]{{1,10}}\))?の? ?(?:ID|アイディ(?:ー)?|アカウント(?:名)?|アカ|ユーザー名|名前)"
    r"|ユーザー ?(?:名|ID)|アカウント(?:名|ID)?|ハンドル(?:ネーム|名))"
    r"(?:は|が|も|で|、|:)? ?[「『(]?(?P<id>[A-Za-z0-9_.\-]{3,30})(?![A-Za-z0-9@])"
)
_SERVICE_THEN_HANDLE = re.compile(
    rf"{_SERVICE}(?:は|が|で|に|:| )? ?[「『(]?(?P<id>(?=[A-Za-z.\-]*[0-9_])[A-Za-z][A-Za-z0-9_.\-]{{3,30}})(?![A-Za-z0-9@])"
)
_ACCOUNT_LABEL = re.compile(rf"{_SERVICE}|ユーザー|アカウント|ハンドル")
_OFFICIAL = re.compile(r"official|koushiki|kohoshi", re.IGNORECASE)


def online(plain: str) -> list[PiiSpan]:
    """Mail addresses, handles and personal pages."""
    if not (
        "@" in plain
        or "ID" in plain
        or "アカ" in plain
        or "at" in plain
        or "/" in plain
        or "アイディ" in plain
        or "ユーザー" in plain
        or "ハンドル" in plain
        or _SERVICE_MAYBE.search(plain)
    ):
        return []
    found = [PiiSpan(*match.span(), "EMAIL") for match in _EMAIL.finditer(plain)] if _may_hold_at(plain) else []
    if _ACCOUNT_LABEL.search(plain):
        handles = [match for label in (_HANDLE_LABEL, _SERVICE_THEN_HANDLE) for match in label.finditer(plain)]
        found += [PiiSpan(*match.span("id"), "URL_ID") for match in handles]
    pages = [match for pattern in (_PAGE, _OWN_HOST) for match in pattern.finditer(plain)] if "/" in plain else []
    if "@" in plain:
        pages += _HANDLE.finditer(plain)
    return found + [PiiSpan(*match.span(), "URL_ID") for match in pages if not _OFFICIAL.search(match.group())]


def _may_hold_at(plain: str) -> bool:
    return "@" in plain or "at" in plain or "アット" in plain or "★" in plain or "☆" in plain


_SERVICE_MAYBE = re.compile(r"[A-Za-z][A-Za-z0-9.\-]{0,30}[0-9_]")


def phones(plain: str) -> list[PiiSpan]:
    """Phone and fax numbers, in digits."""
    found = [
        PiiSpan(match.start() + _opens_before(match.group()), match.end(), "PHONE")
        for match in _PHONE.finditer(plain)
        if _is_phone(match.group()) and not masking_words().neutral_label.search(plain, max(0, match.start() - 12), match.start())
    ]
    if "+" in plain:
        found += [PiiSpan(*match.span(), "PHONE") for match in _ABROAD.finditer(plain) if 10 <= len(_digits(match.group())) <= 15]
    return found + [PiiSpan(*match.span("id"), "PHONE") for match in _LOCAL.finditer(plain)]


def _opens_before(text: str) -> bool:
    """Whether a bracket before a number is the sentence's, 「(080-1234-5678)」, and not the area code's, 「(0466)27-1111」."""
    return text.startswith("(") and ")" not in text


def kanji_phones(plain: str) -> list[PiiSpan]:
    """Phone numbers in kanji numerals."""
    if not ("〇" in plain or "零" in plain or "○" in plain):
        return []
    return [PiiSpan(*match.span(), "PHONE") for match in _KANJI_PHONE.finditer(plain) if _is_phone(_from_kanji(match.group()))]


def postal_codes(plain: str) -> list[PiiSpan]:
    """Postal codes: with 〒 or a label in any form, else three and four digits that number no thing."""
    found = [PiiSpan(match.start("code"), match.end("code"), "POSTAL_CODE") for match in _POSTAL_LABELLED.finditer(plain)]
    found += [
        PiiSpan(*match.span(), "POSTAL_CODE")
        for match in _POSTAL.finditer(plain)
        if not (_NUMBERS_A_THING.search(plain, max(0, match.start() - 8), match.start()) or _THING_AFTER.match(plain, match.end()))
    ]
    found += [PiiSpan(*match.span(), "POSTAL_CODE") for match in _KANJI_POSTAL.finditer(plain)]
    return [_with_mark(plain, span) for span in found]


def _with_mark(plain: str, span: PiiSpan) -> PiiSpan:
    """〒 goes with its number."""
    start = span.start - 1 if plain[span.start - 1 : span.start] == " " else span.start
    return PiiSpan(start - 1, span.end, span.type) if plain[start - 1 : start] in {"〒", "〠"} else span


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isdigit())


_KANJI_DIGITS = str.maketrans("〇零○一二三四五六七八九", "000123456789")


def _from_kanji(text: str) -> str:
    return text.translate(_KANJI_DIGITS)


def _is_phone(text: str) -> bool:
    digits = _digits(text)
    if text.startswith("+"):
        return 11 <= len(digits) <= 13
    # No area code begins with two noughts.
    if digits.startswith("00"):
        return False
    return len(digits) == 10 or (len(digits) == 11 and digits[:3] in _MOBILE)
