"""Notes: masked for all who see the case, as written for few, and in nobody's way. On both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import db
from core.crypto import Keyring
from core.errors import ForbiddenError, InputError, NotFoundError
from core.models import AuditEntry, Case, CaseEvent, CaseNote, Role, Voice
from core.settings import Settings
from loop import cases, handling, merging, notes
from loop.handling import Target
from loop.notes import Note
from nlp.annotate import Masker
from tests import factories
from tests.loop.people import case_of, somebody, target

WRITTEN = "川北葉子さん（090-1234-5678）から電話。折り返す。"


@pytest.fixture
def mask(settings: Settings) -> Masker:
    return Masker(settings.taxonomy_dir)


def of_voice(session: Session, voice: Voice) -> list[Note]:
    return notes.notes_of(session, case_of(session, voice).id)


def test_a_note_is_shown_masked_and_opened_for_a_reason(engine: Engine, mask: Masker, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
        note = notes.add(session, target(voice), WRITTEN, actor=who, mask=mask, keyring=keyring)
    with db.writing(engine) as session:
        (shown,) = of_voice(session, voice)
        assert shown.is_masked
        assert shown.user == who.display_name
        assert "葉子" not in shown.text
        assert "090" not in shown.text
        assert "折り返す" in shown.text
        assert notes.read_original(session, voice, note.id, actor=who, reason="reply", keyring=keyring) == WRITTEN
    with db.reading(engine) as session:
        trail = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [entry.action for entry in trail] == ["case.note", "note.read_original"]
        assert trail[1].detail == {"note": note.id, "reason": "reply"}
        assert "葉子" not in "".join(map(str, session.scalars(select(CaseEvent.detail))))


def test_what_holds_nothing_personal_is_not_sealed(engine: Engine, mask: Masker, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
        note = notes.add(session, target(voice), "  現地を確かめた。\r\n写真あり。\0 ", actor=who, mask=mask, keyring=keyring)
        assert (note.text, note.key_id, note.sealed) == ("現地を確かめた。\n写真あり。", "", None)
        with pytest.raises(NotFoundError, match="伏せたところはありません"):
            notes.read_original(session, voice, note.id, actor=who, reason="reply", keyring=keyring)


@pytest.mark.parametrize("text", ["", " \n ", "あ" * (notes.LONGEST + 1)])
def test_an_empty_or_endless_note_is_refused(engine: Engine, mask: Masker, keyring: Keyring, text: str) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
    with pytest.raises(InputError, match="字以内"), db.writing(engine) as session:
        notes.add(session, target(voice), text, actor=who, mask=mask, keyring=keyring)
    with db.reading(engine) as session:
        assert session.scalars(select(Case)).all() == []


def test_a_note_makes_no_form_stale_and_stands_in_no_ones_way(engine: Engine, mask: Masker, keyring: Keyring) -> None:
    """What others have before their eyes holds, in every state; an act before it can still be taken back, and the note stays."""
    with db.writing(engine) as session:
        first, second, voice = somebody(session), somebody(session), factories.create_voice(session)
        notes.add(session, Target(voice.receipt_number, 0), "一つ目", actor=first, mask=mask, keyring=keyring)
        act = cases.close(session, [Target(voice.receipt_number, 0)], "noted", actor=second)
        notes.add(session, target(voice), "完了のあとで", actor=first, mask=mask, keyring=keyring)
    with db.writing(engine) as session:
        case = case_of(session, voice)
        assert (case.version, case.changed_by) == (1, first.user_id)
        assert handling.undo(session, act.id, actor=second) == (1, 0)
    with db.reading(engine) as session:
        assert [note.text for note in of_voice(session, voice)] == ["完了のあとで", "一つ目"]


def test_notes_go_with_the_voices_when_cases_are_merged(engine: Engine, mask: Masker, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        who = somebody(session)
        voices = [factories.create_voice(session, theme="道路・交通") for _ in range(3)]
        written = [notes.add(session, target(voice), WRITTEN, actor=who, mask=mask, keyring=keyring) for voice in voices]
        merging.merge(session, [target(voice) for voice in voices[1:]], actor=who)
        merging.merge(session, [target(voice) for voice in voices[:2]], actor=who)
    with db.writing(engine) as session:
        assert {note.id for note in of_voice(session, voices[2])} == {note.id for note in written}
        other = somebody(session, Role.DEPARTMENT, department="道路維持課")
        for note in written:
            assert (
                notes.read_original(session, session.get_one(Voice, voices[2].id), note.id, actor=other, reason="handover", keyring=keyring)
                == WRITTEN
            )


def test_who_may_open_a_note(engine: Engine, mask: Masker, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        author = somebody(session, Role.DEPARTMENT, department="公園緑地課")
        voice = factories.create_voice(session, theme="道路・交通", related=["公園緑地課", "ごみ減量課"])
        note = notes.add(session, target(voice), WRITTEN, actor=author, mask=mask, keyring=keyring)
        people = {
            "author": author,
            "lead": somebody(session, Role.DEPARTMENT, department="道路維持課"),
            "concerned": somebody(session, Role.DEPARTMENT, department="ごみ減量課"),
            "stranger": somebody(session, Role.DEPARTMENT, department="保育課"),
            "manager": somebody(session, Role.MANAGER),
        }
    wrong = {"concerned": ForbiddenError, "stranger": NotFoundError, "manager": ForbiddenError}
    with db.writing(engine) as session:
        for name, person in people.items():
            if name in wrong:
                with pytest.raises(wrong[name]):
                    notes.read_original(session, voice, note.id, actor=person, reason="reply", keyring=keyring)
            else:
                assert notes.read_original(session, voice, note.id, actor=person, reason="reply", keyring=keyring) == WRITTEN
        with pytest.raises(InputError, match="理由"):
            notes.read_original(session, voice, note.id, actor=author, reason="", keyring=keyring)
        with pytest.raises(NotFoundError):
            notes.read_original(session, voice, note.id + 1, actor=author, reason="reply", keyring=keyring)
    with db.writing(engine) as session, pytest.raises(ForbiddenError):
        notes.add(session, target(voice), "見た", actor=people["manager"], mask=mask, keyring=keyring)
    with db.reading(engine) as session:
        assert len(session.scalars(select(CaseNote)).all()) == 1
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "note.read_original")).all()) == 2


def test_a_note_is_read_through_a_voice_of_its_own_case_alone(engine: Engine, mask: Masker, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        who, voice, other = somebody(session), factories.create_voice(session), factories.create_voice(session)
        note = notes.add(session, target(voice), WRITTEN, actor=who, mask=mask, keyring=keyring)
        notes.add(session, target(other), "別の案件", actor=who, mask=mask, keyring=keyring)
        with pytest.raises(NotFoundError):
            notes.read_original(session, other, note.id, actor=who, reason="reply", keyring=keyring)
