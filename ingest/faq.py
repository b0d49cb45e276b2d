"""FAQ logs: how often each よくある質問 was looked at. Its rows are questions with counts, not voices."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NamedTuple

from core.cleaning import clean_line, clean_text
from core.clock import fiscal_year, today
from core.errors import InputError
from core.settings import Settings
from ingest.dates import DateError
from ingest.faq_columns import count_in, find_faq_columns
from ingest.faq_periods import Span, parse_period, period_in_file_name
from ingest.headings import heading_key
from ingest.incoming import RejectedRow, Row
from ingest.mapping import ColumnMapping
from ingest.mapping_files import FAQ_NAMES
from ingest.normalize import folded, is_nothing
from ingest.options import NOTHING_SAID, FileOptions
from ingest.sources import Source

_LONGEST = {"number": 100, "theme": 64, "department": 64}
_SUMS = frozenset(("合計", "計", "総計", "小計", "総合計", "total"))
_BY_MONTH = re.compile(r"年?月$|^月$|年月|month")
_HOW_GIVEN = "指定してください（命令では --period）"


class FaqWords(NamedTuple):
    """What a row says of its question, cleaned, not masked."""

    question: str
    answer: str
    theme: str
    department: str


@dataclass(frozen=True, slots=True)
class FaqCountRow:
    """One count: how often a question was looked at in a period."""

    row: int
    number: str
    words: FaqWords
    span: Span
    views: int
    column: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FaqLog:
    """A source that is an FAQ log: where its columns stand. ``months``: columns of a month each, by position.

    ``span`` is the period of counts whose row and column tell none, ``told_by`` where it comes from (Japanese).
    """

    source: Source
    mapping: str
    columns: Mapping[str, int]
    months: Mapping[int, Span]
    year: int | None
    span: Span | None
    told_by: str = ""

    def describe(self) -> list[str]:
        """What was understood, one line each, in Japanese."""
        headings = self.source.headings
        lines = ["FAQ の参照回数の一覧と判断しました。声ではなく、質問ごとの回数として取り込みます。"]
        lines += [f"「{headings[at]}」→ {FAQ_NAMES[name]}" for name, at in sorted(self.columns.items(), key=lambda item: item[1])]
        lines += self.period_notes
        unused = [name for at, name in enumerate(headings) if name and at not in self.columns.values() and at not in self.months]
        return lines + (["使わない列: " + "、".join(f"「{name}」" for name in unused)] if unused else [])

    @property
    def period_notes(self) -> list[str]:
        """Where the periods come from, when the rows don't say them all, in Japanese."""
        if self.months:
            spans = sorted(self.months.values())
            return [f"{len(spans)} 列 → 参照回数（{spans[0].since:%Y-%m} から {spans[-1].until:%Y-%m} までの月ごと）"]
        span = self.span
        return [f"期間は {span.since.isoformat()} から {span.until.isoformat()} とします（{self.told_by}から）。"] if span else []

    def plan(self) -> dict[str, Any]:
        """How its rows are understood, as ``batches.plan`` holds it."""
        spans = {str(at): [span.since.isoformat(), span.until.isoformat()] for at, span in self.months.items()}
        given = [self.span.since.isoformat(), self.span.until.isoformat()] if self.span else None
        return {"faq": dict(self.columns), "headings": list(self.source.headings), "months": spans, "period": given}

    def rows(self, *, settings: Settings) -> Generator[list[FaqCountRow | RejectedRow], None, None]:
        """For each row of the source the counts in it, each good or rejected: one, or one for each month that isn't empty.

        Reject codes: those of the source, and ``empty`` (no question), ``total`` (a row of sums), ``count`` (none, or not a whole
        number), ``period`` (unreadable, or in the future), ``too_long`` (number, theme, department).
        """
        needed = max([*self.columns.values(), *self.months]) + 1
        with closing(self.source.rows(needed=needed, settings=settings)) as rows:
            for row in rows:
                yield [row] if isinstance(row, RejectedRow) else list(self._counts(row))

    def _counts(self, row: Row) -> Iterator[FaqCountRow | RejectedRow]:
        question, number = clean_text(self._cell(row, "question")), clean_line(self._cell(row, "number"))
        number = "" if is_nothing(number) else number
        if not question or is_nothing(question):
            yield self._rejected(row, "question", "empty", "質問が空です。質問を入れるか、行を除いてください。")
            return
        if not number and folded(question) in _SUMS:
            yield self._rejected(row, "question", "total", "合計の行です。質問ではないので取り込みません。")
            return
        short = {name: clean_line(self._cell(row, name)) for name in _LONGEST}
        for name, length in _LONGEST.items():
            if len(short[name]) > length:
                reason = f"{FAQ_NAMES[name]}が {len(short[name]):,} 文字あります（上限は {length} 文字）。列の対応を確かめてください。"
                yield self._rejected(row, name, "too_long", reason)
                return
        words = FaqWords(question, clean_text(self._cell(row, "answer")), short["theme"], short["department"])
        places = list(self.months) or [self.columns["views"]]
        given = [at for at in places if not is_nothing(row.cells[at])]
        if not given:
            yield self._rejected(row, "views", "count", "参照回数が空です。0 なら 0 と入れてください。")
        for at in given:
            column = self.source.headings[at][:255] or f"{at + 1} 列目"
            views = count_in(row.cells[at])
            if views is None:
                reason = "参照回数が 0 以上の整数ではありません。数字だけを入れてください。"
                yield RejectedRow(row.number, column, "count", reason, row.cells)
                continue
            try:
                span = self.months.get(at) or self._span(row)
            except DateError as error:
                yield self._rejected(row, "period", "period", str(error))
                return
            yield FaqCountRow(row.number, number or made_number(question), words, span, views, column, row.cells)

    def _span(self, row: Row) -> Span:
        at = self.columns.get("period")
        text = "" if at is None else row.cells[at]
        if at is None or is_nothing(text):
            if self.span is None:
                raise DateError(f"期間が空です。期間を入れるか、取込のときに期間を 2026-04 のように{_HOW_GIVEN}。")
            return self.span
        heading = heading_key(self.source.headings[at])
        bare = clean_line(text)
        if heading.endswith("年度") and "年度" not in bare:
            bare = f"{bare.removesuffix('年')}年度"
        elif heading in ("月", "月度") and bare.isdecimal():
            bare = f"{bare}月"
        return _past(parse_period(bare, year=self.year, months=_BY_MONTH.search(heading) is not None))

    def _cell(self, row: Row, name: str) -> str:
        at = self.columns.get(name)
        return "" if at is None else row.cells[at]

    def _rejected(self, row: Row, name: str, code: str, reason: str) -> RejectedRow:
        at = self.columns.get(name)
        column = "" if at is None else self.source.headings[at][:255] or f"{at + 1} 列目"
        return RejectedRow(row.number, column, code, reason, row.cells)


def made_number(question: str) -> str:
    """What stands for the number of a question that its source doesn't number: the same for the same words."""
    return f"q-{hashlib.sha256(folded(question).encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def open_faq_log(source: Source, options: FileOptions = NOTHING_SAID, *, settings: Settings) -> FaqLog | None:
    """The source as an FAQ log; ``None`` if it is none (``faq_columns.find_faq_columns`` tells).

    The period is each row's own, else the one that was given, else what the file's name tells.

    Raises:
        InputError: a column of the mapping isn't there, the period can't be read, or nothing tells one.
    """
    mapping = options.mapping
    if isinstance(mapping, ColumnMapping):
        return None  # somebody said which column is the body of a voice
    name = PurePath(options.source_name or source.name).stem
    given = _given_period(options.period)
    span, told_by = (given, "指定") if given else (period_in_file_name(name), "ファイル名")
    year = fiscal_year(span.since) if span else None
    found = find_faq_columns(source, settings=settings, mapping=mapping, year=year)
    if found is None:
        return None
    if found.bare:
        raise InputError("月の列が何年度のものか分かりません。", hint=f"期間を 2026年度 のように{_HOW_GIVEN}。")
    if not found.months and "period" not in found.fields and span is None:
        raise InputError("参照回数の期間が分かりません。", hint=f"期間を 2026-04 や 2026年度 のように{_HOW_GIVEN}。")
    return FaqLog(source, mapping, found.fields, found.months, year, span, told_by if span else "")


def _given_period(text: str | None) -> Span | None:
    if not text:
        return None
    try:
        return _past(parse_period(text))
    except DateError as error:
        raise InputError(f"期間「{text}」が読めません。{error}", hint="2026-04、令和8年4月、2026年度 のように書いてください。") from None


def _past(span: Span) -> Span:
    if span.since > today():
        raise DateError("先の期間です。")
    return span
