"""Signing in and out."""

from __future__ import annotations

import re
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api import auth
from api.deps import (
    AT_FIRST,
    AtFirst,
    EngineOf,
    PagesOf,
    SettingsOf,
    Writing,
    address_of,
    cookie_name,
    form_token,
    limits_of,
    provider_of,
    public,
)
from api.limits import Limit
from api.rendering import Pages
from core.errors import ForbiddenError
from core.settings import Settings

router = APIRouter(include_in_schema=False)
Wanted = Annotated[str, Query(alias="next")]
"""The page that somebody wanted to go to when they were asked to sign in."""
_OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x1f\\]*")
_LONGEST_PATH = 1000
LEAVE = "/sign-out/city"
"""Where the way out of the city's own sign-in begins (``api.account.city``)."""
FAILED = "ログインできませんでした。利用者名とパスワードを確かめてください。5回続けて失敗すると、15分間ログインできなくなります。"


def own_path(wanted: str) -> str:
    """A page of this site that somebody wants to go to, "" for anything else: nobody is led away from here."""
    return wanted if len(wanted) <= _LONGEST_PATH and _OWN_PATH.fullmatch(wanted) else ""


def let_in(settings: Settings, token: str, *, wanted: str) -> Response:
    """Leads to the page that was wanted, with the cookie of a new session."""
    response = RedirectResponse(own_path(wanted) or "/desk", status_code=303)
    response.set_cookie(
        cookie_name(settings), token, httponly=True, samesite="lax", secure=settings.secure_cookies, max_age=settings.session_hours * 3600
    )
    response.delete_cookie(_form_cookie(settings), secure=settings.secure_cookies, httponly=True, samesite="strict")
    return response


def _form_cookie(settings: Settings) -> str:
    return "__Host-koe_form" if settings.secure_cookies else "koe_form"


def sign_in_token(request: Request, settings: SettingsOf, csrf_token: Annotated[str, Form()] = "") -> None:
    """Before there is a session, the form's token must equal the one in a cookie that only our page sets.

    Raises:
        ForbiddenError: it doesn't.
    """
    kept = request.cookies.get(_form_cookie(settings), "")
    if not kept or not secrets.compare_digest(csrf_token.encode("utf-8", "surrogatepass"), kept.encode("utf-8", "surrogatepass")):
        raise ForbiddenError("画面の有効期限が切れました。", hint="ログイン画面を開きなおしてください。", code="csrf")


@router.get("/sign-in", dependencies=[Depends(public)])
def sign_in_page(request: Request, settings: SettingsOf, pages: PagesOf, wanted: Wanted = "") -> Response:
    """The form."""
    return form(request, settings, pages, wanted=wanted)


@router.post("/sign-in", dependencies=[Depends(public), Depends(sign_in_token)])
def sign_in(
    request: Request,
    engine: EngineOf,
    settings: SettingsOf,
    pages: PagesOf,
    username: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form()] = "",
    wanted: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """Opens a session, or shows the form again with an answer that is the same for every reason."""
    limits, username = limits_of(request), username.replace("\x00", "")
    limits.count(Limit.SIGN_IN, address_of(request))
    limits.count(Limit.ACCOUNT, username)
    token = auth.sign_in(engine, username, password, hours=settings.session_hours)
    if token is None:
        return form(request, settings, pages, wanted=wanted, username=username, failed=FAILED)
    limits.forget(Limit.ACCOUNT, username)
    return let_in(settings, token, wanted=wanted)


@router.post("/sign-out", dependencies=[Depends(AT_FIRST), Depends(form_token)])
def sign_out(request: Request, signed_in: AtFirst, session: Writing, settings: SettingsOf, pages: PagesOf) -> Response:
    """Ends the session, on the server and in the browser, and leads on to where the city's own sign-in is left."""
    auth.sign_out(session, signed_in)
    if signed_in.by_city and provider_of(request) is not None:
        # A form may lead nowhere else (form-action), so the way goes over a page of ours.
        response = pages.page(request, "account/signed_out.html", {}, headers={"Refresh": f"0; url={LEAVE}"})
    else:
        response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(cookie_name(settings), secure=settings.secure_cookies, httponly=True, samesite="lax")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def form(
    request: Request, settings: Settings, pages: Pages, *, wanted: str, username: str = "", failed: str = "", status: int = 401
) -> Response:
    """The form, with ``failed`` shown above it and its ``status``."""
    token, provider = secrets.token_urlsafe(32), provider_of(request)
    context = {
        "token": token,
        "next": own_path(wanted),
        "username": username,
        "failed": failed,
        "city_label": provider.label if provider else "",
    }
    response = pages.page(request, "account/sign_in.html", context, status=status if failed else 200)
    response.set_cookie(_form_cookie(settings), token, httponly=True, samesite="strict", secure=settings.secure_cookies, max_age=3600)
    return response
