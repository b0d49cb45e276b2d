"""By what voices are counted, and what a voice brings to the counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

from sqlalchemy import Select, String, cast, func, select, text
from sqlalchemy.orm import Session

from core.bulk import among
from core.models import TopicMembership, Voice

OWN: Final = ("channel", "department", "district", "kind", "subtheme", "theme", "urgency")
"""The attributes that stand in a voice's own row."""
TOPIC: Final = "topic"
ATTRIBUTES: Final = (*OWN[:-1], TOPIC, OWN[-1])
_PAIRED = tuple(name for name in ATTRIBUTES if name != "subtheme")
CUTS: Final = tuple(sorted([("", ""), *((name, "") for name in ATTRIBUTES), *combinations(_PAIRED, 2)]))
TOPIC_CUTS: Final = tuple(cut for cut in CUTS if TOPIC in cut)

topic_text = func.coalesce(cast(TopicMembership.topic_id, String), "").label(TOPIC)
"""What the counts call a voice's topic, where memberships are joined from outside."""
_topic_of = select(cast(TopicMembership.topic_id, String)).where(TopicMembership.voice_id == Voice.id).correlate(Voice).scalar_subquery()
COLUMNS: Final = (
    Voice.received_on,
    *(func.coalesce(_topic_of, "").label(TOPIC) if name == TOPIC else getattr(Voice, name) for name in ATTRIBUTES),
)
"""What ``add`` and ``remove`` want to know of a voice: to be selected where only its id is at hand."""


def attributes_of(session: Session, voice: Voice) -> dict[str, Any]:
    """A voice's day and attributes as they are now, as ``add``, ``remove`` and ``move`` take them.

    Until the transaction ends nobody counts topics anew or puts voices into others: what this says goes on being right.
    """
    share(session)
    topic = session.scalar(select(cast(TopicMembership.topic_id, String)).where(TopicMembership.voice_id == voice.id))
    return {"received_on": voice.received_on, **{name: getattr(voice, name) for name in OWN}, TOPIC: topic or ""}


def rows_of(session: Session, voices: Sequence[int]) -> list[dict[str, Any]]:
    """``attributes_of`` many voices, given by their ids, with ``id``; in the order of the ids. It doesn't hold counts: see ``share``."""
    wanted: Select[Any] = select(Voice.id, *COLUMNS).where(among(session, Voice.id, voices)).order_by(Voice.id)
    return [dict(row) for row in session.execute(wanted).mappings()]


def share(session: Session) -> None:
    """Until the transaction ends, those who hold the counts alone wait. Others who count single voices don't."""
    _lock(session, "ROW EXCLUSIVE")


def hold(session: Session) -> None:
    """Until the transaction ends, nobody else changes a count: for those who move many voices at once, or count anew.

    Voices that are counted but not yet committed are waited for; those that aren't counted yet are counted after this. Whoever needs rows
    of voices, topics or memberships locks them before, and writes to the audit trail after.
    """
    _lock(session, "SHARE ROW EXCLUSIVE")


def _lock(session: Session, mode: str) -> None:
    if session.get_bind().dialect.name == "postgresql":  # a writer on SQLite is alone
        session.execute(text(f"LOCK TABLE daily_counts IN {mode} MODE"))
