"""Every route states its right, writes are guarded, and the list of routes changes only on purpose."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.account.sign_in import sign_in_token
from api.admin.receiving import sent_files
from api.app import ROUTERS
from api.deps import Right, form_token, header_token, public
from api.desk.files_routes import sent_attachments
from api.system import openapi
from core.models import Role
from tests.web.browser import Browser
from tests.web.conftest import SignIn

SNAPSHOTS = Path(__file__).parent / "snapshots"
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
NAMES = [f"{'/'.join(sorted(route.methods))} {route.path}" for route in ROUTES]


def calls(route: APIRoute) -> list[Any]:
    return [dependency.call for dependency in route.dependant.dependencies]


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_a_route_states_one_right_first(route: APIRoute) -> None:
    right = calls(route)[0]
    assert right is public or isinstance(right, Right)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.methods != {"GET"}], ids=lambda route: route.path)
def test_a_write_asks_for_a_token(route: APIRoute) -> None:
    assert {form_token, header_token, sent_files, sent_attachments, sign_in_token} & set(calls(route))


def test_the_list_of_routes_is_the_committed_one() -> None:
    found = [{"route": name, "right": _right(route)} for name, route in zip(NAMES, ROUTES, strict=True)]
    _compare("routes.json", sorted(found, key=lambda item: item["route"]))


def test_the_api_is_the_committed_one(sqlite_app: FastAPI) -> None:
    _compare("openapi.json", openapi(sqlite_app))


def _right(route: APIRoute) -> str:
    right = calls(route)[0]
    return "public" if right is public else " ".join(sorted(right.roles))


def _compare(name: str, found: object) -> None:
    path = SNAPSHOTS / name
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.exists(), "UPDATE_SNAPSHOTS=1 pytest tests/web/test_routes.py writes it"
    assert text == path.read_text("utf-8"), f"{name} changed; when that is meant: UPDATE_SNAPSHOTS=1"


def _address(route: APIRoute) -> str:
    path = route.path.replace("{receipt_number}", "R08-000001-1").replace("{upload_id}", 32 * "0")
    return re.sub(r"\{\w+_id\}", "1", path)


def _guarded() -> Iterator[APIRoute]:
    return (route for route in ROUTES if isinstance(calls(route)[0], Right))


def test_staff_pages_send_a_stranger_to_the_sign_in(reader: Browser) -> None:
    for route in _guarded():
        method = min(route.methods)
        response = reader.client.request(method, _address(route), follow_redirects=False)
        if route.path.startswith("/api/"):
            assert (response.status_code, response.json()["code"]) == (401, "sign_in"), route.path
        else:
            assert response.status_code == (302 if method == "GET" else 303), route.path
            assert response.headers["location"].startswith("/sign-in"), route.path
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_what_its_routes_say(sign_in: SignIn, role: Role) -> None:
    browser = sign_in(role)
    for route in _guarded():
        right = calls(route)[0]
        response = browser.client.request(min(route.methods), _address(route), follow_redirects=False)
        allowed = role in right.roles
        if route.methods == {"GET"}:
            assert (response.status_code != 403) is allowed, route.path
        else:
            assert response.status_code == 403, "without a token nobody writes"


def test_a_form_without_its_token_is_refused(staff: Browser) -> None:
    for route in _guarded():
        if route.methods != {"GET"}:
            body: dict[str, Any] = (
                {"json": {"facet": "theme", "value": "x"}} if route.path.startswith("/api/") else {"data": {"csrf_token": "é"}}
            )
            response = staff.client.request("POST", _address(route), follow_redirects=False, **body)
            assert response.status_code == 403, route.path


def test_a_token_of_another_session_is_refused(sign_in: SignIn) -> None:
    other = sign_in().client.get("/api/v1/session").json()["csrf_token"]
    assert sign_in().post("/sign-out", {"csrf_token": other}, status=403)
