"""Words in context: the address of the search, what it found in the page's words, and the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.desk.view import FILTERS, VoiceQuery
from api.exports import Export, Format, Sheet, Value
from api.trends.cross import period_conditions
from api.trends.view import TrendsQuery, TrendsView
from core import db
from core.crypto import Keyring
from loop import concordances
from loop.actors import Actor
from loop.concordances import Concordance, Sort
from loop.filters import words_of
from loop.periods import Period, Preset
from loop.searches import record_search

SORTS = {Sort.NEWEST: "新しい順", Sort.OLDEST: "古い順", Sort.RIGHT: "後に続くことば順", Sort.LEFT: "前にあることば順"}
MOST_WORDS = 3
EXPORTED = 2_000  # voices whose places go into a file
_ALL = 1_000_000
_CONDITIONS = ("theme", "kind", "channel", "urgency", "department", "district", "topic")


class SearchConditions(VoiceQuery):
    """Words and conditions, in a period: named, or from day to day."""

    period: Preset = Preset.YEAR
    sort: Sort = Sort.NEWEST
    page: Annotated[int, Field(ge=1, le=10_000)] = 1


class SearchQuery(SearchConditions):
    """The page's whole address."""

    format: Format | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A search. ``concordance`` is ``None`` as long as no word is given."""

    query: SearchConditions
    view: TrendsView
    words: tuple[str, ...]
    concordance: Concordance | None

    @property
    def previous(self) -> str:
        return self.address(page=self.query.page - 1) if self.query.page > 1 else ""

    @property
    def following(self) -> str:
        return self.address(page=self.query.page + 1) if self.concordance and self.query.page < self.concordance.pages else ""

    def address(self, **changes: Any) -> str:
        """The page with some fields changed, from its beginning unless a page is given."""
        return "/trends/search" + self.query.query(**{"page": "", **changes})

    def active(self) -> dict[str, Any]:
        """The filters that are set, without words and period."""
        return {name: value for name, value in self.query.active().items() if name in _CONDITIONS}

    def months(self) -> list[tuple[Period, int]]:
        """Every month of the period as far as it belongs to it, with its number of voices."""
        if self.concordance is None:
            return []
        return [(month, self.concordance.months.get(month.since.replace(day=1), 0)) for month in self.view.period.months()]


def search(session: Session, query: SearchConditions, *, whole: Period, seen_by: Actor, exported: bool = False) -> Found:
    """What an address looks for, in data of a span and voices that this person may see.

    With ``exported`` as many places as a file takes.
    """
    view = TrendsView.of(TrendsQuery(period=query.period, since=query.since, until=query.until), whole=whole)
    words = words_of(query.q)[:MOST_WORDS]
    if not words:
        return Found(query, view, words, None)
    scope = replace(query.filter(), since=view.period.since, until=view.period.until)
    if exported:
        found = concordances.concordance(session, words, scope, sort=query.sort, seen_by=seen_by, page_size=_ALL, voices_read=EXPORTED)
    else:
        found = concordances.concordance(session, words, scope, sort=query.sort, seen_by=seen_by, page=query.page)
    return Found(query, view, words, found)


def note(engine: Engine, keyring: Keyring, found: Found, *, actor: str) -> None:
    """Notes in the audit trail who looked for something, before it is shown."""
    if found.concordance is not None:
        conditions = found.active() | {"since": found.view.period.since, "until": found.view.period.until}
        number = found.concordance.voices
        with db.writing(engine) as session:
            record_search(session, keyring, actor=actor, place="trends", words=found.words, conditions=conditions, found=number)


def chart_of(found: Found) -> dict[str, Any]:
    """The voices by month, as a table that is drawn; each number leads to the places of its month."""
    months = found.months()
    return {
        "unit": "月",
        "columns": ["声"],
        "rows": [(f"{month.since.year}年{month.since.month}月", [count]) for month, count in months],
        "links": [found.address(since=month.since, until=month.until) if count else "" for month, count in months],
    }


def export_of(found: Found, *, topic: str) -> Export:
    """The places and the months as a file. ``topic`` is the name of the topic that narrows the search, if any."""
    concordance = found.concordance
    lines = concordance.lines if concordance else []
    columns = ("受付番号", "受付日", "前", "ことば", "後", "分野", "種別", "所管課", "地区")
    rows: list[list[Value]] = [
        [
            line.receipt_number, line.received_on, line.excerpt.left, line.excerpt.keyword, line.excerpt.right,
            line.theme, line.kind.value, line.department, line.district,
        ]
        for line in lines
    ]  # fmt: skip
    named = {name: topic if name == "topic" else str(getattr(value, "value", value)) for name, value in found.active().items()}
    conditions: list[tuple[str, Value]] = [
        ("ことば", " ".join(found.words)),
        *((FILTERS[name], value) for name, value in named.items()),
        *period_conditions(found.view),
        ("並び", SORTS[found.query.sort]),
        ("声の数", concordance.voices if concordance else 0),
        ("書き出した箇所", len(lines)),
        ("書き出した声（最大）", EXPORTED),
    ]
    months: list[list[Value]] = [[month.since, count] for month, count in found.months()]
    title = f"ことばの検索_{'_'.join(found.words)}"[:60]
    return Export(
        "trends.search", title, conditions, [Sheet("用例", columns, rows), Sheet("月ごとの声", ("月", "声"), months)], typed=("ことば",)
    )
