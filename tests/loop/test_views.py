"""Saved views: one's own and the department's, few, each name once. On both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from core import audit, db
from core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from core.models import AuditEntry, Role
from loop import views
from tests.loop.people import somebody


def test_a_person_sees_their_own_views_and_the_departments(engine: Engine) -> None:
    with db.writing(engine) as session:
        me, colleague = (somebody(session, Role.DEPARTMENT) for _ in range(2))
        stranger, nobody = somebody(session, Role.DEPARTMENT, department="保育課"), somebody(session, Role.ADMIN)
        views.save(session, "  期限の\n近いもの ", "tab=due", actor=me)
        views.save(session, "段差", "q=段差", actor=colleague, for_department=True)
        views.save(session, "期限の 近いもの", "tab=due&order=new", actor=colleague)
        views.save(session, "段差", "q=段差", actor=stranger, for_department=True)
        assert [(view.name, view.query, view.department, view.may_delete) for view in views.views_of(session, actor=me)] == [
            ("期限の 近いもの", "tab=due", "", True),
            ("段差", "q=段差", "道路維持課", False),
        ]
        assert [view.may_delete for view in views.views_of(session, actor=colleague)] == [True, True]
        assert views.views_of(session, actor=nobody) == []
        with pytest.raises(InputError, match="所属の課がない"):
            views.save(session, "全部", "", actor=nobody, for_department=True)


@pytest.mark.parametrize("shared", [True, False])
def test_a_name_is_given_once_and_there_are_few(engine: Engine, *, shared: bool) -> None:
    with db.writing(engine) as session:
        me, colleague = (somebody(session, Role.DEPARTMENT) for _ in range(2))
        views.save(session, "段差", "q=段差", actor=me, for_department=shared)
        with pytest.raises(ConflictError, match="「段差」"):
            views.save(session, "段差", "", actor=me, for_department=shared)
        if shared:
            with pytest.raises(ConflictError, match="「段差」"):
                views.save(session, "段差", "", actor=colleague, for_department=True)
        for number in range(views.MOST - 1):
            views.save(session, f"一覧{number}", "", actor=me, for_department=shared)
        with pytest.raises(InputError, match="30 個まで"):
            views.save(session, "もう一つ", "", actor=me, for_department=shared)
        views.save(session, "段差", "", actor=me, for_department=not shared)
        with pytest.raises(InputError, match="字以内"):
            views.save(session, " \0", "", actor=colleague)


def test_who_may_take_a_view_away(engine: Engine) -> None:
    with db.writing(engine) as session:
        me, colleague = (somebody(session, Role.DEPARTMENT) for _ in range(2))
        stranger, kocho = somebody(session, Role.DEPARTMENT, department="保育課"), somebody(session)
        own = views.save(session, "自分の", "", actor=me).id
        shared = views.save(session, "課の", "", actor=me, for_department=True).id
        second = views.save(session, "課の2", "", actor=me, for_department=True).id
        for number, person, wrong in (
            (own, colleague, NotFoundError),
            (own, kocho, NotFoundError),
            (shared, colleague, ForbiddenError),
            (shared, stranger, NotFoundError),
            (second + 1, me, NotFoundError),
        ):
            with pytest.raises(wrong):
                views.delete(session, number, actor=person)
        views.delete(session, own, actor=me)
        views.delete(session, shared, actor=me)
        views.delete(session, second, actor=kocho)
        assert views.views_of(session, actor=me) == []
    with db.reading(engine) as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert actions == ["view.save"] * 3 + ["view.delete"] * 3
        assert audit.verify(session).broken_at is None
