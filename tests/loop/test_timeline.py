"""A case's course: everything once, newest first, in pages that agree with the whole. On both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from api.timeline_words import told
from core import db
from core.crypto import Keyring
from core.errors import InputError
from core.models import (
    Approval,
    ApprovalState,
    CaseEvent,
    Delivery,
    Dispatch,
    DispatchState,
    Draft,
    DraftRevision,
    Facet,
    Role,
    Voice,
)
from core.settings import Settings
from loop import cases, files, labels, merging, notes, originals
from loop.actors import Actor
from loop.steps import STEPS, Step
from loop.timeline import Entry, Place, Source, timeline
from nlp import taxonomy
from nlp.annotate import Masker
from nlp.taxonomy import Taxonomy
from tests import factories
from tests.loop.people import case_of, somebody, target
from tests.web.conftest import queries_of

ANSWERED = factories.NOON + timedelta(days=1)


@pytest.fixture
def city(settings: Settings) -> Taxonomy:
    return taxonomy.load(settings.taxonomy_dir)


def course(session: Session, voice: Voice, limit: int = 100) -> list[Entry]:
    return timeline(session, case_of(session, voice).id, limit=limit).entries


def answered(session: Session, voice: Voice, who: Actor, others: list[Voice]) -> None:
    """A draft that was returned once, approved, and sent to several residents."""
    case_id = case_of(session, voice).id
    draft = Draft(case_id=case_id, drafter_id=who.user_id, created_at=ANSWERED, changed_at=ANSWERED)
    session.add(draft)
    session.flush()
    common = {"draft_id": draft.id, "department": "道路維持課", "decided_by": who.user_id, "step": 0, "position": "係長"}
    for number, (state, comment) in enumerate(((ApprovalState.RETURNED, "時期を書いてください。"), (ApprovalState.APPROVED, "")), start=1):
        at = ANSWERED + timedelta(hours=number)
        session.add(DraftRevision(draft_id=draft.id, version=number, text="直します。", user_id=who.user_id, at=at))
        decided = {"decided_at": at + timedelta(minutes=1), "version": number, "round": number, "comment": comment}
        session.add(Approval(state=state, **common, **decided))
    session.add(Approval(**{**common, "step": 1, "position": "課長", "decided_by": None}, round=2, version=2))
    for number, other in enumerate(others):
        state = DispatchState.FAILED if number == 0 else DispatchState.SENT
        session.add(
            Dispatch(draft_id=draft.id, voice_id=other.id, delivery=Delivery.MAIL, state=state, at=ANSWERED + timedelta(hours=5 + number))
        )
    session.flush()


def full(session: Session, city: Taxonomy, keyring: Keyring, settings: Settings) -> Voice:
    """A case with something from every source, and another one merged into it."""
    mask = Masker(settings.taxonomy_dir)
    who, other = somebody(session, display_name="潮見 花子"), somebody(session, display_name="港 一郎")
    voices = [factories.create_voice(session, theme="道路・交通") for _ in range(3)]
    for voice in voices:
        factories.create_secret(session, voice, keyring)
    notes.add(session, target(voices[1]), "川北葉子さんに電話した。", actor=other, mask=mask, keyring=keyring)
    cases.assign(session, [target(voices[0])], "公園緑地課", actor=who, taxonomy=city, also=["ごみ減量課"])
    merging.merge(session, [target(voice) for voice in voices], actor=who)
    labels.decide(session, voices[0], Facet.KIND, "苦情", actor=other, taxonomy=city)
    (file,) = files.add(session, target(voices[0]), [files.ready("図.pdf", b"%PDF-1.7", mask=mask, keyring=keyring)], actor=who)
    originals.read_original(session, keyring, voices[2], actor=other, reason="urgent")
    files.open_file(session, session.get_one(Voice, voices[0].id), file.id, actor=who, reason="reply", keyring=keyring)
    answered(session, voices[0], who, voices)
    return voices[0]


def test_everything_is_told_once_and_in_japanese(engine: Engine, city: Taxonomy, keyring: Keyring, settings: Settings) -> None:
    with db.writing(engine) as session:
        voice = full(session, city, keyring, settings)
    with db.reading(engine) as session:
        entries = course(session, voice)
        lines = [told(entry) for entry in entries]
        assert [entry.place.key for entry in entries] == sorted((entry.place.key for entry in entries), reverse=True)
        for line in (
            "担当を決定: 公園緑地課（関係課 ごみ減量課）",
            "メモ",
            "添付: 8 バイト",
            "添付を開いた: 本人への回答・連絡のため",
            "回答案を保存: 第2版",
            "差し戻し: 道路維持課 係長、第1版「時期を書いてください。」",
            "承認: 道路維持課 係長、第2版",
            "送付: 電子メール 2 件",
            "送付できなかった: 電子メール 1 件",
        ):
            assert lines.count(line) == 1, (line, lines)
        assert sum(line.startswith("原文を表示（R08-") and line.endswith("緊急の対応のため") for line in lines) == 1
        assert sum(line.startswith("分類を決定: 種別 苦情") for line in lines) == 1
        (note,) = (entry for entry in entries if entry.code == "note")
        assert (note.user, note.values["is_masked"], "葉子" in note.values["text"]) == ("港 一郎", True, False)
        assert lines.count("案件をまとめる: 3 件") == 1, "one act on several cases is one line"


@pytest.mark.parametrize("limit", [1, 3])
def test_pages_hold_what_the_whole_holds(engine: Engine, city: Taxonomy, keyring: Keyring, settings: Settings, limit: int) -> None:
    """Also where all of it happened at the same moment."""
    with db.writing(engine) as session:
        voice = full(session, city, keyring, settings)
        for column in (CaseEvent.at, DraftRevision.at, Approval.decided_at, Dispatch.at):
            session.execute(update(column.class_).values({column: ANSWERED}))
    with db.reading(engine) as session:
        case_id = case_of(session, voice).id
        whole = [entry.place for entry in timeline(session, case_id, limit=100).entries]
        found: list[Place] = []
        after = ""
        while True:
            page = timeline(session, case_id, after=after, limit=limit)
            found += [entry.place for entry in page.entries]
            after = page.next
            if not after:
                break
        assert found == whole
        assert {place.source for place in whole} == set(Source)


def test_labels_of_many_voices_set_at_once_are_one_line(engine: Engine) -> None:
    with db.writing(engine) as session:
        voices = [factories.create_voice(session, theme="公園・緑地") for _ in range(5)]
        merging.fold_campaign(session, [voice.id for voice in voices])
        for voice in voices:
            factories.create_human_label(session, voice, factories.create_user(session, role=Role.ADMIN), value="防災・防犯")
        user = factories.create_user(session, display_name="汐見 実")
        for voice in voices:
            factories.create_human_label(session, voice, user, value="ごみ・環境", machine_value="公園・緑地")
    with db.reading(engine) as session:
        lines = [told(entry) for entry in course(session, voices[0]) if entry.user == "汐見 実"]
        assert lines == ["分類を決定: 分野 ごみ・環境（機械の分類は 公園・緑地）、声 5 件"]


def test_of_deadlines_counted_anew_at_once_each_is_told(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voices = somebody(session), [factories.create_voice(session, theme="道路・交通") for _ in range(2)]
        cases.assign(session, [target(voice) for voice in voices], "公園緑地課", actor=who, taxonomy=city)
        for number, voice in enumerate(voices):
            moved = {"from": f"2026-12-0{number + 1}", "to": "2026-12-10", "voices": 1, "because": []}
            about = {"case_id": case_of(session, voice).id, "at": ANSWERED, "user_id": who.user_id}
            session.add(CaseEvent(kind=Step.RECOUNT.value, detail=moved, **about))
        merging.merge(session, [target(voice) for voice in voices], actor=who)
    with db.reading(engine) as session:
        entries = [entry for entry in course(session, voices[0]) if entry.code == Step.RECOUNT.value]
        assert sorted(entry.values["from"] for entry in entries) == ["2026-12-01", "2026-12-02"]


def test_the_number_of_statements_is_fixed(engine: Engine, city: Taxonomy, keyring: Keyring, settings: Settings) -> None:
    with db.writing(engine) as session:
        voice = full(session, city, keyring, settings)
        case_id = case_of(session, voice).id
    with db.reading(engine) as session, queries_of(engine) as sent:
        timeline(session, case_id)
    assert len(sent) == len(Source)


@pytest.mark.parametrize("after", ["x", "2026-10-01.step.1", "2026-10-01T00:00:00+00:00.step.0", "2026-10-01T00:00:00+00:00.other.1"])
def test_a_place_that_no_page_gave_is_told(engine: Engine, after: str) -> None:
    with db.reading(engine) as session, pytest.raises(InputError, match="続きの位置"):
        timeline(session, 1, after=after)


def test_every_step_has_words() -> None:
    for step in Step:
        entry = Entry(Place(ANSWERED, Source.STEP, 1), step.value, "")
        assert told(entry).startswith(STEPS[step].name)
    assert told(Entry(Place(ANSWERED, Source.STEP, 1), "case.unheard", "")) == "case.unheard"
