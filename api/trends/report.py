"""広聴月報 in words: its address, what its lines are called and where their numbers lead, and its file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from api.desk.view import DeskQuery
from api.exports import PERCENT, Export, Format, Sheet, Value
from api.fields import Address, Text
from api.trends import surges
from api.trends.attributes import NAMES, Attribute, Values
from api.words import change
from core.clock import to_tokyo, today, utc_now, wareki
from core.errors import InputError
from core.models import TopicEventKind
from loop import monthly_report
from loop.actors import Actor
from loop.monthly_report import Event, Line, MonthlyReport
from loop.periods import Period

TOP = 20
SHOWN_EVENTS = 20
EVENTS = {
    TopicEventKind.BORN: "新しく現れた話題",
    TopicEventKind.SPLIT: "分かれた話題",
    TopicEventKind.MERGED: "まとまった話題",
    TopicEventKind.ENDED: "終わった話題",
}
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_YEARS = range(1900, 2101)


class ReportQuery(Address):
    """The report's address. Without a month it is the last one that is over."""

    month: Text = ""
    format: Format | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A month's report as the page and the file show it."""

    found: MonthlyReport
    values: Values

    @property
    def title(self) -> str:
        return month_in_words(self.found.month)

    @property
    def cuts(self) -> list[tuple[Attribute, str, list[Line]]]:
        """The tables of 概況: what they go by, its name, and their lines."""
        return [(by, NAMES[by], self.found.cuts[by]) for by in map(Attribute, monthly_report.CUTS) if by is not Attribute.TOPIC]

    @property
    def topics(self) -> list[Line]:
        return self._topics[0]

    @property
    def further_topics(self) -> int:
        return len(self._topics[1])

    @property
    def further(self) -> Line:
        """The topics beyond the largest, as one line."""
        return _sum(self._topics[1])

    @property
    def outside(self) -> list[Line]:
        """その他の声, and the voices that are in no topic yet."""
        lines = [line for line in self.found.cuts["topic"] if not line.value or line.value in self.found.rest]
        return sorted(lines, key=lambda line: not line.value)

    @property
    def _topics(self) -> tuple[list[Line], list[Line]]:
        return monthly_report.disjoint(self.found.cuts["topic"], rest=self.found.rest, most=TOP)

    def name(self, by: Attribute, line: Line) -> str:
        return self.values.name(by, line.value)

    def share(self, line: Line) -> float:
        return line.count / self.found.total.count if self.found.total.count else 0.0

    def desk(self, period: Period | None, by: Attribute | None = None, line: Line | None = None) -> str:
        """The voices behind a number on the desk; "" where it can't tell them."""
        own = self.values.filter(by, line.value) if by is not None and line is not None else {}
        if own is None or period is None:
            return ""
        filters: dict[str, Any] = {"since": period.since, "until": period.until, **own}
        return "/desk" + DeskQuery().query(tab="all", **filters)

    def month_desk(self, month: date) -> str:
        """A whole month's voices on the desk."""
        return self.desk(monthly_report.whole_month(month))


def report_of(session: Session, query: ReportQuery, *, whole: Period, seen_by: Actor) -> Report:
    """The report that an address means, for data of a span.

    Raises:
        InputError: the month can't be read.
    """
    month = month_of(query.month) if query.month else monthly_report.newest(whole)
    found = monthly_report.report(session, month, whole=whole, today=today(), seen_by=seen_by)
    return Report(found, Values.of(session, [Attribute.TOPIC]))


def month_of(text: str) -> date:
    """The first day of a month that is written as 2026-10.

    Raises:
        InputError: it is something else.
    """
    match = _MONTH.fullmatch(text)
    if match is None or int(match[1]) not in _YEARS:
        raise InputError(f"月「{text[:20]}」が読めません。", hint="2026-10 のように、年4けたと月2けたで書いてください。")
    return date(int(match[1]), int(match[2]), 1)


def month_in_words(month: date) -> str:
    """A month as 令和8年10月."""
    return wareki(month).partition("月")[0] + "月"


def difference(count: int, earlier: int | None) -> str:
    """How many more as +12（+8%）; － where there is nothing to compare with."""
    if earlier is None:
        return "－"
    more = f"{count - earlier:+,}" if count != earlier else "±0"
    return f"{more}（{change((count - earlier) / earlier)}）" if earlier else more


def event_words(event: Event) -> str:
    """What became of a topic, after its name: where it came from or went."""
    others = "」「".join(event.others)
    if not others:
        return ""
    return f"「{others}」から分かれた" if event.kind is TopicEventKind.SPLIT else f"「{others}」にまとまった"


def export_of(report: Report) -> Export:
    """The report's file: 概況 first, then topics, months, rises and what became of topics."""
    found = report.found
    columns = ("区分", "項目", "件数", "割合", "前月", "前月との差", "前年同月", "前年同月との差", "判定")
    shapes = {"割合": PERCENT}
    rows = [_row("合計", "すべての声", found.total, 1.0 if found.total.count else 0.0)]
    rows += [_row(name, report.name(by, line), line, report.share(line)) for by, name, lines in report.cuts for line in lines]
    topics = [_row("話題", report.name(Attribute.TOPIC, line), line, report.share(line)) for line in found.cuts["topic"]]
    months: list[list[Value]] = [[month.month, month.count, month.last_year] for month in found.months]
    rises: list[list[Value]] = [
        [
            surges.title(line), surges.FACET[line.surge.facet], line.surge.since, line.surge.until, line.surge.observed,
            line.surge.expected, "一斉投稿" if line.surge.is_campaign else "", "、".join(each.receipt_number for each in line.examples),
        ]
        for line in found.rises
    ]  # fmt: skip
    events: list[list[Value]] = [
        [EVENTS[kind], event.topic_id, event.name, event.voices, event_words(event), "人" if event.by_hand else "機械"]
        for kind, happened in found.events.items()
        for event in happened
    ]
    backlog = found.backlog
    moment = to_tokyo(utc_now())
    conditions: list[tuple[str, Value]] = [
        ("月", report.title),
        ("期間の始まり", found.period.since),
        ("期間の終わり", found.period.until),
        ("途中", "はい" if found.running else "いいえ"),
        ("くらべた前月の終わり", found.before.until if found.before else None),
        ("くらべた前年同月の終わり", found.last_year.until if found.last_year else None),
        ("データの最新日", found.whole.until),
        ("対応状況の日", backlog.day),
        ("回答済み・完了（すべての声）", backlog.done),
        ("未対応（すべての声）", backlog.open),
        ("うち期限を過ぎたもの", backlog.overdue),
        ("件数", found.total.count),
        ("書き出した日時", f"{moment:%Y-%m-%d %H:%M}"),
    ]
    sheets = [
        Sheet("概況", columns, rows, shapes),
        Sheet("話題", columns, topics, shapes),
        Sheet("月ごと", ("月", "件数", "前年同月"), months),
        Sheet("急増", ("名前", "項目", "始まり", "終わり", "件数", "予想", "一斉投稿", "声の例"), rises, {"予想": "0.0"}),
        Sheet("話題の変化", ("変化", "番号", "話題", "件数", "相手", "した人"), events),
    ]
    return Export("trends.report", f"広聴月報_{found.month:%Y-%m}", conditions, sheets)


def verdict(line: Line) -> str:
    """Whether a change from the month before is more than chance, in a word."""
    if not line.told or line.before is None:
        return ""
    return "増えた" if line.count > line.before else "減った"


def _row(cut: str, name: str, line: Line, share: float) -> list[Value]:
    more = [None if earlier is None else line.count - earlier for earlier in (line.before, line.last_year)]
    return [cut, name, line.count, share, line.before, more[0], line.last_year, more[1], verdict(line)]


def _sum(lines: Sequence[Line]) -> Line:
    def total(counts: list[int | None]) -> int | None:
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    return Line(
        "", sum(line.count for line in lines), total([line.before for line in lines]), total([line.last_year for line in lines]), told=False
    )
