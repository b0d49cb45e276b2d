"""What came in in a month, for 広聴月報: counts beside those of the month before and of a year ago, rises, and what became of topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from core import facts
from core.clock import TOKYO
from core.models import Surge, SurgeRun, Topic, TopicEvent, TopicEventKind, Voice
from core.months import month_end, shifted
from loop import comparisons, surge_queries
from loop.actors import Actor
from loop.periods import Period
from loop.surge_queries import SurgeLine

CUTS = ("channel", "kind", "theme", "department", "topic")
SHOWN_MONTHS = 13
_TOLD = (TopicEventKind.BORN, TopicEventKind.SPLIT, TopicEventKind.MERGED, TopicEventKind.ENDED)


@dataclass(frozen=True, slots=True)
class Line:
    """Voices of a month, of the month before and of the same month a year ago (``None``: the data doesn't go back so far).

    ``told``: more or fewer than the month before beyond chance, with all values of its table taken into account.
    """

    value: str
    count: int
    before: int | None
    last_year: int | None
    told: bool


@dataclass(frozen=True, slots=True)
class MonthCount:
    """A month's voices and those of the same month a year ago; ``None``: before the data begins."""

    month: date
    count: int | None
    last_year: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a topic: its kind, its voices then, and the names of the topics that it came from or went into."""

    kind: TopicEventKind
    topic_id: int
    name: str
    voices: int
    others: tuple[str, ...]
    by_hand: bool


@dataclass(frozen=True, slots=True)
class Backlog:
    """All voices as they stand on a day: answered or closed, open, and those of the open ones that are past their deadline."""

    day: date
    done: int
    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class MonthlyReport:
    """A month's report. ``running``: the data doesn't reach the month's end, and earlier months are counted up to the same day."""

    month: date
    whole: Period
    period: Period
    before: Period | None
    last_year: Period | None
    running: bool
    total: Line
    cuts: dict[str, list[Line]]
    rest: frozenset[str]
    months: list[MonthCount]
    looked: bool
    rises: list[SurgeLine]
    events: dict[TopicEventKind, list[Event]]
    backlog: Backlog


def months_of(whole: Period) -> list[date]:
    """The first days of the months that have data, the newest first."""
    return [span.since.replace(day=1) for span in reversed(whole.months())]


def newest(whole: Period) -> date:
    """The month that a report is asked for most: the last one that is over, or the only one."""
    last = whole.until.replace(day=1)
    earlier = shifted(last, -1)
    return last if whole.until == month_end(last) or whole.since > month_end(earlier) else earlier


def disjoint(lines: Sequence[Line], *, rest: frozenset[str], most: int) -> tuple[list[Line], list[Line]]:
    """The largest topics that voices are in, and the others: together all voices that are in a topic of their own."""
    own = [line for line in lines if line.value and line.value not in rest]
    return own[:most], own[most:]


def report(session: Session, month: date, *, whole: Period, today: date, seen_by: Actor | None) -> MonthlyReport:
    """The report of the month that begins on ``month``, for data of a span; a month without data is empty."""
    running = month <= whole.until < month_end(month)
    period = Period(month, whole.until if running else month_end(month))
    before, last_year = (_as_far(shifted(month, step), period, whole) for step in (-1, -12))
    cuts = {by: _lines(session, by, period, before, last_year) for by in CUTS}
    total = _lines(session, "", period, before, last_year)
    runs, rises = _rises(session, period, seen_by)
    return MonthlyReport(
        month=month,
        whole=whole,
        period=period,
        before=before,
        last_year=last_year,
        running=running,
        total=total[0] if total else Line("", 0, 0 if before else None, 0 if last_year else None, told=False),
        cuts=cuts,
        rest=frozenset(str(number) for number in session.scalars(select(Topic.id).where(Topic.is_rest))),
        months=_months(session, month, whole),
        looked=runs > 0,
        rises=rises,
        events=_events(session, period),
        backlog=_backlog(session, today),
    )


def _lines(session: Session, by: str, period: Period, before: Period | None, last_year: Period | None) -> list[Line]:
    counts, earlier, long_ago = (
        facts.totals(session, by, since=span.since, until=span.until) if span else {} for span in (period, before, last_year)
    )
    told: dict[str, bool] = {}
    if before:
        changes = comparisons.compare(earlier, counts, days_before=before.days, days_after=period.days)
        told = {change.value: change.told for change in changes}
    lines = [
        Line(
            value,
            counts.get(value, 0),
            earlier.get(value, 0) if before else None,
            long_ago.get(value, 0) if last_year else None,
            told.get(value, False),
        )
        for value in {*counts, *earlier, *long_ago}
    ]
    return sorted(lines, key=lambda line: (-line.count, -(line.before or 0), line.value))


def _as_far(month: date, period: Period, whole: Period) -> Period | None:
    """An earlier month, of a running one as many days; ``None`` where the data begins later."""
    end = month_end(month)
    if period.until != month_end(period.since):
        end = min(end, month + timedelta(days=period.days - 1))
    return Period(month, end) if whole.since <= month else None


def _months(session: Session, month: date, whole: Period) -> list[MonthCount]:
    first = shifted(month, -(SHOWN_MONTHS - 1))
    found = facts.series(session, "", since=shifted(first, -12), until=month_end(month), by="month")
    begin, end = whole.since.replace(day=1), whole.until

    def count(of: date) -> int | None:
        return sum(found.get(of, {}).values()) if begin <= of <= end else None

    shown = [shifted(first, step) for step in range(SHOWN_MONTHS)]
    return [MonthCount(of, count(of), count(shifted(of, -12))) for of in shown]


def _rises(session: Session, period: Period, seen_by: Actor | None) -> tuple[int, list[SurgeLine]]:
    """How many looks there were in a month, and the rises that they told, each as the last of them told it."""
    within = (SurgeRun.as_of >= period.since, SurgeRun.as_of <= period.until)
    runs = session.scalar(select(func.count()).select_from(SurgeRun).where(*within)) or 0
    rows = session.scalars(select(Surge).join(SurgeRun, SurgeRun.id == Surge.run_id).where(*within).order_by(SurgeRun.as_of, Surge.run_id))
    last = {(surge.facet, surge.value, surge.by_facet, surge.by_value, surge.is_campaign): surge for surge in rows}
    surges = sorted(last.values(), key=lambda surge: (surge.rank, -surge.run_id))
    return runs, surge_queries.named(session, surges, seen_by=seen_by)


def _events(session: Session, period: Period) -> dict[TopicEventKind, list[Event]]:
    begin, end = (datetime.combine(day, time(), TOKYO) for day in (period.since, period.until + timedelta(days=1)))
    happened = select(TopicEvent).where(TopicEvent.at >= begin, TopicEvent.at < end, TopicEvent.kind.in_(_TOLD))
    rows = session.scalars(happened.order_by(TopicEvent.id)).all()
    names = dict(session.execute(select(Topic.id, Topic.name)).all()) if rows else {}
    found: dict[TopicEventKind, list[Event]] = {kind: [] for kind in _TOLD}
    for row in rows:
        if _is_told(row):
            found[row.kind].append(_event(row, names))
    return {kind: sorted(events, key=lambda event: (-event.voices, event.topic_id)) for kind, events in found.items()}


def _is_told(row: TopicEvent) -> bool:
    """Both sides of a split or a merge are written down: the topic that came of it, or that went into another, tells it."""
    if row.kind is TopicEventKind.SPLIT:
        return row.before == 0
    return row.kind is not TopicEventKind.MERGED or row.after == 0


def _event(row: TopicEvent, names: Mapping[int, str]) -> Event:
    return Event(
        kind=row.kind,
        topic_id=row.topic_id,
        name=names.get(row.topic_id, ""),
        voices=row.after or row.before,
        others=tuple(names[number] for number in row.others if number in names),
        by_hand=row.run_id is None,
    )


def _backlog(session: Session, today: date) -> Backlog:
    """Read from the index of open voices by deadline; what is done is the rest of all voices."""
    waiting = select(func.count()).select_from(Voice).where(Voice.is_open == true())
    late = waiting.where(Voice.due_on < today)
    number, overdue = session.execute(select(waiting.scalar_subquery(), late.scalar_subquery())).one()
    everything = facts.totals(session, "").get("", 0)
    return Backlog(today, everything - number, number, overdue)


def whole_month(month: date) -> Period:
    """A month from its first day to its last."""
    return Period(month, month_end(month))
