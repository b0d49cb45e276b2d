"""The administrators' pages of accounts: who there is, adding and changing, closing, unlocking, and passwords to begin with."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Engine

from api import accounts, passwords
from api.accounts import Person
from api.deps import MAY_ADMINISTER, Administrator, EngineOf, PagesOf, Reading, TaxonomyOf, Writing, city_sign_in, form_token, provider_of
from api.fields import Name, Text
from api.rendering import Pages
from api.words import ROLE
from core import db
from core.errors import ConflictError, InputError, KoeError
from core.models import Role, SignInBy, User
from nlp.taxonomy import Taxonomy

router = APIRouter(include_in_schema=False)
POSITIONS = ("係員", "主任", "係長", "課長補佐", "課長", "部長")
"""What is offered; another one can be written."""
UserId = Annotated[int, Path(ge=1, lt=2**31)]
_WRITES = [Depends(MAY_ADMINISTER), Depends(form_token)]
_FAULTS = (InputError, ConflictError)
_DONE = {
    "added": "加えました。市の認証で、この利用者名の人が最初にログインすると、使えるようになります。",
    "changed": "変更しました。",
    "city": "市の認証でログインするようにしました。前のパスワードは使えず、ログイン中だった画面も終わりました。",
    "closed": "利用を止めました。ログイン中だった画面も、すぐに使えなくなります。",
    "reopened": "利用を再開しました。",
    "unlocked": "ログインの停止を解きました。",
}


def person_of(
    role: Annotated[Name, Form()] = "",
    display_name: Annotated[Name, Form()] = "",
    department: Annotated[Name, Form()] = "",
    position: Annotated[Text, Form()] = "",
    email: Annotated[Text, Form()] = "",
) -> Person:
    """What a form says of a person."""
    return Person(role=role, display_name=display_name, department=department, position=position[:32], email=email)


PersonOf = Annotated[Person, Depends(person_of)]


@router.get("/admin/users", dependencies=[Depends(MAY_ADMINISTER)])
def user_list(request: Request, session: Reading, pages: PagesOf) -> Response:
    """All accounts, those in use first."""
    return pages.page(request, "admin/users.html", {"users": accounts.list_users(session), "is_locked": accounts.is_locked})


@router.get("/admin/users/new", dependencies=[Depends(MAY_ADMINISTER)])
def new_user(request: Request, taxonomy: TaxonomyOf, pages: PagesOf) -> Response:
    """The form for one more."""
    return _new(request, pages, taxonomy, username="", person=Person(role=""))


@router.post("/admin/users", dependencies=_WRITES)
def add_user(
    request: Request,
    person: PersonOf,
    signed_in: Administrator,
    engine: EngineOf,
    taxonomy: TaxonomyOf,
    pages: PagesOf,
    username: Annotated[Name, Form()] = "",
    sign_in_by: Annotated[SignInBy, Form()] = SignInBy.LOCAL,
) -> Response:
    """Adds an account and shows the password to begin with, once, in this response alone; one of the city's sign-in has none."""
    password = passwords.to_begin_with() if sign_in_by is SignInBy.LOCAL else None
    try:
        _check_department(person, taxonomy)
        if sign_in_by is SignInBy.CITY:
            city_sign_in(request)
        with db.writing(engine) as session:
            user = accounts.add_user(session, username=username, person=person, password=password, actor=signed_in.actor.username)
    except _FAULTS as error:
        return _new(request, pages, taxonomy, username=username, person=person, sign_in_by=sign_in_by, wrong=error)
    return _told(request, pages, user, password) if password else _to(user.id, "added")


@router.get("/admin/users/{user_id}", dependencies=[Depends(MAY_ADMINISTER)])
def user_page(
    request: Request,
    user_id: UserId,
    session: Reading,
    taxonomy: TaxonomyOf,
    pages: PagesOf,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """One account with what can be done to it."""
    return _one(request, pages, taxonomy, accounts.find_user(session, user_id), done=_DONE.get(done, ""))


@router.post("/admin/users/{user_id}", dependencies=_WRITES)
def change_user(
    request: Request, user_id: UserId, person: PersonOf, signed_in: Administrator, engine: EngineOf, taxonomy: TaxonomyOf, pages: PagesOf
) -> Response:
    """Role, department, position, name and address."""
    try:
        _check_department(person, taxonomy)
        with db.writing(engine) as session:
            accounts.change_user(session, accounts.find_user(session, user_id), person, actor=signed_in.actor.username)
    except _FAULTS as error:
        return _again(request, pages, taxonomy, engine, user_id, error, person=person)
    return _to(user_id, "changed")


@router.post("/admin/users/{user_id}/close", dependencies=_WRITES)
def close_user(
    request: Request, user_id: UserId, signed_in: Administrator, engine: EngineOf, taxonomy: TaxonomyOf, pages: PagesOf
) -> Response:  # fmt: skip
    """Closes an account; nobody closes their own."""
    try:
        _require_another(user_id, signed_in, "自分の利用を止めることはできません。")
        with db.writing(engine) as session:
            accounts.close_user(session, accounts.find_user(session, user_id), actor=signed_in.actor.username)
    except _FAULTS as error:
        return _again(request, pages, taxonomy, engine, user_id, error)
    return _to(user_id, "closed")


@router.post("/admin/users/{user_id}/reopen", dependencies=_WRITES)
def reopen_user(user_id: UserId, signed_in: Administrator, session: Writing) -> Response:
    """Opens a closed account again."""
    accounts.reopen_user(session, accounts.find_user(session, user_id), actor=signed_in.actor.username)
    return _to(user_id, "reopened")


@router.post("/admin/users/{user_id}/unlock", dependencies=_WRITES)
def unlock_user(user_id: UserId, signed_in: Administrator, session: Writing) -> Response:
    """Lifts a lock-out."""
    accounts.unlock_user(session, accounts.find_user(session, user_id), actor=signed_in.actor.username)
    return _to(user_id, "unlocked")


@router.post("/admin/users/{user_id}/password", dependencies=_WRITES)
def new_password(request: Request, user_id: UserId, signed_in: Administrator, engine: EngineOf, pages: PagesOf) -> Response:
    """A new password to begin with, shown once."""
    password = passwords.to_begin_with()
    with db.writing(engine) as session:
        user = accounts.find_user(session, user_id)
        accounts.set_password(session, user, password, actor=signed_in.actor.username)
    return _told(request, pages, user, password)


@router.post("/admin/users/{user_id}/city", dependencies=_WRITES)
def give_to_city(
    request: Request, user_id: UserId, signed_in: Administrator, engine: EngineOf, taxonomy: TaxonomyOf, pages: PagesOf
) -> Response:  # fmt: skip
    """Has somebody sign in by the city's own sign-in from now on; nobody does that to themselves, lest they find the door shut."""
    try:
        city_sign_in(request)
        _require_another(user_id, signed_in, "自分のログインのしかたを変えることはできません。")
        with db.writing(engine) as session:
            accounts.give_to_city(session, accounts.find_user(session, user_id), actor=signed_in.actor.username)
    except _FAULTS as error:
        return _again(request, pages, taxonomy, engine, user_id, error)
    return _to(user_id, "city")


def _require_another(user_id: int, signed_in: Administrator, told: str) -> None:
    """Raises ``ConflictError`` for what would shut the door on the administrator who does it."""
    if user_id == signed_in.actor.user_id:
        raise ConflictError(told, hint="ほかの管理者に頼んでください。")


def _check_department(person: Person, taxonomy: Taxonomy) -> None:
    if person.role == Role.DEPARTMENT and person.department not in {department.name for department in taxonomy.departments}:
        raise InputError("所管課が選ばれていません。", hint="役割が所管課のときは、課を一覧から選んでください。")


def _to(user_id: int, done: str) -> Response:
    return RedirectResponse(f"/admin/users/{user_id}?done={done}", status_code=303)


def _choices(taxonomy: Taxonomy) -> dict[str, Any]:
    return {
        "roles": ROLE,
        "departments": [department.name for department in taxonomy.departments],
        "positions": POSITIONS,
    }


def _new(
    request: Request,
    pages: Pages,
    taxonomy: Taxonomy,
    *,
    username: str,
    person: Person,
    sign_in_by: SignInBy = SignInBy.LOCAL,
    wrong: KoeError | None = None,
) -> Response:
    context = {**_choices(taxonomy), "username": username, "person": person, "sign_in_by": sign_in_by, "wrong": wrong}
    context["city_offered"] = provider_of(request) is not None
    return pages.page(request, "admin/user_new.html", context, status=wrong.status if wrong else 200)


def _one(
    request: Request,
    pages: Pages,
    taxonomy: Taxonomy,
    user: User,
    *,
    person: Person | None = None,
    done: str = "",
    wrong: KoeError | None = None,
) -> Response:
    kept = Person(
        role=user.role, display_name=user.display_name, department=user.department, position=user.position, email=user.email
    )  # fmt: skip
    context = {
        **_choices(taxonomy),
        "user": user,
        "person": person or kept,
        "locked": accounts.is_locked(user),
        "city_offered": provider_of(request) is not None,
        "done": done,
        "wrong": wrong,
    }
    return pages.page(request, "admin/user.html", context, status=wrong.status if wrong else 200)


def _again(
    request: Request,
    pages: Pages,
    taxonomy: Taxonomy,
    engine: Engine,
    user_id: int,
    wrong: KoeError,
    *,
    person: Person | None = None,
) -> Response:
    with db.reading(engine) as session:
        return _one(request, pages, taxonomy, accounts.find_user(session, user_id), person=person, wrong=wrong)


def _told(request: Request, pages: Pages, user: User, password: str) -> Response:
    context = {"user": user, "password": password}
    return pages.page(request, "admin/user_password.html", context, headers={"Cache-Control": "no-store"})
