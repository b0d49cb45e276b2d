"""What a page of a list says of its rows' deadlines beside the day: likely to be late, and an interim reply that is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from core.casework import DONE
from core.deadline_rules import DeadlineRules
from loop import forecast, interim
from loop.deadlines import Deadlines
from loop.forecast import LIKELY
from loop.queries import VoiceRow


@dataclass(frozen=True, slots=True)
class Marks:
    """By the voice's id: the chance of being late (0–1) of the open ones, and the last day for an interim reply that wasn't given."""

    chances: Mapping[int, float]
    interims: Mapping[int, date]
    deadlines: Deadlines

    @classmethod
    def of(cls, session: Session, rows: Sequence[VoiceRow], *, rules: DeadlineRules, deadlines: Deadlines) -> Marks:
        """For the rows of one page: a statement for the chances, and two for interim replies where the city's rules ask for them."""
        waiting = [row for row in rows if row.status not in DONE and row.due_on is not None]
        interims = interim.of_voices(session, rules, [row.id for row in waiting])
        return cls(forecast.chances(session, waiting, deadlines), interims, deadlines)

    def likely_late(self, row: VoiceRow) -> float | None:
        """The chance of a voice that isn't overdue and is likely to be."""
        chance = self.chances.get(row.id)
        if chance is None or chance < LIKELY or row.due_on is None or row.due_on < self.deadlines.today:
            return None
        return chance

    def interim_left(self, row: VoiceRow) -> int | None:
        """Open days to an interim reply that is due soon or was due."""
        day = self.interims.get(row.id)
        return self.deadlines.left(day) if day is not None and day <= self.deadlines.soon else None
