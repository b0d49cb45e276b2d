"""The desk's forms that act on cases: one address for all, with what was chosen in it, and one that takes an act back."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import RedirectResponse, Response
from pydantic import AfterValidator, Field

from api.deps import MAY_LABEL, Labeller, RulesOf, TaxonomyOf, Writing, form_token
from api.desk.acts import ActName, Wanted, perform
from api.desk.view import DeskQuery
from api.fields import Day, Name
from core.errors import InputError
from core.models import Facet
from loop import handling
from loop.handling import MOST_AT_ONCE, Target

router = APIRouter(include_in_schema=False)
_TARGET = re.compile(r"([0-9A-Za-z-]{1,20})(?::(\d{1,9}))?")
_NUMBER = re.compile(r"[0-9A-Za-z-]{1,20}")


def target_of(text: str) -> Target:
    """What a box on the list says: a receipt number, and behind a colon the version of the case that was shown.

    Raises:
        InputError: it says something else.
    """
    match = _TARGET.fullmatch(text)
    if match is None:
        raise InputError("選んだ声の番号が読めません。", hint="一覧を開きなおして、選びなおしてください。")
    return Target(match[1], int(match[2]) if match[2] else None)


def _number(text: str) -> str:
    if text and not _NUMBER.fullmatch(text):
        raise InputError("受付番号が読めません。", hint="画面を開きなおしてください。")
    return text


Chosen = Annotated[list[str], Form(default_factory=list, max_length=MOST_AT_ONCE)]
Names = Annotated[list[Name], Form(default_factory=list, max_length=50)]
Back = Annotated[str, Form(max_length=20), AfterValidator(_number)]


@router.post("/desk/acts", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def act(
    query: Annotated[DeskQuery, Query()],
    signed_in: Labeller,
    session: Writing,
    taxonomy: TaxonomyOf,
    rules: RulesOf,
    chosen: Chosen,
    also: Names,
    voices: Chosen,
    name: Annotated[ActName, Form(alias="act")],
    department: Annotated[Name, Form()] = "",
    assignee: Annotated[Name, Form()] = "",
    label: Annotated[Name, Form()] = "",
    reason: Annotated[Name, Form()] = "",
    forwarded_to: Annotated[str, Form(max_length=200)] = "",
    on: Annotated[Day, Form()] = None,
    back: Back = "",
) -> Response:
    """Does what the button says to what was chosen; comes back to the list, or to the voice that ``back`` names."""
    if not chosen:
        raise InputError("案件が選ばれていません。", hint="一覧の左の四角で選んでから、もう一度押してください。")
    facet, _, value = label.partition(":")
    wanted = Wanted(
        name=name,
        targets=[target_of(text) for text in chosen],
        department=department,
        assignee=assignee,
        also=[other for other in also if other],
        facet=Facet(facet) if facet in set(Facet) else Facet.THEME,
        value=value,
        reason=reason,
        forwarded_to=forwarded_to,
        voices=voices,
        on=on,
    )
    done = perform(session, wanted, actor=signed_in.actor, taxonomy=taxonomy, rules=rules)
    return _back(query, back, done=done.id)


@router.post("/desk/acts/{act_id}/undo", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def undo(
    act_id: Annotated[int, Field(gt=0, lt=2**31)],
    query: Annotated[DeskQuery, Query()],
    signed_in: Labeller,
    session: Writing,
    back: Back = "",
) -> Response:
    """Takes an act back."""
    handling.undo(session, act_id, actor=signed_in.actor)
    return _back(query, back, done=act_id)


def _back(query: DeskQuery, back: str, *, done: int) -> Response:
    # 303: the browser fetches the page anew, and a reload doesn't send the form again.
    return RedirectResponse((f"/desk/{back}" if back else "/desk") + query.query(done=done), status_code=303)
