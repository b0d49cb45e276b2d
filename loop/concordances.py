"""Words in context over the voices: which voices have them, how many a month, and the places where they stand.

Which voices those are ``loop.sought`` says, as it does for lists. Texts are read for what is shown alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.bulk import among
from core.models import Kind, Voice
from loop import sought
from loop.actors import Actor, visible_to
from loop.filters import VoiceFilter
from nlp.concordance import Excerpt, excerpt, places, sort_key

SORTED = 200  # voices whose places are put in order by what stands around them
PAGE = 50  # voices on a page, or places where they are in the order of their context
_AROUND = 40
_PLACES = 5  # of one voice


class Sort(StrEnum):
    """Orders of the places. The value stands in the address."""

    NEWEST = "new"
    OLDEST = "old"
    RIGHT = "right"
    LEFT = "left"

    @property
    def by_context(self) -> bool:
        return self in (Sort.RIGHT, Sort.LEFT)


@dataclass(frozen=True, slots=True)
class Line:
    """One place where the first word stands, and the voice that it is from."""

    receipt_number: str
    received_on: date
    theme: str
    kind: Kind
    department: str
    district: str
    excerpt: Excerpt


@dataclass(frozen=True, slots=True)
class Concordance:
    """What a search found.

    Attributes:
        voices: how many voices have all the words and meet the conditions.
        months: how many of them came in each month, under its first day; months without one are left out.
        lines: the places of this page.
        pages: how many pages there are.
        taken: of how many voices the places are put in order; ``voices`` unless the order goes by context and they are many.
        unknown, common, alone: what ``Sought`` says of the words.
    """

    voices: int
    months: dict[date, int]
    lines: list[Line]
    pages: int
    taken: int
    unknown: tuple[str, ...]
    common: bool
    alone: bool


def concordance(
    session: Session,
    words: Sequence[str],
    scope: VoiceFilter,
    *,
    sort: Sort,
    seen_by: Actor | None,
    page: int = 1,
    page_size: int = PAGE,
    voices_read: int = SORTED,
) -> Concordance:
    """A page of the places where the first of the words stands, in voices that have them all.

    ``scope`` says which voices, of those that ``seen_by`` may see; its own words are left aside. ``page_size`` is in voices, or in
    places where their context orders them; of no more than ``voices_read`` voices the texts are read at once.
    """
    held = sought.look_up(session, words, since=scope.since, until=scope.until, numbers=False)
    wanted = [*held.everything, *scope.conditions(passing=("theme", "department")), *visible_to(seen_by)]
    # One look at every voice that has the words, for its day; the texts are read of those that are shown.
    found = session.execute(select(Voice.received_on, Voice.id).where(*wanted)).all()
    days = sorted(((row.received_on, row.id) for row in found), reverse=sort is not Sort.OLDEST)
    months: Counter[date] = Counter()
    for day, number in Counter(day for day, _ in days).items():
        months[day.replace(day=1)] += number
    voices, first = len(days), (page - 1) * page_size
    if sort.by_context:
        taken = min(voices, voices_read)
        lines = _lines(session, [number for _, number in days[:taken]], words[0])
        lines.sort(key=lambda line: sort_key(line.excerpt, left=sort is Sort.LEFT))
        pages, lines = -(-len(lines) // page_size), lines[first : first + page_size]
    else:
        taken, pages = voices, -(-voices // page_size)
        lines = _lines(session, [number for _, number in days[first : first + min(page_size, voices_read)]], words[0])
    return Concordance(voices, dict(sorted(months.items())), lines, pages, taken, held.unknown, held.common, held.alone)


def _lines(session: Session, ids: Sequence[int], word: str) -> list[Line]:
    """The places where a word stands in these voices, in their order."""
    columns = (Voice.receipt_number, Voice.received_on, Voice.theme, Voice.kind, Voice.department, Voice.district)
    rows = session.execute(select(*columns, Voice.title, Voice.text, Voice.id).where(among(session, Voice.id, ids))).all()
    order = {number: at for at, number in enumerate(ids)}
    lines: list[Line] = []
    for row in sorted(rows, key=lambda row: order[row.id]):
        whole = f"{row.title}\n{row.text}" if row.title else row.text
        lines += [Line(*row[:6], excerpt(whole, place, around=_AROUND)) for place in places(whole, word)[:_PLACES]]
    return lines
