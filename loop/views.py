"""Saved views of the desk: an address under a name, one's own or one's department's."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.cleaning import clean_line
from core.clock import utc_now
from core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from core.models import SavedView, User
from loop.actors import Actor

MOST = 30
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class View:
    """A view as a list shows it. ``query`` is the part of the desk's address behind the question mark; ``owner`` a name."""

    id: int
    name: str
    query: str
    department: str
    owner: str
    may_delete: bool


def save(session: Session, name: str, query: str, *, actor: Actor, for_department: bool = False) -> SavedView:
    """Keeps a view for oneself, or for all of one's department. The caller has checked that ``query`` is an address of the desk.

    Raises:
        InputError: the name is missing or too long, the person is in no department, or there are ``MOST`` already.
        ConflictError: there is one of that name.
    """
    plain = clean_line(name)
    if not 0 < len(plain) <= _LONGEST_NAME:
        raise InputError(f"一覧の名前を {_LONGEST_NAME} 字以内で書いてください。", hint="例: 今週の道路の苦情")
    if for_department and not actor.department:
        raise InputError("所属の課がないので、課の一覧にはできません。", hint="自分だけの一覧として保存してください。")
    own = SavedView.department == actor.department if for_department else _owned_by(actor)
    if (session.scalar(select(func.count()).select_from(SavedView).where(own)) or 0) >= MOST:
        raise InputError(f"保存できる一覧は {MOST} 個までです。", hint="使わない一覧を消してから保存してください。")
    department = actor.department if for_department else ""
    view = SavedView(user_id=actor.user_id, department=department, name=plain, query=query, created_at=utc_now())
    try:
        with session.begin_nested():
            session.add(view)
    except IntegrityError:
        raise ConflictError(f"「{plain}」という一覧は、もうあります。", hint="別の名前にするか、前のものを消してください。") from None
    audit.record(session, actor=actor.username, action="view.save", subject=f"view:{view.id}", detail={"department": department})
    return view


def views_of(session: Session, *, actor: Actor) -> list[View]:
    """A person's own views, then those of the department, each by name."""
    shared = (SavedView.department != "") & (SavedView.department == actor.department)
    statement = (
        select(SavedView, User.display_name)
        .join(User, User.id == SavedView.user_id)
        .where(or_(_owned_by(actor), shared))
        .order_by(SavedView.department != "", SavedView.name, SavedView.id)
    )
    return [
        View(view.id, view.name, view.query, view.department, owner, _may_delete(view, actor))
        for view, owner in session.execute(statement)
    ]  # fmt: skip


def delete(session: Session, view_id: int, *, actor: Actor) -> None:
    """Takes a view away: one's own; a department's also by 広聴課 and administrators.

    Raises:
        NotFoundError: it isn't there, or somebody else's own.
        ForbiddenError: it is the department's, and somebody else saved it.
    """
    view = session.get(SavedView, view_id)
    if view is None or not (_may_delete(view, actor) or (view.department and view.department == actor.department)):
        raise NotFoundError("この一覧は見つかりません。", hint="画面を開きなおしてください。")
    if not _may_delete(view, actor):
        raise ForbiddenError("ほかの職員が保存した課の一覧は消せません。", hint="保存した職員か、広聴課に依頼してください。")
    session.delete(view)
    session.flush()
    audit.record(session, actor=actor.username, action="view.delete", subject=f"view:{view_id}", detail={"department": view.department})


def _may_delete(view: SavedView, actor: Actor) -> bool:
    return view.user_id == actor.user_id or (bool(view.department) and actor.may_operate)


def _owned_by(actor: Actor) -> ColumnElement[bool]:
    return (SavedView.user_id == actor.user_id) & (SavedView.department == "")
