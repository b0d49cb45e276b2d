"""koe opinions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core import db
from tests import factories
from tests.api.conftest import Koe, json_lines, refused


@pytest.fixture
def topic(home: Path) -> int:
    """A topic with three of four voices."""
    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    texts = ("歩道が狭いです。", "歩道が狭くて困る。直してください。", "歩道の拡幅に賛成です。", "街灯が暗い。")
    with db.writing(engine) as session:
        voices = [factories.create_voice(session, text=text, received_on=date(2026, 9, 1 + day)) for day, text in enumerate(texts)]
        topic = factories.create_topic(session, name="歩道", voices=voices[:3])
        number = int(topic.id)
    engine.dispose()
    return number


def test_a_topic_is_read_and_printed(koe: Koe, topic: int) -> None:
    result = koe("opinions", "--topic", str(topic))
    assert result.exit_code == 0, result.output
    assert "3 件の声を新しく読み取りました" in result.stderr
    assert "歩道：3 件のうち 3 件を読み取り済み" in result.stdout
    assert "賛成 1、反対 0、どちらでもない 2" in result.stdout
    assert "2 件  歩道 → 狭い（悪い）" in result.stdout
    assert "0 件の声を新しく読み取りました" in koe("opinions", "--topic", str(topic)).stderr


def test_as_json_over_all_voices(koe: Koe, topic: int) -> None:
    (first,) = json_lines(koe("opinions", "--limit", "1", "--json").stdout)
    assert (first["topic_id"], first["voices"], first["read"]) == (None, 4, 1)
    (none_more,) = json_lines(koe("opinions", "--limit", "0", "--json").stdout)
    assert none_more == first
    (whole,) = json_lines(koe("opinions", "--json").stdout)
    assert whole["read"] == 4
    assert whole["stances"] == {"賛成": 1, "反対": 0, "どちらでもない": 3}
    top = whole["pairs"][0]
    assert (top["topic"], top["predicate"], top["polarity"], top["count"], len(top["voice_ids"])) == ("歩道", "狭い", "negative", 2, 2)


def test_a_topic_that_is_not_there_is_told(koe: Koe) -> None:
    assert "話題" in refused(koe("opinions", "--topic", "99"))
