"""Drafts of answers, through the door that pages and the API use, on both databases."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import db
from core.crypto import Keyring
from core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from core.models import AuditEntry, Case, CaseEvent, Channel, DeskAct, Disposition, Draft, DraftRevision, DraftState, Role, Status, Voice
from loop import answers, cases, handling
from loop.actors import Actor
from loop.answers import Checks, OvertakenError
from tests import factories
from tests.loop.people import case_of, somebody, target

TEXT = "歩道の段差は、昨日直しました。"
ASKED = "歩道の段差が大きく、車いすで通れません。直してください。"
NAMED = {"name": "港町一郎"}


def save(session: Session, voice: Voice, who: Actor, text: str = TEXT, version: int | None = None) -> Draft:
    return answers.save(session, target(voice), actor=who, text=text, version=version)


def test_a_draft_begins_a_case_and_keeps_every_version(engine: Engine) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
        save(session, voice, who)
        draft = answers.save(
            session, target(voice), actor=who, text=f"{TEXT}\r\nご連絡をありがとうございました。  ", version=1,
            disposition=Disposition.PLANNED, review_on=date(2026, 12, 1), sources=[{"kind": "answer", "number": "R08-000001-1"}],
        )  # fmt: skip
    with db.reading(engine) as session:
        assert case_of(session, voice).status is Status.DRAFTING
        kept = answers.draft_of(session, draft.case_id)
        assert kept is not None
        assert (kept.version, kept.state, kept.disposition) == (2, DraftState.EDITING, Disposition.PLANNED)
        assert [(item.version, item.text) for item in answers.revisions(session, draft.id)] == [
            (2, f"{TEXT}\nご連絡をありがとうございました。"),
            (1, TEXT),
        ]
        assert answers.text_of(session, draft.id, 1) == TEXT


def test_the_timeline_tells_who_took_it_up_and_not_every_save(engine: Engine) -> None:
    with db.writing(engine) as session:
        first, second, voice = somebody(session), somebody(session), factories.create_voice(session)
        for version in range(4):
            save(session, voice, first, f"{TEXT}{version}", version)
        before = case_of(session, voice).version
        save(session, voice, first, f"{TEXT}3", 4)  # nothing new
        save(session, voice, second, f"{TEXT}5", 4)
        save(session, voice, second, f"{TEXT}6", 5)
    with db.reading(engine) as session:
        told = session.execute(select(CaseEvent.kind, CaseEvent.user_id).order_by(CaseEvent.id)).all()
        assert told == [("case.draft", first.user_id), ("case.draft", second.user_id)]
        assert case_of(session, voice).version == before + 1
        assert session.scalar(select(func.count(DraftRevision.id))) == 6
        assert session.scalar(select(func.count(AuditEntry.id))) == 2


def test_the_second_of_two_sees_the_first_ones_text_and_loses_nothing(engine: Engine) -> None:
    with db.writing(engine) as session:
        first, second, voice = somebody(session, display_name="潮見 花子"), somebody(session), factories.create_voice(session)
        save(session, voice, first)
    with pytest.raises(OvertakenError) as caught, db.writing(engine) as session:
        save(session, voice, second, "ほかの文です。")
    assert (caught.value.theirs.version, caught.value.theirs.text, caught.value.theirs.by) == (1, TEXT, "潮見 花子")
    with db.writing(engine) as session:
        save(session, voice, second, "ほかの文です。", caught.value.theirs.version)
    with db.reading(engine) as session:
        assert [item.text for item in answers.revisions(session, 1)] == ["ほかの文です。", TEXT]


def test_of_many_who_save_at_once_one_wins_and_the_others_are_told(engine: Engine) -> None:
    with db.writing(engine) as session:
        people = [somebody(session) for _ in range(6)]
        voice = factories.create_voice(session)
    started, told = threading.Barrier(len(people)), []

    def write(who: Actor) -> None:
        started.wait()
        try:
            with db.writing(engine) as session:
                save(session, voice, who, f"{who.username}の文です。")
            told.append("saved")
        except ConflictError as error:
            told.append(error.code)

    threads = [threading.Thread(target=write, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count("saved") == 1
    assert set(told) <= {"saved", "draft_overtaken", "conflict"}  # the last: while the case was being begun
    with db.reading(engine) as session:
        assert session.scalar(select(func.count(Draft.id))) == 1
        assert session.scalar(select(func.count(Case.id))) == 1


@pytest.mark.parametrize("text", ["", " \n　", "字" * 20_001])
def test_a_text_that_is_none_or_too_long_is_refused(engine: Engine, text: str) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
    with pytest.raises(InputError, match="20,000 字"), db.writing(engine) as session:
        save(session, voice, who, text)
    with db.reading(engine) as session:
        assert session.scalar(select(func.count(Case.id))) == 0


@pytest.mark.parametrize("source", [{"kind": "rumour", "number": "1"}, {"kind": "answer", "number": ""}, {}])
def test_a_source_is_an_answer_an_entry_or_a_template(engine: Engine, source: dict[str, str]) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
    with pytest.raises(InputError, match="もとにしたもの"), db.writing(engine) as session:
        answers.save(session, target(voice), actor=who, text=TEXT, sources=[source])


@pytest.mark.parametrize(("role", "wrong"), [(Role.MANAGER, ForbiddenError), (Role.DEPARTMENT, NotFoundError)])
def test_who_does_not_handle_a_case_writes_no_draft(engine: Engine, role: Role, wrong: type[Exception]) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session, role, department="ごみ減量課"), factories.create_voice(session, text=ASKED, theme="道路・交通")
    with pytest.raises(wrong), db.writing(engine) as session:
        save(session, voice, who)


def test_a_closed_case_takes_no_draft_and_a_reopened_one_goes_on_with_its_own(engine: Engine) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
        draft = save(session, voice, who)
        cases.close(session, [target(voice)], "noted", actor=who)
    with pytest.raises(ConflictError, match="回答案を保存"), db.writing(engine) as session:
        save(session, voice, who, "つづきです。", 1)
    with db.writing(engine) as session:
        cases.reopen(session, [target(voice)], "mistake", actor=who)
        assert save(session, voice, who, "つづきです。", 1).id == draft.id


def test_taking_back_the_beginning_keeps_the_draft(engine: Engine) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
        save(session, voice, who)
        handling.undo(session, session.scalar(select(func.max(DeskAct.id))) or 0, actor=who)
    with db.reading(engine) as session:
        assert case_of(session, voice).status is Status.RECEIVED
        assert answers.draft_of(session, case_of(session, voice).id) is not None


@pytest.mark.parametrize(
    ("channel", "contact", "delivery"), [(Channel.EMAIL, NAMED, "mail"), (Channel.LETTER, NAMED, "letter"), (Channel.EMAIL, {}, "none")]
)
def test_an_answer_goes_as_the_voice_came(
    engine: Engine, keyring: Keyring, channel: Channel, contact: dict[str, str], delivery: str
) -> None:
    with db.writing(engine) as session:
        voice = factories.create_voice(session, channel=channel)
        factories.create_secret(session, voice, keyring, **contact)
        assert answers.likely_delivery(session, voice) == delivery


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (TEXT, []),
        ("〔氏名〕様、段差は直しました。", ["mask_left"]),
        ("段差は{所管課}が直しました。", ["field_left"]),
        ("段差は直しました。くわしくは、090-1234-5678 までお電話ください。", ["personal"]),
        ("段差は、予算をふまえて検討します。", ["commitment"]),
    ],
)
def test_what_must_not_leave_is_found_with_its_place(sqlite_engine: Engine, text: str, codes: list[str]) -> None:
    with db.writing(sqlite_engine) as session:
        found = answers.findings(
            session, text, [factories.create_voice(session, text="歩道の段差を直してください。")], review_on=None, by=Checks()
        )
    assert [item.code for item in found] == codes
    assert all(0 <= item.start < item.end <= len(text) for item in found)
