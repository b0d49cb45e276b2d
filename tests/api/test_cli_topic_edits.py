from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, select

from core import db, facts
from core.models import AuditEntry, Topic, User, Voice
from tests.api.conftest import Koe
from tests.factories import create_topic, create_user, create_voice


@pytest.fixture
def topics(database: Engine) -> tuple[int, int]:
    with db.writing(database) as session:
        texts = ["歩道の段差で車いすが止まります。", "歩道が狭くて通れません。", "歩道に段差があります。"]
        walk = create_topic(session, name="歩道の段差", voices=[create_voice(session, text=text, labelled=False) for text in texts])
        lamp = create_topic(session, name="街灯", voices=[create_voice(session, labelled=False) for _ in range(2)])
        create_user(session, username="tanaka")
        return walk.id, lamp.id


def names(database: Engine) -> dict[int, tuple[str, int, str]]:
    with db.reading(database) as session:
        assert facts.differences(session) == []
        return {topic.id: (topic.name, topic.size, topic.status.value) for topic in session.scalars(select(Topic))}


def test_every_act_and_back(koe: Koe, database: Engine, topics: tuple[int, int]) -> None:
    walk, lamp = topics
    with db.reading(database) as session:
        number = session.scalars(select(Voice.receipt_number).order_by(Voice.id)).first()
        assert number is not None
    before = names(database)
    steps = [
        (["rename", walk, "歩道の通りにくさ", "--user", "tanaka"], {walk: ("歩道の通りにくさ", 3, "active")}),
        (["rename", walk, "--machine", "--user", "tanaka"], {}),
        (["merge", lamp, "--into", walk], {walk: ("歩道の段差", 5, "active"), lamp: ("街灯", 0, "merged")}),
        (["unmerge", lamp], {}),
        (["move", number, "--to", lamp, "--actor", "suzuki"], {walk: ("歩道の段差", 2, "active"), lamp: ("街灯", 3, "active")}),
        (["unmove", number], {}),
        (["pin", walk, "段差", "車いす"], {}),
        (["unpin", walk], {}),
    ]
    for arguments, after in steps:
        result = koe("topics", *map(str, arguments))
        assert result.exit_code == 0, result.stderr
        assert names(database) == before | after
    with db.reading(database) as session:
        actors = dict(session.execute(select(AuditEntry.action, AuditEntry.actor)).all())
    assert (actors["topics.rename"], actors["topics.move"], actors["topics.merge"]) == ("tanaka", "suzuki", "cli")


def test_dividing_by_a_word(koe: Koe, database: Engine, topics: tuple[int, int]) -> None:
    result = koe("topics", "split", str(topics[0]), "--word", "車いす", "--json")
    made = json.loads(result.stdout)
    assert (made["topic"], made["size"], made["pinned"]) == ("車いす", 1, ["車いす"])
    assert names(database)[topics[0]] == ("歩道の段差", 2, "active")
    assert "どちらか一つ" in koe("topics", "split", str(topics[0])).stderr


def test_a_name_needs_somebody_who_gives_it(koe: Koe, database: Engine, topics: tuple[int, int]) -> None:
    walk = str(topics[0])
    assert "利用者「」がいません" in koe("topics", "rename", walk, "名前").stderr
    assert "どちらか一つ" in koe("topics", "rename", walk, "--user", "tanaka").stderr
    assert "すでにあります" in koe("topics", "rename", walk, "街灯", "--user", "tanaka").stderr
    with db.reading(database) as session:
        assert session.scalars(select(Topic.named_by).where(Topic.id == topics[0])).one() is None
        assert session.scalar(select(User.username)) == "tanaka"
