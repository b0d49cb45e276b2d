"""What residents look up: FAQ entries with their counts in a period, against the period before, and the sums of their themes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.errors import InputError
from core.models import FaqCount, FaqEntry
from ingest.faq_periods import Span
from ingest.faq_storage import in_force


@dataclass(frozen=True, slots=True)
class FaqLine:
    """An entry with its looks. ``previous`` is ``None`` where nothing is known of the period before."""

    number: str
    question: str
    theme: str
    department: str
    views: int
    previous: int | None

    @property
    def change(self) -> int | None:
        """How many looks more than in the period before."""
        return None if self.previous is None else self.views - self.previous


@dataclass(frozen=True, slots=True)
class ThemeLine:
    """The looks at all entries of a theme, and those of the period before, also at entries that nobody looks at any more."""

    theme: str
    entries: int
    views: int
    previous: int | None

    @property
    def change(self) -> int | None:
        """How many looks more than in the period before."""
        return None if self.previous is None else self.views - self.previous


@dataclass(frozen=True, slots=True)
class FaqListing:
    """Entries and themes, the most looked at first; each theme's looks are the sum of its entries'. No ``span``: there are no counts."""

    span: Span | None = None
    before: Span | None = None
    entries: list[FaqLine] = field(default_factory=list)
    themes: list[ThemeLine] = field(default_factory=list)

    @property
    def views(self) -> int:
        return sum(line.views for line in self.entries)


def list_faq(session: Session, *, since: date | None = None, until: date | None = None) -> FaqListing:
    """The entries that have counts for periods within ``since`` and ``until``; without these, for the newest period that was counted.

    Where a year and its months were both counted, the year counts and its months don't: nothing is counted twice.

    Raises:
        InputError: the end lies before the beginning.
    """
    span = _span(session, since, until)
    if span is None:
        return FaqListing()
    if span.until < span.since:
        raise InputError("期間の終わりが、始まりより前です。", hint="--since と --until を入れかえてください。")
    now = _views(session, span)
    # What was counted for a part of the time before would only say that the counting began.
    earlier = _views(session, span.before()) if _goes_back(session, span.before()) else {}
    entries = session.scalars(select(FaqEntry).order_by(FaqEntry.number)).all()
    lines = [
        FaqLine(entry.number, entry.question, entry.theme, entry.department, now[entry.id], earlier.get(entry.id))
        for entry in entries
        if entry.id in now
    ]
    lines.sort(key=lambda line: -line.views)
    return FaqListing(span, span.before(), lines, _themes(entries, now, earlier))


def batch_span(session: Session, batch_id: int) -> Span | None:
    """From the first to the last day that a batch's counts are for; ``None`` when it has none."""
    return _ends(session, FaqCount.batch_id == batch_id)


def whole_span(session: Session) -> Span | None:
    """From the first to the last day that anything was counted for; ``None`` when nothing was."""
    return _ends(session)


def newest_span(session: Session) -> Span | None:
    """The period that was counted last; of several with the same end the shortest. ``None`` when nothing was counted."""
    last = select(func.max(FaqCount.until)).scalar_subquery()
    since, until = session.execute(select(func.max(FaqCount.since), func.max(FaqCount.until)).where(FaqCount.until == last)).one()
    return Span(since, until) if since and until else None


def _ends(session: Session, *only: ColumnElement[bool]) -> Span | None:
    first, last = session.execute(select(func.min(FaqCount.since), func.max(FaqCount.until)).where(*only)).one()
    return Span(first, last) if first and last else None


def _span(session: Session, since: date | None, until: date | None) -> Span | None:
    whole = whole_span(session)
    if whole is None:
        return None
    if since or until:
        return Span(since or min(whole.since, until or whole.since), until or max(whole.until, since or whole.until))
    return newest_span(session)


def _goes_back(session: Session, span: Span) -> bool:
    whole = whole_span(session)
    return whole is not None and whole.since <= span.since


def _views(session: Session, span: Span) -> dict[int, int]:
    """The looks at each entry in a period."""
    counts: dict[int, list[tuple[date, date, int]]] = defaultdict(list)
    for entry, since, until, views in session.execute(in_force(since=span.since, until=span.until)):
        counts[entry].append((since, until, views))
    return {entry: sum(_apart(found)) for entry, found in counts.items()}


def _apart(counts: list[tuple[date, date, int]]) -> Iterable[int]:
    """The counts of the longest periods (since, until, views), without those of days that are counted already."""
    counts.sort()
    if all(until < since for (_, until, _), (since, _, _) in pairwise(counts)):
        return (views for _, _, views in counts)  # as nearly always: no day is counted twice
    taken: list[tuple[date, date, int]] = []
    for count in sorted(counts, key=lambda count: (count[0] - count[1], count)):
        if all(count[1] < since or until < count[0] for since, until, _ in taken):
            taken.append(count)
    return (views for _, _, views in taken)


def _themes(entries: Sequence[FaqEntry], now: Mapping[int, int], earlier: Mapping[int, int]) -> list[ThemeLine]:
    of_theme: dict[str, list[int]] = defaultdict(list)
    for entry in entries:
        of_theme[entry.theme].append(entry.id)
    found = []
    for theme, ids in of_theme.items():
        here, before = [now[entry] for entry in ids if entry in now], [earlier[entry] for entry in ids if entry in earlier]
        if here:
            found.append(ThemeLine(theme, len(here), sum(here), sum(before) if before else None))
    return sorted(found, key=lambda line: (-line.views, line.theme))
