"""Signing in by the city's own sign-in: the way there, the way back, and the way out."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.account import admission
from api.account.sign_in import LEAVE, Wanted, form, let_in, own_path
from api.deps import CitySignIn, EngineOf, KeyringOf, PagesOf, SettingsOf, TaxonomyOf, address_of, limits_of, public
from api.limits import Limit
from api.oidc import Attempt
from core import db
from core.clock import utc_now
from core.crypto import Keyring
from core.errors import CitySignInError, DecryptionError
from core.settings import Settings

router = APIRouter(include_in_schema=False)
BACK = "/sign-in/city/back"
_PLACE = "city sign-in"
_MINUTES = 10
_LATE = "ログインの途中で時間がたったか、ほかの画面からのログインでした。もう一度、ボタンを押してログインしてください。"
_DENIED = "市の認証でのログインは、とりやめになりました。ログインするときは、もう一度ボタンを押してください。"
_REFUSED = "市の認証はできましたが、声環を使える利用者として登録されていません。声環の管理者に問い合わせてください。"
_LEFT_OUT = Query(max_length=4000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the browser keeps, sealed, from the way there to the way back: it can't be read, changed or made there."""

    attempt: Attempt
    wanted: str
    until: float


def sign_in_attempt(request: Request) -> None:
    """Counts one more try of this address to sign in.

    Raises:
        TooManyRequestsError: it was too often.
    """
    limits_of(request).count(Limit.SIGN_IN, address_of(request))


@router.get("/sign-in/city", dependencies=[Depends(public), Depends(sign_in_attempt)])
def leave_for_city(
    request: Request, provider: CitySignIn, settings: SettingsOf, keyring: KeyringOf, pages: PagesOf, wanted: Wanted = ""
) -> Response:  # fmt: skip
    """Sends the browser to the city's sign-in."""
    try:
        address, attempt = provider.begin(back=_address(request, settings, BACK))
    except CitySignInError as error:
        return form(request, settings, pages, wanted=wanted, failed=f"{error.message}{error.hint}", status=error.status)
    kept = Kept(attempt=attempt, wanted=own_path(wanted), until=utc_now().timestamp() + 60 * _MINUTES)
    response = RedirectResponse(address, status_code=302)
    response.set_cookie(
        _cookie(settings), _seal(keyring, kept), httponly=True, samesite="lax", secure=settings.secure_cookies, max_age=60 * _MINUTES
    )
    return response


@router.get(BACK, dependencies=[Depends(public), Depends(sign_in_attempt)])
def back_from_city(
    request: Request,
    provider: CitySignIn,
    engine: EngineOf,
    settings: SettingsOf,
    keyring: KeyringOf,
    taxonomy: TaxonomyOf,
    pages: PagesOf,
    state: Annotated[str, _LEFT_OUT] = "",
    code: Annotated[str, _LEFT_OUT] = "",
    error: Annotated[str, _LEFT_OUT] = "",
    iss: Annotated[str, _LEFT_OUT] = "",
) -> Response:
    """Opens a session for whom the city's sign-in names, or shows the form with why not. What the browser kept is used up either way."""
    kept = _unseal(keyring, request.cookies.get(_cookie(settings), ""))
    if kept is None:  # nobody's attempt: nothing that could be noted
        return _used(settings, form(request, settings, pages, wanted="", failed=_LATE, status=400))
    said, status, reason = "", 403, ""
    if not secrets.compare_digest(state.encode("utf-8", "surrogatepass"), kept.attempt.state.encode()) or iss not in ("", provider.issuer):
        said, status, reason = _LATE, 400, "state"
    elif error or not code:
        said, reason = _DENIED, "denied"
    else:
        try:
            identity = provider.identify(kept.attempt, code=code, back=_address(request, settings, BACK))
        except CitySignInError as problem:
            said, status, reason = f"{problem.message}{problem.hint}", problem.status, problem.code
        else:
            departments = {department.name for department in taxonomy.departments}
            token = admission.enter(engine, identity, settings=settings, departments=departments)
            if token is not None:
                return _used(settings, let_in(settings, token, wanted=kept.wanted))
            said = _REFUSED
    if reason:
        with db.writing(engine) as session:
            admission.refuse(session, reason)
    return _used(settings, form(request, settings, pages, wanted=kept.wanted, failed=said, status=status))


@router.get(LEAVE, dependencies=[Depends(public)])
def leave_city(request: Request, provider: CitySignIn, settings: SettingsOf) -> Response:
    """Sends the browser to where the city's sign-in is left; to the form where it offers no such place, or can't be reached."""
    try:
        address = provider.leave(back=_address(request, settings, "/sign-in"))
    except CitySignInError:
        address = ""
    return RedirectResponse(address or "/sign-in", status_code=302)


def _address(request: Request, settings: Settings, path: str) -> str:
    """An address of ours as the browser sees it; the city's sign-in leads only to those that are registered there."""
    return (settings.base_url or str(request.base_url)).rstrip("/") + path


def _cookie(settings: Settings) -> str:
    return "__Host-koe_city" if settings.secure_cookies else "koe_city"


def _used(settings: Settings, response: Response) -> Response:
    response.delete_cookie(_cookie(settings), secure=settings.secure_cookies, httponly=True, samesite="lax")
    return response


def _seal(keyring: Keyring, kept: Kept) -> str:
    return base64.urlsafe_b64encode(keyring.seal(json.dumps(asdict(kept)), place=_PLACE)).decode()


def _unseal(keyring: Keyring, sealed: str) -> Kept | None:
    """What a browser kept; ``None`` when that is nothing, isn't ours, or is too old."""
    try:
        found = json.loads(keyring.open(base64.urlsafe_b64decode(sealed.encode()), place=_PLACE))
    except (binascii.Error, ValueError, DecryptionError):
        return None
    kept = Kept(attempt=Attempt(**found["attempt"]), wanted=found["wanted"], until=found["until"])
    return kept if kept.until > utc_now().timestamp() else None
