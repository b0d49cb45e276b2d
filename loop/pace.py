"""How long voices wait, learnt from those that were answered and those that wait still: the Kaplan–Meier estimate in open days.

In whole open days it is a product of a few shares (Kaplan & Meier, JASA 1958), so that no survival library is needed. A department
with few voices of a kind borrows from all of its voices, and a small department from the city: each day's share of ended voices is
drawn towards the wider group's as if ``BORROWED`` voices more had behaved like that one (a beta prior with that mean).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

LONGEST = 120  # open days: half a year; who waits longer is told as waiting that long
BORROWED = 20.0
LEAST = 30  # ended voices in the whole city before anything is forecast

Key = tuple[str, str]
"""Department and kind; an empty kind stands for all of the department, two empty ones for the city."""
CITY: Key = ("", "")


@dataclass(frozen=True, slots=True)
class Wait:
    """Voices of one department and kind that ended this many open days after receipt, or wait on that day, which isn't over."""

    department: str
    kind: str
    days: int
    ended: bool
    voices: int = 1


@dataclass(frozen=True, slots=True)
class Curve:
    """The share of voices that is open still at the end of 0, 1, 2 … open days after receipt, and what it was learnt from."""

    still_open: tuple[float, ...]
    ended: int
    waiting: int


@dataclass(slots=True)
class _Tally:
    """By open days: how many ended on that day, and how many had waited so long when the look was taken, that day not being over."""

    ended: list[int] = field(default_factory=lambda: [0] * (LONGEST + 1))
    waiting: list[int] = field(default_factory=lambda: [0] * (LONGEST + 2))

    def add(self, wait: Wait) -> None:
        if wait.ended and wait.days <= LONGEST:
            self.ended[max(wait.days, 0)] += wait.voices
        else:
            self.waiting[min(max(wait.days, 0), LONGEST + 1)] += wait.voices

    def at_risk(self) -> list[int]:
        """How many were seen open on each day, from its beginning to its end or to their own."""
        left, found = self.waiting[LONGEST + 1], [0] * (LONGEST + 1)
        for day in range(LONGEST, -1, -1):
            left += self.ended[day]
            found[day] = left
            left += self.waiting[day]
        return found


def learn(waits: Iterable[Wait]) -> dict[Key, Curve]:
    """A curve for the city, each department, and each kind in it; empty with fewer than ``LEAST`` ended voices."""
    tallies: defaultdict[Key, _Tally] = defaultdict(_Tally)
    for wait in waits:
        for key in {CITY, (wait.department, ""), (wait.department, wait.kind)}:
            tallies[key].add(wait)
    city = tallies[CITY]
    ended = sum(city.ended)
    if ended < LEAST:
        return {}
    usual = ended / sum(city.at_risk())
    shares: dict[Key, list[float]] = {}
    for key in sorted(tallies, key=lambda key: (key[0] != "" or key[1] != "", key[1] != "")):
        tally = tallies[key]
        wider = [usual] * (LONGEST + 1) if key == CITY else shares[CITY if not key[1] or not key[0] else (key[0], "")]
        shares[key] = [
            (gone + BORROWED * share) / (seen + BORROWED) for gone, seen, share in zip(tally.ended, tally.at_risk(), wider, strict=True)
        ]
    return {key: Curve(_product(shares[key]), sum(tally.ended), sum(tally.waiting)) for key, tally in tallies.items()}


def _product(shares: Sequence[float]) -> tuple[float, ...]:
    open_still, found = 1.0, []
    for share in shares:
        open_still *= 1 - share
        found.append(open_still)
    return tuple(found)


def curve_for(curves: Mapping[Key, Curve], department: str, kind: str) -> Curve | None:
    """The narrowest curve that there is for a voice."""
    return curves.get((department, kind)) or curves.get((department, "")) or curves.get(CITY)


def chance_late(still_open: Sequence[float], *, waited: int, due: int) -> float:
    """How likely a voice that waits on day ``waited``, which isn't over, is open still at the end of day ``due``.

    Both count open days after receipt. A voice whose day has passed is late: 1.
    """
    if due < waited:
        return 1.0
    last = len(still_open) - 1
    before = still_open[min(waited, last) - 1] if waited else 1.0
    return min(still_open[min(due, last)] / before, 1.0) if before > 0 else 0.0
