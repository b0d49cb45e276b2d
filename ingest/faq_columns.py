"""Which columns make a file an FAQ log, and what they hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

from core.errors import InputError
from core.settings import Settings
from ingest.dates import DateError
from ingest.faq_periods import Span, parse_period
from ingest.headings import guess_fields, heading_key
from ingest.incoming import RejectedRow
from ingest.mapping_files import AUTO, FAQ_NAMES, find_column, load_mapping_file, mapping_for
from ingest.normalize import folded, is_nothing
from ingest.sources import Source

_LOOKED_AT = 200  # rows that tell whether a column holds counts
_MOST_VIEWS = 2**31 - 1
# Fullmatch on ``heading_key``, the likeliest first.
_KNOWN: dict[str, tuple[str, ...]] = {
    "question": (r"(よくある)?質問(内容|文|事項|項目|名|タイトル|件名)?", r"faq(名|タイトル|件名|項目)?|q|question", r"設問|問"),
    "views": (
        r"(参照|閲覧|表示|アクセス|照会|利用|ヒット|検索|案内|使用)(回数|件数|数)", r"pv(数)?|ページビュー(数)?|ビュー数|views?|count",
        r"回数|件数|合計|計",
    ),
    "number": (r"(faq|質問|よくある質問|q&?a|整理|管理|文書|ナレッジ|記事)?(番号|no\.?|id|コード)",),
    "answer": (r"回答(内容|文|例|本文)?|答え?|a|answer",),
    "theme": (r"分野(名)?|(大)?(分類|カテゴリー?|ジャンル)(名)?|テーマ",),
    "department": (r"(所管|担当|主管|作成|所属)(課|部署|部課|所属|局|課名|課所)?",),
    "period": (r"(対象|集計|参照|利用)?(年月度?|期間|月度?|年度|年月日|日|日付)|month|period|date",),
}  # fmt: skip
_OF_VOICES = re.compile(r"(受付|受信|受電|入電|受理|申出|投稿|送信|相談|着信).*(日|時)")
_OF_PEOPLE = frozenset(
    ("received_time", "channel", "district", "name", "name_kana", "phone", "email", "address", "postal_code", "age", "sex")
)
_MONTH = re.compile(r"\d{1,2}月(分|度)?")
_COUNT = re.compile(r"(\d{1,15}|\d{1,3}(?:,\d{3})+)(?:\.0+)?(?:回|件)?")


@dataclass(frozen=True, slots=True)
class FaqColumns:
    """Where the columns of an FAQ log stand. ``months``: columns of a month each, by position; ``bare``: those of no known year."""

    fields: Mapping[str, int]
    months: Mapping[int, Span] = field(default_factory=dict)
    bare: tuple[int, ...] = ()

    @property
    def counted(self) -> list[int]:
        """Where the counts stand."""
        return [*self.months] or [*self.bare] or [at for name, at in self.fields.items() if name == "views"]

    def keys(self, width: int) -> tuple[str, ...]:
        """For each column of the file the key of ``FAQ_NAMES`` that says what it is read as; empty where it isn't used."""
        named = {at: name for name, at in self.fields.items()} | dict.fromkeys(self.counted, "views")
        return tuple(named.get(at, "") for at in range(width))

    def words(self, width: int) -> tuple[str, ...]:
        """The same in Japanese, with the month of a column that has one."""
        months = {at: f"（{span.since:%Y-%m}）" for at, span in self.months.items()}
        return tuple(FAQ_NAMES[key] + months.get(at, "") if key else "" for at, key in enumerate(self.keys(width)))


def find_faq_columns(source: Source, *, settings: Settings, mapping: str = AUTO, year: int | None = None) -> FaqColumns | None:
    """Where the columns of an FAQ log stand; ``None`` if the source is none. ``year``: the 年度 of months that stand alone.

    ``auto`` takes it for one where a question stands beside whole numbers of looks, and no heading tells of voices or of people; a
    mapping file says so with its key ``faq``.

    Raises:
        InputError: a column of the mapping isn't there.
    """
    headings = source.headings
    file = mapping_for(headings, settings=settings) if mapping == AUTO else load_mapping_file(mapping, settings=settings)
    if file is None:
        found = _columns(headings, _guess(headings), year=year)
        complete = "question" in found.fields and bool(found.counted)
        return found if complete and _holds_counts(source, found, settings=settings) else None
    if not file.faq:
        return None
    fields = {name: at for name, ways in file.faq.items() if (at := find_column(ways, headings)) is not None}
    found = FaqColumns(fields) if "views" in fields else _columns(headings, fields, year=year)
    if "question" not in found.fields or not found.counted:
        seen = "、".join(f"「{heading}」" for heading in headings if heading)
        raise InputError(f"対応表「{file.name}」の質問か参照回数の列がファイルにありません。", hint=f"見出し: {seen}")
    return found


def _columns(headings: Sequence[str], fields: Mapping[str, int], *, year: int | None) -> FaqColumns:
    """With a column for each month, one that sums them up or tells a period says nothing more."""
    months = _months(headings, fields, year=year)
    bare = () if months else tuple(_bare_months(headings))
    if months or bare:
        fields = {name: at for name, at in fields.items() if name not in ("views", "period")}
    return FaqColumns(fields, months, bare)


def _guess(headings: Sequence[str]) -> dict[str, int]:
    """FAQ field → position; nothing where a heading tells of voices or of people."""
    keys = [heading_key(heading) for heading in headings]
    if any(_OF_VOICES.match(key) for key in keys) or _OF_PEOPLE & guess_fields(headings).keys():
        return {}
    columns: dict[str, int] = {}
    for name, patterns in _KNOWN.items():
        taken = set(columns.values())
        places = (at for pattern in patterns for at, key in enumerate(keys) if at not in taken and key and re.fullmatch(pattern, key))
        if (at := next(places, None)) is not None:
            columns[name] = at
    return columns


def _months(headings: Sequence[str], columns: Mapping[str, int], *, year: int | None) -> dict[int, Span]:
    """The columns of a month each, where there are at least two of them; none that stand alone without a 年度."""
    found: dict[int, Span] = {}
    for at, heading in enumerate(headings):
        if at in columns.values():
            continue
        try:
            span = parse_period(heading, year=year, months=True)
        except DateError:
            continue
        if span.is_months and (span.since.year, span.since.month) == (span.until.year, span.until.month):
            found[at] = span
    return found if len(found) > 1 and len(set(found.values())) == len(found) else {}


def _bare_months(headings: Sequence[str]) -> list[int]:
    """The columns headed 4月, 5月 …, where there are at least two of them."""
    found = [at for at, heading in enumerate(headings) if _MONTH.fullmatch(unicodedata.normalize("NFKC", heading).strip())]
    return found if len(found) > 1 else []


def _holds_counts(source: Source, columns: FaqColumns, *, settings: Settings) -> bool:
    """Whether the first rows hold whole numbers there, more often than not."""
    places, good, given = columns.counted, 0, 0
    with closing(source.rows(needed=max([*columns.fields.values(), *places]) + 1, settings=settings)) as rows:
        for row in islice(rows, _LOOKED_AT):
            cells = [] if isinstance(row, RejectedRow) else [row.cells[at] for at in places if not is_nothing(row.cells[at])]
            given += len(cells)
            good += sum(count_in(cell) is not None for cell in cells)
    return 0 < given < 2 * good


def count_in(cell: str) -> int | None:
    """How often a cell says; ``None``: it says no whole number, or one that nobody can have counted."""
    match = _COUNT.fullmatch(folded(cell))
    views = int(match[1].replace(",", "")) if match else None
    return views if views is not None and views <= _MOST_VIEWS else None
