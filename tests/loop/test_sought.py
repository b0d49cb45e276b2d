from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import db
from core.models import Voice
from loop import queries, sought
from loop.filters import Order, Scope, Tab, VoiceFilter
from nlp import postings
from nlp.similar import terms
from tests import factories

DAY = date(2026, 9, 1)
TEXTS = {
    "段差": "歩道の段差が大きくて困っています。",
    "水道局": "水道局に電話した。",
    "水道": "水道の料金が高い。",
    "ゴミ": "ゴミの収集が遅い。",
    "第3": "第3橋の欄干がさびている。",
}


def indexed(session: Session, **texts: str) -> None:
    for name, text in texts.items():
        voice = factories.create_voice(session, theme="道路・交通", text=text, title="", receipt_number=f"R08-{name}", received_on=DAY)
        postings.write(session, [(voice.id, terms(text))])


def found(session: Session, text: str, tab: Tab = Tab.ALL) -> set[str]:
    wanted = Scope(filter=VoiceFilter(words=tuple(text.split())), tab=tab, department="", due_by=DAY, seen_by=None)
    rows = queries.list_voices(session, wanted, order=Order.NEWEST).rows
    assert queries.count_tabs(session, wanted)[tab] == len(rows)
    return {row.receipt_number.removeprefix("R08-") for row in rows}


@pytest.mark.parametrize("tab", [Tab.OPEN, Tab.ALL])
@pytest.mark.parametrize("most", [sought.MOST, 0], ids=["few voices have it", "many have it"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("段差", {"段差"}),
        ("困る", {"段差"}),  # in another form
        ("水道", {"水道", "水道局"}),  # in a longer word
        ("ごみ", {"ゴミ"}),  # in the other kana
        ("歩道の段差", {"段差"}),
        ("段差の歩道", set()),
        ("段差 歩道", {"段差"}),
        ("段差 水道", set()),
        ("R08-水道", {"水道"}),
        ("第3橋", {"第3"}),  # numbers aren't in the index
        ("第3橋 さびる", {"第3"}),
        ("ゼブラ", set()),
        ("100%", set()),
    ],
)
def test_words_are_found(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tab: Tab, most: int, words: str, expected: set[str]
) -> None:  # fmt: skip
    # With 0 a word that one voice has is common: open work is asked line by line, and all that the index gives is looked through.
    monkeypatch.setattr(sought, "MOST", most or 3)
    monkeypatch.setattr(sought, "_FEW", most)
    with db.writing(engine) as session:
        indexed(session, **TEXTS)
        assert found(session, words, tab) == expected


def test_of_the_newest_voices_the_text_itself_is_read(engine: Engine) -> None:
    with db.writing(engine) as session:
        indexed(session, **TEXTS, 上水道="上水道の工事がうるさい。")
        assert "水道" not in terms("上水道の工事がうるさい。"), "the index has other words there"
        assert found(session, "水道") == {"水道", "水道局", "上水道"}


@pytest.mark.parametrize("tab", [Tab.OPEN, Tab.ALL])
@pytest.mark.parametrize("few", [0, 5], ids=["common", "rare"])
def test_a_phrase_is_not_its_words_in_any_order_and_letters_have_no_case(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, few: int, tab: Tab
) -> None:
    monkeypatch.setattr(sought, "_FEW", few)
    with db.writing(engine) as session:
        texts = {
            "1": "ごみステーションが遠い。",
            "2": "駅のステーションでごみを見た。",
            "3": "ごみを掃除する。",
            "4": "JR東日本の駅前。",
            "5": "jrの駅。",
        }
        indexed(session, **texts)
        assert found(session, "ごみステーション", tab) == {"1"}
        assert found(session, "JR", tab) == {"4", "5"}
        assert found(session, "jr", tab) == {"4", "5"}


def test_of_a_common_word_the_newest_voices_are_shown_and_all_open_work(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sought, "MOST", 2)
    monkeypatch.setattr(sought, "_FEW", 2)
    with db.writing(engine) as session:
        indexed(session, **{str(number): "歩道の段差が大きい。" for number in range(5)})
        assert found(session, "段差") == {"3", "4"}
        assert found(session, "段差", Tab.OPEN) == {"0", "1", "2", "3", "4"}
        assert sought.look_up(session, ["段差"]).common


def test_a_common_word_of_a_period_is_looked_up_in_the_period(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sought, "MOST", 2)
    monkeypatch.setattr(sought, "_FEW", 2)
    with db.writing(engine) as session:
        indexed(session, **{str(number): "歩道の段差が大きい。" for number in range(5)})
        for voice in session.query(Voice):
            voice.received_on = DAY + timedelta(days=voice.id)
        session.flush()
        oldest = min(voice.received_on for voice in session.query(Voice))
        wanted = Scope(filter=VoiceFilter(words=("段差",), until=oldest), tab=Tab.ALL, department="", due_by=DAY, seen_by=None)
        assert len(queries.list_voices(session, wanted, order=Order.NEWEST).rows) == 1


def test_words_that_the_index_lacks_are_named(engine: Engine) -> None:
    with db.writing(engine) as session:
        indexed(session, **TEXTS)
        both, alone = sought.look_up(session, ["第3橋", "段差"]), sought.look_up(session, ["第3橋"])
        assert (both.unknown, both.alone) == (("第3橋",), False)
        assert (alone.unknown, alone.alone) == (("第3橋",), True)
