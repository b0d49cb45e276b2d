"""Cells into values: text made clean without changing what it says, and the words offices use for channels, kinds, yes and no."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from html.entities import html5

import jaconv

from core.models import Channel

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Controls, lone surrogates, invisible marks, and the signs that turn the reading direction (they can disguise a text).
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_HALF_KANA = re.compile("[｡-ﾟ]")
# Words of the few that a column holds many times.
_REMEMBERED = 2_000
_NOTHING = frozenset(("-", "－", "―", "—", "–", "ー", "‐", "なし", "未", "未定", "未回答", "未入力", "n/a", "null", "none"))

_CHANNEL_WORDS: tuple[tuple[Channel, tuple[str, ...]], ...] = (
    (Channel.OPEN311, ("open311",)),
    (Channel.WEB_FORM, ("フォーム",)),
    (Channel.FAX, ("fax", "ファクス", "ファックス", "ファクシミリ")),
    (Channel.SURVEY, ("アンケート", "モニター", "意識調査", "満足度調査")),
    (Channel.EMAIL, ("メール", "mail")),
    (Channel.WEB_FORM, ("web", "ウェブ", "ホームページ", "hp", "インターネット", "電子申請", "オンライン", "サイト", "ネット")),
    (Channel.PHONE, ("電話", "コールセンター", "tel", "入電", "受電", "架電", "コール")),
    (Channel.COUNTER, ("来庁", "面談", "窓口", "来所", "来課", "来館", "対面", "口頭", "訪問", "懇談", "ミーティング", "面接")),
    (Channel.LETTER, ("手紙", "封書", "はがき", "ハガキ", "葉書", "郵送", "郵便", "文書", "投書", "書面", "提案箱", "意見箱", "投函")),
)  # fmt: skip
_YES = frozenset(
    ("可", "公開", "公開可", "公開する", "公開希望", "公表", "公表可", "希望", "希望する", "はい", "有", "あり", "同意", "同意する",
     "承諾", "承諾する", "可能", "了承", "y", "yes", "true", "1", "ok", "○", "〇", "◯", "◎", "レ", "✓", "✔")
)  # fmt: skip


def clean_text(text: str) -> str:
    r"""A text as people read it, ready to be masked and stored; what it says stays.

    NFC, ``\n`` as line end, ``&hellip;`` and the like as characters, half-width kana made full, control characters (but line
    end and tab), lone surrogates and invisible marks removed, no spaces at line ends or around the whole. Zenkaku digits stay.
    """
    # Most cells are so already: printable, which no control, line end, surrogate or invisible mark is.
    if text.isprintable() and "&" not in text and not _HALF_KANA.search(text):
        return unicodedata.normalize("NFC", text).strip()
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    text = _UNWANTED.sub("", _LINE_END.sub("\n", text))
    if _HALF_KANA.search(text):
        text = jaconv.h2z(text, kana=True, ascii=False, digit=False)
    return "\n".join(line.rstrip() for line in unicodedata.normalize("NFC", text).split("\n")).strip()


def clean_line(text: str) -> str:
    """A short text on one line: ``clean_text`` with runs of white space made one space."""
    return " ".join(clean_text(text).split())


@lru_cache(maxsize=_REMEMBERED)
def is_nothing(text: str) -> bool:
    """Whether a cell says that there is nothing: empty, a dash, 未回答 and the like."""
    given = clean_line(text).lower()
    return not given or given in _NOTHING


@lru_cache(maxsize=_REMEMBERED)
def parse_channel(text: str) -> Channel | None:
    """The channel that an office's word means; ``None`` for a word that nobody knows."""
    given = folded(text)
    if not given:
        return None
    for channel in Channel:
        if folded(channel.value) == given:
            return channel
    return next((channel for channel, words in _CHANNEL_WORDS if any(word in given for word in words)), None)


def parse_yes(text: str) -> bool:
    """Whether a cell says yes (可, はい, ○, 1 …). Everything else is no: what isn't clearly allowed isn't published."""
    return folded(text) in _YES


def _character(entity: re.Match[str]) -> str:
    known = entity[0][1] == "#" or entity[0][1:] in html5
    return html.unescape(entity[0]) if known else entity[0]


@lru_cache(maxsize=_REMEMBERED)
def folded(text: str) -> str:
    """A word for comparing: NFKC, lower case, no white space, one spelling of 問合せ."""
    plain = "".join(unicodedata.normalize("NFKC", text).lower().split())
    return re.sub("問い?合わ?せ|問い合せ", "問合せ", plain)
