"""What became of a topic: its events with the names of topics and people that stand in them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Topic, TopicEvent, User
from nlp.topics import service


@dataclass(frozen=True, slots=True)
class History:
    """``events``, the oldest first. ``names``: of topics by id; ``people``: what users are called, by their user names."""

    events: list[TopicEvent]
    names: dict[int, str]
    people: dict[str, str]


def history(session: Session, topic_id: int) -> History:
    """All that became of a topic at runs and by people's hands.

    Raises:
        NotFoundError: there is no such topic.
    """
    events = [event for _, event in service.history(session, topic_id)]
    others = {other for event in events for other in event.others}
    acting = {event.actor for event in events if event.run_id is None}
    names = dict(session.execute(select(Topic.id, Topic.name).where(Topic.id.in_(others))).all()) if others else {}
    people = dict(session.execute(select(User.username, User.display_name).where(User.username.in_(acting))).all()) if acting else {}
    return History(events, names, people)
