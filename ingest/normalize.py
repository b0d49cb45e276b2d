"""Cells into values: the words that offices use for channels, kinds, yes and no."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from core.cleaning import clean_line
from core.models import Channel

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


@lru_cache(maxsize=_REMEMBERED)
def folded(text: str) -> str:
    """A word for comparing: NFKC, lower case, no white space, one spelling of 問合せ."""
    plain = "".join(unicodedata.normalize("NFKC", text).lower().split())
    return re.sub("問い?合わ?せ|問い合せ", "問合せ", plain)
