"""What routes ask for: a right, a token against forged forms, a session on the database, and the application's own things."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, cast

from fastapi import Depends, Form, Header, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api import keys
from api.auth import SignedIn, find_session
from api.limits import Limit, Limits, place_of
from api.oidc import Provider
from api.rendering import Pages
from core import db
from core.city import City
from core.crypto import Keyring
from core.deadline_rules import DeadlineRules
from core.errors import ConflictError, ForbiddenError, PasswordChangeRequiredError, SignInRequiredError
from core.models import Role
from core.settings import Settings
from loop.actors import ADMINISTRATORS, LABELLERS, OPERATORS
from nlp.routing import Routing
from nlp.taxonomy import Taxonomy

HEALTH = "/healthz"
"""Asked by proxies and supervisors, all day and from one address."""


def settings_of(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def engine_of(request: Request) -> Engine:
    return cast("Engine", request.app.state.engine)


def keyring_of(request: Request) -> Keyring:
    return cast("Keyring", request.app.state.keyring)


def taxonomy_of(request: Request) -> Taxonomy:
    return cast("Taxonomy", request.app.state.taxonomy)


def routing_of(request: Request) -> Routing:
    return cast("Routing", request.app.state.routing)


def city_of(request: Request) -> City:
    return cast("City", request.app.state.city)


def rules_of(request: Request) -> DeadlineRules:
    return cast("DeadlineRules", request.app.state.rules)


def limits_of(request: Request) -> Limits:
    return cast("Limits", request.app.state.limits)


def address_of(request: Request) -> str:
    """From where somebody asks. Behind a proxy it is what the proxy says, once uvicorn is told to believe it (FORWARDED_ALLOW_IPS)."""
    return place_of(request.client.host) if request.client else ""


def provider_of(request: Request) -> Provider | None:
    """The city's own sign-in, where one is set."""
    return cast("Provider | None", request.app.state.provider)


def city_sign_in(request: Request) -> Provider:
    """The city's own sign-in.

    Raises:
        ConflictError: none is set.
    """
    provider = provider_of(request)
    if provider is None:
        raise ConflictError("市の認証は、設定されていません。", hint="利用者名とパスワードでログインしてください。")
    return provider


def pages_of(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


def cookie_name(settings: Settings) -> str:
    """``__Host-`` ties the cookie to this host alone; browsers take it over HTTPS only."""
    return "__Host-koe_session" if settings.secure_cookies else "koe_session"


def current_session(request: Request) -> SignedIn | None:
    """Who is signed in with this request's cookie or key, if anybody; a key that opens nothing isn't made up for by a cookie."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() == "bearer":
        signed_in = keys.sign_in(engine_of(request), key.strip())
        if signed_in is None:
            raise SignInRequiredError("この API キーは使えません。", hint="止めたか、期限が過ぎたか、書きまちがいです。")
        return signed_in
    token = request.cookies.get(cookie_name(settings_of(request)))
    if not token:
        return None
    with db.reading(engine_of(request)) as session:
        signed_in = find_session(session, token)
    request.state.signed_in = signed_in
    return signed_in


SignedInOrNot = Annotated[SignedIn | None, Depends(current_session)]


class Right:
    """Who may use a route: a dependency, so that every route states it and a test can walk them.

    ``at_first``: also for somebody who has yet to choose a password. ``scope``: what a program's key has to be made for; without one
    no key opens the route.
    """

    def __init__(self, roles: frozenset[Role], *, at_first: bool = False, scope: str = "") -> None:
        self.roles = roles
        self.at_first = at_first
        self.scope = scope

    def __call__(self, request: Request, signed_in: SignedInOrNot) -> SignedIn:
        """The person who is signed in, or the key. What a key reads is noted in the audit trail.

        Raises:
            SignInRequiredError: nobody is.
            TooManyRequestsError: the key has asked too often.
            PasswordChangeRequiredError: this person has to choose a password first.
            ForbiddenError: this person's role isn't among the route's, or the key isn't for it.
        """
        signed_in = _required(signed_in)
        if signed_in.scopes is not None:
            limits_of(request).count(Limit.KEY, signed_in.actor.username)
            if not self.scope or self.scope not in signed_in.scopes:
                told = f"この API キーには {self.scope} がありません。" if self.scope else "ここは API キーでは使えません。"
                raise ForbiddenError(told, hint="管理者に、キーのできることを確かめてください。", code="scope")
            if request.method == "GET":
                keys.note_reading(engine_of(request), signed_in, request.url.path)
            return signed_in
        if signed_in.must_change_password and not self.at_first:
            raise PasswordChangeRequiredError(
                "先に、パスワードを変えてください。", hint="/account/password で新しいパスワードを決めてください。"
            )
        _check_role(signed_in, self.roles)
        return signed_in


class Acting:
    """Who acts in a route, once its right has let this person or key in; checks the role again, lest the two disagree."""

    def __init__(self, roles: frozenset[Role]) -> None:
        self.roles = roles

    def __call__(self, signed_in: SignedInOrNot) -> SignedIn:
        signed_in = _required(signed_in)
        if signed_in.scopes is None:
            _check_role(signed_in, self.roles)
        return signed_in


def _check_role(signed_in: SignedIn, roles: frozenset[Role]) -> None:
    if signed_in.actor.role not in roles:
        raise ForbiddenError("この画面を使う権限がありません。", hint="必要なときは、管理者に依頼してください。")


def _required(signed_in: SignedIn | None) -> SignedIn:
    if signed_in is None:
        raise SignInRequiredError("ログインが必要です。", hint="利用者名とパスワードでログインしてください。")
    return signed_in


STAFF = Right(frozenset(Role))
AT_FIRST = Right(frozenset(Role), at_first=True)
MAY_ADMINISTER = Right(ADMINISTRATORS)
MAY_LABEL = Right(LABELLERS)
MAY_OPERATE = Right(OPERATORS)
# The JSON API's, with what a key needs.
VOICES_READ = Right(frozenset(Role), scope="voices:read")
VOICES_WRITE = Right(LABELLERS, scope="voices:write")
TRENDS_READ = Right(frozenset(Role), scope="trends:read")
TOPICS_WRITE = Right(LABELLERS, scope="topics:write")
IMPORT_WRITE = Right(OPERATORS, scope="import:write")
AUDIT_READ = Right(ADMINISTRATORS, scope="audit:read")


def public(request: Request) -> None:
    """The right of everybody: no cookie is read, nobody is asked who they are. How often one address asks is counted.

    Raises:
        TooManyRequestsError: it was too often.
    """
    if request.url.path != HEALTH:
        limits_of(request).count(Limit.PUBLIC, address_of(request))


class Limited:
    """Counts how often a person or key uses a route, as a dependency beside its right.

    ``asked``: only requests that have one of these in their address, such as words to search for; empty: all.
    """

    def __init__(self, limit: Limit, *asked: str) -> None:
        self.limit = limit
        self.asked = asked

    def __call__(self, request: Request, signed_in: SignedInOrNot) -> None:
        """Lets it through while it isn't too often.

        Raises:
            TooManyRequestsError: it is.
        """
        if not self.asked or any(request.query_params.get(name, "").strip() for name in self.asked):
            limits_of(request).count(self.limit, _required(signed_in).actor.username)


SEARCHES = Limited(Limit.SEARCH, "q", "word")
EXPORTS = Limited(Limit.EXPORT, "format")
EVERY_EXPORT = Limited(Limit.EXPORT)


def form_token(signed_in: SignedInOrNot, csrf_token: Annotated[str, Form()] = "") -> None:
    """Lets a form through only when it came from a page of this session.

    Raises:
        ForbiddenError: the token is missing or another session's.
    """
    check_token(csrf_token, _required(signed_in))


def header_token(signed_in: SignedInOrNot, x_csrf_token: Annotated[str, Header()] = "") -> None:
    """The same for JSON: the token stands in the header X-CSRF-Token. A key needs none: no browser sends it by itself.

    Raises:
        ForbiddenError: the token is missing or another session's.
    """
    if _required(signed_in).scopes is None:
        check_token(x_csrf_token, _required(signed_in))


def check_token(given: str, signed_in: SignedIn) -> None:
    """Whether a token is this session's.

    Raises:
        ForbiddenError: it is missing or another session's.
    """
    if not secrets.compare_digest(given.encode("utf-8", "surrogatepass"), signed_in.csrf_token.encode()):
        raise ForbiddenError(
            "画面の有効期限が切れたため、送信を受け付けませんでした。", hint="画面を開きなおして、もう一度送信してください。", code="csrf"
        )


def reading(request: Request) -> Iterator[Session]:
    """A session for reading."""
    with db.reading(engine_of(request)) as session:
        yield session


async def turn(request: Request) -> AsyncIterator[None]:
    """Holds back who writes until it is their turn, without holding a thread meanwhile (``api.turns``)."""
    async with request.app.state.turns.gate():
        yield


def writing(request: Request, _turn: Annotated[None, Depends(turn, scope="function")]) -> Iterator[Session]:
    """A session that is committed when the route returns, and before the response is sent."""
    with db.writing(engine_of(request)) as session:
        yield session


Reading = Annotated[Session, Depends(reading, scope="function")]
Writing = Annotated[Session, Depends(writing, scope="function")]
Staff = Annotated[SignedIn, Depends(Acting(frozenset(Role)))]
Labeller = Annotated[SignedIn, Depends(Acting(LABELLERS))]
Operator = Annotated[SignedIn, Depends(Acting(OPERATORS))]
Administrator = Annotated[SignedIn, Depends(Acting(ADMINISTRATORS))]
AtFirst = Annotated[SignedIn, Depends(Acting(frozenset(Role)))]
SettingsOf = Annotated[Settings, Depends(settings_of)]
EngineOf = Annotated[Engine, Depends(engine_of)]
KeyringOf = Annotated[Keyring, Depends(keyring_of)]
TaxonomyOf = Annotated[Taxonomy, Depends(taxonomy_of)]
RoutingOf = Annotated[Routing, Depends(routing_of)]
CityOf = Annotated[City, Depends(city_of)]
RulesOf = Annotated[DeadlineRules, Depends(rules_of)]
CitySignIn = Annotated[Provider, Depends(city_sign_in)]
PagesOf = Annotated[Pages, Depends(pages_of)]
