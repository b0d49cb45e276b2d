"""The page on which a member of staff chooses a password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api import auth, passwords
from api.deps import AT_FIRST, AtFirst, EngineOf, PagesOf, form_token
from core.errors import InputError, KoeError

router = APIRouter(include_in_schema=False)
Password = Annotated[str, Form(max_length=passwords.LONGEST + 1)]


@router.get("/account/password", dependencies=[Depends(AT_FIRST)])
def password_page(request: Request, signed_in: AtFirst, pages: PagesOf, done: Annotated[str, Query(max_length=8)] = "") -> Response:
    """The form. Somebody whose password another person chose is led here from every page."""
    return _form(request, signed_in, pages, done=bool(done))


@router.post("/account/password", dependencies=[Depends(AT_FIRST), Depends(form_token)])
def choose_password(
    request: Request, signed_in: AtFirst, engine: EngineOf, pages: PagesOf, old: Password = "", new: Password = "", again: Password = ""
) -> Response:
    """Takes the new password, or shows the form again with what was wrong; what was typed isn't shown again."""
    try:
        auth.change_password(engine, signed_in, old=old, new=new, again=again)
    except InputError as error:
        return _form(request, signed_in, pages, wrong=error)
    return RedirectResponse("/account/password?done=true", status_code=303)


def _form(request: Request, signed_in: auth.SignedIn, pages: PagesOf, *, wrong: KoeError | None = None, done: bool = False) -> Response:
    context = {
        "wrong": wrong,
        "done": done and not signed_in.must_change_password,
        "first": signed_in.must_change_password,
        "shortest": passwords.SHORTEST,
    }
    return pages.page(request, "account/password.html", context, status=wrong.status if wrong else 200)
