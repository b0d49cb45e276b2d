"""Saved views of the desk: forms on its list, and the same for programs."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Form, Path
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.deps import MAY_LABEL, STAFF, Labeller, Reading, Staff, Writing, form_token, header_token
from api.desk.view import DeskQuery
from api.problems import FIELDS
from core.errors import InputError
from loop import views

pages = APIRouter(include_in_schema=False)
json = APIRouter(prefix="/api/v1", tags=["cases"])
_LONGEST = 4000
_PLACE = ("after", "before", "done")  # where a list stood, and what was done last: no part of a view
ViewNumber = Annotated[int, Path(gt=0, lt=2**31)]


class ViewInput(BaseModel):
    """A view to keep. ``query``: what stands behind the question mark of the desk's address."""

    name: str = Field(max_length=200)
    query: str = Field(max_length=_LONGEST)
    for_department: bool = False


class ViewAnswer(BaseModel):
    """A saved view; ``department`` is empty for one's own."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    query: str
    department: str
    owner: str
    may_delete: bool


def checked(query: str) -> str:
    """The query of a desk's address as the desk itself would write it, from its beginning.

    Raises:
        InputError: it has a field that the desk doesn't know, or a value that it doesn't take.
    """
    fields = dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True))
    if unknown := [name for name in fields if name not in DeskQuery.model_fields]:
        raise InputError(f"「{unknown[0][:64]}」という条件はありません。", hint="一覧の画面から保存してください。")
    try:
        wanted = DeskQuery.model_validate({name: value for name, value in fields.items() if name not in _PLACE})
    except ValidationError as error:
        named = [FIELDS.get(str(item["loc"][-1]), str(item["loc"][-1])) for item in error.errors()]
        raise InputError(
            f"「{'」「'.join(dict.fromkeys(named))}」を読み取れません。", hint="値を確かめて、もう一度送ってください。"
        ) from None
    if len(kept := wanted.query().removeprefix("?")) > _LONGEST:
        raise InputError("条件が長すぎて保存できません。", hint="ことばの条件を短くしてください。")
    return kept


@pages.post("/desk/views", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def save(
    signed_in: Labeller,
    session: Writing,
    *,
    name: Annotated[str, Form(max_length=200)] = "",
    query: Annotated[str, Form(max_length=_LONGEST)] = "",
    for_department: Annotated[bool, Form()] = False,
) -> Response:
    """Keeps the list as it stands under a name, and comes back to it."""
    kept = views.save(session, name, checked(query), actor=signed_in.actor, for_department=for_department)
    return RedirectResponse(f"/desk?{kept.query}" if kept.query else "/desk", status_code=303)


@pages.post("/desk/views/{view_id}/delete", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def delete(view_id: ViewNumber, signed_in: Labeller, session: Writing) -> Response:
    """Takes a view away, and comes back to the desk."""
    views.delete(session, view_id, actor=signed_in.actor)
    return RedirectResponse("/desk", status_code=303)


@json.get("/views", summary="保存した一覧", dependencies=[Depends(STAFF)])
def listed(signed_in: Staff, session: Reading) -> list[ViewAnswer]:
    """One's own views, then the department's."""
    return [ViewAnswer.model_validate(view) for view in views.views_of(session, actor=signed_in.actor)]


@json.post("/views", summary="一覧の条件に名前を付けて保存する", dependencies=[Depends(MAY_LABEL), Depends(header_token)])
def save_json(given: ViewInput, signed_in: Labeller, session: Writing) -> ViewAnswer:
    """Keeps a view."""
    kept = views.save(session, given.name, checked(given.query), actor=signed_in.actor, for_department=given.for_department)
    return next(ViewAnswer.model_validate(view) for view in views.views_of(session, actor=signed_in.actor) if view.id == kept.id)


@json.post("/views/{view_id}/delete", summary="保存した一覧を消す", dependencies=[Depends(MAY_LABEL), Depends(header_token)])
def delete_json(view_id: ViewNumber, signed_in: Labeller, session: Writing) -> list[ViewAnswer]:
    """Takes a view away; gives those that are left."""
    views.delete(session, view_id, actor=signed_in.actor)
    return [ViewAnswer.model_validate(view) for view in views.views_of(session, actor=signed_in.actor)]
