"""Members of staff and the cases of voices, for tests of what people do with them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Case, Role, User, Voice
from loop.actors import Actor
from loop.handling import Target
from tests import factories


def actor_of(user: User) -> Actor:
    return Actor(user.id, user.username, user.display_name, user.role, user.department)


def somebody(session: Session, role: Role = Role.KOCHO, **values: str) -> Actor:
    return actor_of(factories.create_user(session, role=role, **values))


def member(session: Session, **values: str) -> Actor:
    """A member of a department; of 道路維持課, where none is named."""
    return somebody(session, Role.DEPARTMENT, **values)


def case_of(session: Session, voice: Voice) -> Case:
    return session.get_one(Case, session.scalar(select(Voice.case_id).where(Voice.id == voice.id)))


def target(voice: Voice, version: int | None = None) -> Target:
    return Target(voice.receipt_number, version)
