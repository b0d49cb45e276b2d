from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.orm import Session

from core import db
from core.calendar import OpenDays
from core.clock import today
from core.deadline_rules import DeadlineRules
from core.models import CasePart, Role, Status, Voice, VoiceConcern
from core.settings import Settings
from loop import parts, queries
from loop.actors import Actor
from loop.filters import Order, Scope, Tab, VoiceFilter
from nlp import taxonomy
from tests import factories
from tests.loop.people import actor_of, somebody, target

DAY = date(2026, 9, 1)
ROADS, PARKS, WASTE = "道路維持課", "公園緑地課", "ごみ減量課"


def concerns(session: Session) -> set[tuple[int, str]]:
    return {(row.voice_id, row.department) for row in session.scalars(select(VoiceConcern))}


def test_whom_a_voice_concerns_is_kept_beside_it(engine: Engine) -> None:
    with db.writing(engine) as session:
        one, two = (factories.create_voice(session, related=names) for names in ([PARKS, WASTE], []))
        session.flush()
        assert concerns(session) == {(one.id, PARKS), (one.id, WASTE)}
        one.related, two.related = [WASTE, WASTE], [ROADS]
        session.flush()
        assert concerns(session) == {(one.id, WASTE), (two.id, ROADS)}
        one.theme = "ごみ・環境"
        session.flush()
        assert concerns(session) == {(one.id, WASTE), (two.id, ROADS)}
        kept = one.id
        session.execute(text("DELETE FROM machine_readings"))
        session.execute(delete(Voice).where(Voice.id == two.id))
        assert concerns(session) == {(kept, WASTE)}


def a_city(session: Session) -> tuple[list[Voice], Actor]:
    """Voices of three departments, some of which concern others too, with equal days and without deadlines among them."""
    rng = Random(7)  # noqa: S311
    user = factories.create_user(session, role=Role.DEPARTMENT, username="doro", department=ROADS)
    voices = [
        factories.create_voice(
            session,
            theme=rng.choice(["道路・交通", "公園・緑地"]),
            department=rng.choice([ROADS, PARKS, WASTE]),
            related=rng.choice([[], [], [ROADS], [PARKS], [ROADS, WASTE]]),
            received_on=DAY + timedelta(days=rng.randrange(9)),
            due_on=rng.choice([None, DAY + timedelta(days=rng.randrange(9))]),
            answered=rng.random() < 0.3,
        )
        for _ in range(240)
    ]
    session.flush()
    return voices, actor_of(user)


def _expected(voices: list[Voice], actor: Actor, tab: Tab, order: Order, theme: str) -> list[int]:
    def wanted(voice: Voice) -> bool:
        if not actor.may_see(voice) or (theme and voice.theme != theme):
            return False
        if tab is Tab.DUE and (voice.due_on or date.max) > DAY + timedelta(days=4):
            return False
        return tab is Tab.ALL or (voice.is_open and (tab is not Tab.DEPARTMENT or voice.department == ROADS))

    def newest(voice: Voice) -> tuple[int, int]:
        return -voice.received_on.toordinal(), -voice.id

    def nearest(voice: Voice) -> tuple[int, int]:
        return (voice.due_on or date.max).toordinal(), voice.id

    return [voice.id for voice in sorted(filter(wanted, voices), key=newest if order is Order.NEWEST else nearest)]


@pytest.mark.parametrize("theme", ["", "公園・緑地"])
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("tab", [Tab.OPEN, Tab.DEPARTMENT, Tab.DUE, Tab.ALL])
def test_a_department_s_lists_hold_what_it_may_see_page_by_page_in_order(engine: Engine, tab: Tab, order: Order, theme: str) -> None:
    with db.writing(engine) as session:
        voices, actor = a_city(session)
        expected = _expected(voices, actor, tab, order, theme)
        scope = Scope(filter=VoiceFilter(theme=theme), tab=tab, department=ROADS, due_by=DAY + timedelta(days=4), seen_by=actor)
        assert queries.count_tabs(session, scope)[tab] == len(expected) > 8
        pages, after = [], None
        while not pages or after is not None:
            page = queries.list_voices(session, scope, order=order, after=after, limit=7)
            pages.append([row.id for row in page.rows])
            if len(pages) > 1:
                back = queries.list_voices(session, scope, order=order, before=page.rows[0].cursor, limit=7)
                assert [row.id for row in back.rows] == pages[-2]
            after = page.next
        assert [number for page in pages for number in page] == expected
        by_id = {voice.id: voice for voice in voices}
        for place in (0, 3, len(expected) - 1):
            around = queries.neighbours(session, scope, order=order, voice=by_id[expected[place]])
            beside = [expected[at] if 0 <= at < len(expected) else None for at in (place - 1, place + 1)]
            assert around == tuple(number and by_id[number].receipt_number for number in beside)


def test_what_a_department_is_asked_for_comes_by_the_days_of_its_parts(engine: Engine, settings: Settings) -> None:
    with db.writing(engine) as session:
        who, own = somebody(session), somebody(session, Role.DEPARTMENT, department=PARKS)
        days = [5, 2, None, 9, 2]
        voices = [
            factories.create_voice(session, department=ROADS, due_on=today() + timedelta(days=20 + place), status=Status.TRIAGED)
            for place in range(len(days))
        ]
        session.flush()
        rules = {"taxonomy": taxonomy.load(settings.taxonomy_dir), "rules": DeadlineRules(OpenDays())}
        for voice, left in zip(voices, days, strict=True):
            on = None if left is None else today() + timedelta(days=left)
            parts.divide(session, target(voice), PARKS, [1], actor=who, due_on=on, **rules)
        session.execute(
            update(CasePart).where(CasePart.department == PARKS, CasePart.due_on > today() + timedelta(days=9)).values(due_on=None)
        )
        expected = [voices[place].id for place in (1, 4, 0, 3, 2)]
        scope = Scope(filter=VoiceFilter(), tab=Tab.ASKED, department=PARKS, due_by=DAY, seen_by=own)
        first = queries.list_voices(session, scope, order=Order.DUE, limit=2)
        second = queries.list_voices(session, scope, order=Order.DUE, after=first.next, limit=3)
        assert [row.id for page in (first, second) for row in page.rows] == expected
        assert first.rows[0].day == today() + timedelta(days=2)
        assert [
            row.id for row in queries.list_voices(session, scope, order=Order.DUE, before=second.rows[0].cursor, limit=2).rows
        ] == expected[:2]
        beside = queries.neighbours(session, scope, order=Order.DUE, voice=voices[0])
        assert beside == (voices[4].receipt_number, voices[3].receipt_number)
        parts.reply(session, target(voices[4]), "直します。", actor=own)
        beside = queries.neighbours(session, scope, order=Order.DUE, voice=voices[4])
        assert beside == (voices[1].receipt_number, voices[0].receipt_number), "who has replied goes on from there"
