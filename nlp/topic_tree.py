"""The tree of topics: what lies above a topic, what below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.models import Topic


def above(topics: Mapping[int, Topic], topic_id: int) -> Iterator[Topic]:
    """A topic and all those above it, the nearest first. ``topics`` are all that there are, by their ids."""
    seen: set[int] = set()
    place: int | None = topic_id
    while place is not None and place in topics and place not in seen:
        yield topics[place]
        seen.add(place)
        place = topics[place].parent_id


def below(topics: Mapping[int, Topic], topic_id: int) -> Iterator[Topic]:
    """The topics next below one, in the order of their ids."""
    return (topic for number, topic in sorted(topics.items()) if topic.parent_id == topic_id)
