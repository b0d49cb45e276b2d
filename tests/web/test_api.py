from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.models import Role
from tests import factories
from tests.web.browser import Browser, TestClient, check
from tests.web.conftest import SignIn, queries_of


def test_health(reader: Browser) -> None:
    assert reader.client.get("/healthz").json() == {"status": "ok"}


def test_an_unreachable_database_is_told_in_japanese(sqlite_app: FastAPI) -> None:
    with sqlite_app.state.engine.begin() as connection:
        connection.execute(text("DROP TABLE answers"))
    client = TestClient(sqlite_app, raise_server_exceptions=False)
    response = client.get("/")
    assert response.status_code == 503
    assert "koe db upgrade" in check(response).words()


def test_voices_with_filters_and_a_cursor(staff: Browser, app: FastAPI, save: Session) -> None:
    for _ in range(5):
        factories.create_voice(save, theme="公園・緑地")
    factories.create_voice(save, theme="防災・防犯")
    save.commit()
    params = {"theme": "公園・緑地", "limit": "3"}
    with queries_of(app.state.engine) as statements:
        first = staff.client.get("/api/v1/voices", params=params).json()
    assert len(statements) == 4
    second = staff.client.get("/api/v1/voices", params={**params, "after": first["next"]}).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (3, 2, "")


def test_deciding_a_label(staff: Browser, save: Session) -> None:
    voice = factories.create_voice(save, theme="公園・緑地")
    save.commit()
    address = f"/api/v1/voices/{voice.receipt_number}"
    headers = {"X-CSRF-Token": staff.client.get("/api/v1/session").json()["csrf_token"]}
    body = {"facet": "theme", "value": "防災・防犯", "seen": 0}
    assert staff.client.post(f"{address}/labels", json=body).status_code == 403
    answer = staff.client.post(f"{address}/labels", json=body, headers=headers).json()
    theme = next(label for label in answer["labels"] if label["facet"] == "theme")
    assert (theme["value"], theme["machine"]["value"], theme["decisions"][0]["value"]) == ("防災・防犯", "公園・緑地", "防災・防犯")
    again = staff.client.post(f"{address}/labels", json=body, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert again.headers["content-type"] == "application/problem+json"
    assert staff.client.get(address).json() == answer


def test_a_manager_may_not_decide(sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save)
    save.commit()
    manager = sign_in(Role.MANAGER)
    headers = {"X-CSRF-Token": manager.client.get("/api/v1/session").json()["csrf_token"]}
    body = {"facet": "theme", "value": voice.theme}
    assert manager.client.post(f"/api/v1/voices/{voice.receipt_number}/labels", json=body, headers=headers).status_code == 403


def test_errors_are_problems_in_japanese(staff: Browser) -> None:
    response = staff.client.get("/api/v1/voices?limit=0&since=x")
    assert response.status_code == 422
    assert response.json()["title"] == "「期間の始まり」「件数」を読み取れません。"
    assert staff.client.get("/api/v1/nothing").json()["status"] == 404
    assert staff.client.delete("/api/v1/voices").status_code == 405


def test_errors_are_what_the_description_says(staff: Browser, reader: Browser) -> None:
    document = reader.client.get("/api/openapi.json").json()
    problem = document["components"]["schemas"]["Problem"]
    for client, address, path in (
        (staff.client, "/api/v1/voices?limit=0", "/api/v1/voices"),
        (staff.client, "/api/v1/voices?after=x", "/api/v1/voices"),
        (staff.client, "/api/v1/voices/R08-1", "/api/v1/voices/{receipt_number}"),
        (reader.client, "/api/v1/voices", "/api/v1/voices"),
    ):
        response = client.get(address)
        told = _answer(document, path, response.status_code)
        assert list(told["content"]) == [response.headers["content-type"]]
        assert set(problem["required"]) <= set(response.json()) <= set(problem["properties"])
    assert "Retry-After" in _answer(document, "/api/v1/voices", 429)["headers"]
    assert "HTTPValidationError" not in str(document)


def _answer(document: dict[str, Any], path: str, status: int) -> dict[str, Any]:
    named = document["paths"][path]["get"]["responses"][str(status)]["$ref"]
    found: dict[str, Any] = document["components"]["responses"][named.rpartition("/")[2]]
    return found


def test_the_description_for_people_lists_every_operation(reader: Browser) -> None:
    document = reader.client.get("/api/openapi.json").json()
    words = reader.get("/api/docs").words()
    assert all(path in words for path in document["paths"])


def test_every_answer_carries_the_headers(reader: Browser) -> None:
    for address in ("/", "/nothing", "/desk", "/static/base.css", "/static/nothing.css", "/api/v1/voices", "/healthz"):
        headers = reader.client.get(address, follow_redirects=False).headers
        assert headers["x-content-type-options"] == "nosniff", address
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "strict-transport-security" not in headers


def test_an_unexpected_error_is_a_page_without_a_traceback(sqlite_app: FastAPI) -> None:
    @sqlite_app.get("/broken")
    def broken() -> None:
        raise RuntimeError("secret detail")

    response = TestClient(sqlite_app, raise_server_exceptions=False).get("/broken")
    assert response.status_code == 500
    assert "secret detail" not in response.text
    assert check(response).heading == "処理中に問題が起きました"


def test_static_files_are_kept_as_long_as_their_address(reader: Browser) -> None:
    page = reader.get("/")
    address = next(link.get("href", "") for link in page.all("link", rel="stylesheet"))
    assert "immutable" in reader.client.get(address).headers["cache-control"]


def test_a_body_that_is_too_large_is_refused(reader: Browser) -> None:
    response = reader.client.post("/sign-in", data={"username": "x" * 1_100_000})
    assert response.status_code == 413
