"""Parts of a letter with several topics: asked for, replied, sent back, taken back; on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import audit, db
from core.calendar import OpenDays
from core.clock import today
from core.deadline_rules import DeadlineRules
from core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from core.models import AuditEntry, CaseEvent, CasePart, Delivery, Disposition, DraftKind, Role, Voice
from core.settings import Settings
from loop import answers, approvals, cases, chains, handling, merging, parts
from loop.actors import Actor
from loop.answers import Checks
from loop.deadlines import reply_day
from loop.filters import owed_by
from nlp import taxonomy
from nlp.answering.checks import Code
from nlp.segments import sentences
from nlp.taxonomy import Taxonomy
from tests import factories
from tests.loop.people import somebody, target

LETTER = "歩道の段差が大きくて車いすで通れません。早く直してください。また、公園のブランコの鎖がさびています。取り替えはいつですか。"
RULES = DeadlineRules(OpenDays())


@pytest.fixture
def city(settings: Settings) -> Taxonomy:
    return taxonomy.load(settings.taxonomy_dir)


def letter(session: Session, **values: object) -> Voice:
    return factories.create_voice(session, **{"theme": "道路・交通", "text": LETTER, **values})


def part(session: Session, department: str = "公園緑地課") -> CasePart:
    return session.scalars(select(CasePart).where(CasePart.department == department)).one()


def ask(session: Session, voice: Voice, actor: Actor, city: Taxonomy, **given: object) -> int:
    """The park's two sentences, asked of the department for parks; gives the act."""
    given = {"department": "公園緑地課", "numbers": [3, 4], "asked": "時期を教えてください。", **given}
    department, numbers = given.pop("department"), given.pop("numbers")
    return parts.divide(session, target(voice), department, numbers, actor=actor, taxonomy=city, rules=RULES, **given).id


def test_a_department_is_asked_for_its_sentences_and_sees_the_case_from_then_on(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, other = somebody(session), somebody(session, Role.DEPARTMENT, department="公園緑地課")
        voice = letter(session)
        assert not other.may_see(voice)
        ask(session, voice, who, city, due_on=today())
    with db.reading(engine) as session:
        own, lead = part(session), part(session, "道路維持課")
        (passage,) = own.passages
        assert (passage["voice"], LETTER[passage["start"] : passage["end"]]) == (voice.id, LETTER[LETTER.index("また、") :])
        assert (own.is_lead, own.asked, own.due_on, own.replied_at, own.version) == (False, "時期を教えてください。", today(), None, 2)
        assert (lead.is_lead, lead.passages, lead.asked_at) == (True, [], None)
        assert own.asked_at is not None
        kept = session.get_one(Voice, voice.id)
        assert other.may_see(kept)
        assert (kept.department, kept.due_on) == (voice.department, voice.due_on), "the resident's deadline is another one"
        event = session.scalars(select(CaseEvent).where(CaseEvent.kind == "case.divide")).one()
        assert event.detail == {"department": "公園緑地課", "sentences": 2, "due_on": today().isoformat(), "text": "時期を教えてください。"}
        assert "text" not in session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "case.divide")).one()
        assert audit.verify(session).broken_at is None


def test_asked_again_it_replaces_what_was_said_and_can_be_taken_back(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), letter(session)
        ask(session, voice, who, city)
        second = ask(session, voice, who, city, numbers=[4], asked="")
        (passage,) = part(session).passages
        assert LETTER[passage["start"] : passage["end"]] == "取り替えはいつですか。"
        assert part(session).asked == ""
    with db.writing(engine) as session:
        handling.undo(session, second, actor=who)
    with db.reading(engine) as session:
        (passage,) = part(session).passages
        # Its version is not that of the first request again: what somebody wrote to the second one isn't taken for it.
        assert (LETTER[passage["start"] :][:3], part(session).asked, part(session).version) == ("また、", "時期を教えてください。", 4)


def test_asked_again_after_its_reply_a_department_owes_another(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, other = somebody(session), somebody(session, Role.DEPARTMENT, department="公園緑地課")
        voice = letter(session)
        ask(session, voice, who, city)
        parts.reply(session, target(voice), "来月直します。", actor=other)
        assert (owed(session), part(session).replied_at is None) == (0, False)
        ask(session, voice, who, city, asked="費用も教えてください。")
        assert (owed(session), part(session).reply) == (1, "来月直します。")


def owed(session: Session) -> int:
    wanted = select(CasePart.id).join(Voice, Voice.case_id == CasePart.case_id).where(owed_by("公園緑地課")).distinct()
    return len(session.scalars(wanted).all())


def test_where_both_cases_asked_both_requests_stand_and_a_reply_is_wanted(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, other = somebody(session), somebody(session, Role.DEPARTMENT, department="公園緑地課")
        one, two = letter(session), letter(session)
        ask(session, one, who, city, asked="時期は？")
        parts.reply(session, target(one), "来月です。", actor=other)
        ask(session, two, who, city, asked="費用は？")
        merging.merge(session, [target(one), target(two)], actor=who)
        kept = session.scalars(select(CasePart).where(CasePart.case_id == one.case_id, CasePart.department == "公園緑地課")).one()
        assert (kept.asked, kept.reply, kept.replied_at) == ("時期は？\n\n費用は？", "来月です。", None)
        assert {passage["voice"] for passage in kept.passages} == {one.id, two.id}
        assert owed(session) == 1


@pytest.mark.parametrize("leaves", [0, 1], ids=["what was asked about leaves", "the other one leaves"])
def test_a_request_goes_with_the_voice_that_it_is_about(engine: Engine, city: Taxonomy, leaves: int) -> None:
    with db.writing(engine) as session:
        who, other = somebody(session), somebody(session, Role.DEPARTMENT, department="公園緑地課")
        voices = [letter(session), letter(session)]
        merging.merge(session, [target(voice) for voice in voices], actor=who)
        ask(session, voices[0], who, city)
        parts.reply(session, target(voices[0]), "来月直します。", actor=other)
        merging.split(session, target(voices[0]), [voices[leaves].receipt_number], actor=who)
        of = {
            voice.id: session.scalars(select(CasePart).where(CasePart.case_id == voice.case_id, CasePart.department == "公園緑地課")).one()
            for voice in voices
        }
        about, beside = of[voices[0].id], of[voices[1].id]
        assert (about.reply, bool(about.passages), about.replied_at is None) == ("来月直します。", True, False)
        assert (beside.reply, beside.passages, beside.asked_at) == ("", [], None)
        assert owed(session) == 0


def test_a_version_is_never_given_out_again(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, other = somebody(session), somebody(session, Role.DEPARTMENT, department="公園緑地課")
        voice = letter(session)
        ask(session, voice, who, city)
        second = ask(session, voice, who, city, asked="費用は？")
        seen = part(session).version
        handling.undo(session, second, actor=who)
        ask(session, voice, who, city, asked="場所は？")
        with pytest.raises(ConflictError):
            parts.reply(session, target(voice), "五万円です。", actor=other, seen=seen)
        parts.let_go(session, target(voice), "公園緑地課", actor=who)
        parts.involve(session, target(voice), "公園緑地課", actor=who, taxonomy=city)
        assert part(session).version > seen


def test_a_reply_is_sent_back_and_given_again(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), letter(session)
        own = somebody(session, Role.DEPARTMENT, department="公園緑地課")
        lead = somebody(session, Role.DEPARTMENT, department="道路維持課")
        ask(session, voice, who, city)
        with pytest.raises(ConflictError, match="差し戻す回答がありません"):
            parts.return_part(session, target(voice), "公園緑地課", "早い。", actor=lead)
        parts.reply(session, target(voice), "来月替えます。", actor=own, seen=2)
        assert (part(session).reply, part(session).assignee_id) == ("来月替えます。", own.user_id)
        parts.return_part(session, target(voice), "公園緑地課", "何日か書いてください。", actor=lead)
        back = part(session)
        assert (back.reply, back.replied_at, back.return_reason) == ("来月替えます。", None, "何日か書いてください。")
        assert back.returned_at is not None
        with pytest.raises(ConflictError, match="先に変更"):
            parts.reply(session, target(voice), "来月替えます。", actor=own, seen=2)
        parts.reply(session, target(voice), "11月5日に替えます。", actor=own, seen=back.version)
        assert (back.reply, back.returned_at, back.return_reason) == ("11月5日に替えます。", None, "")
        told = session.scalars(select(CaseEvent.detail).where(CaseEvent.kind == "case.reply").order_by(CaseEvent.id)).all()
        assert [detail["text"] for detail in told] == ["来月替えます。", "11月5日に替えます。"]


def test_taking_a_reply_back_brings_what_stood_there_before(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), letter(session)
        own = somebody(session, Role.DEPARTMENT, department="公園緑地課")
        ask(session, voice, who, city)
        parts.reply(session, target(voice), "来月替えます。", actor=own)
        returned = parts.return_part(session, target(voice), "公園緑地課", "何日か書いてください。", actor=who).id
    with db.writing(engine) as session:
        handling.undo(session, returned, actor=who)
    with db.reading(engine) as session:
        again = part(session)
        assert (again.reply, again.returned_at, again.return_reason, again.assignee_id) == ("来月替えます。", None, "", own.user_id)
        assert again.replied_at is not None


def test_who_may_divide_and_who_may_reply(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice = letter(session)
        lead, other, stranger = (somebody(session, Role.DEPARTMENT, department=name) for name in ("道路維持課", "公園緑地課", "保育課"))
        with pytest.raises(NotFoundError):
            ask(session, voice, other, city)
        ask(session, voice, lead, city)
        with pytest.raises(ForbiddenError, match="回答する課と広聴課"):
            ask(session, voice, other, city, department="保育課")
        parts.involve(session, target(voice), "ごみ減量課", actor=lead, taxonomy=city)
        with pytest.raises(ForbiddenError, match="回答する課と広聴課"):
            parts.let_go(session, target(voice), "ごみ減量課", actor=other)
        parts.let_go(session, target(voice), "ごみ減量課", actor=somebody(session, Role.DEPARTMENT, department="ごみ減量課"))
        parts.reply(session, target(voice), "来月替えます。", actor=other)
        with pytest.raises(ForbiddenError, match="回答する課と広聴課"):
            parts.return_part(session, target(voice), "公園緑地課", "早い。", actor=other)
        with pytest.raises(NotFoundError):
            parts.reply(session, target(voice), "うちでも。", actor=stranger)
        with pytest.raises(ConflictError, match="関係課ではありません"):
            parts.reply(session, target(voice), "広聴課から。", actor=somebody(session))
        with pytest.raises(ConflictError, match="回答する課です"):
            parts.reply(session, target(voice), "直します。", actor=lead)
        with pytest.raises(ForbiddenError, match="権限"):
            ask(session, voice, somebody(session, Role.MANAGER), city)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"department": "宇宙課"}, "ありません"),
        ({"numbers": [], "asked": " "}, "依頼する内容"),
        ({"numbers": [9]}, "9 番目の文"),
        ({"numbers": [0]}, "0 番目の文"),
        ({"asked": "あ" * 1001}, "1,000 字以内"),
        ({"due_on": today() - timedelta(days=1)}, "期日が過ぎて"),
    ],
)
def test_what_cannot_be_asked_says_why_and_changes_nothing(
    engine: Engine, city: Taxonomy, given: dict[str, object], message: str
) -> None:  # fmt: skip
    with db.writing(engine) as session:
        who, voice = somebody(session), letter(session)
    with pytest.raises(InputError, match=message), db.writing(engine) as session:
        ask(session, voice, who, city, **given)
    with db.reading(engine) as session:
        assert session.scalars(select(CasePart)).all() == []


def test_a_request_that_was_written_beside_an_older_state_is_told(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), letter(session)
        ask(session, voice, who, city)
    with pytest.raises(ConflictError, match="先に変更"), db.writing(engine) as session:
        parts.divide(session, target(voice, 0), "保育課", [1], actor=who, taxonomy=city, rules=RULES)


def test_a_department_that_led_before_is_asked_for_nothing(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), letter(session)
        ask(session, voice, who, city)
        cases.assign(session, [target(voice)], "公園緑地課", actor=who, taxonomy=city, also=["保育課"])
        assert [(name, part(session, name).is_lead, part(session, name).asked_at is not None) for name in ("道路維持課", "公園緑地課")] == [
            ("道路維持課", False, False),
            ("公園緑地課", True, False),
        ]
        assert part(session, "保育課").asked_at is not None
        assert part(session).due_on is None, "who answers goes by the resident's deadline"


def test_what_was_asked_and_said_goes_with_voices_that_are_merged_and_split(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, first, second = somebody(session), letter(session), letter(session, text=LETTER + "よろしくお願いします。")
        own = somebody(session, Role.DEPARTMENT, department="公園緑地課")
        cases.assign(session, [target(first)], "道路維持課", actor=who, taxonomy=city)
        ask(session, second, who, city)
        parts.reply(session, target(second), "来月替えます。", actor=own)
        merging.merge(session, [target(first), target(second)], actor=who)
        main = session.get_one(Voice, first.id).case_id
        brought = session.scalars(select(CasePart).where(CasePart.case_id == main, CasePart.department == "公園緑地課")).one()
        assert (brought.reply, brought.asked, [one["voice"] for one in brought.passages]) == (
            "来月替えます。",
            "時期を教えてください。",
            [second.id],
        )
        merging.split(session, target(first), [second.receipt_number], actor=who)
        apart = session.get_one(Voice, second.id).case_id
        found = select(CasePart).where(CasePart.department == "公園緑地課")
        assert session.scalars(found.where(CasePart.case_id == main)).one().passages == []
        assert [one["voice"] for one in session.scalars(found.where(CasePart.case_id == apart)).one().passages] == [second.id]


@pytest.mark.parametrize(
    ("due_on", "day", "expected"),
    [
        (date(2026, 11, 20), date(2026, 11, 2), date(2026, 11, 17)),
        (date(2026, 11, 24), date(2026, 11, 2), date(2026, 11, 18)),  # 11/21–23 are closed
        (date(2026, 11, 4), date(2026, 11, 2), date(2026, 11, 2)),  # 11/3 is 文化の日
        (date(2026, 10, 30), date(2026, 11, 2), date(2026, 11, 2)),
        (date(2026, 10, 30), date(2026, 11, 1), date(2026, 11, 2)),  # a Sunday
    ],
)
def test_a_part_is_wanted_some_open_days_before_the_answer_and_never_before_today(due_on: date, day: date, expected: date) -> None:
    assert reply_day(RULES, due_on, today=day) == expected


def test_without_a_day_the_citys_usual_one_holds(engine: Engine, city: Taxonomy) -> None:
    due = RULES.calendar.add(today(), 10)
    with db.writing(engine) as session:
        who = somebody(session)
        ask(session, letter(session, due_on=due), who, city)
        assert part(session).due_on == reply_day(RULES, due, today=today()) > today()
    with db.writing(engine) as session:
        ask(session, letter(session, due_on=None), who, city, department="保育課")
        assert part(session, "保育課").due_on is None


def test_sentences_are_numbered_as_the_page_shows_them() -> None:
    found = [LETTER[start:end] for start, end in sentences(LETTER)]
    assert found[2:] == ["また、公園のブランコの鎖がさびています。", "取り替えはいつですか。"]


def told(session: Session, voice: Voice, kind: DraftKind = DraftKind.FINAL) -> list[tuple[str, str]]:
    """What is found about parts when an answer is to be put forward."""
    found = answers.findings(session, "歩道の段差は、昨日直しました。", [voice], review_on=None, by=Checks(), kind=kind)
    return [(one.code.value, one.message) for one in found if one.code in (Code.PART_OPEN, Code.NOBODYS)]


def test_an_answer_is_not_put_forward_unwarned_before_all_parts_are_there(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), letter(session)
        own = somebody(session, Role.DEPARTMENT, department="公園緑地課")
        assert told(session, voice) == []
        ask(session, voice, who, city)
        waits = [("part_open", "公園緑地課の部分の回答が、まだありません。")]
        assert told(session, voice) == waits
        assert told(session, voice, DraftKind.INTERIM) == [], "that is what an interim reply is for"
        parts.reply(session, target(voice), "来月替えます。", actor=own)
        assert told(session, voice) == []
        parts.return_part(session, target(voice), "公園緑地課", "何日か。", actor=who)
        assert told(session, voice) == [("part_open", "公園緑地課へ差し戻した部分の回答が、まだありません。")]
        answers.save(
            session, target(voice), actor=who, text="歩道の段差は、昨日直しました。", disposition=Disposition.DONE, delivery=Delivery.NONE
        )
        factories.create_user(session, role=Role.DEPARTMENT, department="道路維持課", position="課長")
        with pytest.raises(approvals.CheckError) as refused:
            approvals.submit(session, target(voice), actor=who, chains=(chains.DEFAULT,), checks=Checks(), version=1)
        assert Code.PART_OPEN in {one.code for one in refused.value.findings}
        approvals.submit(session, target(voice), actor=who, chains=(chains.DEFAULT,), checks=Checks(), version=1, acknowledged=True)


def test_a_sentence_is_nobodys_where_the_leading_department_said_which_are_its_own(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), letter(session, text=f"{LETTER}よろしくお願いします。")
        own = somebody(session, Role.DEPARTMENT, department="公園緑地課")
        ask(session, voice, who, city, numbers=[4])
        parts.reply(session, target(voice), "来月替えます。", actor=own)
        assert told(session, voice) == [], "what nobody was asked for is the leading department's"
        ask(session, voice, who, city, department="道路維持課", numbers=[1, 2], asked="")
        assert told(session, voice) == [("nobodys", "どの課も答えない文があります: 「また、公園のブランコの鎖がさびています。」")]
