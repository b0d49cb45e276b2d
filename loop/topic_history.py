"""What became of a topic: its events with the names of topics and people that stand in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, case, cast, func, or_, select
from sqlalchemy.orm import Session

from core.models import Topic, TopicEvent, TopicEventKind, User

_MOST = 200
_FIRST = 0
"""Stands for the event before all others."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Runs, one after the other, in which a topic went on as it was. ``least_kept``: the smallest share of voices that stayed, 0 to 1."""

    first: datetime
    last: datetime
    runs: int
    least_kept: float | None


@dataclass(frozen=True, slots=True)
class History:
    """``events``: those in which something happened, the oldest first. ``quiet``: the runs after one of them, by its id; 0: before all.

    ``names`` are of topics by id, ``people`` what users are called by their user names; ``more``: there are earlier events.
    """

    events: list[TopicEvent]
    quiet: dict[int, Quiet]
    names: dict[int, str]
    people: dict[str, str]
    more: bool


def history(session: Session, topic_id: int, *, limit: int = _MOST) -> History:
    """What became of a topic at runs and by people's hands; of the events in which something happened the last ``limit``.

    Every run leaves an event of every topic, each few minutes where a mailbox is read: the database sums up those that say nothing.
    """
    told = or_(TopicEvent.kind != TopicEventKind.KEPT, cast(TopicEvent.others, String) != "[]")
    newest = select(TopicEvent).where(TopicEvent.topic_id == topic_id, told).order_by(TopicEvent.id.desc()).limit(limit + 1)
    found = list(session.scalars(newest))
    events, more = found[:limit][::-1], len(found) > limit
    others = {other for event in events for other in event.others}
    acting = {event.actor for event in events if event.run_id is None}
    names = dict(session.execute(select(Topic.id, Topic.name).where(Topic.id.in_(others))).all()) if others else {}
    people = dict(session.execute(select(User.username, User.display_name).where(User.username.in_(acting))).all()) if acting else {}
    return History(events, _quiet(session, topic_id, told, since=events[0].id if more else _FIRST), names, people, more)


def _quiet(session: Session, topic_id: int, told: ColumnElement[bool], *, since: int) -> dict[int, Quiet]:
    before = func.coalesce(func.max(case((told, TopicEvent.id))).over(order_by=TopicEvent.id), _FIRST)
    each = select(before.label("before"), case((told, 1), else_=0).label("told"), TopicEvent.at, TopicEvent.kept_share)
    rows = each.where(TopicEvent.topic_id == topic_id, TopicEvent.id >= since).subquery()
    sums = select(rows.c.before, func.min(rows.c.at), func.max(rows.c.at), func.count(), func.min(rows.c.kept_share))
    return {at: Quiet(*row) for at, *row in session.execute(sums.where(rows.c.told == 0).group_by(rows.c.before))}
