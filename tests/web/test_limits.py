"""Limits as people and programs meet them: a page or problem JSON with when to come again, and nobody else is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api import keys
from api.app import ROUTERS, create_app
from api.deps import EVERY_EXPORT, EXPORTS, SEARCHES, public
from api.limits import Limit
from core import db
from core.models import Role
from tests import factories
from tests.e2e.conftest import serving
from tests.web.browser import Browser, TestClient, check
from tests.web.test_sign_in import try_to_sign_in

LOW = {f"rate_{limit}": "3/minute" for limit in Limit} | {"rate_public": "40/minute"}
# Here the words only come along, from the list that one came from: looking at a voice, or doing something to it, is no search.
CARRIED = ("/desk/{receipt_number}", "/desk/acts")


@pytest.fixture
def app(sqlite_app: FastAPI) -> Iterator[FastAPI]:
    """The application with limits that are soon met."""
    low = create_app(sqlite_app.state.settings.model_copy(update=LOW))
    yield low
    low.state.engine.dispose()


def person(app: FastAPI, role: Role = Role.ADMIN, **values: object) -> Browser:
    with db.writing(app.state.engine) as session:
        user = factories.create_user(session, role=role, **values)
        token = factories.create_token(session, user)
    client = TestClient(app)
    client.cookies.set("koe_session", token)
    return Browser(client)


def at(app: FastAPI, address: str) -> Browser:
    """A browser at another address."""
    return Browser(TestClient(app, client=(address, 50_000)))


def fourth(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer to what is asked once too often; the first three are answered."""
    answers = [ask() for _ in range(4)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, False, True]
    return answers[-1]


def told(response: httpx.Response, words: str) -> None:
    page = check(response)
    assert page.heading == "回数が多すぎます"
    assert words in page.words()
    assert "秒ほど待って" in page.words()
    assert 1 <= int(response.headers["Retry-After"]) <= 60


@pytest.mark.parametrize("address", ["/desk?q=段差", "/trends/search?q=段差", "/admin/audit?word=段差"])
def test_searches_of_one_person(app: FastAPI, address: str) -> None:
    busy, other = person(app), person(app)
    told(fourth(lambda: busy.client.get(address)), "多くの検索")
    other.get(address)
    busy.get("/desk?tab=all")
    busy.get("/desk?q=+")


def test_searches_by_json(app: FastAPI) -> None:
    busy = person(app)
    response = fourth(lambda: busy.client.get("/api/v1/voices?q=段差"))
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"], body["title"]) == (429, "too_many", "短い時間に、多くの検索が行われました。")
    assert int(response.headers["Retry-After"]) <= 60


def test_files_of_one_person(app: FastAPI) -> None:
    busy, other = person(app), person(app)
    told(fourth(lambda: busy.client.get("/admin/audit?format=csv")), "多くのファイル")
    assert other.client.get("/admin/audit?format=csv").status_code == 200
    busy.get("/admin/audit")


def test_a_key(app: FastAPI) -> None:
    with db.writing(app.state.engine) as session:
        busy, other = (
            keys.add_key(session, name=name, scopes=["voices:read"], expires_on=None, actor="test") for name in ("busy", "other")
        )
    client = TestClient(app)
    response = fourth(lambda: client.get("/api/v1/voices", headers={"Authorization": f"Bearer {busy}"}))
    assert "API キー" in response.json()["title"]
    assert client.get("/api/v1/voices", headers={"Authorization": f"Bearer {other}"}).status_code == 200


def test_tries_to_sign_in_at_one_address(app: FastAPI) -> None:
    person(app, username="hanako")
    busy, other = at(app, "192.0.2.7"), at(app, "192.0.2.8")
    names = iter(["a1", "a2", "a3", "hanako"])
    told(fourth(lambda: try_to_sign_in(busy, next(names))), "この場所から")
    assert try_to_sign_in(other, "hanako").status_code == 303


def test_tries_under_one_name_from_everywhere(app: FastAPI) -> None:
    person(app, username="hanako")
    places = iter([at(app, f"192.0.2.{number}") for number in range(4)])
    told(fourth(lambda: try_to_sign_in(next(places), "nobody", "x")), "この利用者名で")
    for number in range(10, 15):
        assert try_to_sign_in(at(app, f"192.0.2.{number}"), "hanako").status_code == 303, "who comes in begins anew"


def test_public_pages_at_one_address(app: FastAPI) -> None:
    busy, other = at(app, "192.0.2.7"), at(app, "192.0.2.8")
    for _ in range(40):
        busy.get("/voices")
    told(busy.client.get("/"), "多くのページ")
    response = busy.client.get("/api/public/v1/voices")
    assert (response.status_code, response.json()["code"]) == (429, "too_many")
    other.get("/")
    assert busy.client.get("/healthz").status_code == 200, "who watches the server isn't sent away"
    assert busy.client.get("/static/base.css").status_code == 200


def test_staff_of_one_office_behind_one_address_are_not_touched(sqlite_app: FastAPI) -> None:
    """With the figures that hold by default: fifty people sign in at once, each mistyping once, search and look at the public pages."""
    with db.writing(sqlite_app.state.engine) as session:
        names = [factories.create_user(session, role=Role.KOCHO).username for _ in range(50)]
    for name in names:
        browser = at(sqlite_app, "10.1.2.3")
        assert try_to_sign_in(browser, name, "x").status_code == 401
        assert try_to_sign_in(browser, name).status_code == 303
        for address in ("/desk?q=段差", "/", "/voices", "/voices?q=段差"):
            assert browser.client.get(address).status_code == 200


@pytest.mark.parametrize(("believed", "expected"), [("127.0.0.1", [200, 200, 200, 200]), ("192.0.2.1", [200, 200, 200, 429])])
def test_a_proxy_is_believed_only_where_that_is_set(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, believed: str, expected: list[int]
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", believed)
    with serving(app.state.settings.model_copy(update={"rate_public": "3/minute"})) as address:
        said = [httpx.get(f"{address}/voices", headers={"X-Forwarded-For": f"198.51.100.{number}"}) for number in range(4)]
    assert [answer.status_code for answer in said] == expected


ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def asked(route: APIRoute) -> set[str]:
    """What may stand behind the ? of a route's address."""
    found, left = set(), [route.dependant]
    while left:
        dependant = left.pop()
        left += dependant.dependencies
        for field in dependant.query_params:
            kind = field.field_info.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= {part.alias or name for name, part in kind.model_fields.items()}
            else:
                found.add(field.alias)
    return found


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{'/'.join(sorted(route.methods))} {route.path}")
def test_whatever_searches_or_gives_files_is_counted(route: APIRoute) -> None:
    calls = [dependency.call for dependency in route.dependant.dependencies]
    words = asked(route) & set(SEARCHES.asked) and route.methods == {"GET"} and not route.path.startswith(CARRIED)
    assert (SEARCHES in calls) is bool(words and public not in calls)
    assert (EXPORTS in calls) is ("format" in asked(route))
    assert (EVERY_EXPORT in calls) is route.path.endswith("/export")
