"""The counts made anew from the voices, and where they aren't what the voices say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import starmap
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Engine, cast, delete, func, insert, literal, literal_column, select, union_all
from sqlalchemy.orm import Session

from core import db
from core.facts.cuts import ATTRIBUTES, CUTS, OWN, TOPIC, TOPIC_CUTS, hold, topic_text
from core.models import DailyCount, MonthlyCount, TopicMembership, Voice

_KEY = ("facet", "by_facet", "received_on", "value", "by_value")
_MONTH_KEY = ("facet", "by_facet", "month", "value", "by_value")


@dataclass(frozen=True, slots=True)
class Difference:
    """A count that isn't what the voices say: ``kept`` stands in the table, ``counted`` is right.

    ``monthly``: it is a month's, under its first day.
    """

    facet: str
    by_facet: str
    received_on: date
    value: str
    by_value: str
    kept: int
    counted: int
    monthly: bool = False


def rebuild(engine: Engine) -> None:
    """Counts all voices from scratch, while others may go on writing."""
    with db.writing(engine) as session:
        hold(session)
        session.execute(delete(DailyCount))
        session.execute(delete(MonthlyCount))
        session.execute(insert(DailyCount).from_select([*_KEY, "voices"], _recount(CUTS)))
        session.execute(insert(MonthlyCount).from_select([*_MONTH_KEY, "voices"], _months(session)))


def recount_topics(session: Session) -> None:
    """Counts all voices by topic anew, after many went into others: for whoever replaces memberships, in the same transaction.

    From here to the transaction's end others who count voices wait, so this comes last, just before the audit trail.
    """
    session.flush()
    hold(session)
    for facet, by_facet in TOPIC_CUTS:
        for table in (DailyCount, MonthlyCount):
            session.execute(delete(table).where(table.facet == facet, table.by_facet == by_facet))
    session.execute(insert(DailyCount).from_select([*_KEY, "voices"], _recount(TOPIC_CUTS)))
    for facet, by_facet in TOPIC_CUTS:
        cut = (DailyCount.facet == facet, DailyCount.by_facet == by_facet)
        session.execute(insert(MonthlyCount).from_select([*_MONTH_KEY, "voices"], _months(session, *cut)))


def differences(session: Session, *, limit: int = 100) -> list[Difference]:
    """Where the counts aren't what the voices say, the first ``limit`` of them, days before months; empty when all is well."""
    counted = _recount(CUTS).cte("counted")
    days = [*(counted.c[name] for name in _KEY)]
    months = [_first_of_month(session, counted.c[name]) if name == "received_on" else counted.c[name] for name in _KEY]
    nothing, is_day, is_month = literal(0), literal(0), literal(1)
    both = union_all(
        select(is_day.label("monthly"), *days, nothing.label("kept"), counted.c.voices.label("counted")),
        select(is_day, *(getattr(DailyCount, name) for name in _KEY), DailyCount.voices, nothing),
        select(is_month, *months, nothing, counted.c.voices),
        select(is_month, *(getattr(MonthlyCount, name) for name in _MONTH_KEY), MonthlyCount.voices, nothing),
    ).subquery()
    key, kept, right = [both.c[name] for name in ("monthly", *_KEY)], func.sum(both.c.kept), func.sum(both.c.counted)
    found = select(*key[1:], kept, right, key[0]).group_by(*key).having(kept != right).order_by(*key).limit(limit)
    return list(starmap(Difference, ((*row[:-1], bool(row[-1])) for row in session.execute(found))))


def _recount(cuts: Iterable[tuple[str, str]]) -> Any:
    """The statement that counts all voices, in the table's columns. One pass over them, cut finely, is what all cuts are summed from."""
    fine = _fine()
    nothing = literal("")
    counts = []
    for facet, by_facet in cuts:
        values = [fine.c[name] if name else nothing for name in (facet, by_facet)]
        chosen = select(
            literal(facet).label("facet"),
            literal(by_facet).label("by_facet"),
            fine.c.received_on,
            values[0].label("value"),
            values[1].label("by_value"),
            func.sum(fine.c.voices).label("voices"),
        )
        named = [fine.c[name] for name in (facet, by_facet) if name]
        counts.append(chosen.group_by(fine.c.received_on, *named))
    return union_all(*counts)


def _fine() -> CTE:
    columns = [Voice.received_on, *(topic_text if name == TOPIC else getattr(Voice, name) for name in ATTRIBUTES)]
    each = select(*columns).outerjoin(TopicMembership, TopicMembership.voice_id == Voice.id)
    groups = [Voice.received_on, *(getattr(Voice, name) for name in OWN), TopicMembership.topic_id]
    return each.add_columns(func.count().label("voices")).group_by(*groups).cte("fine")


def _months(session: Session, *rows: ColumnElement[bool]) -> Any:
    month = _first_of_month(session, DailyCount.received_on)
    key = (DailyCount.facet, DailyCount.by_facet, month, DailyCount.value, DailyCount.by_value)
    return select(*key, func.sum(DailyCount.voices)).where(*rows).group_by(*key)


def _first_of_month(session: Session, day: Any) -> ColumnElement[date]:
    if session.get_bind().dialect.name == "postgresql":
        return cast(func.date_trunc(literal_column("'month'"), day), Date)
    return func.date(day, literal_column("'start of month'"), type_=Date)
