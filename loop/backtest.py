"""How good the forecast would have been: on days of the past it is made from what was known then, and held against what came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.calendar import OpenDays
from core.models import Answer, Case, Voice
from loop.deadlines import Deadlines
from loop.pace import Wait, chance_late, curve_for, learn

_PAST = timedelta(days=365)
_BANDS = 10


@dataclass(frozen=True, slots=True)
class Handled:
    """A voice of the past. ``ended_on`` is empty if it is open to this day."""

    department: str
    kind: str
    received_on: date
    due_on: date
    ended_on: date | None

    @property
    def late(self) -> bool:
        return self.ended_on is None or self.ended_on > self.due_on


@dataclass(frozen=True, slots=True)
class Band:
    """Forecasts that said about the same chance: how many, their mean, and the share that was late."""

    voices: int
    said: float
    late: float


@dataclass(frozen=True, slots=True)
class Score:
    """Brier scores (mean squared error, lower is better) of the forecast, and of saying the whole's share of late ones to each voice."""

    voices: int
    brier: float
    brier_of_the_share: float
    bands: tuple[Band, ...]


def told(past: Sequence[Handled], calendar: OpenDays, looks: Sequence[date]) -> Iterator[tuple[float, bool]]:
    """What would have been said of each voice that was open and not overdue on each of the days, and whether it was late in the end."""
    for day in looks:
        deadlines = Deadlines(calendar, day)
        known = [voice for voice in past if day - _PAST < voice.received_on <= day]
        curves = learn(_as_seen(voice, deadlines) for voice in known)
        if not curves:
            continue
        for voice in known:
            if voice.due_on < day or (voice.ended_on is not None and voice.ended_on < day):
                continue
            curve = curve_for(curves, voice.department, voice.kind)
            if curve is not None:
                due = deadlines.span(voice.received_on, voice.due_on)
                yield chance_late(curve.still_open, waited=deadlines.waiting_day(voice.received_on), due=due), voice.late


def score(pairs: Sequence[tuple[float, bool]]) -> Score:
    """How the chances that were said agree with what came.

    Raises:
        ValueError: there is nothing to hold them against.
    """
    if not pairs:
        raise ValueError("no forecasts")
    share = sum(late for _, late in pairs) / len(pairs)
    bands: list[list[tuple[float, bool]]] = [[] for _ in range(_BANDS)]
    for said, late in pairs:
        bands[min(int(said * _BANDS), _BANDS - 1)].append((said, late))
    return Score(
        voices=len(pairs),
        brier=sum((said - late) ** 2 for said, late in pairs) / len(pairs),
        brier_of_the_share=share * (1 - share),
        bands=tuple(
            Band(len(band), sum(said for said, _ in band) / len(band), sum(late for _, late in band) / len(band)) for band in bands if band
        ),
    )


def of_the_database(session: Session) -> list[Handled]:
    """All voices with a deadline that are open or ended on a known day."""
    ended_on = func.coalesce(Answer.answered_on, Case.answered_on, Case.closed_on)
    statement = (
        select(Voice.department, Voice.kind, Voice.received_on, Voice.due_on, Voice.is_open, ended_on)
        .outerjoin(Answer, Answer.voice_id == Voice.id)
        .outerjoin(Case, Case.id == Voice.case_id)
        .where(Voice.due_on.is_not(None), Voice.folded.is_(False))
    )
    return [
        Handled(department, kind.value, received_on, due_on, None if is_open else end)
        for department, kind, received_on, due_on, is_open, end in session.execute(statement)
        if due_on is not None and (is_open or end is not None)
    ]


def _as_seen(voice: Handled, deadlines: Deadlines) -> Wait:
    if voice.ended_on is not None and voice.ended_on < deadlines.today:
        return Wait(voice.department, voice.kind, deadlines.span(voice.received_on, voice.ended_on), ended=True)
    return Wait(voice.department, voice.kind, deadlines.waiting_day(voice.received_on), ended=False)
