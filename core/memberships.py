"""The voices of topics by the order of their days: read from the memberships' index, however many voices a topic has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, select, tuple_, union_all
from sqlalchemy.orm import Session

from core.models import Topic, TopicMembership

Place = tuple[date, int]
"""A voice's day and its id: where it stands in the order."""


def family(topic: int) -> Select[int]:
    """The ids of a topic and of all below it."""
    found = select(Topic.id).where(Topic.id == topic).cte(recursive=True)
    found = found.union(select(Topic.id).join(found, Topic.parent_id == found.c.id))
    return select(found.c.id)


def newest(
    session: Session,
    topic: int,
    *,
    limit: int,
    since: date | None = None,
    until: date | None = None,
    after: Place | None = None,
    before: Place | None = None,
) -> Sequence[Place]:
    """The newest voices of a topic with all below it.

    Args:
        session: the open session.
        topic: the topic's id; one that isn't there has no voices.
        limit: so many at most.
        since: the first day, or no bound.
        until: the last day, or no bound.
        after: only voices that come after this place, older ones.
        before: only voices that come before this place; those next to it are given, the oldest first.
    """
    day, voice = TopicMembership.received_on, TopicMembership.voice_id
    bounds: list[ColumnElement[bool]] = []
    if since is not None:
        bounds.append(day >= since)
    if until is not None:
        bounds.append(day <= until)
    if after is not None:
        bounds.append(tuple_(day, voice) < after)
    if before is not None:
        bounds.append(tuple_(day, voice) > before)
    # One topic at a time: an index gives its voices in order, and of each no more than are wanted are read.
    parts = [
        select(day, voice).where(TopicMembership.topic_id == leaf, *bounds).order_by(*_order(day, voice, before)).limit(limit)
        for leaf in session.scalars(family(topic))
    ]
    if not parts:
        return []
    whole = union_all(*[select(part.subquery()) for part in parts]).subquery()
    ordered = select(whole).order_by(*_order(whole.c.received_on, whole.c.voice_id, before)).limit(limit)
    return [(row[0], row[1]) for row in session.execute(ordered)]


def _order(day: Any, voice: Any, before: Place | None) -> list[UnaryExpression[Any]]:
    return [day.desc(), voice.desc()] if before is None else [day.asc(), voice.asc()]
