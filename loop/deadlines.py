"""When a voice's answer is due, and how long that is from today in 開庁日."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Protocol

from core.calendar import OpenDays
from core.deadline_rules import SOON, DeadlineRules, Matter, Pause
from core.models import CasePause, Channel, Kind, Urgency


class Counted(Protocol):
    """What a deadline is counted from: a voice, or a row with these columns of one."""

    @property
    def channel(self) -> Channel: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def urgency(self) -> Urgency: ...
    @property
    def theme(self) -> str: ...
    @property
    def department(self) -> str: ...
    @property
    def received_on(self) -> date: ...
    @property
    def received_at(self) -> datetime | None: ...


class Deadlines:
    """Open days between today and any day, each day looked up once: a list of old voices asks for the same days again and again.

    What is due within ``soon`` open days (the city's ``DeadlineRules.soon``) stands under 期限間近.
    """

    def __init__(self, calendar: OpenDays, today: date, *, soon: int = SOON) -> None:
        self.today = today
        self.soon = calendar.add(today, soon)
        self._calendar = calendar
        self._counts = {today: 0}
        self._first = self._last = today

    def left(self, due: date) -> int:
        """Open days from today to ``due``: 0 on the day itself, negative when it has passed, on the closed days after it too."""
        count = self._count(due)
        return min(count, -1) if due < self.today else count

    def _count(self, due: date) -> int:
        while self._last < due:
            day = self._last + timedelta(days=1)
            self._counts[day] = self._counts[self._last] + self._calendar.is_open(day)
            self._last = day
        while self._first > due:
            day = self._first - timedelta(days=1)
            self._counts[day] = self._counts[self._first] - self._calendar.is_open(self._first)
            self._first = day
        return self._counts[due]

    def span(self, received: date, until: date) -> int:
        """Open days after ``received`` up to and with ``until``."""
        return self._count(until) - self._count(received)

    def waiting_day(self, received: date) -> int:
        """On which open day after its receipt a voice waits now: today's number, on a closed day the next open one's."""
        return max(self.span(received, self.today), 0) + (not self._calendar.is_open(self.today))


def matter_of(voice: Counted) -> Matter:
    """What the city's rules look at in a voice."""
    return Matter(voice.channel, voice.kind, voice.urgency, voice.theme, voice.department)


def due_of(
    voice: Counted, rules: DeadlineRules, *, pauses: Iterable[CasePause] = (), replied_on: date | None = None
) -> date | None:  # fmt: skip
    """The last day for a voice's answer by the rule that fits it now, with its case's pauses; ``None`` while the clock stands still.

    For a voice that had a deadline: a survey's answers have none. ``replied_on``: when its case had an interim reply (``Case.interim_on``).
    """
    return rules.due_after(_stops(pauses), voice.received_on, voice.received_at, matter=matter_of(voice), replied_on=replied_on)


def interim_of(voice: Counted, rules: DeadlineRules, *, pauses: Iterable[CasePause] = ()) -> date | None:
    """The last day for an interim reply (中間回答), if the answer will be late; ``None`` where the rule asks for none, and while the
    clock stands still.
    """
    return rules.interim_after(_stops(pauses), voice.received_on, voice.received_at, matter=matter_of(voice))


def reply_day(rules: DeadlineRules, due_on: date, *, today: date) -> date:
    """By when a part is wanted for an answer that is due: ``rules.part_days`` open days before it, on an open day from today on."""
    day, left = max(due_on, today), rules.part_days
    while day > today and (left or not rules.calendar.is_open(day)):
        left -= rules.calendar.is_open(day)
        day -= timedelta(days=1)
    return day if rules.calendar.is_open(day) else rules.calendar.add(day, 0)


def _stops(pauses: Iterable[CasePause]) -> list[Pause]:
    return [Pause(pause.since, pause.until) for pause in pauses]
