"""What may be taken back, by whom and how much of it; and who may say to whom a voice belongs."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import audit, db
from core.deadline_rules import DeadlineRules
from core.errors import ConflictError, ForbiddenError, NotFoundError
from core.models import Case, CaseEvent, DeskAct, Facet, HumanLabel, Kind, Status, Voice
from core.settings import Settings
from loop import cases, handling, merging, parts, recount
from loop.actors import Actor
from nlp import taxonomy
from nlp.taxonomy import Taxonomy
from tests import factories
from tests.loop.people import case_of, member, somebody, target
from tests.loop.test_recount import RULES
from tests.web.conftest import queries_of

ROADS, PARKS = "道路維持課", "公園緑地課"


@pytest.fixture
def city(settings: Settings) -> Taxonomy:
    return taxonomy.load(settings.taxonomy_dir)


def decide(session: Session, voice: Voice, facet: Facet, value: str, who: Actor, city: Taxonomy, rules: DeadlineRules = RULES) -> None:
    held = recount.hold(session, voice.receipt_number, seen_by=who)
    recount.decide(session, held, facet, value, actor=who, taxonomy=city, rules=rules)


def test_what_a_colleague_decided_since_is_never_taken_back_with_it(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, other = somebody(session), somebody(session, username="other01")
        voice = factories.create_voice(session, theme="道路・交通", kind=Kind.REQUEST)
        act = cases.accept(session, [target(voice)], actor=who)
        decide(session, voice, Facet.KIND, Kind.COMPLAINT, other, city)
        number = act.id
    with pytest.raises(ConflictError, match="もう取り消せません"), db.writing(engine) as session:
        handling.undo(session, number, actor=who)
    with db.reading(engine) as session:
        assert session.get_one(Voice, voice.id).kind is Kind.COMPLAINT
        assert session.scalars(select(HumanLabel.undone).where(HumanLabel.value == Kind.COMPLAINT)).all() == [False]


@pytest.mark.parametrize("act", ["accept", "relabel"])
def test_of_an_act_on_many_what_somebody_changed_stays_and_the_rest_goes_back(engine: Engine, city: Taxonomy, act: str) -> None:
    with db.writing(engine) as session:
        who, voices = somebody(session), [factories.create_voice(session, theme="道路・交通", kind=Kind.REQUEST) for _ in range(3)]
        chosen = [target(voice) for voice in voices]
        if act == "accept":
            done = cases.accept(session, chosen, actor=who)
        else:
            done = cases.relabel(session, chosen, Facet.KIND, Kind.REPORT, actor=who, taxonomy=city)
        cases.take_over(session, [target(voices[1])], actor=who)
        assert handling.undo(session, done.id, actor=who) == (2, 1)
        changed = [voice.kind is Kind.REPORT or voice.status is not Status.RECEIVED for voice in voices]
        assert changed == [False, True, False]


def test_a_voice_that_went_to_another_department_does_not_come_back_by_an_undo(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, desk = member(session, department=ROADS), somebody(session)
        voices = [factories.create_voice(session, theme="道路・交通") for _ in range(2)]
        number = cases.accept(session, [target(voice) for voice in voices], actor=who).id
        for voice in voices:
            decide(session, voice, Facet.DEPARTMENT, PARKS, desk, city)
    with pytest.raises((ConflictError, NotFoundError)), db.writing(engine) as session:
        handling.undo(session, number, actor=who)
    with db.reading(engine) as session:
        assert set(session.scalars(select(Voice.department))) == {PARKS}


@pytest.mark.parametrize("act", ["assign", "also", "merge", "involve", "relabel"])
def test_a_department_that_only_has_a_part_says_nothing_of_whose_the_voice_is(engine: Engine, city: Taxonomy, act: str) -> None:
    with db.writing(engine) as session:
        who, desk = member(session, department=PARKS), somebody(session)
        voice, own = factories.create_voice(session, theme="道路・交通"), factories.create_voice(session, theme="公園・緑地")
        parts.divide(session, target(voice), PARKS, [1], actor=desk, taxonomy=city, rules=RULES, asked="時期は？")
        cases.take_over(session, [target(own)], actor=who)
        cases.assign(session, [target(own)], PARKS, actor=desk, taxonomy=city)
    acts = {
        "assign": lambda s: cases.assign(s, [target(voice)], PARKS, actor=who, taxonomy=city),
        "also": lambda s: cases.assign(s, [target(voice)], ROADS, actor=who, taxonomy=city, also=["ごみ減量課"]),
        "merge": lambda s: merging.merge(s, [target(voice), target(own)], actor=who),
        "involve": lambda s: parts.involve(s, target(voice), "ごみ減量課", actor=who, taxonomy=city),
        "relabel": lambda s: cases.relabel(s, [target(voice)], Facet.DEPARTMENT, PARKS, actor=who, taxonomy=city),
    }
    with pytest.raises(ForbiddenError), db.writing(engine) as session:
        acts[act](session)
    with db.reading(engine) as session:
        kept = session.get_one(Voice, voice.id)
        assert (kept.department, kept.related, who.may_read_original(kept)) == (ROADS, [PARKS], False)


@pytest.mark.parametrize("status", [Status.ANSWERED, Status.CLOSED, Status.IN_APPROVAL])
def test_labels_of_past_work_can_be_confirmed_and_its_state_stays(engine: Engine, status: Status) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session, theme="道路・交通", status=status)
        cases.accept(session, [target(voice)], actor=who)
        assert (voice.status, case_of(session, voice).status) == (status, status)
        assert len(session.scalars(select(HumanLabel)).all()) == 5


def test_with_its_last_label_a_new_case_is_triaged(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session, theme="道路・交通")
        parts.involve(session, target(voice), PARKS, actor=who, taxonomy=city)
        assert voice.status is Status.RECEIVED
        for facet in Facet:
            decide(session, voice, facet, str(getattr(voice, facet.value)), who, city)
        assert (voice.status, case_of(session, voice).status) == (Status.TRIAGED, Status.TRIAGED)


def test_new_copies_of_a_campaign_do_not_join_a_case_whose_clock_stands_still(engine: Engine) -> None:
    with db.writing(engine) as session:
        voices = [factories.create_voice(session, theme="道路・交通", due_on=date(2026, 12, 1)) for _ in range(4)]
        first = merging.fold_campaign(session, [voice.id for voice in voices[:2]])
        session.get_one(Case, first).paused_on = date(2026, 11, 2)
        second = merging.fold_campaign(session, [voice.id for voice in voices])
        assert second not in (None, first)
        assert [voice.case_id for voice in voices] == [first, first, second, second]


@pytest.mark.parametrize("act", ["accept", "assign", "take_over"])
def test_an_act_on_many_cases_and_taking_it_back_take_as_many_statements_as_on_few(engine: Engine, city: Taxonomy, act: str) -> None:
    acts = {
        "accept": lambda s, chosen, who: cases.accept(s, chosen, actor=who),
        "assign": lambda s, chosen, who: cases.assign(s, chosen, PARKS, actor=who, taxonomy=city, also=["ごみ減量課"]),
        "take_over": lambda s, chosen, who: cases.take_over(s, chosen, actor=who),
    }

    def sent(count: int) -> tuple[int, int]:
        with db.writing(engine) as session:
            who = somebody(session)
            chosen = [target(factories.create_voice(session, theme="道路・交通")) for _ in range(count)]
        with queries_of(engine) as acting, db.writing(engine) as session:
            number = acts[act](session, chosen, who).id
        with db.reading(engine) as session:
            told = session.scalars(select(CaseEvent.case_id).where(CaseEvent.user_id == who.user_id)).all()
            assert (len(told), len(set(told))) == (count, count)
        with queries_of(engine) as undoing, db.writing(engine) as session:
            assert handling.undo(session, number, actor=who) == (count, 0)
        with db.reading(engine) as session:
            assert session.get_one(DeskAct, number).undone_at is not None
            assert audit.verify(session).broken_at is None
        return len(acting), len(undoing)

    assert sent(25) == sent(5)
