"""Who has a voice before their eyes, and what each member of staff hasn't seen yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.bulk import among
from core.clock import utc_now
from core.models import Case, Look, User, Voice
from loop.actors import Actor

HERE_FOR = timedelta(seconds=90)
"""Who gave no sign for so long is gone. An open page gives one every 30 seconds."""
KEPT_FOR = timedelta(days=90)
"""Looks of longer ago are forgotten, and what happened before counts as seen."""
_WRITTEN_AFTER = timedelta(minutes=1)


def due(session: Session, voice: Voice, *, actor: Actor, opening: bool = True) -> bool:
    """Whether there is something for ``see`` (``opening``) or ``beat`` to write: a look of a person at a voice is written once a minute.

    Earlier only when the voice is opened and somebody else has changed its case since. One statement, and no lock on anything.
    """
    statement = (
        select(Look.seen_at, Look.here_at, Case.changed_at)
        .outerjoin(Case, (Case.id == voice.case_id) & Case.changed_by.is_distinct_from(actor.user_id))
        .where(Look.user_id == actor.user_id, Look.voice_id == voice.id)
    )
    if (row := session.execute(statement).one_or_none()) is None:
        return True
    seen_at, here_at, changed_at = row
    a_while_ago = utc_now() - _WRITTEN_AFTER
    if here_at is None or here_at < a_while_ago:
        return True
    return opening and (seen_at < a_while_ago or (changed_at is not None and changed_at > seen_at))


def see(session: Session, voice_id: int, *, actor: Actor) -> None:
    """Somebody opens a voice: it is read, and they are there. One statement."""
    now = utc_now()
    _put(session, voice_id, actor, seen_at=now, here_at=now)


def beat(session: Session, voice_id: int, *, actor: Actor) -> None:
    """Somebody still has a voice before their eyes: what has changed since they opened it stays unread. One statement."""
    _put(session, voice_id, actor, here_at=utc_now())


def beside(session: Session, voice_id: int, *, actor: Actor) -> list[str]:
    """The names of others who have a voice before their eyes, who came last first. One statement."""
    statement = (
        select(User.display_name)
        .join(Look, Look.user_id == User.id)
        .where(Look.voice_id == voice_id, Look.here_at > utc_now() - HERE_FOR, Look.user_id != actor.user_id)
        .order_by(Look.here_at.desc(), User.id)
    )
    return list(session.scalars(statement))


def unread(session: Session, voice_ids: Sequence[int], *, actor: Actor) -> set[int]:
    """Those of the voices that this person never opened, or whose case somebody else has changed since. One statement.

    What came in or changed longer than ``KEPT_FOR`` ago counts as seen, since nobody knows any more.
    """
    long_ago = utc_now() - KEPT_FOR
    changed = (Case.changed_at > long_ago) & Case.changed_by.is_distinct_from(actor.user_id)
    statement = (
        select(Voice.id)
        .outerjoin(Look, (Look.voice_id == Voice.id) & (Look.user_id == actor.user_id))
        .outerjoin(Case, Case.id == Voice.case_id)
        .where(
            among(session, Voice.id, list(voice_ids)),
            or_(
                Look.seen_at.is_(None) & (Voice.created_at > long_ago),
                changed & or_(Look.seen_at.is_(None), Case.changed_at > Look.seen_at),
            ),
        )
    )
    return set(session.scalars(statement))


def sweep(session: Session) -> int:
    """Forgets what was looked at longer than ``KEPT_FOR`` ago; gives how many looks that were."""
    long_ago = utc_now() - KEPT_FOR
    old = delete(Look).where(Look.seen_at < long_ago, or_(Look.here_at.is_(None), Look.here_at < long_ago))
    return cast("CursorResult[Any]", session.execute(old)).rowcount


def _put(session: Session, voice_id: int, actor: Actor, **values: Any) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    # A sign of somebody who opened the voice so long ago that it was forgotten: they have seen it.
    given = {"user_id": actor.user_id, "voice_id": voice_id, "seen_at": values.get("seen_at", utc_now()), **values}
    session.execute(dialect.insert(Look).values(given).on_conflict_do_update(index_elements=["user_id", "voice_id"], set_=values))
