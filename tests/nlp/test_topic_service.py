"""Topics in the tables: fitted, kept, ended, listed and exported."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, delete, func, select

from core import db
from core.errors import InputError
from core.models import AuditEntry, Topic, TopicMembership, TopicRun, TopicStatus, Voice
from core.settings import Settings
from nlp.topics import service
from tests.factories import create_voice

PLACES = ("駅前", "本町", "港", "山手", "川北", "汐浜", "学校の前", "坂の下", "橋の上", "病院の横", "図書館の前", "市場の裏")
MATTERS = {
    "除雪": "{}の除雪が遅くて歩道に雪が残っています",
    "保育": "{}の保育園に入園できず待機児童のままです",
    "ごみ": "{}の集積所でカラスがごみを散らかしています",
    "街灯": "{}の街灯が切れていて夜道が暗いです",
}


def add_voices(engine: Engine, matters: dict[str, str], *, times: int = 1) -> None:
    with db.writing(engine) as session:
        for _ in range(times):
            for matter, text in matters.items():
                for place in PLACES:
                    create_voice(session, text=text.format(place), external_id=f"{matter}-{place}", labelled=False)


def memberships(engine: Engine) -> dict[int, int]:
    with db.reading(engine) as session:
        return {row.voice_id: row.topic_id for row in session.execute(select(TopicMembership.voice_id, TopicMembership.topic_id))}


def test_no_voices_no_topics(engine: Engine, trained_settings: Settings) -> None:
    with pytest.raises(InputError, match="声がまだありません"):
        service.fit_topics(engine, trained_settings)
    with db.reading(engine) as session:
        assert service.list_topics(session) == []
        assert list(service.export_topics(session)) == []


def test_fit_then_refit_keeps_ids_and_peoples_names(engine: Engine, trained_settings: Settings) -> None:
    add_voices(engine, MATTERS)
    first = service.fit_topics(engine, trained_settings, actor="tester")
    assert first.voices == 48
    assert first.topics == len(first.born) > 1
    assert (first.kept, first.ended) == ((), ())
    before = memberships(engine)
    assert len(before) == 48
    with db.writing(engine) as session:
        named = session.get_one(Topic, first.born[0])
        named.name = "職員が付けた名前"
        names = {line.id: line.name for line in service.list_topics(session)} | {named.id: named.name}
    second = service.fit_topics(engine, trained_settings)
    assert (second.kept, second.born, second.ended) == (first.born, (), ())
    assert memberships(engine) == before
    with db.reading(engine) as session:
        assert {line.id: line.name for line in service.list_topics(session)} == names
        assert session.scalar(select(func.count()).select_from(Topic).where(Topic.is_rest)) == 1
        assert session.scalars(select(AuditEntry.actor).where(AuditEntry.action == "topics.fit").order_by(AuditEntry.id)).all() == [
            "tester",
            "cli",
        ]
        run = session.get_one(TopicRun, second.run)
        assert (run.mode, run.voices) == ("fit", 48)
        assert run.events == {"kept": list(first.born), "grew": [], "born": [], "split": [], "merged": [], "ended": []}
    said = second.as_dict()
    assert (said["kept"], said["born"], said["ended"]) == (len(first.born), 0, 0)
    assert said["seconds"] >= 0


def test_topics_are_listed_parents_first_and_rest_last(engine: Engine, trained_settings: Settings) -> None:
    add_voices(engine, MATTERS)
    service.fit_topics(engine, trained_settings)
    with db.reading(engine) as session:
        lines = service.list_topics(session)
        exported = list(service.export_topics(session))
    seen: set[int | None] = {None}
    for line in lines:
        assert line.parent_id in seen
        seen.add(line.id)
    assert [line.is_rest for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1].name == service.REST_NAME
    assert len({line.name for line in lines}) == len(lines)
    parents = {line.parent_id for line in lines} - {None}
    for parent in (line for line in lines if line.id in parents):
        assert parent.size == sum(line.size for line in lines if line.parent_id == parent.id)
    assert sum(line.size for line in lines if line.id not in parents) == 48
    names = {line.id: line.name for line in lines}
    assert [record["external_id"] for record in exported] == [f"{matter}-{place}" for matter in MATTERS for place in PLACES]
    for record in exported:
        assert set(record) == {"external_id", "topic_id", "topic", "parent_id", "probability"}
        assert record["topic"] == names[record["topic_id"]]
        assert record["topic_id"] not in parents
        assert 0 <= record["probability"] <= 1


def test_topics_whose_voices_are_gone_end(sqlite_engine: Engine, trained_settings: Settings) -> None:
    add_voices(sqlite_engine, MATTERS)
    first = service.fit_topics(sqlite_engine, trained_settings)
    before = memberships(sqlite_engine)
    gone = before[min(before)]
    with db.writing(sqlite_engine) as session:
        doomed = [voice_id for voice_id, topic_id in before.items() if topic_id == gone]
        session.execute(delete(TopicMembership).where(TopicMembership.voice_id.in_(doomed)))
        session.execute(delete(Voice).where(Voice.id.in_(doomed)))
    second = service.fit_topics(sqlite_engine, trained_settings)
    assert gone in second.ended
    assert set(second.kept) == set(first.born) - set(second.ended)
    with db.reading(sqlite_engine) as session:
        ended = session.get_one(Topic, gone)
        assert (ended.status, ended.size) == (TopicStatus.ENDED, 0)
        assert gone not in {line.id for line in service.list_topics(session)}
        assert gone in {line.id for line in service.list_topics(session, ended=True)}


def test_update_only_places_voices(sqlite_engine: Engine, trained_settings: Settings) -> None:
    add_voices(sqlite_engine, MATTERS)
    first = service.fit_topics(sqlite_engine, trained_settings)
    other = {"水道": "{}で水道管から漏水していて断水が続いています", "図書": "{}の本を借りる予約が届かず返却もできません"}
    add_voices(sqlite_engine, other, times=3)
    updated = service.update_topics(sqlite_engine, trained_settings)
    assert (updated.kept, updated.born) == (first.born, ())
    assert updated.voices == len(memberships(sqlite_engine)) == 48 + 72


def test_the_first_run_may_be_an_update(sqlite_engine: Engine, trained_settings: Settings) -> None:
    add_voices(sqlite_engine, MATTERS)
    assert service.update_topics(sqlite_engine, trained_settings).born


def test_voices_that_say_nothing(sqlite_engine: Engine, trained_settings: Settings) -> None:
    with db.writing(sqlite_engine) as session:
        for text in ("…", "。", "〔氏名〕", "!!", "12"):
            create_voice(session, text=text, labelled=False)
    report = service.fit_topics(sqlite_engine, trained_settings)
    assert report.voices == 5
    with db.reading(sqlite_engine) as session:
        assert sum(line.size for line in service.list_topics(session) if line.parent_id is not None or line.is_rest) == 5
