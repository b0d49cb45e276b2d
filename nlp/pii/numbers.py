"""Numbers that stand for a person: My Number, cards, bank accounts, number plates, and what a card or a booklet carries."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.annotation import PiiSpan
from nlp.pii.spans import Cover
from nlp.pii.words import DASH, masking_words

# What cards and My Numbers have at least.
_TEN = re.compile(rf"\d\d{{3}}(?: |{DASH}|・)?\d{{4}}(?: |{DASH}|・)?\d\d")
_TWELVE = re.compile(rf"(?<![\d\-])\d{{4}}(?: |{DASH}|・)?\d{{4}}(?: |{DASH}|・)?\d{{4}}(?![\d\-])")
_MY_NUMBER_LABEL = re.compile(r"マイナンバー|ﾏｲﾅﾝﾊﾞｰ|まいなんばー|個人番号|通知カード|12桁|十二桁|[Mm]y [Nn]umber|My ?No")
# Of these twelve digits may have any last one.
_OTHER_CARD = re.compile("免許|保険者番号|年金")
_LABEL_REACH = 24
_CARD = re.compile(
    rf"(?<!\d)\d{{4}}(?: |{DASH})?\d{{4}}(?: |{DASH})?\d{{4}}(?: |{DASH})?\d{{2,4}}(?!\d)|(?<!\d)3[47]\d{{2}}[ -]?\d{{6}}[ -]?\d{{5}}(?!\d)"
)

_FIGURES = r"(?:\d{6,8}|\d{3}[ \-]\d{4}|[〇零一二三四五六七八九]{6,8})"
_BANK = r"(?:銀行|信金|信用金庫|信組|信用組合|農協|漁協|労金|労働金庫|郵便局|支店|支所|本店|出張所|営業部)"
_KIND = (
    r"(?:口座(?:番号)?|普通(?:預金|口座)?|当座(?:預金)?|貯蓄(?:預金)?|定期(?:預金)?|総合口座|積立|振込先|ゆうちょ(?:銀行)?|"
    r"\(普\)|\(当\)|普\)?)"
)
_ACCOUNTS = (
    re.compile(rf"{_KIND}[^\d\n。、]{{0,12}}?(?P<id>\d{{3}}[ \-]\d{{6,8}}|{_FIGURES}|\d{{5}}[- ]\d{{6,8}})(?!\d)"),
    re.compile(rf"{_BANK}[^\d\n。]{{0,10}}?(?P<id>\d{{3}}[ \-]\d{{6,8}}|\d{{6,8}})(?![\d円人件])"),
    re.compile(r"(?<![\d,.])(?P<id>\d{7})(?=(?:番)?(?:の|という|とかいう)?口座)"),
    re.compile(r"記号[は: ]{0,2}(?P<id>\d{5})(?=[^\d\n。]{0,6}番号)"),
    re.compile(r"記号[は: ]{0,2}\d{5}[^\d\n。]{0,6}番号[は: ]{0,2}(?P<id>\d{6,8})(?!\d)"),
)
_ACCOUNT_CUE = re.compile("口座|普|当座|貯蓄|振込|ゆうちょ|銀行|信|農協|漁協|労|支店|支所|記号|定期|積立|郵便局|本店")

_REGION = r"(?:(?:[一-龥ヶケ]{1,5})(?<![号番証室棟館課年条月日第計部度])|いわき|つくば|とちぎ|なにわ)"
_KANA = "[あ-えか-こさ-そた-とな-のは-ふほ-もや-よら-ろわを]"
_SHORT = rf"(?:[・･.]{{0,3}}\d{{1,2}}{DASH}\d{{2}}|[・･.]{{1,3}}\d{{1,3}})"
_PLATE = re.compile(
    rf"{_REGION} ?\d[\dA-Z]{{1,2}} ?(?:{_KANA}|(?<=\d{{3}})[EHKMTY]|(?<=\d{{3}} )[EHKMTY]) ?"
    rf"(?:(?P<strict>{_SHORT})|\d{{1,4}})(?![\d年月日時分円人台件号番階回個名本%])"
)
# Three figures, a kana that is no particle and four figures are a plate without any vehicle near.
_WHOLE_PLATE = re.compile(rf"{_REGION} ?\d[\dA-Z]{{2}} ?(?![のとはもかやへらを]){_KANA} ?\d{{4}}(?![\d年月日時分円人台件号番階回個名本%])")
_SMALL_PLATE = re.compile(rf"(?:1 ?)?{_REGION} ?{_KANA} ?(?:{_SHORT}|\d{{4}})(?![\d年月日時分円人台件号番階回個名本%])")
_SHORT_PLATE = re.compile(
    rf"(?<!マイ)ナンバー(?:プレート)?[^\d・\n。]{{0,8}}?(?P<id>{_SHORT}|(?<=下4桁)\d{{4}}|(?<=下4桁は)\d{{4}})(?!{DASH}?\d)"
)
# The part of a plate that tells soonest of a text that it has none: a kana between figures, or before four or points or a dash.
_MAY_HOLD_PLATE = re.compile(rf"\d[\dA-Z]{{1,2}} ?(?:{_KANA}|[EHKMTY]) ?[・･.]{{0,3}}\d")
_MAY_HOLD_SMALL_PLATE = re.compile(rf"[\d・･.](?:(?<={_KANA}.)|(?<={_KANA} .))(?:\d{{3}}|\d?{DASH}\d\d|(?<=[・･.])[・･.]{{0,2}}\d)")
_VEHICLE = re.compile(
    "車|ナンバー|ﾅﾝﾊﾞｰ|トラック|軽|バイク|原付|プレート|バン|ワゴン|タクシー|バス|スクーター|カブ|トラクター|セダン|ダンプ"
)
_VEHICLE_REACH = 30

# The shortest that any of the following takes for a number.
_CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|[\-−‐ー](?=[A-Za-z0-9])){3}")
# Passports and residence cards are told by their form alone; 番号 behind the name of a card, a sentence or two before.
_PASSPORT = re.compile(r"(?<![A-Za-z0-9])(?P<id>[A-Z]{2}(?:\d{7}(?![\dA-Z])|\d{8}[A-Z]{2}(?![A-Z0-9])))")
_CARD_WORDS = "免許証?|保険証|被保険者|国保|健保|手帳|診察券|会員証|在留|パスポート|旅券|年金"
_CARD_WORD = re.compile(_CARD_WORDS)
_CARD_THEN_NUMBER = re.compile(
    rf"(?:{_CARD_WORDS})(?:[^\d]|記号 ?\d{{1,4}}){{0,60}}?"
    r"番号[はがも: ]{0,2}(?P<id>[A-Z0-9]{6,12})(?![A-Z0-9])"
)
_NEUTRAL_NUMBER = re.compile("(?:受付|整理|問い?合わ?せ|問合せ|管理|電話|便|郵便|口座|個人)番号[はがも: ]{0,2}$")
# Basic pension numbers are written so.
_PENSION = re.compile(rf"年金[^\d\n。]{{0,14}}(?P<id>\d{{4}}{DASH}?\d{{6}})(?!\d)")


def bank_accounts(plain: str) -> list[PiiSpan]:
    """Account numbers beside a bank, a kind of account, or 口座."""
    if not _ACCOUNT_CUE.search(plain):
        return []
    return [PiiSpan(*match.span("id"), "ACCOUNT") for pattern in _ACCOUNTS for match in pattern.finditer(plain)]


def cards(plain: str) -> list[PiiSpan]:
    """Card numbers whose check digit (Luhn) is right."""
    if not _TEN.search(plain):
        return []
    return [PiiSpan(*match.span(), "ACCOUNT") for match in _CARD.finditer(plain) if _luhn(match.group())]


def personal_ids(plain: str) -> list[PiiSpan]:
    """Numbers behind the name of a card, a booklet or an insurance; those of a request or a thing stay."""
    if not _CODE.search(plain):
        return []
    words = masking_words()
    if not words.id_label.search(plain) and not _CARD_WORD.search(plain):
        return [PiiSpan(*match.span("id"), "OTHER_ID") for match in _PASSPORT.finditer(plain)]
    found = [
        PiiSpan(*match.span("id"), "OTHER_ID")
        for match in words.labelled_id.finditer(plain)
        if not words.neutral_label.search(plain, max(0, match.start() - 6), match.start("id"))
    ]
    found += [
        PiiSpan(*match.span("id"), "OTHER_ID")
        for match in _CARD_THEN_NUMBER.finditer(plain)
        if not _NEUTRAL_NUMBER.search(plain, max(0, match.start("id") - 10), match.start("id"))
    ]
    return found + [PiiSpan(*match.span("id"), "OTHER_ID") for pattern in (_PASSPORT, _PENSION) for match in pattern.finditer(plain)]


def my_numbers(plain: str, *, otherwise: Sequence[PiiSpan]) -> list[PiiSpan]:
    """Twelve digits labelled as a My Number, or with a valid check digit; ``otherwise`` is what is something else for certain."""
    found: list[PiiSpan] = []
    if not _TEN.search(plain):
        return found
    other = Cover(otherwise)
    for match in _TWELVE.finditer(plain):
        if other.touches(*match.span()):
            continue
        before = max(0, match.start() - _LABEL_REACH)
        labelled = _MY_NUMBER_LABEL.search(plain, before, match.start())
        neutral = masking_words().neutral_label.search(plain, before, match.start()) or _OTHER_CARD.search(plain, before, match.start())
        if labelled or (is_my_number(match.group()) and not neutral):
            found.append(PiiSpan(*match.span(), "MY_NUMBER"))
    return found


def plates(plain: str) -> list[PiiSpan]:
    """Number plates. Where a kana could be a particle (国道16と17), a vehicle must be spoken of or the number be written in two halves."""
    short = [PiiSpan(*match.span("id"), "PLATE") for match in _SHORT_PLATE.finditer(plain)] if "ナンバー" in plain else []
    if not _MAY_HOLD_PLATE.search(plain) and not _MAY_HOLD_SMALL_PLATE.search(plain):
        return short
    found = [PiiSpan(*match.span(), "PLATE") for match in _PLATE.finditer(plain) if match["strict"] or _near_vehicle(plain, match)]
    found += [PiiSpan(*match.span(), "PLATE") for match in _WHOLE_PLATE.finditer(plain)]
    found += [PiiSpan(*match.span(), "PLATE") for match in _SMALL_PLATE.finditer(plain) if _near_vehicle(plain, match)]
    return found + short


def _near_vehicle(plain: str, match: re.Match[str]) -> bool:
    return bool(
        _VEHICLE.search(plain, max(0, match.start() - _VEHICLE_REACH), match.start())
        or _VEHICLE.search(plain, match.end(), match.end() + _VEHICLE_REACH)
    )


def _digits(text: str) -> list[int]:
    return [int(character) for character in text if character.isascii() and character.isdigit()]


def is_my_number(text: str) -> bool:
    """Whether twelve digits carry a valid check digit (総務省令第85号 第5条: weights 2–7 from the right, modulo 11)."""
    digits = _digits(text)
    if len(digits) != 12 or len(set(digits)) == 1:
        return False
    weighted = sum(digit * (place + 2 if place < 6 else place - 4) for place, digit in enumerate(reversed(digits[:11])))
    rest = weighted % 11
    return digits[11] == (0 if rest <= 1 else 11 - rest)


def _luhn(text: str) -> bool:
    digits = _digits(text)
    doubled = [sum(divmod(digit * 2, 10)) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return 14 <= len(digits) <= 16 and sum(doubled) % 10 == 0 and len(set(digits)) > 1
