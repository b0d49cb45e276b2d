"""Opinions in the tables: read once, newest first, taken up again where it stopped, summed up by topic."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from core import db
from core.errors import NotFoundError
from core.models import Opinion, Topic, Voice
from core.settings import Settings
from nlp import opinions
from nlp.opinions import Polarity, Side
from nlp.opinions import service as opinion_service
from tests import factories

TEXTS = (
    "歩道が狭いです。街灯も暗い。",
    "歩道が狭くて歩けない。歩道が狭いのは前からです。",
    "歩道の拡幅工事を進めてほしい。",
    "ごみ袋の値上げに反対です。",
    "受付はいつからですか。",
)


def add_voices(session: Session, texts: tuple[str, ...] = TEXTS) -> list[Voice]:
    return [
        factories.create_voice(session, text=text, received_on=date(2026, 9, 1) + timedelta(days=day), labelled=False)
        for day, text in enumerate(texts)
    ]


@pytest.fixture
def topic(engine: Engine) -> Topic:
    """A topic of the first two voices, with one below it of the other three."""
    with db.writing(engine) as session:
        voices = add_voices(session)
        topic: Topic = factories.create_topic(session, voices=voices[:2])
        factories.create_topic(session, voices=voices[2:], parent_id=topic.id)
    return topic


def stored(engine: Engine) -> dict[int, Opinion]:
    with db.reading(engine) as session:
        return {row.voice_id: row for row in session.scalars(select(Opinion))}


def test_what_is_stored_is_what_was_read(engine: Engine, settings: Settings, topic: Topic) -> None:
    report = opinion_service.update(engine, settings)
    assert (report.read, report.waiting) == (5, 5)
    with db.reading(engine) as session:
        voices = session.scalars(select(Voice).order_by(Voice.id)).all()
        found = opinion_service.opinions_of(session, [voice.id for voice in voices])
        assert [found[voice.id] for voice in voices] == opinions.opinions([voice.text for voice in voices])
    assert {row.model for row in stored(engine).values()} == {opinions.version()}


def test_the_newest_first_and_on_from_there(engine: Engine, settings: Settings, topic: Topic) -> None:
    steps: list[tuple[int, int]] = []
    opinion_service.update(engine, settings, limit=2, progress=lambda done, of: steps.append((done, of)))
    assert steps == [(2, 2)]
    with db.reading(engine) as session:
        newest = session.scalars(select(Voice.id).order_by(Voice.received_on.desc()).limit(2)).all()
    assert set(stored(engine)) == set(newest)
    assert opinion_service.update(engine, settings).read == 3
    assert opinion_service.update(engine, settings).read == 0


def test_what_was_stored_stays_when_the_work_breaks_off(engine: Engine, settings: Settings) -> None:
    with db.writing(engine) as session:
        add_voices(session, ("歩道が狭い。",) * 100)

    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opinion_service.update(engine, settings, progress=stop)
    kept = len(stored(engine))
    assert 0 < kept < 100
    assert opinion_service.update(engine, settings).read == 100 - kept


def test_rows_of_earlier_rules_are_read_anew(engine: Engine, settings: Settings, topic: Topic) -> None:
    opinion_service.update(engine, settings)
    with db.writing(engine) as session:
        session.execute(update(Opinion).values(model="earlier", stance="反対"))
    with db.reading(engine) as session:
        assert opinion_service.opinions_of(session, list(stored(engine))) == {}
        assert opinion_service.summary(session, topic.id).read == 0
    assert opinion_service.update(engine, settings).read == 5
    assert {row.model for row in stored(engine).values()} == {opinions.version()}


def test_only_one_topic(engine: Engine, settings: Settings, topic: Topic) -> None:
    with db.writing(engine) as session:
        outside = factories.create_voice(session, text="公園が暗い。")
    assert opinion_service.update(engine, settings, topic=topic.id).read == 5
    assert outside.id not in stored(engine)
    with pytest.raises(NotFoundError):
        opinion_service.update(engine, settings, topic=999)


def test_one_voice_is_read_at_once_and_again_writes_no_second_row(engine: Engine, topic: Topic) -> None:
    with db.reading(engine) as session:
        voice = session.scalars(select(Voice).order_by(Voice.id)).first()
    assert voice is not None
    for _ in range(2):
        with db.writing(engine) as session:
            said = opinion_service.read_now(session, voice)
    assert [pair.topic for pair in said.pairs] == ["歩道", "街灯"]
    with db.reading(engine) as session:
        assert opinion_service.opinions_of(session, [voice.id]) == {voice.id: said}


def test_a_voice_that_was_deleted_meanwhile_is_left_out(engine: Engine, topic: Topic) -> None:
    with db.reading(engine) as session:
        voice = session.scalars(select(Voice).order_by(Voice.id)).first()
    assert voice is not None
    with db.writing(engine) as session:
        session.execute(delete(Voice).where(Voice.id == voice.id))
    with db.writing(engine) as session:
        opinion_service.read_now(session, voice)
    assert stored(engine) == {}


def test_a_deleted_voice_takes_its_row_along(engine: Engine, settings: Settings, topic: Topic) -> None:
    opinion_service.update(engine, settings)
    with db.writing(engine) as session:
        session.execute(delete(Voice))
        assert session.scalar(select(func.count()).select_from(Opinion)) == 0


def test_a_topic_is_summed_up_with_those_below(engine: Engine, settings: Settings, topic: Topic) -> None:
    opinion_service.update(engine, settings)
    with db.reading(engine) as session:
        found = opinion_service.summary(session, topic.id)
        first, second = session.scalars(select(Voice.id).order_by(Voice.received_on).limit(2)).all()
    assert (found.voices, found.read) == (5, 5)
    top = found.pairs[0]
    assert (top.topic, top.predicate, top.polarity) == ("歩道", "狭い", Polarity.NEGATIVE)
    assert (top.count, top.voice_ids) == (2, (second, first)), "a voice counts once, the newest comes first"
    assert found.stances == {Side.FOR: 1, Side.AGAINST: 1, Side.NEITHER: 3}
    assert (found.requests, found.questions) == (1, 1)
    assert found.request_share == pytest.approx(0.2)


@pytest.mark.parametrize("others", [0, 80])
def test_only_the_newest_are_looked_at(engine: Engine, settings: Settings, topic: Topic, others: int) -> None:
    """Found by walking back through all voices, or among the topic's own where those are fewer."""
    opinion_service.update(engine, settings)
    with db.writing(engine) as session:
        for _ in range(others):
            factories.create_voice(session, received_on=date(2026, 9, 20), labelled=False)
        every = opinion_service.summary(session, topic.id)
        found = opinion_service.summary(session, topic.id, newest=3)
        members = select(Opinion.voice_id).join(Voice).order_by(Voice.received_on.desc(), Voice.id.desc())
        assert (found.of, found.voices, found.read, every.of, every.voices) == (5, 3, 3, 5, 5)
        newest = set(session.scalars(members).all()[:3])
        behind = {voice for side in Side for voice in opinion_service.voices_behind(session, topic.id, side=side, newest=3)}
        assert behind == newest
        assert {voice for pair in found.pairs for voice in pair.voice_ids} <= newest
        assert opinion_service.summary(session, topic.id, newest=9) == every
        assert opinion_service.summary(session, None, newest=2).voices == 2


def test_a_period_and_what_was_not_read_yet(engine: Engine, settings: Settings, topic: Topic) -> None:
    opinion_service.update(engine, settings, limit=1)
    with db.reading(engine) as session:
        found = opinion_service.summary(session, topic.id, since=date(2026, 9, 2), until=date(2026, 9, 5))
        assert (found.voices, found.read) == (4, 1)
        nothing = opinion_service.summary(session, topic.id, until=date(2026, 9, 1))
        assert (nothing.voices, nothing.read, nothing.pairs, nothing.request_share) == (1, 0, (), 0.0)
        with pytest.raises(NotFoundError):
            opinion_service.summary(session, 999)


def test_the_voices_behind_each_number(engine: Engine, settings: Settings, topic: Topic) -> None:
    opinion_service.update(engine, settings)
    with db.reading(engine) as session:
        found = opinion_service.summary(session, topic.id)
        for pair in found.pairs:
            behind = opinion_service.voices_behind(session, topic.id, pair=(pair.topic, pair.predicate))
            assert tuple(behind) == pair.voice_ids
        for side, count in found.stances.items():
            assert len(opinion_service.voices_behind(session, topic.id, side=side)) == count
