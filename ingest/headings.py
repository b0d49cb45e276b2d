"""What a column's heading means: the usual words of Japanese municipalities in all their spellings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.normalize import folded

FIELD_NAMES = {
    "external_id": "受付番号",
    "received_on": "受付日",
    "received_time": "受付時刻",
    "channel": "受付媒体",
    "title": "件名",
    "text": "本文",
    "original": "原文",
    "answer": "回答",
    "answered_on": "回答日",
    "department": "所管課",
    "district": "地区",
    "name": "氏名",
    "name_kana": "氏名カナ",
    "phone": "電話番号",
    "address": "住所",
    "postal_code": "郵便番号",
    "email": "メール",
    "age": "年代",
    "sex": "性別",
    "kind": "種別",
    "theme": "分類",
    "publishable": "公開",
}
"""The fields that a column may feed, and what people call them."""

CONTACT_FIELDS = ("name", "name_kana", "phone", "address", "postal_code", "email")

_LONGEST = 300  # characters of a heading that are looked at
_VIEW = "(意見|要望|苦情|提案|申出|通報|投稿|陳情|相談)"
_VIEWS = rf"{_VIEW}([・、や]{_VIEW}){{0,4}}(等|など)?"

# Fullmatch on ``heading_key``, the likeliest first; a column feeds one field, a field is fed by one column.
_KNOWN: dict[str, tuple[str, ...]] = {
    "external_id": (
        r"(受付|受付整理|受理|管理|整理|問合せ|案件|記録|登録|事案|文書|個票|申出|意見)(番号|no\.?|id|ナンバー)",
        r"(回答者?|票|回答データ|通し|連続|通)(番号|no\.?|id)|連番|通番|整理番号",
        r"番号|no\.?|id|ナンバー",
    ),
    "received_on": (
        r"(受付|受信|受電|入電|受理|申出|投稿|送信|登録|相談|着信)(年月日)?日時(刻)?|タイムスタンプ|timestamp",
        r"(受付|受信|受電|入電|受理|申出|投稿|送信|登録|相談|着信|投函)(日|年月日|日付)",
        r"日時|日付|年月日",
    ),
    "received_time": (r"(受付|受信|受電|入電|相談|着信)(時刻|時間)|時刻|時間",),
    "channel": (r"(受付|申出|受信|入電|提出|意見|受理)(媒体|方法|手段|経路|区分|形態|チャネル)", r"媒体|チャネル|手段|方法|経路"),
    "title": (r"(件名|タイトル|表題|題名|標題|題目|見出し|subject|title)",),
    "text": (
        r"問合せ(の)?(内容|事項|文|詳細)|相談(の)?(内容|事項)|(市民の)?声(の)?(内容|本文)?",
        _VIEWS + r"(の)?(内容|本文|詳細)",
        r"本文|原文|全文|内容|内容詳細|詳細内容|詳細",
        r"(意見|要望|提案|苦情|問合せ|感想|声)(([・、や]|または)?(意見|要望|提案|苦情|問合せ|感想)){0,3}(等|など)?|コメント|自由(意見|記述|記入|回答)(欄)?",
        r"text|body|content|message|メッセージ",
    ),
    # Of a mail: all of it, of which 本文 is the letter. A list that has no other column for the text is meant by it.
    "original": (r"原文|(メール)?全文",),
    "answer": (
        r"(市|市から|市の|区の|町の|担当課の|所管課の)?(の)?回答(内容|本文|文|要旨)?|市の考え方",
        r"(応答|応対|対応|処理|処置|措置)(内容|結果|状況|記録)?",
    ),
    "answered_on": (r"回答(日|年月日|日時|日付)", r"(対応|処理|完了)(日|年月日|日時|完了日)"),
    "department": (r"(所管|担当|主管|対応|回答|関係|所属)(課|部署|部課|部局|所属|課名|課所|部)(名)?|部署(名)?|担当|課名",),
    "district": (r"(住まい|居住)(の)?(区|地区|地域|校区|市町|市町村)(名)?|(区|地区|地域|行政区|校区|学区|市町村|市区町村)(名)?|居住地",),
    "name": (r"氏名|(申出|申込|相談|投稿|差出|要望|提案|通報|発信|問合せ)(者|人)(の)?(氏名|名|名前)?|名前|氏名[・／/]団体名",),
    "name_kana": (r"(氏名|名前)?(の)?(フリガナ|ふりがな|カナ|かな|読み|よみ)",),
    "phone": (r"(連絡先)?(電話|携帯|携帯電話|自宅電話)(番号)?|連絡先|tel\.?|電話番号[12]?",),
    "email": (r"(電子|e-?)?(メール|mail)(アドレス)?",),
    "address": (r"(現|自宅)?住所|所在地",),
    "postal_code": (r"郵便番号|〒",),
    "age": (r"年代|年齢|年齢(層|区分|階層)|年代別",),
    "sex": (r"性別",),
    "kind": (r"(声|申出|受付|意見|内容|問合せ|相談)?(の)?種(別|類)|(内容|意見|受付)区分",),
    "theme": (r"(大|内容|主題)?分類(名)?|分野|大項目|カテゴリー?|ジャンル|テーマ",),
    "publishable": (r"公(開|表)(の)?(可否|希望|同意|区分|有無)?|(hp|ホームページ)(への)?(公開|掲載)(可否|の可否)?|掲載(の)?可否",),
}
_AS_SENTENCE = {
    "district": r"住まいの?(地域|地区|区|市町|校区|場所|市区町村)|居住(地|区)",
    "age": r"年齢|年代",
    "sex": r"性別",
}
_SPOKEN_BODY = r"(応答|応対|受電|通話|発話|発言)(内容|記録)"
_SUMMARY = r"要旨|概要|要約|(意見|問合せ|相談|声)(の)?(要旨|概要|要約)"

REASON = re.compile(r"^上記|理由.{0,4}(を|について|が|も|は).{0,12}(答|書|記|聞|教|述)|^(その|そう).{0,24}理由|自由(記述|記入|意見|回答)")
QUESTION = re.compile(
    r"^\W*(問|設問|質問|q)\s*\.?\d+|[?？]$|(です|ます|でしょう|ません)か[。?？]?$|(選んで|選択して|答え)ください[。)）]?$"
)


@dataclass(frozen=True, slots=True)
class Reason:
    """A survey's free-text column with the question that it belongs to (``None`` when no question stands before it)."""

    position: int
    question: int | None
    code: str
    """``Q03``: the question's own number where its heading has one, else the column's turn; unique in the file."""


def heading_key(heading: str) -> str:
    """A heading for comparing: folded, without what stands in brackets, without ご/お and closing marks."""
    plain = folded(heading[:_LONGEST])
    bare = re.sub(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>|《[^《》]*》", "", plain).strip("*※:。.・●○■□◆◇_-")
    key = re.sub(r"(^|[・、や])(ご|御|お)(?=[^\W\d_])", r"\1", bare or plain)
    return key if key != "" else plain


def guess_fields(headings: Sequence[str]) -> dict[str, int]:
    """Field → position for a list of voices (one a row). Without a body column there is no ``text`` in it."""
    keys = [heading_key(heading) for heading in headings]
    fields: dict[str, int] = {}
    for field, patterns in _KNOWN.items():
        position = _first(keys, patterns, taken=fields.values())
        if position is not None:
            fields[field] = position
    for field, pattern in _AS_SENTENCE.items():
        if field not in fields:
            position = next((at for at, key in enumerate(keys) if at not in fields.values() and re.search(pattern, key)), None)
            if position is not None:
                fields[field] = position
    _settle_summaries(keys, fields)
    _settle_answers(keys, fields)
    return fields


def find_reasons(
    headings: Sequence[str], *, reason: re.Pattern[str] = REASON, question: re.Pattern[str] = QUESTION, skip: Sequence[int] = ()
) -> tuple[Reason, ...]:
    """The free-text columns of a wide survey, each with the nearest question before it. ``skip``: columns that are something else."""
    plain = [_plain(heading) for heading in headings]
    found: list[tuple[int, int | None]] = []
    asked: int | None = None
    for position, text in enumerate(plain):
        if not text or position in skip:
            continue
        if reason.search(text):
            found.append((position, asked))
        elif question.search(text):
            asked = position
    return number_reasons(plain, found)


def number_reasons(headings: Sequence[str], found: Sequence[tuple[int, int | None]]) -> tuple[Reason, ...]:
    """Gives each (reason, question) pair its code."""
    reasons: list[Reason] = []
    used: set[str] = set()
    for turn, (position, asked) in enumerate(found, start=1):
        number = re.search(r"(?:問|設問|質問|q)\s*\.?(\d{1,3})", _plain(headings[asked])) if asked is not None else None
        code = base = f"Q{int(number[1]):02d}" if number else f"F{turn:02d}"
        again = 2
        while code in used:
            code, again = f"{base}-{again}", again + 1
        used.add(code)
        reasons.append(Reason(position, asked, code))
    return tuple(reasons)


def _plain(heading: str) -> str:
    return "".join(unicodedata.normalize("NFKC", heading[:_LONGEST]).lower().split())


def _first(keys: Sequence[str], patterns: Sequence[str], *, taken: Iterable[int] = ()) -> int | None:
    used = set(taken)
    for pattern in patterns:
        for position, key in enumerate(keys):
            if position not in used and key and re.fullmatch(pattern, key):
                return position
    return None


def _settle_summaries(keys: Sequence[str], fields: dict[str, int]) -> None:
    """要旨 is the title beside a full text, and the text where there is nothing longer; so is 応答内容 on its own."""
    summary = _first(keys, (_SUMMARY,), taken=fields.values())
    if summary is not None and "text" not in fields:
        fields["text"] = summary
    elif summary is not None and "title" not in fields:
        fields["title"] = summary
    if "text" not in fields:
        spoken = _first(keys, (_SPOKEN_BODY,))
        if spoken is not None:
            fields["text"] = spoken
            if fields.get("answer") == spoken:
                del fields["answer"]


def _settle_answers(keys: Sequence[str], fields: dict[str, int]) -> None:
    """回答日 is the day on which a survey was filled in, unless the city's answer stands in the file."""
    if "answered_on" in fields and "answer" not in fields and "received_on" not in fields:
        if re.match("回答", keys[fields["answered_on"]]):
            fields["received_on"] = fields.pop("answered_on")
    elif "answered_on" in fields and "answer" not in fields:
        del fields["answered_on"]
