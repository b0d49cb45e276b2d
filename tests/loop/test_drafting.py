"""Sources of a draft, from the tables: the city's own past answers and FAQ, of days before, on both databases."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import db
from core.errors import InputError
from core.models import Kind, Voice
from core.settings import Settings
from loop import drafting, recall
from nlp import likeness
from nlp.similar import terms
from tests import factories

DRAIN = "家の前の側溝のふたが割れていて、夜に足を取られそうになります。早く取りかえてください。"
BUS = "通学のバスの本数が減って、朝は満員で乗れません。増便してください。"
FIXED = "ご連絡をいただき、ありがとうございます。側溝のふたは職員が確認し、新しいものに取りかえました。"


def save(session: Session, text: str, answer: str = "", *, on: date = date(2026, 4, 10), **values: Any) -> Voice:
    """An indexed voice, with an answer of that day if one is given."""
    voice = factories.create_voice(session, text=text, labelled=False, received_on=values.pop("received_on", date(2026, 4, 1)), **values)
    if answer:
        factories.create_answer(session, voice, text=answer, answered_on=on)
    likeness.index(session, [(voice.id, terms(f"{voice.title}\n{voice.text}"))])
    return voice


def test_the_answer_to_the_same_matter_comes_with_where_it_is_from(engine: Engine) -> None:
    with db.writing(engine) as session:
        past = save(session, DRAIN, FIXED, department="道路維持課")
        save(session, BUS, "バスの増便は来年のダイヤで検討します。")
        asking = save(session, "側溝のふたが割れて危ないです。側溝のふたはいつ直りますか。", received_on=date(2026, 9, 1))
        found = drafting.sources(session, asking, sif=None, before=asking.received_on)
    first = found[0]
    assert (first.kind, first.number, first.text, first.answered_on) == ("answer", past.receipt_number, FIXED, date(2026, 4, 10))
    assert (first.asked, first.department) == (DRAIN, "道路維持課")
    assert first.question == "側溝のふたはいつ直りますか。"
    assert "側溝" in first.why
    assert 0 < first.score <= 1
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_only_answers_of_days_before_count_and_never_the_voices_own(engine: Engine) -> None:
    with db.writing(engine) as session:
        save(session, DRAIN, FIXED, on=date(2026, 9, 1))
        asking = save(session, DRAIN, "こちらの側溝も取りかえました。", on=date(2026, 8, 1), received_on=date(2026, 9, 1))
        assert drafting.sources(session, asking, sif=None, before=date(2026, 9, 1)) == []
        (later,) = drafting.sources(session, asking, sif=None, before=date(2026, 9, 2))
        (whenever,) = drafting.sources(session, asking, sif=None)
    assert (later.text, whenever.text) == (FIXED, FIXED)


def test_notes_of_calls_are_no_sources_and_one_wording_stands_once(engine: Engine) -> None:
    with db.writing(engine) as session:
        save(session, DRAIN, "道路維持課へ伝えますとお答えした。")
        for number in range(3):
            save(session, f"{DRAIN}{number}番地です。", FIXED)
        asking = save(session, DRAIN)
        (only,) = drafting.sources(session, asking, sif=None)
    assert (only.text, only.others) == (FIXED, 2)


def test_a_copy_of_a_campaign_is_answered_like_the_first(engine: Engine) -> None:
    with db.writing(engine) as session:
        save(session, DRAIN, FIXED)
        asking = save(session, DRAIN)
        (found,) = drafting.sources(session, asking, sif=None)
    assert found.text == FIXED


def test_an_faq_entry_is_in_the_same_list(engine: Engine) -> None:
    with db.writing(engine) as session:
        factories.create_faq_entry(
            session,
            counts={},
            number="F-77",
            question="粗大ごみの申込み方法を教えてください。",
            answer="電話で申し込み、処理券を貼って出してください。",
        )
        factories.create_faq_entry(session, counts={}, question="粗大ごみの料金を教えてください。", answer="")
        save(session, BUS, "バスの増便は来年のダイヤで検討します。")
        asking = save(session, "粗大ごみの申込み方法を教えてください。")
        found = drafting.sources(session, asking, sif=None)
    assert [(one.kind, one.number, one.answered_on) for one in found] == [("faq", "F-77", None)]
    assert found[0].text.startswith("電話で申し込み")


def test_a_voice_that_is_not_indexed_yet_is_read_as_it_stands(engine: Engine) -> None:
    with db.writing(engine) as session:
        save(session, DRAIN, FIXED)
        asking = factories.create_voice(session, text=DRAIN, labelled=False)
        (found,) = drafting.sources(session, asking, sif=None)
    assert found.text == FIXED


def test_recall_counts_voices_whose_matter_was_answered_before(engine: Engine) -> None:
    with db.writing(engine) as session:
        for number, text in enumerate((DRAIN, BUS)):
            save(session, text, f"{FIXED}{number}件目です。", external_id=f"past-{number}")
        save(session, DRAIN, received_on=date(2026, 9, 1), external_id="again")
        save(session, DRAIN, received_on=date(2026, 4, 10), external_id="the same day")
        save(session, BUS, received_on=date(2026, 9, 1), external_id="unknown")
        matters = {"past-0": "側溝", "past-1": "バス", "again": "側溝", "the same day": "側溝"}
        found = recall.measure(session, matters, sif=None)
        assert found is not None
        assert (found.voices, found.of) == (1, 1)
        assert {name: (hits.at_3, hits.at_1) for name, hits in found.ways.items()} == dict.fromkeys(
            ("sources", "likeness", "letters"), (1, 1)
        )
        turned = recall.measure(session, {**matters, "past-0": "バス", "past-1": "側溝"}, sif=None)
        assert turned is not None
        assert turned.ways["sources"].at_1 == 0
        assert recall.measure(session, {}, sif=None) is None


def test_a_first_draft_is_a_template_with_quotes_that_say_where_they_are_from(engine: Engine, settings: Settings) -> None:
    with db.writing(engine) as session:
        past = save(session, DRAIN, FIXED)
        asking = save(session, DRAIN, received_on=date(2026, 9, 1), theme="道路・交通", kind=Kind.REQUEST, department="道路維持課")
        made = drafting.draft(session, asking, settings=settings, sif=None, before=asking.received_on)
        (quote,) = made.quotes
        assert (made.text[quote.start : quote.end], quote.source.number) == (FIXED.split("。", 1)[1], past.receipt_number)
        assert asking.receipt_number in made.text
        assert "令和8年9月1日" in made.text
        assert "道路維持課　電話 0190-55-1000（内線3110）" in made.text
        assert (made.left_over, made.sources, made.offered) == ((), (quote.source,), (quote.source,))
        named = drafting.draft(session, asking, settings=settings, sif=None, template="移送のお知らせ", values={"移送先": "県の土木事務所"})
        assert "県の土木事務所の仕事です" in named.text
        with pytest.raises(InputError, match="ひな形"):
            drafting.draft(session, asking, settings=settings, sif=None, template="消えた")


def test_word_in_between_quotes_nothing(engine: Engine, settings: Settings) -> None:
    with db.writing(engine) as session:
        save(session, DRAIN, FIXED)
        asking = save(session, DRAIN, theme="道路・交通", kind=Kind.REQUEST)
        made = drafting.draft(session, asking, settings=settings, sif=None, stage="interim")
    assert made.quotes == ()
    assert {"本文", "見直し日"} <= set(made.left_over)
    assert [one.text for one in made.offered] == [FIXED]


def test_what_fits_badly_is_offered_and_not_quoted(engine: Engine, settings: Settings) -> None:
    with db.writing(engine) as session:
        save(session, "駅前の側溝の泥がにおいます。", FIXED, theme="ごみ・環境")
        asking = save(session, f"{BUS}{BUS}側溝も見てください。", theme="道路・交通", kind=Kind.REQUEST)
        made = drafting.draft(session, asking, settings=settings, sif=None)
    assert made.quotes == ()
    assert "本文" in made.left_over
