"""What happens to an approved answer, through the door that pages and the API use, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from core import audit, city, db, deadline_file
from core.clock import today, utc_now
from core.crypto import Keyring
from core.deadline_rules import Term
from core.errors import ConflictError, ForbiddenError, InputError, MailServerError
from core.models import (
    Answer,
    Approval,
    ApprovalState,
    AuditEntry,
    Case,
    CaseEvent,
    Delivery,
    Dispatch,
    DispatchState,
    Disposition,
    Draft,
    DraftKind,
    DraftState,
    Status,
    Voice,
)
from core.settings import PROJECT_ROOT
from loop import answers, approvals, cases, mailing, merging, sending
from loop.actors import Actor
from loop.answers import Checks
from loop.chains import Chain, ChainStep
from loop.handling import Target
from tests import factories
from tests.loop.people import member

TEXT = "歩道の段差は、昨日直しました。"
ASKED = "歩道の段差が大きく、車いすで通れません。直してください。"
ONE = (Chain("通常", (ChainStep("課長"),), {}),)
CITY = city.load(PROJECT_ROOT / "data/taxonomy")
RULES = deadline_file.load(PROJECT_ROOT / "data/taxonomy")


class Mails:
    """A mail server's end: what arrived. It looks at the database as it takes each, as a process that dies there would leave it."""

    def __init__(self, engine: Engine, *, refuses: str = "", dies_at: str = "") -> None:
        self.engine, self.refuses, self.dies_at = engine, refuses, dies_at
        self.arrived: list[tuple[str, str, str]] = []
        self.seen: list[list[DispatchState]] = []

    def post(self, to: str, subject: str, body: str) -> str:
        with db.reading(self.engine) as session:
            self.seen.append(list(session.scalars(select(Dispatch.state).order_by(Dispatch.id))))
        if to == self.dies_at:
            raise KeyboardInterrupt
        if to == self.refuses:
            raise MailServerError(f"{to} は受け取られませんでした。")
        self.arrived.append((to, subject, body))
        return f"<{len(self.arrived)}@example.jp>"


def voices_with(session: Session, keyring: Keyring, contacts: list[dict[str, str]]) -> list[Voice]:
    made = []
    for contact in contacts:
        voice = factories.create_voice(session, text=ASKED, theme="道路・交通")
        factories.create_secret(session, voice, keyring, text="歩道について", **contact)
        made.append(voice)
    return made


def approved(
    session: Session, voices: list[Voice], delivery: Delivery = Delivery.MAIL, kind: DraftKind = DraftKind.FINAL
) -> tuple[Actor, Target]:
    """A case of these voices with an approved draft: its drafter, and how it is meant."""
    who, head = member(session), member(session, position="課長")
    if len(voices) > 1:
        merging.merge(session, [Target(voice.receipt_number) for voice in voices], actor=who)
    target = Target(voices[0].receipt_number)
    draft = answers.draft_of(session, session.scalar(select(Voice.case_id).where(Voice.id == voices[0].id)))
    draft = answers.save(
        session, target, actor=who, text=TEXT, disposition=Disposition.PLANNED, delivery=delivery, kind=kind,
        version=draft.version if draft else 0,
    )  # fmt: skip
    approvals.submit(session, target, actor=who, chains=ONE, checks=Checks(), version=draft.version)
    approvals.approve(session, session.scalar(select(func.max(Approval.id))) or 0, actor=head)
    return who, target


def deliver(engine: Engine, keyring: Keyring, mails: Mails) -> dict[str, int]:
    with db.reading(engine) as session:
        number = session.scalar(select(func.max(Draft.id))) or 0
    return mailing.deliver(engine, keyring, CITY, number, who="clerk", post=mails.post, progress=lambda _: None)


def states(engine: Engine) -> list[DispatchState]:
    with db.reading(engine) as session:
        return list(session.scalars(select(Dispatch.state).order_by(Dispatch.id)))


def test_a_campaign_of_many_is_answered_at_once_each_by_a_mail_of_its_own(engine: Engine, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        voices = voices_with(session, keyring, [{"email": f"a{number}@example.jp"} for number in range(37)])
        who, target = approved(session, voices)
        sending.send(session, target, actor=who, rules=RULES)
    with db.reading(engine) as session:
        case = session.scalars(select(Case).where(Case.merged_into.is_(None))).one()
        assert (case.status, case.disposition, case.answered_on) == (Status.ANSWERED, Disposition.PLANNED, today())
        rows = session.execute(select(Answer.text, Answer.department, Answer.answered_on, Answer.published_on)).all()
        assert rows == [(TEXT, "道路維持課", today(), None)] * 37
        assert set(session.scalars(select(Voice.status))) == {Status.ANSWERED}
        assert answers.draft_of(session, case.id) is None
    mails = Mails(engine)
    assert deliver(engine, keyring, mails) == {"sent": 37, "failed": 0}
    assert deliver(engine, keyring, mails) == {"sent": 0, "failed": 0}
    assert len({to for to, _, _ in mails.arrived}) == 37
    by_number = {voice.receipt_number for voice in voices}
    assert {subject.removeprefix("回答（受付番号 ").removesuffix("）") for _, subject, _ in mails.arrived} == by_number
    assert all(body.startswith(TEXT) and "潮見市" in body and "道路維持課" in body for _, _, body in mails.arrived)
    assert states(engine) == [DispatchState.SENT] * 37
    with db.reading(engine) as session:
        opened = session.scalars(select(AuditEntry).where(AuditEntry.action == "voice.read_original")).all()
        assert {entry.detail["receipt"] for entry in opened} == by_number
        assert all(entry.detail["fields"] == ["contact"] and entry.detail["reason"] == "reply" for entry in opened)
        assert audit.verify(session).broken_at is None
        assert "@" not in "".join(str(entry.detail) for entry in session.scalars(select(AuditEntry)))


def test_a_process_that_dies_between_sends_nothing_twice_and_a_person_says_what_becomes_of_it(engine: Engine, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        voices = voices_with(session, keyring, [{"email": "a@example.jp"}, {"email": "b@example.jp"}, {"email": "c@example.jp"}])
        who, target = approved(session, voices)
        sending.send(session, target, actor=who, rules=RULES)
    dying = Mails(engine, dies_at="b@example.jp")
    with pytest.raises(KeyboardInterrupt):
        deliver(engine, keyring, dying)
    assert dying.seen[1] == [DispatchState.SENT, DispatchState.SENDING, DispatchState.WAITING]
    mails = Mails(engine)
    assert deliver(engine, keyring, mails) == {"sent": 1, "failed": 0}
    assert [to for to, _, _ in mails.arrived] == ["c@example.jp"]
    with db.reading(engine) as session:
        number = session.scalars(select(Dispatch.id).where(Dispatch.state == DispatchState.SENDING)).one()
    with pytest.raises(InputError, match="当てはまる"), db.writing(engine) as session:
        sending.send_again(session, target, [number], actor=who)  # it may still be under way
    with db.writing(engine) as session:
        late = utc_now() - sending.STUCK_AFTER - timedelta(seconds=1)
        session.execute(update(Dispatch).where(Dispatch.id == number).values(at=late))
        assert [item.stuck for item in sending.dispatches_of(session, 1)].count(True) == 1
        assert sending.send_again(session, target, [number], actor=who) == (1, [1])
    assert deliver(engine, keyring, mails) == {"sent": 1, "failed": 0}
    assert [to for to, _, _ in mails.arrived] == ["c@example.jp", "b@example.jp"]


def test_a_mail_that_cannot_go_says_why_without_the_address_and_becomes_a_letter(engine: Engine, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        contacts = [{"email": "a@example.jp"}, {"name": "港町一郎", "phone": "090-0000-1234"}, {}, {"contact": "連絡は c@example.jp へ"}]
        who, target = approved(session, voices_with(session, keyring, contacts))
        sending.send(session, target, actor=who, rules=RULES)
    mails = Mails(engine, refuses="a@example.jp")
    assert deliver(engine, keyring, mails) == {"sent": 1, "failed": 3}
    assert [to for to, _, _ in mails.arrived] == ["c@example.jp"]
    with db.writing(engine) as session:
        shown = sending.dispatches_of(session, 1)
        assert sorted(item.problem for item in shown) == [
            "", "〔メール〕 は受け取られませんでした。", "メールアドレスがありません。", "メールアドレスがありません。",
        ]  # fmt: skip
        failed = [item.id for item in shown if item.may_be_sent_again]
        assert sending.by_letter(session, target, [item.id for item in shown], actor=who) == 3
        letters = sending.letters(session, keyring, target, failed, actor=who)
        assert sorted(letter.name for letter in letters) == ["", "", "港町一郎"]
        assert {letter.text for letter in letters} == {TEXT}
        assert sending.posted(session, target, failed, actor=who) == 3
    assert states(engine) == [DispatchState.SENT] * 4
    with db.reading(engine) as session:
        acts = [
            event.detail["act"] for event in session.scalars(select(CaseEvent).where(CaseEvent.kind == "case.post").order_by(CaseEvent.id))
        ]
        assert acts == ["letter", "posted"]


def test_after_an_interim_reply_there_is_more_time_where_the_rules_say_so(engine: Engine, keyring: Keyring) -> None:
    rules = replace(RULES, usual=replace(RULES.usual, interim=Term(5), after_interim=Term(10)))
    with db.writing(engine) as session:
        voices = voices_with(session, keyring, [{"email": "a@example.jp"}, {"email": "b@example.jp"}])
        voices[0].due_on = None  # such as a survey's
        who, target = approved(session, voices, kind=DraftKind.INTERIM)
        later, before = CITY.calendar.add(today(), 10), voices[1].due_on
        sending.send(session, target, actor=who, rules=rules)
        assert [voice.due_on for voice in voices] == [None, later]
        told = session.scalars(select(CaseEvent.detail).where(CaseEvent.kind == "case.recount")).one()
        assert before is not None
        assert told == {"from": before.isoformat(), "to": later.isoformat(), "voices": 1, "because": ["interim"]}


def test_an_interim_reply_goes_out_and_the_case_goes_on(engine: Engine, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        voices = voices_with(session, keyring, [{"email": "a@example.jp"}])
        who, target = approved(session, voices, kind=DraftKind.INTERIM)
        due = voices[0].due_on
        sending.send(session, target, actor=who, rules=RULES)
    with db.reading(engine) as session:
        case = session.scalars(select(Case)).one()
        assert (case.status, case.interim_on, case.answered_on) == (Status.DRAFTING, today(), None)
        assert session.scalar(select(func.count()).select_from(Answer)) == 0
        assert session.get_one(Voice, voices[0].id).due_on == due
    mails = Mails(engine)
    assert deliver(engine, keyring, mails)["sent"] == 1
    assert mails.arrived[0][1].startswith("中間のお知らせ")
    with db.writing(engine) as session:
        sending.send(session, approved(session, voices)[1], actor=who, rules=RULES)
    with db.reading(engine) as session:
        assert session.scalars(select(Case.status)).one() is Status.ANSWERED
        assert [draft.kind for draft in answers.sent_drafts(session, 1)] == [DraftKind.FINAL, DraftKind.INTERIM]


def test_an_answer_that_is_only_published_goes_to_nobody(engine: Engine, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        who, target = approved(session, voices_with(session, keyring, [{"email": "a@example.jp"}]), Delivery.NONE)
        sending.send(session, target, actor=who, rules=RULES)
    assert states(engine) == [DispatchState.SENT]
    mails = Mails(engine)
    assert deliver(engine, keyring, mails) == {"sent": 0, "failed": 0}
    with db.reading(engine) as session:
        assert session.scalar(select(AuditEntry.id).where(AuditEntry.action == "voice.read_original")) is None


def test_an_answer_given_again_takes_the_old_one_off_the_public_page(engine: Engine, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        voice = factories.create_voice(session, text=ASKED, theme="道路・交通", published=True)
        who = member(session)
        cases.reopen(session, [Target(voice.receipt_number)], "not_solved", actor=who)
        sending.send(session, approved(session, [voice])[1], actor=who, rules=RULES)
    with db.reading(engine) as session:
        kept = session.scalars(select(Answer)).one()
        assert (kept.text, kept.published_on, kept.answered_on) == (TEXT, None, today())


def test_who_handles_it_but_may_not_read_the_contact_prints_no_letter(engine: Engine, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        (voice,) = voices_with(session, keyring, [{"name": "港町一郎"}])
        voice.related = ["公園緑地課"]
        who, target = approved(session, [voice], Delivery.LETTER)
        sending.send(session, target, actor=who, rules=RULES)
        other = member(session, department="公園緑地課")
        numbers = list(session.scalars(select(Dispatch.id)))
        with pytest.raises(ForbiddenError, match="宛先"):
            sending.letters(session, keyring, target, numbers, actor=other)
        assert session.scalar(select(AuditEntry.id).where(AuditEntry.action == "voice.read_original")) is None


@pytest.mark.parametrize("state", [state for state in DraftState if state is not DraftState.APPROVED])
def test_nothing_is_sent_that_is_not_approved(engine: Engine, keyring: Keyring, state: DraftState) -> None:
    with db.writing(engine) as session:
        who, target = approved(session, voices_with(session, keyring, [{"email": "a@example.jp"}]))
        session.scalars(select(Draft)).one().state = state
    refused(engine, target, who)


@pytest.mark.parametrize("state", [state for state in ApprovalState if state is not ApprovalState.APPROVED])
def test_nothing_is_sent_whose_approvals_do_not_say_so(engine: Engine, keyring: Keyring, state: ApprovalState) -> None:
    with db.writing(engine) as session:
        who, target = approved(session, voices_with(session, keyring, [{"email": "a@example.jp"}]))
        session.scalars(select(Approval)).one().state = state
    refused(engine, target, who)


def test_nothing_is_sent_whose_text_is_of_another_version(engine: Engine, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        who, target = approved(session, voices_with(session, keyring, [{"email": "a@example.jp"}]))
        session.scalars(select(Draft)).one().version += 1
    refused(engine, target, who)


def refused(engine: Engine, target: Target, who: Actor) -> None:
    with pytest.raises(ConflictError), db.writing(engine) as session:
        sending.send(session, target, actor=who, rules=RULES)
    with db.reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 0
        assert session.scalar(select(func.count(Dispatch.id))) == 0
        assert session.scalars(select(Case.status)).one() is Status.IN_APPROVAL


def test_answers_and_dispatches_are_written_in_one_place_alone() -> None:
    """Besides the import, which brings answers that were given elsewhere, only ``loop.sending`` makes either."""
    makers = set()
    for folder in ("api", "core", "ingest", "loop", "nlp"):
        for path in (PROJECT_ROOT / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            if any(f" {name}(" in text or f"[{name}(" in text for name in ("Answer", "Dispatch")):
                makers |= {f"{folder}/{path.name}"} - {"core/voice.py", "core/drafts.py"}
    assert makers == {"loop/sending.py"}
