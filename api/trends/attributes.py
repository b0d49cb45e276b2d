"""The attributes that tables go by: their names, what their values are called, and the desk's list behind a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import facts
from core.models import Topic
from loop.filters import WITHOUT


class Attribute(StrEnum):
    """What voices are counted by. The value is the column's name and stands in the address."""

    THEME = "theme"
    KIND = "kind"
    DEPARTMENT = "department"
    DISTRICT = "district"
    CHANNEL = "channel"
    URGENCY = "urgency"
    TOPIC = "topic"


NAMES = {
    Attribute.THEME: "分野",
    Attribute.KIND: "種別",
    Attribute.DEPARTMENT: "所管課",
    Attribute.DISTRICT: "地区",
    Attribute.CHANNEL: "受付媒体",
    Attribute.URGENCY: "緊急度",
    Attribute.TOPIC: "話題",
}


@dataclass(frozen=True, slots=True)
class Values:
    """What the values of the attributes are called.

    ``topics`` are the topics' names by the text of their id, ``above`` those that have others below them.
    """

    topics: Mapping[str, str]
    above: frozenset[str]

    @classmethod
    def of(cls, session: Session, attributes: Iterable[Attribute]) -> Values:
        """Reads the topics' names where topics are among the attributes."""
        if Attribute.TOPIC not in attributes:
            return cls({}, frozenset())
        rows = session.execute(select(Topic.id, Topic.name, Topic.parent_id)).all()
        return cls({str(row.id): row.name for row in rows}, frozenset(str(row.parent_id) for row in rows))

    def name(self, attribute: Attribute, value: str) -> str:
        """A value as people say it."""
        if attribute is Attribute.TOPIC:
            return self.topics.get(value, f"話題 {value}") if value else "まだ話題に入っていない声"
        return value or WITHOUT

    def filter(self, attribute: Attribute, value: str) -> dict[str, Any] | None:
        """The desk's filter for a value; to have none is one, too.

        ``None`` for voices right in a topic that has others below it: the desk would show those as well.
        """
        if attribute is Attribute.TOPIC:
            if value in self.above:
                return None
            return {"topic": value or 0}
        return {attribute.value: value or WITHOUT}


def counted() -> dict[Attribute, str]:
    """The attributes that voices are counted by, with their names."""
    return {attribute: name for attribute, name in NAMES.items() if facts.is_counted([attribute.value])}
