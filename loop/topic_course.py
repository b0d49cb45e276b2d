"""A topic's voices over a period beside those of the year before, and beside what was to be expected: counts alone, never voices."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy.orm import Session

from core import facts
from core.calendar import OpenDays
from core.memberships import family
from core.months import month_end, year_before
from loop.periods import Period

_TOPIC = "topic"
_LONGEST_PAST = timedelta(days=3 * 366)  # as far back as surges are looked for
_WEEKS_A_YEAR = timedelta(weeks=52)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a chart, as far as the period has it, and the same one a year before: 52 weeks, or the same month.

    ``before`` is ``None`` where there are no data of all its days, ``expected`` where the past is too short to say.
    """

    first: date
    span: Period
    span_before: Period
    count: int
    before: int | None
    expected: float | None


def course(session: Session, topic_id: int, period: Period, *, whole: Period, offices: OpenDays) -> list[Step]:
    """The steps of a period, in order, of a topic with all below it; ``whole`` is the span of all voices."""
    leaves = [str(number) for number in session.scalars(family(topic_id))]
    spans = [Period(max(first, period.since), min(_last_of(period, first), period.until)) for first in period.steps()]
    past = [a_year_before(span) for span in spans] if not period.weekly else [_weeks_before(span) for span in spans]
    counts = _counts(session, leaves, spans, weekly=period.weekly)
    before = _counts(session, leaves, past, weekly=period.weekly)
    expected = _expected(session, leaves, spans, whole=whole, offices=offices)
    return [
        Step(first, span, earlier, count, there if earlier.since >= whole.since else None, meant)
        for first, span, earlier, count, there, meant in zip(period.steps(), spans, past, counts, before, expected, strict=True)
    ]


def a_year_before(span: Period) -> Period:
    """The same days a year before; of the end of a month its end, whichever day that is."""
    until = year_before(span.until)
    return Period(year_before(span.since), month_end(until) if month_end(span.until) == span.until else until)


def _weeks_before(span: Period) -> Period:
    return Period(span.since - _WEEKS_A_YEAR, span.until - _WEEKS_A_YEAR)


def _last_of(period: Period, first: date) -> date:
    return first + timedelta(days=6) if period.weekly else month_end(first)


def _counts(session: Session, leaves: list[str], spans: list[Period], *, weekly: bool) -> list[int]:
    """The voices of each of these spans, which follow one another."""
    by: facts.Step = "day" if weekly else "month"
    found = facts.series(session, _TOPIC, since=spans[0].since, until=spans[-1].until, by=by, values=leaves)
    sums = {day: sum(counts.values()) for day, counts in found.items()}
    if not weekly:
        return [sums.get(span.since.replace(day=1), 0) for span in spans]
    return [sum(sums.get(span.since + timedelta(days=offset), 0) for offset in range(span.days)) for span in spans]


def _expected(session: Session, leaves: list[str], spans: list[Period], *, whole: Period, offices: OpenDays) -> list[float | None]:
    """What was to be expected in each span, as one would have said on the last day: by the topic's past and that of all other voices."""
    from nlp.surge.days import kinds_of
    from nlp.surge.expected import enough_past
    from nlp.surge.usual import usual

    last = min(spans[-1].until, whole.until)
    since = max(whole.since, last - _LONGEST_PAST)
    days = [since + timedelta(days=offset) for offset in range((last - since).days + 1)]
    if not enough_past(len(days)):
        return [None] * len(spans)
    own = _daily(session, _TOPIC, days, leaves)
    city = _daily(session, "", days)
    means = usual(np.array([own, city - own]), kinds_of(days, offices))[0]
    return [_sum(means[max((span.since - since).days, 0) : (span.until - since).days + 1], span.days) for span in spans]


def _daily(session: Session, facet: str, days: list[date], values: list[str] | None = None) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    found: Counter[date] = Counter()
    for day, counts in facts.series(session, facet, since=days[0], until=days[-1], values=values).items():
        found[day] = sum(counts.values())
    return np.array([found[day] for day in days], dtype=np.int64)


def _sum(means: np.ndarray[tuple[int], np.dtype[np.float64]], days: int) -> float | None:
    """The sum of so many days, or ``None`` where not all are there."""
    return float(means.sum()) if len(means) == days and not np.isnan(means).any() else None
