"""When an answer is due: a city's rules counted in its 開庁日, with a clock that stops while the resident is asked. No file, no table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from core.calendar import OpenDays
from core.clock import to_tokyo

_LONGEST_SEARCH = 3660  # days beyond the ones that are counted
SOON = 3
PART_DAYS = 3


class Count(StrEnum):
    """What is counted."""

    BUSINESS_DAYS = "business_days"
    CALENDAR_DAYS = "calendar_days"


class Start(StrEnum):
    """Which day is the first one: the day after the receipt (翌日起算), or the day of the receipt itself (受付日を1日目と数える)."""

    NEXT_DAY = "next_day"
    SAME_DAY = "same_day"


class IfClosed(StrEnum):
    """What becomes of a deadline in calendar days that falls on a closed day."""

    NEXT_OPEN_DAY = "next_open_day"
    KEEP = "keep"


class AfterHours(StrEnum):
    """As received on which day a voice counts that came on a closed day or after closing time: on that day, or the next open one."""

    SAME_DAY = "same_day"
    NEXT_OPEN_DAY = "next_open_day"


@dataclass(frozen=True, slots=True)
class Term:
    """So many days of one sort."""

    days: int
    count: Count = Count.BUSINESS_DAYS

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError("days must be 1 or more")


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stands still from ``stopped_on`` (the resident is asked) to ``resumed_on`` (the answer came; ``None``: not yet)."""

    stopped_on: date
    resumed_on: date | None = None

    def __post_init__(self) -> None:
        if self.resumed_on is not None and self.resumed_on < self.stopped_on:
            raise ValueError("resumed_on must not be before stopped_on")


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """One rule: by when an answer is due, and by when an interim reply (中間回答) if the answer will be late.

    ``after_interim``: how long there is for the answer once the interim reply was given, that day counting as the day of receipt does.
    """

    term: Term = Term(10)
    start: Start = Start.NEXT_DAY
    if_closed: IfClosed = IfClosed.NEXT_OPEN_DAY
    after_hours: AfterHours = AfterHours.SAME_DAY
    interim: Term | None = None
    after_interim: Term | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Matter:
    """What a rule may look at in a voice; the names are those on screen (``Channel``, ``Kind`` and ``Urgency`` are such)."""

    channel: str = ""
    kind: str = ""
    urgency: str = ""
    theme: str = ""
    department: str = ""


ANY = Matter()


@dataclass(frozen=True, slots=True)
class SpecialRule:
    """A rule for the matters whose named parts are all among the values given."""

    where: tuple[tuple[str, frozenset[str]], ...]
    rule: DeadlineRule

    def fits(self, matter: Matter) -> bool:
        return all(getattr(matter, part) in values for part, values in self.where)


def counts_from(rule: DeadlineRule, calendar: OpenDays, received_on: date, received_at: datetime | None, closing: time | None) -> date:
    """The day as whose receipt a voice counts.

    Only a rule with ``after_hours: next_open_day`` moves it: from a closed day to the next open one, and from an open day to
    the one after it when the hour is known and later than ``closing`` (within that minute is in time). A time of another day
    than ``received_on`` says nothing.
    """
    if rule.after_hours is AfterHours.SAME_DAY:
        return received_on
    if received_at is not None and closing is not None and calendar.is_open(received_on):
        at = to_tokyo(received_at)
        if at.date() == received_on and at.time().replace(second=0, microsecond=0) > closing:
            return calendar.add(received_on, 1)
    return calendar.add(received_on, 0)


def due_with_pauses(
    rule: DeadlineRule, calendar: OpenDays, counted_from: date, pauses: Iterable[Pause] = (), *, term: Term | None = None
) -> date | None:
    """The last day for the answer (or for ``term``, such as ``rule.interim``); ``None`` while the clock stands still.

    ``counted_from`` is the day of receipt (``counts_from``). Days are counted from the day after it, with ``same_day`` from it on:
    open days, or with ``calendar_days`` all of them. The due day is the last of them; counted in calendar days and with
    ``next_open_day`` it moves on to the next open day when it is a closed one.

    A pause takes days out of the count: the day on which the clock stops isn't counted any more, nor are those up to the day
    of the resident's answer, which is day 0 as the day of receipt is (翌日起算); with ``same_day`` it is counted again, as the
    day of receipt is. So the days that were left when the clock stopped are left when it goes on. A pause that begins on
    the due day leaves one day. One that begins after it changes nothing: what is late stays late. Pauses may overlap; a day
    is taken out once.

    Raises:
        ValueError: the calendar has no open day left.
    """
    term = term or rule.term
    stops = tuple(pauses)
    inclusive = rule.start is Start.NEXT_DAY
    if any(pause.resumed_on is None for pause in stops):
        last: date | None = min(pause.stopped_on for pause in stops if pause.resumed_on is None)
    else:
        last = None
    day = counted_from - timedelta(days=rule.start is Start.SAME_DAY)
    left = term.days
    standing = sum(((pause.resumed_on or pause.stopped_on) - pause.stopped_on).days + 1 for pause in stops)
    for _ in range(_LONGEST_SEARCH + 2 * term.days + standing):
        day += timedelta(days=1)
        if last is not None and day >= last:
            return None
        if _stands_still(day, stops, inclusive=inclusive):
            continue
        is_open = calendar.is_open(day)
        left -= is_open or term.count is Count.CALENDAR_DAYS
        if left <= 0 and (is_open or rule.if_closed is IfClosed.KEEP):
            return day
    raise ValueError("this calendar has no open day")


def _stands_still(day: date, pauses: Sequence[Pause], *, inclusive: bool) -> bool:
    for pause in pauses:
        if pause.resumed_on is not None and pause.stopped_on <= day and (day <= pause.resumed_on if inclusive else day < pause.resumed_on):
            return True
    return False


@dataclass(frozen=True, slots=True)
class DeadlineRules:
    """A city's rules with its calendar: the usual rule, exceptions of which the first that fits holds, and what 期限間近 means.

    ``closing`` is the hour at which the counters close; ``soon`` is in open days, and so is ``part_days``: by how many a department's part
    is wanted before the whole answer. Each rule counts each day of receipt once.
    """

    calendar: OpenDays
    usual: DeadlineRule = DeadlineRule()
    exceptions: tuple[SpecialRule, ...] = ()
    closing: time | None = None
    soon: int = SOON
    part_days: int = PART_DAYS
    _known: dict[tuple[int, int, date], date] = field(default_factory=dict, compare=False, repr=False)

    def rule_for(self, matter: Matter) -> DeadlineRule:
        """The rule that holds for a voice."""
        for exception in self.exceptions:
            if exception.fits(matter):
                return exception.rule
        return self.usual

    def due_on(self, received_on: date, received_at: datetime | None = None, *, matter: Matter = ANY) -> date:
        """The last day for an answer, as long as the clock was never stopped."""
        rule = self.rule_for(matter)
        return self._due(rule, rule.term, received_on, received_at)

    def interim_on(self, received_on: date, received_at: datetime | None = None, *, matter: Matter = ANY) -> date | None:
        """The last day for an interim reply; ``None`` where the rule asks for none."""
        rule = self.rule_for(matter)
        return self._due(rule, rule.interim, received_on, received_at) if rule.interim else None

    @property
    def asks_interim(self) -> bool:
        """Whether any rule asks for an interim reply."""
        return any(rule.interim for rule in (self.usual, *(exception.rule for exception in self.exceptions)))

    def due_after(
        self,
        pauses: Iterable[Pause],
        received_on: date,
        received_at: datetime | None = None,
        *,
        matter: Matter = ANY,
        replied_on: date | None = None,
    ) -> date | None:
        """The last day for an answer with pauses; ``None`` while the clock stands still. See ``due_with_pauses``.

        ``replied_on``: when an interim reply was given; a rule with ``after_interim`` counts from there if that gives a later day.
        """
        rule, stops = self.rule_for(matter), tuple(pauses)
        due = self._after(rule, rule.term, stops, received_on, received_at)
        if due is None or replied_on is None or rule.after_interim is None:
            return due
        later = due_with_pauses(rule, self.calendar, replied_on, stops, term=rule.after_interim)
        return later and max(due, later)

    def interim_after(
        self, pauses: Iterable[Pause], received_on: date, received_at: datetime | None = None, *, matter: Matter = ANY
    ) -> date | None:
        """The last day for an interim reply with pauses; ``None`` while the clock stands still, and where the rule asks for none."""
        rule = self.rule_for(matter)
        return self._after(rule, rule.interim, tuple(pauses), received_on, received_at) if rule.interim else None

    def _after(
        self, rule: DeadlineRule, term: Term, pauses: tuple[Pause, ...], received_on: date, received_at: datetime | None
    ) -> date | None:
        if not pauses:
            return self._due(rule, term, received_on, received_at)
        counted_from = counts_from(rule, self.calendar, received_on, received_at, self.closing)
        return due_with_pauses(rule, self.calendar, counted_from, pauses, term=term)

    def _due(self, rule: DeadlineRule, term: Term, received_on: date, received_at: datetime | None) -> date:
        # An import asks for the same few days again and again; by far most rules don't look at the hour.
        moves = rule.after_hours is AfterHours.NEXT_OPEN_DAY
        counted_from = counts_from(rule, self.calendar, received_on, received_at, self.closing) if moves else received_on
        key = (id(rule), id(term), counted_from)  # they live as long as these rules do, and are slow to hash
        if (known := self._known.get(key)) is None:
            found = due_with_pauses(rule, self.calendar, counted_from, term=term)
            if found is None:
                raise ValueError("only a pause stops the clock")
            self._known[key] = known = found
        return known
