"""The administrators' page of keys for programs."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Engine

from api import keys
from api.deps import MAY_ADMINISTER, Administrator, EngineOf, PagesOf, Reading, Writing, form_token
from api.fields import Day, Name
from api.rendering import Pages
from core import db
from core.errors import ConflictError, InputError, KoeError

router = APIRouter(include_in_schema=False)
KeyName = Annotated[str, Path(max_length=48, pattern=r"^[a-z0-9._-]+$")]
_WRITES = [Depends(MAY_ADMINISTER), Depends(form_token)]


@router.get("/admin/keys", dependencies=[Depends(MAY_ADMINISTER)])
def key_list(request: Request, session: Reading, pages: PagesOf) -> Response:
    """All keys, and the form for one more."""
    context = {"keys": keys.list_keys(session), "is_open": keys.is_open, "scopes": keys.SCOPES}
    context |= {"wrong": None, "name": "", "chosen": [], "expires_on": None}
    return pages.page(request, "admin/keys.html", context)


@router.post("/admin/keys", dependencies=_WRITES)
def add_key(
    request: Request,
    signed_in: Administrator,
    engine: EngineOf,
    pages: PagesOf,
    scope: Annotated[list[Name], Form(max_length=20, default_factory=list)],
    name: Annotated[Name, Form()] = "",
    expires_on: Annotated[Day, Form()] = None,
) -> Response:
    """Makes a key and shows its token, once, in this response alone."""
    try:
        with db.writing(engine) as session:
            token = keys.add_key(session, name=name, scopes=scope, expires_on=expires_on, actor=signed_in.actor.username)
    except (InputError, ConflictError) as error:
        return _again(request, pages, engine, error, name, scope, expires_on)
    context = {"name": name, "token": token, "chosen": scope, "scopes": keys.SCOPES, "expires_on": expires_on}
    return pages.page(request, "admin/key.html", context, headers={"Cache-Control": "no-store"})


@router.post("/admin/keys/{name}/revoke", dependencies=_WRITES)
def revoke_key(name: KeyName, signed_in: Administrator, session: Writing) -> Response:
    """Ends a key at once."""
    keys.revoke_key(session, name, actor=signed_in.actor.username)
    return RedirectResponse("/admin/keys", status_code=303)


def _again(
    request: Request, pages: Pages, engine: Engine, wrong: KoeError, name: str, chosen: list[str], expires_on: date | None
) -> Response:  # fmt: skip
    with db.reading(engine) as session:
        context = {"keys": keys.list_keys(session), "is_open": keys.is_open, "scopes": keys.SCOPES}
        context |= {"wrong": wrong, "name": name, "chosen": chosen, "expires_on": expires_on}
        return pages.page(request, "admin/keys.html", context, status=wrong.status)
