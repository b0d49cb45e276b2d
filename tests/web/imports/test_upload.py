"""Files sent to the import page: kept, refused with a reason, discarded."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Upload
from tests.web.browser import Browser, check
from tests.web.imports.pages import CSV, SQLITE, send, sent


@SQLITE
def test_files_that_cannot_be_taken_are_told_each_with_its_reason(staff: Browser, save: Session) -> None:
    response = send(staff, ("よい.csv", CSV), ("空.csv", b""), ("図.png", b"\x89PNG\r\n\x1a\n" + bytes(50)), status=400)
    page = check(response)
    assert "「空.csv」は空のファイルです" in page.words()
    assert "「図.png」は画像ファイル" in page.words()
    assert "ほかの 1 個は受け取りました" in page.words()
    assert save.scalars(select(Upload.name)).all() == ["よい.csv"]


@SQLITE
def test_several_files_lead_to_the_list(staff: Browser) -> None:
    response = send(staff, ("一.csv", CSV), ("二.csv", CSV + b"\n"))
    assert response.headers["location"] == "/admin/import"
    assert {"一.csv", "二.csv"} <= set(staff.get("/admin/import").words().split())


@SQLITE
def test_sending_nothing_is_told(staff: Browser) -> None:
    assert "ファイルが選ばれていません" in send(staff, ("", b""), status=400).text


@SQLITE
def test_what_is_too_large_is_not_kept(app: FastAPI, staff: Browser, save: Session) -> None:
    app.state.settings = app.state.settings.model_copy(update={"max_upload_mb": 1})
    row = "T-9,2026-09-01,電話,長い声です。,,\n".encode("cp932")
    response = send(staff, ("大.csv", CSV + b"\n" + row * 40_000), status=413)
    assert "合わせて 1 MB まで" in response.text
    send(staff, ("もっと大.csv", CSV + b"\n" + row * 120_000), status=413)
    assert not any((app.state.settings.home / "uploads").iterdir())
    assert save.scalars(select(Upload)).all() == []


@SQLITE
def test_without_the_token_or_with_it_behind_the_file_nothing_is_kept(app: FastAPI, staff: Browser) -> None:
    send(staff, ("a.csv", CSV), status=403, token="x")
    send(staff, ("a.csv", CSV), status=403, first="other")
    token = staff.client.get("/api/v1/session").json()["csrf_token"]
    body = (
        '--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n番号,ご意見\n1,声\r\n'
        f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n--b--\r\n'
    ).encode()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert staff.client.post("/admin/import/uploads", content=body, headers=headers).status_code == 403
    assert not any((app.state.settings.home).glob("uploads/*"))


@SQLITE
@pytest.mark.parametrize("cut", [40, 150, 300])
def test_a_form_that_breaks_off_leaves_nothing(app: FastAPI, staff: Browser, cut: int) -> None:
    token = staff.client.get("/api/v1/session").json()["csrf_token"]
    body = (
        f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
        '--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n' + "番号,ご意見\n1,声\n" * 20
    ).encode()[:cut]
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = staff.client.post("/admin/import/uploads", content=body, headers=headers)
    assert response.status_code in (400, 403)
    assert not any((app.state.settings.home).glob("uploads/*"))


@SQLITE
@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=" + "b" * 300, "text/csv", "multipart/form-data; boundary=\xff"]
)
def test_whatever_calls_itself_a_form_ends_in_an_answer(app: FastAPI, staff: Browser, kind: str) -> None:
    token = staff.client.get("/api/v1/session").json()["csrf_token"]
    one = '--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    many = (
        one.format(name="csrf_token", value=token) + "".join(one.format(name=f"f{number}", value="x") for number in range(50)) + "--b--\r\n"
    )
    for body in (b"", b"\0" * 5000, many.encode(), one.format(name="csrf_token", value="x" * 5000).encode()):
        for header in (kind, "multipart/form-data; boundary=b"):
            response = staff.client.post("/admin/import/uploads", content=body, headers={"Content-Type": header.encode("latin-1")})
            assert response.status_code in (400, 403), (header, body[:40], response.text[:300])
    assert not any((app.state.settings.home).glob("uploads/*"))


def test_a_file_is_discarded(app: FastAPI, staff: Browser) -> None:
    address = sent(staff)
    page = staff.submit(staff.get(address), f"{address}/discard")
    assert "ファイルを捨てました" in page.words()
    assert not any((app.state.settings.home / "uploads").iterdir())
    assert "もうありません" in staff.get(address, status=404).words()
