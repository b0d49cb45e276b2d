"""Topics in the tables: fitted, kept, ended, listed and exported."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, select, update

from core import db, facts
from core.clock import utc_now
from core.errors import InputError, NotFoundError
from core.models import (
    AuditEntry,
    Topic,
    TopicEvent,
    TopicEventKind,
    TopicMembership,
    TopicMove,
    TopicRun,
    TopicSpace,
    TopicStatus,
    Voice,
)
from core.settings import Settings
from nlp.topics import service
from tests.factories import create_topic, create_user, create_voice

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


def events(engine: Engine, run: int) -> dict[int, TopicEvent]:
    with db.reading(engine) as session:
        return {event.topic_id: event for event in session.scalars(select(TopicEvent).where(TopicEvent.run_id == run))}


def test_each_run_tells_what_became_of_each_topic(engine: Engine, trained_settings: Settings) -> None:
    add_voices(engine, MATTERS)
    first = service.fit_topics(engine, trained_settings, actor="tester")
    told = events(engine, first.run)
    with db.reading(engine) as session:
        sizes = {topic.id: topic.size for topic in session.scalars(select(Topic))}
    assert told.keys() == sizes.keys()
    assert {event.kind for event in told.values()} == {TopicEventKind.BORN}
    assert {(event.before, event.after, event.actor) for event in told.values()} == {(0, size, "tester") for size in sizes.values()}
    second = service.fit_topics(engine, trained_settings)
    for topic_id in first.born:
        event = events(engine, second.run)[topic_id]
        assert (event.kind, event.before, event.after) == (TopicEventKind.KEPT, sizes[topic_id], sizes[topic_id])
        assert (event.kept_share, event.drift) == (1, pytest.approx(0, abs=1e-4))
    add_voices(engine, {"除雪": MATTERS["除雪"]}, times=3)
    third = service.update_topics(engine, trained_settings)
    after = events(engine, third.run)
    assert {number for number in first.born if after[number].after >= 1.25 * after[number].before} == {*third.grew} != set()
    grown = third.grew[0]
    assert after[grown].kind is TopicEventKind.GREW
    with db.reading(engine) as session:
        assert [event.run_id for _, event in service.history(session, grown)] == [first.run, second.run, third.run]
        with pytest.raises(NotFoundError, match="話題 999"):
            service.history(session, 999)


def test_the_counts_follow_every_run(engine: Engine, trained_settings: Settings) -> None:
    add_voices(engine, MATTERS)
    service.fit_topics(engine, trained_settings)
    with db.reading(engine) as session:
        assert facts.differences(session) == []
    add_voices(engine, {"ごみ": MATTERS["ごみ"]})
    service.update_topics(engine, trained_settings)
    with db.reading(engine) as session:
        assert facts.differences(session) == []


def test_two_fits_of_the_same_voices_are_identical(trained_settings: Settings, sqlite_template: Path, tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        shutil.copy(sqlite_template, tmp_path / name)
        database = db.connect(f"sqlite:///{tmp_path / name}")
        add_voices(database, MATTERS)
        service.fit_topics(database, trained_settings)
        with db.reading(database) as session:
            rows = (TopicMembership.voice_id, TopicMembership.topic_id, TopicMembership.probability, TopicMembership.x, TopicMembership.y)
            found.append([tuple(row) for row in session.execute(select(*rows).order_by(TopicMembership.voice_id))])
        database.dispose()
    assert found[0] == found[1]
    assert {0 <= place <= 1 for *_, x, y in found[0] for place in (x, y)} == {True}


def test_an_update_places_new_voices_as_the_fit_would_and_leaves_the_others(engine: Engine, trained_settings: Settings) -> None:
    add_voices(engine, MATTERS)
    service.fit_topics(engine, trained_settings)
    before = memberships(engine)
    add_voices(engine, MATTERS)
    report = service.update_topics(engine, trained_settings)
    after = memberships(engine)
    assert report.placed == 48
    assert {voice: after[voice] for voice in before} == before
    assert [after[voice] for voice in sorted(after)[48:]] == [before[voice] for voice in sorted(before)], "the same words"
    with db.reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(TopicMembership).where(TopicMembership.x.is_(None))) == 0
        sizes = dict(session.execute(select(TopicMembership.topic_id, func.count()).group_by(TopicMembership.topic_id)).all())
        assert all(topic.size == sizes[topic.id] for topic in session.scalars(select(Topic)) if topic.id in sizes)
    assert service.update_topics(engine, trained_settings).placed == 0


def test_topics_of_before_the_space_was_stored_are_updated_too(sqlite_engine: Engine, trained_settings: Settings) -> None:
    add_voices(sqlite_engine, MATTERS)
    service.fit_topics(sqlite_engine, trained_settings)
    before = memberships(sqlite_engine)
    with db.writing(sqlite_engine) as session:
        session.execute(update(TopicSpace).values(scheme="older"))
    add_voices(sqlite_engine, MATTERS)
    service.update_topics(sqlite_engine, trained_settings)
    after = memberships(sqlite_engine)
    assert [after[voice] for voice in sorted(after)[48:]] == [before[voice] for voice in sorted(before)]


def test_what_people_did_holds_at_every_run(engine: Engine, trained_settings: Settings) -> None:
    add_voices(engine, MATTERS)
    first = service.fit_topics(engine, trained_settings)
    before = memberships(engine)
    voice, other = min(before), next(topic for topic in before.values() if topic != before[min(before)])
    with db.writing(engine) as session:
        user = create_user(session)
        named, pinned = session.get_one(Topic, first.born[0]), create_topic(session, name="動物園", parent_id=None)
        named.name, named.named_by = "雪のこと", user.id
        pinned.seeds = ["象", "動物園"]
        session.add(TopicMove(voice_id=voice, topic_id=other, moved_by=user.username, moved_at=utc_now()))
        ids = (named.id, pinned.id)
    for run in (service.fit_topics, service.update_topics, service.fit_topics):
        add_voices(engine, {"図書": "{}の図書館で本を借りました"})
        run(engine, trained_settings)
        assert memberships(engine)[voice] == other
        with db.reading(engine) as session:
            named, pinned = (session.get_one(Topic, number) for number in ids)
            assert (named.name, named.status) == ("雪のこと", TopicStatus.ACTIVE)
            assert named.machine_name
            assert (pinned.status, pinned.seeds) == (TopicStatus.ACTIVE, ["象", "動物園"])


def test_a_topic_that_people_merged_never_comes_back(engine: Engine, trained_settings: Settings) -> None:
    add_voices(engine, MATTERS)
    first = service.fit_topics(engine, trained_settings)
    gone, target = first.born[:2]
    with db.writing(engine) as session:
        topic = session.get_one(Topic, gone)
        topic.status, topic.merged_into = TopicStatus.MERGED, target
        session.execute(update(TopicMembership).where(TopicMembership.topic_id == gone).values(topic_id=target))
    add_voices(engine, MATTERS)
    service.update_topics(engine, trained_settings)
    assert gone not in memberships(engine).values()
    service.fit_topics(engine, trained_settings)
    assert gone not in memberships(engine).values()
    with db.reading(engine) as session:
        assert session.get_one(Topic, gone).status is TopicStatus.MERGED


def test_a_run_that_is_stopped_leaves_everything_as_it_was(engine: Engine, trained_settings: Settings) -> None:
    class Stopped(Exception):  # noqa: N818
        pass

    add_voices(engine, MATTERS)
    service.fit_topics(engine, trained_settings)
    before = memberships(engine)
    add_voices(engine, MATTERS)
    told: list[str] = []
    service.fit_topics(engine, trained_settings, progress=lambda _done, _total, message: told.append(message))
    assert len(set(told)) > 5
    with db.reading(engine) as session:
        runs = session.scalar(select(func.count()).select_from(TopicRun))
        after = memberships(engine)
    assert set(after) > set(before)
    for last in dict.fromkeys(told):

        def stop(_done: int, _total: int, message: str, last: str = last) -> None:
            if message == last:
                raise Stopped

        with pytest.raises(Stopped):
            service.fit_topics(engine, trained_settings, progress=stop)
    with db.reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(TopicRun)) == runs
    assert memberships(engine) == after


def test_voices_that_go_while_a_fit_is_under_way(engine: Engine, trained_settings: Settings) -> None:
    add_voices(engine, MATTERS)

    def undo(_done: int, _total: int, message: str) -> None:
        if "保存" in message:
            with db.writing(engine) as session:
                session.execute(delete(Voice).where(Voice.external_id.like("除雪%")))

    service.fit_topics(engine, trained_settings, progress=undo)
    assert len(memberships(engine)) == 36


def test_a_topic_that_a_person_makes_while_a_fit_is_under_way_stays(engine: Engine, trained_settings: Settings) -> None:
    add_voices(engine, MATTERS)
    service.fit_topics(engine, trained_settings)
    made: list[int] = []

    def split(_done: int, _total: int, message: str) -> None:
        if "保存" in message:
            with db.writing(engine) as session:
                topic = create_topic(session, name="駅前の雪")
                session.execute(update(TopicMembership).where(TopicMembership.voice_id == 1).values(topic_id=topic.id))
                made.append(topic.id)

    service.fit_topics(engine, trained_settings, progress=split)
    assert memberships(engine)[1] == made[0]
    with db.reading(engine) as session:
        assert session.get_one(Topic, made[0]).status is TopicStatus.ACTIVE
