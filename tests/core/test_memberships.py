"""The newest voices of topics are those that looking at every voice would give, page by page in both directions."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import db, memberships
from core.models import Topic, TopicMembership, Voice
from tests import factories

FIRST = date(2026, 4, 1)


@pytest.fixture
def ids(engine: Engine) -> dict[str, int]:
    """A group of two topics and one that stands alone, in whose turn the voices of 12 days come in; three each day."""
    with db.writing(engine) as session:
        group = factories.create_topic(session, name="道路")
        found = {"道路": group.id}
        for place, (name, parent) in enumerate({"歩道": group.id, "街灯": group.id, "公園": None}.items()):
            voices = [
                factories.create_voice(session, received_on=FIRST + timedelta(days=(7 * number + place) % 12), labelled=False)
                for number in range(12)
            ]
            found[name] = factories.create_topic(session, name=name, voices=voices, parent_id=parent).id
        return found


def every(session: Session, *topics: int) -> list[memberships.Place]:
    """All places, by looking at each voice."""
    joined = select(Voice.received_on, Voice.id).join(TopicMembership, TopicMembership.voice_id == Voice.id)
    rows = session.execute(joined.where(TopicMembership.topic_id.in_(topics)))
    return sorted(((day, voice) for day, voice in rows), reverse=True)


def test_the_newest_of_a_topic_and_of_a_group(engine: Engine, ids: dict[str, int]) -> None:
    with db.reading(engine) as session:
        assert list(memberships.newest(session, ids["公園"], limit=5)) == every(session, ids["公園"])[:5]
        assert list(memberships.newest(session, ids["道路"], limit=7)) == every(session, ids["歩道"], ids["街灯"])[:7]
        assert list(memberships.newest(session, ids["道路"], limit=99)) == every(session, ids["歩道"], ids["街灯"])


def test_only_the_days_that_are_asked_for(engine: Engine, ids: dict[str, int]) -> None:
    since, until = FIRST + timedelta(days=3), FIRST + timedelta(days=8)
    with db.reading(engine) as session:
        wanted = [place for place in every(session, ids["歩道"], ids["街灯"]) if since <= place[0] <= until]
        assert len(wanted) == 12
        assert list(memberships.newest(session, ids["道路"], limit=99, since=since, until=until)) == wanted


def test_pages_forth_and_back_meet(engine: Engine, ids: dict[str, int]) -> None:
    with db.reading(engine) as session:
        whole = every(session, ids["歩道"], ids["街灯"])
        for at in range(len(whole)):
            assert list(memberships.newest(session, ids["道路"], limit=4, after=whole[at])) == whole[at + 1 : at + 5]
            assert list(memberships.newest(session, ids["道路"], limit=4, before=whole[at])) == whole[max(0, at - 4) : at][::-1]


def test_a_topic_that_is_not_there_has_no_voices(engine: Engine, ids: dict[str, int]) -> None:
    with db.reading(engine) as session:
        assert memberships.newest(session, max(ids.values()) + 1, limit=5) == []


def test_a_topic_above_itself_is_read_once(engine: Engine, ids: dict[str, int]) -> None:
    with db.writing(engine) as session:
        session.get_one(Topic, ids["道路"]).parent_id = ids["歩道"]
        session.flush()
        assert list(memberships.newest(session, ids["道路"], limit=99)) == every(session, ids["歩道"], ids["街灯"])
