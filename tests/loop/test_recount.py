"""Deadlines that follow corrections: counted by hand from the calendar of 2026, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import audit, db, deadline_file
from core.calendar import OpenDays
from core.deadline_rules import Count, DeadlineRule, DeadlineRules, SpecialRule, Start, Term
from core.errors import ConflictError, NotFoundError
from core.models import AuditEntry, CaseEvent, CasePause, DeskAct, Facet, Kind, Role, Status, Urgency, Voice
from core.settings import Settings
from loop import cases, clock, handling, labels, merging, recount
from loop.actors import Actor
from loop.steps import Step
from nlp import taxonomy
from nlp.taxonomy import Taxonomy
from tests import factories
from tests.loop.people import case_of, somebody, target
from tests.web.conftest import queries_of

# Received on Wednesday 1 April 2026: ten open days are the 15th, five the 8th, three the 6th, and the day itself.
REPORT = SpecialRule((("kind", frozenset([Kind.REPORT])),), DeadlineRule(Term(5)))
DANGER = SpecialRule((("urgency", frozenset([Urgency.LIFE])),), DeadlineRule(Term(1), Start.SAME_DAY))
CHILDREN = SpecialRule((("department", frozenset(["保育課"])),), DeadlineRule(Term(3)))
PARKS = SpecialRule((("theme", frozenset(["公園・緑地"])),), DeadlineRule(Term(20, Count.CALENDAR_DAYS)))
RULES = DeadlineRules(OpenDays(), exceptions=(DANGER, REPORT, CHILDREN, PARKS))
DAY = date(2026, 4, 1)
USUAL, OF_A_REPORT, OF_CHILDREN, OF_PARKS = date(2026, 4, 15), date(2026, 4, 8), date(2026, 4, 6), date(2026, 4, 21)


@pytest.fixture
def city(settings: Settings) -> Taxonomy:
    return taxonomy.load(settings.taxonomy_dir)


def voices_of(session: Session, count: int, *, due_on: date | None = USUAL, kind: Kind = Kind.REQUEST, **values: object) -> list[Voice]:
    return [factories.create_voice(session, theme="道路・交通", received_on=DAY, due_on=due_on, kind=kind, **values) for _ in range(count)]


def do(session: Session, act: DeskAct, who: Actor, rules: DeadlineRules = RULES) -> DeskAct:
    """What the desk does after every act on cases."""
    recount.follow(session, act, actor=who, rules=rules)
    return act


def told(session: Session) -> list[dict[str, object]]:
    return list(session.scalars(select(CaseEvent.detail).where(CaseEvent.kind == Step.RECOUNT.value).order_by(CaseEvent.id)))


def recorded(session: Session) -> list[tuple[str, dict[str, object]]]:
    statement = select(AuditEntry.subject, AuditEntry.detail).where(AuditEntry.action == Step.RECOUNT.value).order_by(AuditEntry.id)
    return [(row[0], row[1]) for row in session.execute(statement)]


@pytest.mark.parametrize(
    ("facet", "value", "due"),
    [
        (Facet.KIND, Kind.REPORT.value, OF_A_REPORT),
        (Facet.URGENCY, Urgency.LIFE.value, DAY),
        (Facet.THEME, "公園・緑地", OF_PARKS),
        (Facet.DEPARTMENT, "保育課", OF_CHILDREN),
    ],
)
def test_a_corrected_label_moves_the_deadline_and_its_undo_moves_it_back(
    engine: Engine, city: Taxonomy, facet: Facet, value: str, due: date
) -> None:
    with db.writing(engine) as session:
        (made_up,) = voices_of(session, 1)
        who = somebody(session)
        voice = recount.hold(session, made_up.receipt_number, seen_by=who)
        made = recount.decide(session, voice, facet, value, actor=who, taxonomy=city, rules=RULES)
        assert voice.due_on == due
        assert recorded(session)[0][0] == f"voice:{voice.id}"
        assert recorded(session)[0][1]["because"] == [facet.value]
        recount.undo(session, voice, [label.id for label in made], actor=who, rules=RULES)
        assert voice.due_on == USUAL
        assert audit.verify(session).broken_at is None


def test_a_correction_under_the_same_rule_touches_nothing(engine: Engine, city: Taxonomy) -> None:
    before_the_rules_changed = date(2026, 4, 30)
    with db.writing(engine) as session:
        (voice,) = voices_of(session, 1, due_on=before_the_rules_changed)
        who = somebody(session)
        recount.decide(session, voice, Facet.KIND, Kind.COMPLAINT.value, actor=who, taxonomy=city, rules=RULES)
        do(session, cases.relabel(session, [target(voice)], Facet.KIND, Kind.THANKS.value, actor=who, taxonomy=city), who)
        assert voice.due_on == before_the_rules_changed
        assert (told(session), recorded(session)) == ([], [])


def test_a_deadline_of_earlier_rules_comes_back_as_it_was(engine: Engine, city: Taxonomy) -> None:
    before_the_rules_changed = date(2026, 4, 30)
    with db.writing(engine) as session:
        (voice,) = voices_of(session, 1, due_on=before_the_rules_changed)
        who = somebody(session)
        made = recount.decide(session, voice, Facet.KIND, Kind.REPORT.value, actor=who, taxonomy=city, rules=RULES)
        assert voice.due_on == OF_A_REPORT
        recount.undo(session, voice, [made[0].id], actor=who, rules=RULES)
        assert voice.due_on == before_the_rules_changed
        # What was corrected in between counts: an urgent matter doesn't get the day back that it had as an ordinary one.
        made = recount.decide(session, voice, Facet.KIND, Kind.REPORT.value, actor=who, taxonomy=city, rules=RULES)
        recount.decide(session, voice, Facet.DEPARTMENT, "保育課", actor=who, taxonomy=city, rules=RULES)
        recount.undo(session, voice, [made[0].id], actor=who, rules=RULES)
        assert voice.due_on == OF_CHILDREN


def test_the_nearest_deadline_leads_the_case(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        first, second, third = voices_of(session, 3)
        who = somebody(session)
        merged = merging.merge(session, [target(voice) for voice in (first, second, third)], actor=who)
        case = case_of(session, first)
        assert (case.lead_id, case.version) == (first.id, 1)
        voice = recount.hold(session, second.receipt_number, seen_by=who)
        made = recount.decide(session, voice, Facet.KIND, Kind.REPORT.value, actor=who, taxonomy=city, rules=RULES)
        session.flush()
        assert (case.lead_id, [voice.folded for voice in (first, second, third)]) == (second.id, [True, False, True])
        (event,) = told(session)
        assert event == {"from": "2026-04-15", "to": "2026-04-08", "voices": 1, "because": ["kind"]}
        recount.undo(session, voice, [made[0].id], actor=who, rules=RULES)
        session.flush()
        assert (case.lead_id, [voice.folded for voice in (first, second, third)]) == (first.id, [False, True, True])
        # The case has changed: an act before it would bring back what stood then.
        with pytest.raises(ConflictError):
            handling.undo(session, merged.id, actor=who)


def test_an_act_on_many_cases_moves_them_all_and_back(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voices = voices_of(session, 6)
        survey = voices_of(session, 1, due_on=None)[0]
        who = somebody(session)
        merging.merge(session, [target(voice) for voice in (*voices[:3], survey)], actor=who)
        everything = [target(voices[0]), *(target(voice) for voice in voices[3:])]
        act = do(session, cases.relabel(session, everything, Facet.KIND, Kind.REPORT.value, actor=who, taxonomy=city), who)
        session.flush()
        assert {voice.due_on for voice in voices} == {OF_A_REPORT}
        assert survey.due_on is None
        assert [event["voices"] for event in told(session)] == [3, 1, 1, 1]
        assert [subject for subject, _ in recorded(session)] == [f"case:{case_of(session, voice).id}" for voice in (voices[0], *voices[3:])]
    with db.writing(engine) as session:
        assert handling.undo(session, act.id, actor=who) == (4, 0)
        assert audit.verify(session).broken_at is None
    with db.reading(engine) as session:
        assert set(session.scalars(select(Voice.due_on).where(Voice.due_on.is_not(None)))) == {USUAL}


def test_who_is_given_a_voice_answers_by_its_own_rule(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        given, joining = voices_of(session, 2)
        who = somebody(session)
        act = do(session, cases.assign(session, [target(given)], "保育課", actor=who, taxonomy=city), who)
        assert (given.due_on, joining.due_on) == (OF_CHILDREN, USUAL)
        do(session, merging.merge(session, [target(given), target(joining)], actor=who), who)
        assert joining.due_on == OF_CHILDREN
        assert [event["because"] for event in told(session)] == [["department"], ["department"]]
        assert act.before[0]["voices"][0]["due_on"] == "2026-04-15"


def test_days_for_which_the_clock_stood_still_stay_out(engine: Engine, city: Taxonomy, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing(engine) as session:
        (voice,) = voices_of(session, 1)
        who = somebody(session)
        monkeypatch.setattr(clock, "today", lambda: date(2026, 4, 3))
        clock.stop(session, target(voice), "resident", actor=who)
        # It stands still: nothing to count yet.
        recount.decide(session, voice, Facet.DEPARTMENT, "保育課", actor=who, taxonomy=city, rules=RULES)
        assert voice.due_on is None
        monkeypatch.setattr(clock, "today", lambda: date(2026, 4, 10))
        clock.go_on(session, target(voice), actor=who, rules=RULES)
        assert voice.due_on == date(2026, 4, 14)  # the 2nd was counted: two days from Monday the 13th
        recount.decide(session, voice, Facet.KIND, Kind.REPORT.value, actor=who, taxonomy=city, rules=RULES)
        assert voice.due_on == date(2026, 4, 16)  # four days from the 13th


@pytest.mark.parametrize("act", ["merge", "split"])
def test_what_a_voice_left_behind_with_a_case_is_not_counted_again(
    engine: Engine, city: Taxonomy, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    with db.writing(engine) as session:
        one, two = voices_of(session, 2)
        who = somebody(session)
        if act == "split":
            merging.merge(session, [target(one), target(two)], actor=who)
        monkeypatch.setattr(clock, "today", lambda: date(2026, 4, 3))
        for voice in (one, two) if act == "merge" else (one,):
            clock.stop(session, target(voice), "resident", actor=who)
        if act == "merge":
            merging.merge(session, [target(one), target(two)], actor=who)
        else:
            merging.split(session, target(one), [two.receipt_number], actor=who)
            monkeypatch.setattr(clock, "today", lambda: date(2026, 4, 6))
            clock.go_on(session, target(two), actor=who, rules=RULES)
        monkeypatch.setattr(clock, "today", lambda: date(2026, 4, 10))
        clock.go_on(session, target(one), actor=who, rules=RULES)
        assert (one.due_on is None, two.due_on is None) == (False, False)
        assert recount.differing(session, RULES) == []
        later = DeadlineRules(OpenDays(), DeadlineRule(Term(12)))
        assert {found.id for found in recount.differing(session, later)} == {one.id, two.id}


def test_an_interim_reply_goes_with_the_voices(engine: Engine) -> None:
    with db.writing(engine) as session:
        one, two, three = voices_of(session, 3)
        who = somebody(session)
        merging.merge(session, [target(one), target(two)], actor=who)
        case_of(session, one).interim_on = date(2026, 4, 10)
        merging.split(session, target(one), [two.receipt_number], actor=who)
        assert case_of(session, two).interim_on == date(2026, 4, 10)
        with pytest.raises(ConflictError, match="中間回答"):
            merging.merge(session, [target(two), target(three)], actor=who)


def test_what_is_done_keeps_its_day(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        (voice,) = voices_of(session, 1)
        who = somebody(session)
        cases.close(session, [target(voice)], "noted", actor=who)
        do(session, cases.relabel(session, [target(voice)], Facet.KIND, Kind.REPORT.value, actor=who, taxonomy=city), who)
        recount.decide(session, voice, Facet.DEPARTMENT, "保育課", actor=who, taxonomy=city, rules=RULES)
        assert (voice.due_on, voice.status) == (USUAL, Status.CLOSED)
        assert recount.differing(session, RULES) == []


def test_many_cases_are_looked_up_and_changed_in_as_many_statements_as_few(engine: Engine, city: Taxonomy) -> None:
    sent: list[int] = []
    with db.writing(engine) as session:
        who = somebody(session)
        for count in (3, 30):
            targets = [target(voice) for voice in voices_of(session, count)]
            act = cases.relabel(session, targets, Facet.KIND, Kind.REPORT.value, actor=who, taxonomy=city)
            with queries_of(engine) as statements:
                assert len(recount.follow(session, act, actor=who, rules=RULES)) == count
            sent.append(sum(not statement.startswith("INSERT") for statement in statements))
            with queries_of(engine) as statements:
                assert recount.follow(session, act, actor=who, rules=DeadlineRules(OpenDays())) == []
            assert statements == []
    assert sent[0] == sent[1]


def test_new_rules_are_told_and_then_put_in_force(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who = somebody(session)
        first, second, third, done = voices_of(session, 4)
        report, stopped = *voices_of(session, 1, kind=Kind.REPORT, due_on=OF_A_REPORT), *voices_of(session, 1)
        act = merging.merge(session, [target(first), target(second)], actor=who)
        case = case_of(session, first)
        cases.close(session, [target(done)], "noted", actor=who)
        clock.stop(session, target(stopped), "resident", actor=who)
        session.add(CasePause(case_id=case.id, since=date(2026, 4, 6), until=date(2026, 4, 8), reason="resident", voices=[second.id]))
    new = DeadlineRules(OpenDays(), DeadlineRule(Term(7)), (REPORT,))
    with db.reading(engine) as session:
        found = recount.differing(session, new)
        assert recount.running(session) == 4
    moved = [(first, date(2026, 4, 10)), (second, date(2026, 4, 15)), (third, date(2026, 4, 10))]
    # The second one's pause takes three days out: by seven open days it is due on the 15th, as it is.
    assert [(one.id, one.before, one.after) for one in found] == [(voice.id, USUAL, due) for voice, due in moved if due != USUAL]
    assert recount.bring_up_to_date(engine, [one.id for one in found], new, actor="cli") == 2
    with db.writing(engine) as session:
        assert recount.differing(session, new) == []
        kept = {voice.id: voice.due_on for voice in session.scalars(select(Voice))}
        assert kept == {first.id: date(2026, 4, 10), second.id: USUAL, third.id: date(2026, 4, 10), done.id: USUAL} | {
            report.id: OF_A_REPORT, stopped.id: None
        }  # fmt: skip
        assert [(event["from"], event["because"]) for event in told(session)] == [("2026-04-15", [])]
        assert [subject for subject, _ in recorded(session)] == [f"voice:{first.id}", f"voice:{third.id}"]
        with pytest.raises(ConflictError):
            handling.undo(session, act.id, actor=who)


def test_the_sample_citys_rule_looks_at_nothing(engine: Engine, city: Taxonomy, settings: Settings) -> None:
    rules = deadline_file.load(settings.taxonomy_dir)
    with db.writing(engine) as session:
        (voice,) = voices_of(session, 1)
        who = somebody(session)
        recount.decide(session, voice, Facet.URGENCY, Urgency.LIFE.value, actor=who, taxonomy=city, rules=rules)
        assert (voice.due_on, recorded(session)) == (USUAL, [])


@pytest.mark.parametrize("look", [lambda _session, voice: voice.receipt_number, lambda *_: "R08-999999-9"])
def test_a_voice_that_is_not_there_for_somebody_is_not_held(engine: Engine, look: Callable[[Session, Voice], str]) -> None:
    with db.writing(engine) as session:
        (voice,) = voices_of(session, 1)
        other = somebody(session, Role.DEPARTMENT, department="公園緑地課")
        with pytest.raises(NotFoundError):
            recount.hold(session, look(session, voice), seen_by=other)
        assert labels.in_force(voice, Facet.KIND) == Kind.REQUEST.value
