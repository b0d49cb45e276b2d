"""Made-up departments that answer in their own time, on which to see whether a forecast says what comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from core.calendar import OpenDays
from core.deadline_rules import DeadlineRules
from core.models import Kind
from loop.backtest import Handled

_KINDS = (Kind.REQUEST, Kind.COMPLAINT, Kind.QUESTION, Kind.PROPOSAL)
_LONGEST = 90  # open days until everything is answered


def departments(
    rng: np.random.Generator, *, count: int = 12, days: int = 730, voices_a_day: float = 25.0, first: date = date(2024, 4, 1)
) -> list[Handled]:
    """A city's voices. Each department has its own pace, slower with proposals, quicker with questions; it hurries before the deadline,
    lets things lie after it, and has good and bad months, which no forecast knows of. One in fifty voices is never answered.

    ``voices_a_day`` are shared out unevenly: the smallest departments get a few a month.
    """
    calendar = OpenDays()
    rules = DeadlineRules(calendar)
    opened = [day for number in range(days + 3 * _LONGEST) if calendar.is_open(day := first + timedelta(days=number))]
    place = {day: number for number, day in enumerate(opened)}
    shares = rng.dirichlet(np.full(count, 0.8))
    pace = rng.uniform(0.04, 0.22, count)
    by_kind = np.array([1.0, 0.9, 1.7, 0.55])
    months = rng.lognormal(0, 0.35, (count, days // 30 + 12))
    found = []
    for number in range(days):
        received_on = first + timedelta(days=number)
        due_on = rules.due_on(received_on)
        for department, kind in zip(*_mix(rng, shares, int(rng.poisson(voices_a_day))), strict=True):
            name = f"第{department + 1}課"
            ended = None
            if rng.random() >= 0.02:
                start = place[calendar.add(received_on, 0)]
                ended = _answered(rng, opened, start, due_on, pace[department] * by_kind[kind], months[department], first)
            found.append(Handled(name, _KINDS[kind].value, received_on, due_on, ended))
    return found


def _mix(rng: np.random.Generator, shares: np.ndarray, voices: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.choice(len(shares), voices, p=shares), rng.choice(len(_KINDS), voices, p=[0.4, 0.25, 0.25, 0.1])


def _answered(
    rng: np.random.Generator, opened: Sequence[date], start: int, due_on: date, pace: float, months: np.ndarray, first: date
) -> date | None:
    for number in range(start, min(start + _LONGEST, len(opened))):
        day = opened[number]
        left = (due_on - day).days
        hurry = 2.5 if 0 <= left <= 3 else 0.5 if left < 0 else 1.0
        if rng.random() < min(pace * hurry * months[(day - first).days // 30], 0.95):
            return day
    return None
