from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import db, facts
from core.errors import ConflictError, ForbiddenError, InputError
from core.models import Facet, HumanLabel, Role, Status, Voice
from core.settings import Settings
from loop import labels, queries
from loop.actors import Actor
from nlp import service, taxonomy
from nlp.taxonomy import Taxonomy
from tests import factories
from tests.loop.people import member, somebody


@pytest.fixture
def city(settings: Settings) -> Taxonomy:
    return taxonomy.load(settings.taxonomy_dir)


def start(session: Session, *, role: Role = Role.KOCHO, theme: str = "道路・交通") -> tuple[Voice, Actor]:
    return factories.create_voice(session, theme=theme, confidence=0.5), somebody(session, role)


def test_an_acceptance_is_a_row_that_keeps_what_the_machine_said(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice, who = start(session)
        labels.decide(session, voice, Facet.THEME, "道路・交通", actor=who, taxonomy=city)
        said = queries.labels_of(session, voice.id)
    assert [(d.value, d.machine_value, d.user) for d in said.decisions[Facet.THEME]] == [("道路・交通", "道路・交通", who.display_name)]
    assert said.machine[Facet.THEME].confidence == 0.5
    assert (voice.confidence, voice.subtheme) == (1.0, "道路・歩道の傷み")


def test_a_voice_is_triaged_when_every_facet_was_decided(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice, who = start(session)
        for facet in Facet:
            assert voice.status is Status.RECEIVED
            labels.decide(session, voice, facet, labels.in_force(voice, facet), actor=who, taxonomy=city)
        assert voice.status is Status.TRIAGED


def test_accepting_twice_writes_once(engine: Engine) -> None:
    with db.writing(engine) as session:
        voice, who = start(session)
        labels.put(session, labels.undecided(session, [voice]), actor=who)
        assert session.scalar(select(func.count(HumanLabel.id))) == 5
        assert labels.undecided(session, [voice]) == []


def test_what_was_taken_back_can_be_accepted_and_what_stands_is_left(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice, who = start(session)
        labels.decide(session, voice, Facet.KIND, "提案", actor=who, taxonomy=city)
        made = labels.decide(session, voice, Facet.THEME, "公園・緑地", actor=who, taxonomy=city)
        labels.undo(session, voice, [label.id for label in made], actor=who)
        again = labels.undecided(session, [voice])
        labels.put(session, again, actor=who)
        assert {facet for _, facet, _ in again} == set(Facet) - {Facet.KIND}
        standing = [made for made in queries.labels_of(session, voice.id).decisions[Facet.THEME] if not made.undone]
        assert [made.value for made in standing] == ["道路・交通"]


def test_what_is_taken_back_is_no_decision_any_more(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice, who = start(session)
        kept = labels.decide(session, voice, Facet.THEME, "ごみ・環境", actor=who, taxonomy=city)
        made = labels.decide(session, voice, Facet.THEME, "公園・緑地", actor=who, taxonomy=city)
        back = labels.undo(session, voice, [label.id for label in made], actor=who)
    assert [label.undone for label in (*kept, *made, *back)] == [False, False, True, True]
    with db.reading(engine) as session:
        assert [example.theme for example in service.corrections(session)] == ["ごみ・環境"]


def test_undoing_twice_brings_the_change_back(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice, who = start(session)
        made = labels.decide(session, voice, Facet.THEME, "公園・緑地", actor=who, taxonomy=city)
        labels.undo(session, voice, [label.id for label in made], actor=who)
        assert (voice.theme, voice.subtheme, voice.confidence) == ("道路・交通", "道路・歩道の傷み", 0.5)


def test_an_undo_after_a_persons_word_goes_back_to_that(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice, who = start(session)
        labels.decide(session, voice, Facet.KIND, "提案", actor=who, taxonomy=city)
        made = labels.decide(session, voice, Facet.KIND, "感謝", actor=who, taxonomy=city)
        labels.undo(session, voice, [made[0].id], actor=who)
        assert voice.kind == "提案"


def test_another_voices_decision_cannot_be_undone_here(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice, who = start(session)
        other = factories.create_voice(session)
        made = labels.decide(session, other, Facet.KIND, "提案", actor=who, taxonomy=city)
        with pytest.raises(ConflictError):
            labels.undo(session, voice, [made[0].id], actor=who)


def test_a_manager_decides_nothing(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice, who = start(session, role=Role.MANAGER)
        for act in (
            lambda: labels.decide(session, voice, Facet.KIND, "提案", actor=who, taxonomy=city),
            lambda: labels.put(session, labels.undecided(session, [voice]), actor=who),
            lambda: labels.undo(session, voice, [1], actor=who),
        ):
            with pytest.raises(ForbiddenError):
                act()


def test_a_subtheme_must_be_one_of_the_theme(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice, who = start(session)
        labels.decide(session, voice, Facet.SUBTHEME, "除雪・凍結", actor=who, taxonomy=city)
        with pytest.raises(InputError, match="選べません"):
            labels.decide(session, voice, Facet.SUBTHEME, "遊具・設備", actor=who, taxonomy=city)
        labels.decide(session, voice, Facet.SUBTHEME, "", actor=who, taxonomy=city)
        assert voice.subtheme == ""


def test_a_department_hands_over_its_own_voices_and_takes_nobodys(engine: Engine, city: Taxonomy) -> None:
    own, other = city.departments[0].name, city.departments[1].name
    with db.writing(engine) as session:
        voice = factories.create_voice(session, department=other)
        who = member(session, department=own)
        with pytest.raises(ForbiddenError):
            labels.decide(session, voice, Facet.DEPARTMENT, own, actor=who, taxonomy=city)
        assert voice.department == other
        voice.department = own
        labels.decide(session, voice, Facet.DEPARTMENT, other, actor=who, taxonomy=city)
        assert voice.department == other


def test_the_daily_counts_follow_a_decision_and_its_undoing(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        voice, who = start(session)
        topic = str(factories.create_topic(session, voices=[voice]).id)
        before = facts.cross(session, "theme", "department")
        made = labels.decide(session, voice, Facet.THEME, "公園・緑地", actor=who, taxonomy=city)
        assert facts.totals(session, "theme") == {"公園・緑地": 1}
        assert facts.totals(session, "subtheme") == {"": 1}
        assert facts.cross(session, "topic", "theme") == {(topic, "公園・緑地"): 1}
        made += labels.decide(session, voice, Facet.DEPARTMENT, "", actor=who, taxonomy=city)
        assert facts.cross(session, "theme", "department") == {("公園・緑地", ""): 1}
        labels.undo(session, voice, [label.id for label in made], actor=who)
        assert facts.cross(session, "theme", "department") == before
        assert facts.differences(session) == []
