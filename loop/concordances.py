"""Words in context over the voices: which voices have them, how many a month, and the places where they stand.

The index says which voices hold a word, in all its forms; the database then keeps those that meet the other conditions and counts them.
Texts are read for what is shown alone. A word that the index doesn't have (a particle, a number, a part of a longer word) is looked
for in the newest voices only, so that no search ever goes through all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice, product
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from core.bulk import among
from core.models import Kind, Voice
from loop.actors import Actor, visible_to
from loop.filters import VoiceFilter
from loop.sought import contains_all
from nlp import postings
from nlp.concordance import Excerpt, Spelling, excerpt, places, sort_key, spellings
from nlp.similar import Lookup

MOST = 10_000  # voices that the words are looked up for, the newest first
UNINDEXED = 2_000  # voices that are read for a word that the index doesn't have
SORTED = 200  # voices whose places are put in order by what stands around them
PAGE = 50  # voices on a page, or places where they are in the order of their context
_AROUND = 40
_PLACES = 5  # of one voice
_SPELLED = 16  # ways to write all the words, each in the other kana or width


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
        unknown: words that the index doesn't have; where it has none of the words, only the newest ``UNINDEXED`` voices were looked at.
        common: more voices than ``MOST`` have the words: only those that were taken in last were looked at.
    """

    voices: int
    months: dict[date, int]
    lines: list[Line]
    pages: int
    taken: int
    unknown: tuple[str, ...]
    common: bool


@dataclass(frozen=True, slots=True)
class _Held:
    conditions: list[ColumnElement[bool]]
    unknown: tuple[str, ...]
    common: bool


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
    held = _holding(session, words, scope)
    wanted = [*held.conditions, *scope.conditions(), *visible_to(seen_by)]
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
    return Concordance(voices, dict(sorted(months.items())), lines, pages, taken, held.unknown, held.common)


def _holding(session: Session, words: Sequence[str], scope: VoiceFilter) -> _Held:
    """The condition that a voice has every word."""
    known = postings.documents(session, list({term for word in words for spelling in spellings(word) for term in spelling.terms}))
    indexed = {word: [each for each in spellings(word) if each.terms and all(term in known for term in each.terms)] for word in words}
    unknown = tuple(word for word in words if not indexed[word])
    conditions = [_written(spellings(word)) for word in unknown]
    # A phrase is looked up by its words, and then as it is written.
    conditions += [_written(found) for found in indexed.values() if found and not all(each.is_word for each in found)]
    choices = [found for found in indexed.values() if found]
    if not choices:
        return _Held([*conditions, Voice.id.in_(_newest(scope))], unknown, common=False)
    together = [tuple(dict.fromkeys(term for each in chosen for term in each.terms)) for chosen in islice(product(*choices), _SPELLED)]
    common = sum(min(known[term] for term in terms) for terms in together) > MOST
    last = _last_of(session, scope) if common else 0
    lookups = [Lookup(terms, 1.0, MOST if common else 0, last) for terms in dict.fromkeys(together)]
    voices = sorted({voice for found in postings.find(session, lookups) for voice in found}, reverse=True)
    common = len(voices) > MOST or any(lookup.limit and len(voices) >= lookup.limit for lookup in lookups)
    return _Held([among(session, Voice.id, voices[:MOST]), *conditions], unknown, common=common)


def _last_of(session: Session, scope: VoiceFilter) -> int:
    """The newest voice of the period, so that a word of every day is looked up in the period and not only after it."""
    if scope.until is None:
        return 0
    return session.scalar(select(func.max(Voice.id)).where(*VoiceFilter(since=scope.since, until=scope.until).conditions())) or 0


def _written(choices: Sequence[Spelling]) -> ColumnElement[bool]:
    return or_(*(condition for spelling in choices for condition in contains_all((spelling.text,), Voice.text, Voice.title)))


def _newest(scope: VoiceFilter) -> Any:
    days = VoiceFilter(since=scope.since, until=scope.until).conditions()
    newest = select(Voice.id).where(*days).order_by(Voice.received_on.desc(), Voice.id.desc()).limit(UNINDEXED).subquery()
    return select(newest.c.id)


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
