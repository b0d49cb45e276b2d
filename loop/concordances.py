"""Words in context over the voices: which voices have them, how many a month, and the places where they stand.

The index says which voices hold a word, in all its forms; the database then keeps those that meet the other conditions and counts them.
Texts are read for what is shown alone. A word that the index doesn't have (a particle, a number, a part of a longer word) is looked
for in the newest voices only, so that no search ever goes through all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from core import audit
from core.models import Kind, Voice
from loop.filters import Order, VoiceFilter, contains_all, sorting
from nlp import postings
from nlp.concordance import Excerpt, Spelling, excerpt, hidden, places, sort_key, spellings

MOST = 100_000  # voices that one word is looked up for, the newest first
UNINDEXED = 2_000  # voices that are read for a word that the index doesn't have
SORTED = 300  # voices whose places are put in order by what stands around them
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
        unknown: words that the index doesn't have: only the newest ``UNINDEXED`` voices were looked at.
        common: words that more voices have than are looked up: only the newest ``MOST`` were.
    """

    voices: int
    months: dict[date, int]
    lines: list[Line]
    pages: int
    taken: int
    unknown: tuple[str, ...]
    common: tuple[str, ...]


def concordance(
    session: Session,
    words: Sequence[str],
    scope: VoiceFilter,
    *,
    sort: Sort,
    page: int = 1,
    page_size: int = PAGE,
    sorted_up_to: int = SORTED,
) -> Concordance:
    """A page of the places where the first of the words stands, in voices that have them all.

    ``scope`` says which voices; its own words are left aside.
    """
    conditions, unknown, common = _holding(session, words)
    wanted = [*conditions, *replace(scope, words=()).conditions()]
    if unknown:
        wanted.append(Voice.id.in_(_newest(scope)))
    month = func.substr(cast(Voice.received_on, String), 1, 7)
    counted = session.execute(select(month, func.count()).where(*wanted).group_by(month).order_by(month))
    months = {date.fromisoformat(f"{name}-01"): int(number) for name, number in counted}
    voices = sum(months.values())
    taken = min(voices, sorted_up_to) if sort.by_context else voices
    found = _lines(session, wanted, words[0], sort=sort, page=page, page_size=page_size, taken=taken) if voices else []
    if sort.by_context:
        pages, found = -(-len(found) // page_size), found[(page - 1) * page_size : page * page_size]
    else:
        pages = -(-voices // page_size)
    return Concordance(voices, months, found, pages, taken, unknown, common)


def record(session: Session, *, actor: str, asked: str, conditions: dict[str, Any], voices: int) -> None:
    """Notes who looked for what, and how many voices it was. What may be personal in the words is masked."""
    detail = {"words": hidden(asked), "conditions": conditions, "voices": voices}
    audit.record(session, actor=actor, action="voices.search", subject="voices", detail=detail)


def _holding(session: Session, words: Sequence[str]) -> tuple[list[ColumnElement[bool]], tuple[str, ...], tuple[str, ...]]:
    """For each word the condition that a voice has it; which of them the index doesn't have, and which are too common."""
    known = postings.documents(session, list({term for word in words for spelling in spellings(word) for term in spelling.terms}))
    conditions, unknown, common = [], [], []
    for word in words:
        indexed = [spelling for spelling in spellings(word) if spelling.terms and all(term in known for term in spelling.terms)]
        if not indexed:
            unknown.append(word)
            conditions.append(_written(spellings(word)))
            continue
        if sum(min(known[term] for term in spelling.terms) for spelling in indexed) > MOST:
            common.append(word)
        forms = [spelling.terms for spelling in indexed if spelling.is_word]
        phrases = [spelling for spelling in indexed if not spelling.is_word]
        either: list[ColumnElement[bool]] = [Voice.id.in_(postings.holding(session, forms, limit=MOST))] if forms else []
        if phrases:
            held = Voice.id.in_(postings.holding(session, [spelling.terms for spelling in phrases], limit=MOST))
            either.append(and_(held, _written(phrases)))
        conditions.append(or_(*either))
    return conditions, tuple(unknown), tuple(common)


def _written(choices: Sequence[Spelling]) -> ColumnElement[bool]:
    return or_(*(condition for spelling in choices for condition in contains_all((spelling.text,), Voice.text, Voice.title)))


def _newest(scope: VoiceFilter) -> Any:
    days = VoiceFilter(since=scope.since, until=scope.until).conditions()
    newest = select(Voice.id).where(*days).order_by(Voice.received_on.desc(), Voice.id.desc()).limit(UNINDEXED).subquery()
    return select(newest.c.id)


def _lines(
    session: Session, wanted: Sequence[ColumnElement[bool]], word: str, *, sort: Sort, page: int, page_size: int, taken: int
) -> list[Line]:  # fmt: skip
    columns = (Voice.receipt_number, Voice.received_on, Voice.theme, Voice.kind, Voice.department, Voice.district, Voice.title, Voice.text)
    order = sorting(Order.NEWEST, backwards=sort is Sort.OLDEST)
    statement = select(*columns).where(*wanted).order_by(*order)
    statement = statement.limit(taken) if sort.by_context else statement.limit(page_size).offset((page - 1) * page_size)
    lines = []
    for row in session.execute(statement):
        whole = f"{row.title}\n{row.text}" if row.title else row.text
        lines += [Line(*row[:6], excerpt(whole, place, around=_AROUND)) for place in places(whole, word)[:_PLACES]]
    if sort.by_context:
        lines.sort(key=lambda line: sort_key(line.excerpt, left=sort is Sort.LEFT))
    return lines
