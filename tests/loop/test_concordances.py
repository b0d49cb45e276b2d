"""Words in context over the tables of both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import db
from core.models import Voice
from loop import sought
from loop.concordances import Concordance, Sort, concordance
from loop.filters import VoiceFilter
from nlp import likeness, postings
from nlp.similar import Lookup, terms
from tests import factories

FIRST = date(2026, 4, 1)
TEXTS = (
    "歩道の段差が大きい。",
    "段差のない歩道にしてほしい。",
    "ゴミの収集が遅い。",
    "夜は怖くて歩いて帰れない。",
    "子どもが歩道を歩かない。",
)


@pytest.fixture
def voices(engine: Engine) -> list[Voice]:
    """Thirty voices, one a day, with five texts in turn."""
    with db.writing(engine) as session:
        made = [
            factories.create_voice(
                session, text=TEXTS[at % 5], title="", received_on=FIRST + timedelta(days=at), labelled=False, counted=False
            )
            for at in range(30)
        ]
        likeness.index(session, [(voice.id, terms(voice.text)) for voice in made])
    return made


def look(engine: Engine, *words: str, sort: Sort = Sort.NEWEST, page: int = 1, page_size: int = 50, **scope: object) -> Concordance:
    with db.reading(engine) as session:
        return concordance(session, words, VoiceFilter(**scope), sort=sort, seen_by=None, page=page, page_size=page_size)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("歩道",), 18),
        (("歩く",), 12),
        (("歩かない",), 6),
        (("ごみ",), 6),
        (("こども",), 6),
        (("歩道", "段差"), 12),
        (("歩道", "子供"), 6),
        (("歩道の段差",), 6),
        (("段差の歩道",), 0),
        (("夜",), 6),
        (("の",), 18),
        (("歩道", "の"), 12),
        (("ゼブラ",), 0),
    ],
)
def test_voices_that_have_the_words(engine: Engine, voices: list[Voice], words: tuple[str, ...], count: int) -> None:
    found = look(engine, *words)
    assert found.voices == sum(found.months.values()) == count
    assert len({line.receipt_number for line in found.lines}) == count


def test_counts_by_month_within_a_period(engine: Engine, voices: list[Voice]) -> None:
    found = look(engine, "歩道", since=FIRST + timedelta(days=5), until=FIRST + timedelta(days=14))
    assert found.months == {FIRST: 6}


def test_pages_hold_every_voice_once(engine: Engine, voices: list[Voice]) -> None:
    for sort in (Sort.NEWEST, Sort.OLDEST, Sort.RIGHT):
        pages = [look(engine, "歩道", sort=sort, page=page, page_size=7) for page in (1, 2, 3)]
        assert {found.pages for found in pages} == {3}
        numbers = [line.receipt_number for found in pages for line in found.lines]
        assert len(numbers) == len(set(numbers)) == 18
    assert look(engine, "歩道", page=4, page_size=7).lines == []


def test_a_word_of_too_many_voices_is_looked_up_in_the_newest_of_the_period(
    engine: Engine, voices: list[Voice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sought, "MOST", 4)
    monkeypatch.setattr(sought, "_FEW", 6)
    found = look(engine, "歩道")
    assert found.common
    assert [line.received_on.day for line in found.lines] == [30, 27, 26, 25]
    found = look(engine, "歩道", until=FIRST + timedelta(days=9))
    assert [line.received_on.day for line in found.lines] == [10, 7, 6, 5]
    assert not look(engine, "歩道", "ゴミ").common


def test_an_unknown_word_is_looked_for_in_the_newest_voices(engine: Engine, voices: list[Voice], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sought, "MOST", 10)
    found = look(engine, "夜")
    assert (found.voices, found.unknown) == (2, ("夜",))
    assert look(engine, "歩く").unknown == ()


def test_a_receipt_number_is_no_word(engine: Engine, voices: list[Voice]) -> None:
    assert look(engine, voices[0].receipt_number).voices == 0


def test_voices_that_are_gone_are_not_counted(engine: Engine, voices: list[Voice]) -> None:
    with db.writing(engine) as session:
        session.delete(session.get_one(Voice, voices[0].id))
    assert look(engine, "歩道").voices == 17


@pytest.mark.parametrize("last", [0, 1, 12, 18, 10**6])
def test_the_index_gives_the_newest_up_to_a_voice(engine: Engine, voices: list[Voice], last: int) -> None:
    holding = [voice.id for voice in reversed(voices) if "歩道" in voice.text and (not last or voice.id <= last)]
    with Session(engine) as session:
        (found,) = postings.find(session, [Lookup(("歩道",), 1.0, 4, last)])
    assert found == holding[:4]
