"""The map's points: who is on it, an even sample where there are many, the bytes that a browser reads, and the topics' middles."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import facts
from core.bulk import Same, insert_columns
from core.errors import NotFoundError
from core.models import Channel, Kind, Topic, TopicMembership, Urgency, Voice
from core.models.enums import Status
from loop import topic_map
from tests import factories

MANY = 5_000


def create_many(session: Session, topic: Topic, count: int, *, first: int) -> None:
    """Voices of a topic, in a row about its id."""
    ids = list(range(first, first + count))
    common = {
        "batch_id": Same(factories.create_batch(session).id), "channel": Same(Channel.PHONE), "received_on": Same(date(2026, 9, 1)),
        "text": Same("歩道の段差"), "theme": Same("道路・交通"), "kind": Same(Kind.REQUEST), "urgency": Same(Urgency.NORMAL),
        "confidence": Same(0.8), "status": Same(Status.ANSWERED), "created_at": Same(factories.NOON),
    }  # fmt: skip
    own = {"id": ids, "row": ids, "external_id": [str(voice) for voice in ids]}
    own |= {"receipt_number": [f"R08-{voice}" for voice in ids], "content_hash": [f"{voice:064x}" for voice in ids]}
    insert_columns(session, Voice.__table__, {**common, **own}, count=count)
    places = {"x": [voice % 100 / 100 for voice in ids], "y": Same(topic.id % 10 / 10)}
    member = {"voice_id": ids, "topic_id": Same(topic.id), "probability": Same(0.8), "run_id": Same(topic.last_run_id), **places}
    insert_columns(session, TopicMembership.__table__, member, count=count)


def test_every_voice_with_a_place_is_a_point(engine: Engine) -> None:
    with Session(engine) as session:
        voices = [factories.create_voice(session) for _ in range(4)]
        topic = factories.create_topic(session, voices=voices[:3])
        corner, edge, nowhere = session.scalars(select(TopicMembership).order_by(TopicMembership.voice_id))
        (corner.x, corner.y), (edge.x, edge.y), (nowhere.x, nowhere.y) = (0.0, 0.0), (1.0, 0.5), (None, None)
        session.flush()
        found = topic_map.points(session)
        assert found.voices.tolist() == [voices[0].id, voices[1].id]
        assert set(found.topics.tolist()) == {topic.id}
        assert found.x.tolist() == [0, 65_535]
        assert found.y.tolist()[0] == 0
        assert found.y.tolist()[1] / 65_535 == pytest.approx(0.5, abs=1e-4)
        assert found.total == 3


def test_without_topics_there_are_no_points(engine: Engine) -> None:
    with Session(engine) as session:
        found = topic_map.points(session)
        assert (len(found), found.total) == (0, 0)
        assert len(topic_map.packed(found)) == 12
        assert topic_map.middles(found, {1: [1]}) == {}


def test_of_many_voices_each_topic_gives_as_large_a_part(engine: Engine) -> None:
    with Session(engine) as session:
        large, small = (factories.create_topic(session, name=name) for name in ("歩道の段差", "街灯の球切れ"))
        # Ids that neither follow each other nor begin at one, and more than 32 bits once they are multiplied.
        create_many(session, large, 4 * MANY, first=2_000_000_000)
        create_many(session, small, MANY, first=7_000)
        facts.recount_topics(session)
        found = topic_map.points(session, most=MANY)
        assert found.total == 5 * MANY
        assert MANY * 0.97 < len(found) <= MANY
        shares = {topic.id: (found.topics == topic.id).sum() / len(found) for topic in (large, small)}
        assert shares[large.id] == pytest.approx(0.8, abs=0.01)
        # No stretch of ids is left out: of each hundredth of them, that is of each x, about as many are chosen.
        counts = np.bincount((found.x / 65_535 * 100).round().astype(int), minlength=100)[:100]
        assert counts.min() > MANY / 100 * 0.7
        assert len(np.unique(found.voices)) == len(found)
        assert len(topic_map.points(session)) == 5 * MANY


def test_the_bytes_are_what_the_script_reads(engine: Engine) -> None:
    with Session(engine) as session:
        factories.create_topic(session, voices=[factories.create_voice(session) for _ in range(3)])
        factories.create_topic(session, voices=[factories.create_voice(session) for _ in range(2)])
        found = topic_map.points(session)
    raw = topic_map.packed(found)
    count, topics, total = np.frombuffer(raw, "<u4", 3)
    assert (count, topics, total) == (5, 2, 5)
    ids = np.frombuffer(raw, "<u4", topics, 12)
    voices = np.frombuffer(raw, "<u4", count, 12 + 4 * topics)
    begin = 12 + 4 * topics + 4 * count
    x, y, own = (np.frombuffer(raw, "<u2", count, begin + 2 * part * count) for part in range(3))
    assert voices.tolist() == found.voices.tolist()
    assert ids[own].tolist() == found.topics.tolist()
    assert (x.tolist(), y.tolist()) == (found.x.tolist(), found.y.tolist())
    assert len(raw) == begin + 6 * count


def test_a_middle_is_the_median_of_a_family(engine: Engine) -> None:
    with Session(engine) as session:
        above = factories.create_topic(session, name="歩道と街灯")
        first = factories.create_topic(session, voices=[factories.create_voice(session) for _ in range(3)], parent_id=above.id)
        second = factories.create_topic(session, voices=[factories.create_voice(session) for _ in range(2)], parent_id=above.id)
        for at, member in enumerate(session.scalars(select(TopicMembership).order_by(TopicMembership.voice_id))):
            member.x, member.y = (0.1, 0.2, 0.9, 1.0, 1.0)[at], 0.5
        session.flush()
        found = topic_map.middles(topic_map.points(session), {above.id: [above.id, first.id, second.id], first.id: [first.id], 999: [999]})
    assert found == {above.id: (0.9, pytest.approx(0.5, abs=1e-4)), first.id: (0.2, pytest.approx(0.5, abs=1e-4))}


def test_the_version_changes_with_voices_runs_and_what_people_do(engine: Engine) -> None:
    from core.models import TopicEventKind

    with Session(engine) as session:
        seen = [topic_map.version(session)]
        topic = factories.create_topic(session)
        seen.append(topic_map.version(session))
        factories.join_topic(session, topic, [factories.create_voice(session)])
        seen.append(topic_map.version(session))
        factories.create_topic_event(session, topic, TopicEventKind.MOVED, actor="hanako")
        seen.append(topic_map.version(session))
        assert len(set(seen)) == 4
        assert topic_map.version(session) == seen[-1]


def test_a_voice_begins_masked_and_short(engine: Engine) -> None:
    with Session(engine) as session:
        long, other = factories.create_voice(session, text="〔氏名〕です。\n" + "歩道。" * 100), factories.create_voice(session)
        topic = factories.create_topic(session, voices=[long])
        found = topic_map.opening(session, long.id, seen_by=None)
        assert (found.receipt_number, found.topic_id, found.topic) == (long.receipt_number, topic.id, topic.name)
        assert found.text.startswith("〔氏名〕です。 歩道。")
        assert found.text.endswith("…")
        assert len(found.text) == 121
        for number in (other.id, 999_999):
            with pytest.raises(NotFoundError, match="地図にありません"):
                topic_map.opening(session, number, seen_by=None)
