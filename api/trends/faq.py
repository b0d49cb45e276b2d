"""What residents look up: the address of its page, and the looks of each theme beside the voices of the same theme and period."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from api.desk.view import DeskQuery
from api.fields import Address, Day, Name
from core import facts
from core.errors import InputError
from core.months import shifted
from ingest import faq_queries
from ingest.faq_periods import Span
from ingest.faq_queries import FaqLine, FaqListing

_PAGE = 100
_MONTHS = {"3m": 3, "12m": 12}


class FaqPreset(StrEnum):
    """Periods with a name. The value stands in the address. Looks are mostly counted by month, so they end with what was counted last."""

    NEWEST = "newest"
    THREE_MONTHS = "3m"
    YEAR = "12m"
    ALL = "all"


PRESETS = {
    FaqPreset.NEWEST: "いちばん新しい期間",
    FaqPreset.THREE_MONTHS: "直近3か月",
    FaqPreset.YEAR: "直近12か月",
    FaqPreset.ALL: "全期間",
}


class FaqPeriod(Address):
    """``since`` or ``until``, when given, win over the named period."""

    period: FaqPreset = FaqPreset.NEWEST
    since: Day = None
    until: Day = None


class FaqQuery(FaqPeriod):
    """The page's whole address: the period, the theme of the questions, which of their pages."""

    theme: Name = ""
    page: Annotated[int, Field(ge=1, le=100_000)] = 1


@dataclass(frozen=True, slots=True)
class FaqView:
    """A period in force. ``whole`` is that of all counts."""

    query: FaqQuery
    whole: Span
    period: Span

    @property
    def custom(self) -> bool:
        return self.query.since is not None or self.query.until is not None

    @property
    def compare(self) -> bool:
        """Whether the period before lies within the data."""
        return self.period.before().since >= self.whole.since

    def address(self, path: str, **changes: Any) -> str:
        """The page with this period, some fields changed."""
        return path + self.query.query(**{"page": "", **changes})

    def desk(self, **filters: Any) -> str:
        """The desk's list of the voices behind a number of this period."""
        return "/desk" + DeskQuery().query(tab="all", since=self.period.since, until=self.period.until, **filters)


@dataclass(frozen=True, slots=True)
class ThemeNeed:
    """A theme's looks beside its voices. Many looks and few voices: a need that people don't write to the city about."""

    theme: str
    entries: int
    views: int
    previous: int | None
    voices: int

    @property
    def change(self) -> int | None:
        """How many looks more than in the period before."""
        return None if self.previous is None else self.views - self.previous

    @property
    def views_for_each_voice(self) -> float | None:
        """``None`` where there are no voices."""
        return self.views / self.voices if self.voices else None


@dataclass(frozen=True, slots=True)
class Questions:
    """One page of the questions; ``previous`` and ``following`` are page numbers, 0 where there is none."""

    total: int
    lines: list[FaqLine]
    previous: int
    following: int


def view_of(session: Session, query: FaqPeriod) -> FaqView | None:
    """The view that an address means; ``None`` when nothing was counted.

    Raises:
        InputError: the period ends before it begins.
    """
    whole = faq_queries.whole_span(session)
    if whole is None:
        return None
    return FaqView(query if isinstance(query, FaqQuery) else FaqQuery(**query.model_dump()), whole, _period(session, query, whole))


def needs(session: Session, listing: FaqListing, span: Span) -> list[ThemeNeed]:
    """Every theme that was looked at, the most looked at first, then those that only have voices."""
    voices = facts.totals(session, "theme", since=span.since, until=span.until)
    found = [ThemeNeed(line.theme, line.entries, line.views, line.previous, voices.pop(line.theme, 0)) for line in listing.themes]
    return found + [ThemeNeed(theme, 0, 0, None, count) for theme, count in sorted(voices.items(), key=lambda item: (-item[1], item[0]))]


def questions(listing: FaqListing, query: FaqQuery) -> Questions:
    """The page of questions that an address means."""
    lines = [line for line in listing.entries if query.theme in ("", line.theme)]
    first = (query.page - 1) * _PAGE
    return Questions(
        len(lines), lines[first : first + _PAGE], query.page - 1 if first else 0, query.page + 1 if first + _PAGE < len(lines) else 0
    )


def _period(session: Session, query: FaqPeriod, whole: Span) -> Span:
    if query.since or query.until:
        since, until = query.since or whole.since, query.until or whole.until
        if since > until:
            raise InputError("期間の終わりが、始まりより前です。", hint="「から」と「まで」の日付を入れかえてください。")
        since = min(max(since, whole.since), whole.until)
        return Span(since, max(min(until, whole.until), since))
    if query.period is FaqPreset.NEWEST:
        return faq_queries.newest_span(session) or whole
    return Span(shifted(whole.until, 1 - _MONTHS[query.period]), whole.until) if query.period in _MONTHS else whole
