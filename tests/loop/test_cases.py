"""Acts on cases, through the doors that pages and the API use, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import audit, casework, db, facts
from core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from core.models import (
    AuditEntry,
    Case,
    CaseEvent,
    CasePart,
    CloseReason,
    DeskAct,
    Facet,
    HumanLabel,
    Kind,
    MachineReading,
    Role,
    Status,
    Voice,
)
from core.settings import Settings
from loop import answers, cases, handling, merging, parts
from loop.actors import Actor
from loop.steps import STEPS, Step, next_status, possible
from nlp import service, taxonomy
from nlp.taxonomy import Taxonomy
from tests import factories
from tests.loop.people import case_of, somebody, target


@pytest.fixture
def city(settings: Settings) -> Taxonomy:
    return taxonomy.load(settings.taxonomy_dir)


def lines(session: Session) -> set[str]:
    """The receipt numbers that have a line at the desk."""
    return set(session.scalars(select(Voice.receipt_number).where(Voice.is_open, ~Voice.folded)))


def holds(session: Session) -> bool:
    """Every voice says of itself what its case says, and each case that has voices is led by one of them."""
    for voice in session.scalars(select(Voice)):
        case = session.get(Case, voice.case_id) if voice.case_id else None
        if voice.is_open != (voice.status not in (Status.ANSWERED, Status.CLOSED)):
            return False
        if case and (voice.status is not case.status or voice.folded != (case.lead_id != voice.id)):
            return False
    for case in session.scalars(select(Case)):
        own = session.scalars(select(Voice.id).where(Voice.case_id == case.id)).all()
        if (case.merged_into is None) != bool(own) or (own and case.lead_id not in own):
            return False
    return not facts.differences(session) and audit.verify(session).broken_at is None


def test_assigning_begins_a_case_and_corrects_the_label(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session, theme="道路・交通")
        person = factories.create_user(session, role=Role.DEPARTMENT, department="公園緑地課")
        cases.assign(session, [target(voice, 0)], "公園緑地課", actor=who, taxonomy=city, assignee=person.username, also=["ごみ減量課"])
    with db.reading(engine) as session:
        case = case_of(session, voice)
        found = session.execute(select(CasePart.department, CasePart.is_lead, CasePart.assignee_id).order_by(CasePart.id)).all()
        assert (case.status, case.version) == (Status.ASSIGNED, 1)
        assert found == [("公園緑地課", True, person.id), ("ごみ減量課", False, None)]
        kept = session.get_one(Voice, voice.id)
        assert (kept.department, kept.status, kept.related) == ("公園緑地課", Status.ASSIGNED, ["ごみ減量課"])
        said = session.scalars(select(HumanLabel)).one()
        assert (said.facet, said.value, said.machine_value) == (Facet.DEPARTMENT, "公園緑地課", "道路維持課")
        assert session.scalar(select(CaseEvent.kind)) == "case.assign"
        assert session.scalar(select(AuditEntry.subject)) == f"case:{case.id}"
        assert holds(session)


def test_what_training_learns_of_acts_on_cases(engine: Engine, city: Taxonomy, settings: Settings) -> None:
    """Assignments and relabellings teach; copies in one case teach once; what was taken back, nothing."""

    def lessons() -> list[tuple[str, str, str]]:
        with db.reading(engine) as session:
            return [(example.text, example.theme, example.subtheme) for example in service.lessons(session, settings)]

    with db.writing(engine) as session:
        who = somebody(session)
        copies = [
            factories.create_voice(session, theme="道路・交通", text=f"家賃 {number}", title="", kind=Kind.REQUEST) for number in range(37)
        ]
        merging.fold_campaign(session, [voice.id for voice in copies])
        act = cases.assign(session, [target(copies[0])], "生活福祉課", actor=who, taxonomy=city)
    assert lessons() == [("家賃 0", "福祉・介護", "生活保護・困窮")]
    with db.writing(engine) as session:
        handling.undo(session, act.id, actor=who)
    assert lessons() == []
    with db.writing(engine) as session:
        act = cases.relabel(session, [target(copies[0])], Facet.THEME, "税・保険・年金", actor=who, taxonomy=city)
    assert lessons() == [("家賃 0", "税・保険・年金", "")]
    with db.writing(engine) as session:
        handling.undo(session, act.id, actor=who)
        confirmed = cases.accept(session, [target(copies[0])], actor=who)
    assert len(lessons()) == 1, "a confirmation is a decision"
    with db.writing(engine) as session:
        handling.undo(session, confirmed.id, actor=who)
    assert lessons() == [], "and one that was taken back is none"
    with db.writing(engine) as session:
        cases.accept(session, [target(copies[0])], actor=who)
    assert [theme for _, theme, _ in lessons()] == ["道路・交通"], "it can be confirmed again"


def test_the_second_of_two_who_saw_the_same_is_told(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        first, second, voice = somebody(session), somebody(session), factories.create_voice(session)
        cases.assign(session, [target(voice, 0)], "公園緑地課", actor=first, taxonomy=city)
    with pytest.raises(ConflictError, match="先に変更"), db.writing(engine) as session:
        cases.close(session, [target(voice, 0)], "noted", actor=second)
    with db.writing(engine) as session:
        cases.close(session, [target(voice, 1)], "noted", actor=second)
    with db.reading(engine) as session:
        assert case_of(session, voice).close_reason is CloseReason.NOTED
        assert lines(session) == set()


@pytest.mark.parametrize("role", [Role.MANAGER, Role.DEPARTMENT])
def test_nobody_acts_on_what_is_not_theirs(engine: Engine, city: Taxonomy, role: Role) -> None:
    with db.writing(engine) as session:
        who = somebody(session, role, department="ごみ減量課")
        voice = factories.create_voice(session, theme="道路・交通")
    wrong = ForbiddenError if role is Role.MANAGER else NotFoundError
    with pytest.raises(wrong), db.writing(engine) as session:
        cases.close(session, [target(voice)], "noted", actor=who)
    with db.reading(engine) as session:
        assert session.scalar(select(func.count(Case.id))) == 0


def test_a_department_with_a_part_sees_the_case_and_replies(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session, theme="道路・交通")
        other = somebody(session, Role.DEPARTMENT, department="公園緑地課")
        parts.involve(session, target(voice), "公園緑地課", actor=who, taxonomy=city)
        parts.reply(session, target(voice), "植え込みは来月刈ります。", actor=other)
        with pytest.raises(InputError, match="すでに入っています"):
            parts.involve(session, target(voice), "公園緑地課", actor=who, taxonomy=city)
    with db.reading(engine) as session:
        found = session.execute(select(CasePart.department, CasePart.is_lead, CasePart.reply).order_by(CasePart.id)).all()
        assert found == [("道路維持課", True, ""), ("公園緑地課", False, "植え込みは来月刈ります。")]
    with db.writing(engine) as session:
        parts.let_go(session, target(voice), "公園緑地課", actor=who)
        with pytest.raises(NotFoundError):
            parts.reply(session, target(voice), "もう一度", actor=other)


def merged(session: Session) -> tuple[Actor, list[Voice]]:
    who = somebody(session)
    voices = [factories.create_voice(session, theme="道路・交通", due_on=date(2026, 10, day)) for day in (20, 15, 25)]
    merging.merge(session, [target(voice) for voice in voices], actor=who)
    return who, voices


def test_merged_voices_have_one_line_led_by_the_nearest_deadline(engine: Engine) -> None:
    with db.writing(engine) as session:
        _, voices = merged(session)
    with db.reading(engine) as session:
        assert lines(session) == {voices[1].receipt_number}
        assert session.scalar(select(func.count(Case.id)).where(Case.merged_into.is_(None))) == 1
        assert holds(session)


def test_a_merge_can_be_taken_back_and_no_other_way_twice(engine: Engine) -> None:
    with db.writing(engine) as session:
        who, voices = merged(session)
        act = session.scalar(select(func.max(DeskAct.id))) or 0
    with db.writing(engine) as session:
        assert handling.undo(session, act, actor=who) == (3, 0)
    with pytest.raises(ConflictError, match="すでに"), db.writing(engine) as session:
        handling.undo(session, act, actor=who)
    with db.reading(engine) as session:
        assert lines(session) == {voice.receipt_number for voice in voices}
        assert holds(session)


def test_the_case_that_has_come_furthest_takes_the_others_in(engine: Engine) -> None:
    with db.writing(engine) as session:
        who, voices = somebody(session), [factories.create_voice(session, theme="道路・交通") for _ in range(3)]
        cases.assign(session, [target(voices[0])], "公園緑地課", actor=who, taxonomy=taxonomy.load(Settings().taxonomy_dir))
        cases.take_over(session, [target(voices[1])], actor=who)
        answers.save(session, target(voices[1]), actor=who, text="現地を調べました。", version=0)
        drafted = case_of(session, voices[1]).id
        merging.merge(session, [target(voice) for voice in voices], actor=who)
        assert {voice.case_id for voice in voices} == {drafted}
        assert case_of(session, voices[0]).status is Status.DRAFTING
        other = factories.create_voice(session, theme="道路・交通")
        answers.save(session, target(other), actor=who, text="係に聞いています。", version=0)
    with pytest.raises(ConflictError, match="回答案"), db.writing(engine) as session:
        merging.merge(session, [target(voices[0]), target(other)], actor=who)


def test_who_takes_a_new_voice_of_their_own_department_answers_it(engine: Engine) -> None:
    with db.writing(engine) as session:
        own, other = (factories.create_voice(session, theme="道路・交通", department=name) for name in ("道路維持課", ""))
        me = somebody(session, Role.DEPARTMENT, department="道路維持課")
        kocho = somebody(session, Role.KOCHO, department="広聴課")
        cases.take_over(session, [target(own)], actor=me)
        cases.take_over(session, [target(other)], actor=kocho)
        parts = session.scalars(select(CasePart).order_by(CasePart.case_id)).all()
        assert [(part.department, part.is_lead, part.assignee_id) for part in parts] == [
            ("道路維持課", True, me.user_id),
            ("広聴課", True, kocho.user_id),
        ]


def test_a_split_gives_a_case_with_the_same_departments_and_can_be_taken_back(engine: Engine) -> None:
    with db.writing(engine) as session:
        who, voices = merged(session)
        cases.take_over(session, [target(voices[0])], actor=who)
        act = merging.split(session, target(voices[0]), [voices[1].receipt_number], actor=who)
    with db.reading(engine) as session:
        assert lines(session) == {voices[0].receipt_number, voices[1].receipt_number}
        assert session.scalar(select(func.count(CasePart.id)).where(CasePart.assignee_id == who.user_id)) == 2
        assert holds(session)
    with db.writing(engine) as session:
        handling.undo(session, act.id, actor=who)
    with db.reading(engine) as session:
        assert lines(session) == {voices[1].receipt_number}
        assert holds(session)


def test_taking_back_leaves_alone_what_somebody_changed_since(engine: Engine) -> None:
    with db.writing(engine) as session:
        who, other = somebody(session), somebody(session)
        voices = [factories.create_voice(session) for _ in range(3)]
        act = cases.close(session, [target(voice) for voice in voices], "commercial", actor=who)
        cases.reopen(session, [target(voices[0])], "mistake", actor=other)
    with db.writing(engine) as session:
        assert handling.undo(session, act.id, actor=who) == (2, 1)
    with db.reading(engine) as session:
        assert lines(session) == {voice.receipt_number for voice in voices}
        assert {case_of(session, voice).close_reason for voice in voices} == {None}
        assert holds(session)


def test_a_department_takes_back_only_its_own_acts(engine: Engine) -> None:
    with db.writing(engine) as session:
        who, other = somebody(session, Role.DEPARTMENT), somebody(session, Role.DEPARTMENT, department="公園緑地課")
        act = cases.close(session, [target(factories.create_voice(session, theme="道路・交通"))], "commercial", actor=who)
    with pytest.raises(NotFoundError), db.writing(engine) as session:
        handling.undo(session, act.id, actor=other)


def test_relabelling_many_can_be_taken_back_to_the_machines_words(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who = somebody(session)
        voices = [factories.create_voice(session, theme=theme) for theme in ("道路・交通", "公園・緑地")]
        before = [(voice.theme, voice.subtheme, voice.confidence) for voice in voices]
        act = cases.relabel(session, [target(voice) for voice in voices], Facet.THEME, "防災・防犯", actor=who, taxonomy=city)
        assert {(voice.theme, voice.subtheme, voice.confidence) for voice in voices} == {("防災・防犯", "", 1.0)}
        assert holds(session)
    with db.writing(engine) as session:
        handling.undo(session, act.id, actor=who)
    with db.reading(engine) as session:
        kept = [session.get_one(Voice, voice.id) for voice in voices]
        assert [(voice.theme, voice.subtheme, voice.confidence) for voice in kept] == before
        assert holds(session)


def test_a_label_that_is_not_in_the_list_changes_nothing(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
    with pytest.raises(InputError, match="選べません"), db.writing(engine) as session:
        cases.relabel(session, [target(voice)], Facet.THEME, "宇宙", actor=who, taxonomy=city)
    with db.reading(engine) as session:
        assert session.scalar(select(func.count(Case.id))) == 0


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda s, t, who: cases.close(s, t, "", actor=who), "理由"),
        (lambda s, t, who: cases.close(s, t, "forwarded", actor=who), "移送先"),
        (lambda s, t, who: cases.hand_back(s, t, "not_ours", actor=who), "いまの対応状況"),
        (lambda s, t, who: cases.reopen(s, t, "mistake", actor=who), "いまの対応状況"),
        (lambda s, t, who: merging.merge(s, t, actor=who), "2 件以上"),
        (lambda s, t, who: merging.split(s, t[0], [t[0].receipt_number], actor=who), "一部"),
    ],
)
def test_what_cannot_be_done_says_why(engine: Engine, act: Callable[..., object], message: str) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
    with pytest.raises((InputError, ConflictError), match=message), db.writing(engine) as session:
        act(session, [target(voice)], who)


def test_a_campaign_is_one_line_and_later_copies_join_it(engine: Engine) -> None:
    with db.writing(engine) as session:
        voices = [factories.create_voice(session, theme="公園・緑地") for _ in range(6)]
        answered = factories.create_voice(session, answered=True)
        number = merging.fold_campaign(session, [*(voice.id for voice in voices[:4]), answered.id])
        assert merging.fold_campaign(session, [voice.id for voice in voices]) == number
        assert merging.fold_campaign(session, [voice.id for voice in voices]) is None
    with db.reading(engine) as session:
        assert len(lines(session)) == 1
        assert session.scalar(select(func.count(Voice.id)).where(Voice.case_id == number)) == 6
        assert holds(session)


def test_every_state_can_be_left_and_no_step_skips_approval() -> None:
    for status in Status:
        leaving = {next_status(step, status) for step in possible(status)} - {status}
        assert leaving, status
    assert {rule.sources for rule in STEPS.values() if rule.to is Status.ANSWERED} == {frozenset({Status.IN_APPROVAL})}
    with pytest.raises(ConflictError):
        next_status(Step.ANSWER, Status.DRAFTING)


def test_voices_that_are_deleted_leave_no_case_without_a_voice(engine: Engine) -> None:
    with db.writing(engine) as session:
        _, voices = merged(session)
        alone = factories.create_voice(session)
        cases.close(session, [target(alone)], "noted", actor=somebody(session))
        leaving = [voices[1], alone]
        facts.remove(session, facts.rows_of(session, [voice.id for voice in leaving]))
        casework.release(session, [voice.id for voice in leaving])
        for voice in leaving:
            session.delete(session.get_one(MachineReading, voice.id))
            session.delete(voice)
    with db.reading(engine) as session:
        assert lines(session) == {voices[0].receipt_number}
        assert holds(session)
        assert session.scalar(select(func.count(Case.id)).where(Case.merged_into.is_(None))) == 1
