"""Attachments over HTTP: sent in parts with the token first, fetched only for saving."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import CaseFile, Role
from tests import factories
from tests.web.browser import Browser
from tests.web.conftest import SignIn, renew

PDF = b"%PDF-1.7\n\x00\xff"


def send(browser: Browser, address: str, *files: tuple[str, bytes], token: str | None = None, last: bool = False) -> int:
    given = browser.client.get("/api/v1/session").json()["csrf_token"] if token is None else token
    parts: list[tuple[str, tuple[str | None, str | bytes]]] = [("csrf_token", (None, given))]
    parts += [("files", file) for file in files]
    response = browser.client.post(address, files=parts[::-1] if last else parts, follow_redirects=False)
    if response.status_code == 303:
        assert response.headers["location"] == address.removesuffix("/files") + "#files"
    return int(response.status_code)


def test_files_are_attached_fetched_and_taken_away(sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save)
    save.commit()
    browser = sign_in()
    address = f"/desk/{voice.receipt_number}/files"
    assert send(browser, address, ("地図.pdf", PDF), ("記録.txt", "歩道の段差".encode("cp932"))) == 303
    found = save.execute(select(CaseFile.id, CaseFile.name, CaseFile.content_type).order_by(CaseFile.id)).all()
    assert [row[1:] for row in found] == [("地図.pdf", "application/pdf"), ("記録.txt", "text/plain")]
    fetched = browser.client.get(f"{address}/{found[0][0]}?reason=reply")
    assert (fetched.status_code, fetched.content) == (200, PDF)
    headers = fetched.headers
    assert headers["content-disposition"].startswith("attachment;")
    assert headers["content-disposition"].endswith("filename*=UTF-8''%E5%9C%B0%E5%9B%B3.pdf")
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
    assert {"sandbox", "default-src 'none'"} <= set(headers["content-security-policy"].replace(", ", "; ").split("; "))
    assert browser.client.get(f"{address}/{found[0][0]}").status_code == 400
    token = browser.client.get("/api/v1/session").json()["csrf_token"]
    browser.post(f"{address}/{found[0][0]}/delete", {"csrf_token": token})
    renew(save)
    assert save.scalars(select(CaseFile.name)).all() == ["記録.txt"]
    browser.get(f"{address}/{found[0][0]}?reason=reply", status=404)


def test_all_of_a_form_or_none(sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save)
    save.commit()
    browser, address = sign_in(), f"/desk/{voice.receipt_number}/files"
    assert send(browser, address, ("地図.pdf", PDF), ("道具.pdf", b"MZ\x00")) == 400
    assert send(browser, address) == 400
    assert send(browser, address, *[("地図.pdf", PDF)] * 11) == 400
    assert save.scalars(select(CaseFile)).all() == []


def test_nothing_is_taken_without_the_token_or_the_right(sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save, theme="道路・交通")
    save.commit()
    address = f"/desk/{voice.receipt_number}/files"
    assert send(sign_in(), address, ("地図.pdf", PDF), token="x") == 403
    assert send(sign_in(), address, ("地図.pdf", PDF), last=True) == 403
    assert send(sign_in(Role.MANAGER), address, ("地図.pdf", PDF)) == 403
    assert send(sign_in(Role.DEPARTMENT, department="保育課"), address, ("地図.pdf", PDF)) == 404
    assert save.scalars(select(CaseFile)).all() == []


@pytest.mark.parametrize("size", [(1 << 20) + 1, (2 << 20) + 1])
def test_more_than_the_setting_allows_is_refused(app: FastAPI, sign_in: SignIn, save: Session, size: int) -> None:
    app.state.settings = app.state.settings.model_copy(update={"attachment_mb": 1})
    voice = factories.create_voice(save)
    save.commit()
    assert send(sign_in(), f"/desk/{voice.receipt_number}/files", ("大きい.pdf", PDF.ljust(size, b"\0"))) == 413
    assert save.scalars(select(CaseFile)).all() == []


def test_a_program_writes_notes_attaches_files_and_reads_the_course(app: FastAPI, sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save)
    save.commit()
    client = sign_in().client
    headers = {"X-CSRF-Token": client.get("/api/v1/session").json()["csrf_token"]}
    base = f"/api/v1/cases/{voice.receipt_number}"
    assert client.get(f"{base}/timeline").json() == {"items": [], "next": ""}
    (note,) = client.post(f"{base}/notes", json={"text": "川北葉子さんに電話した。"}, headers=headers).json()
    assert note["is_masked"]
    opened = client.post(f"{base}/notes/{note['id']}/original", json={"reason": "reply"}, headers=headers)
    assert opened.json() == {"text": "川北葉子さんに電話した。"}
    assert client.post(f"{base}/notes/{note['id'] + 1}/original", json={"reason": "reply"}, headers=headers).status_code == 404
    (file,) = client.post(f"{base}/files", params={"name": "図.pdf"}, content=PDF, headers=headers).json()
    assert (file["name"], file["size"]) == ("図.pdf", len(PDF))
    assert client.get(f"{base}/files/{file['id']}?reason=reply").content == PDF
    assert [item["code"] for item in client.get(f"{base}/timeline").json()["items"]] == [
        "file.open", "case.attach", "note.read_original", "note",
    ]  # fmt: skip
    assert client.post(f"{base}/files/{file['id']}/delete", headers=headers).json() == []
    assert client.get(f"{base}/notes").json() == [note]
    app.state.settings = app.state.settings.model_copy(update={"attachment_mb": 1})
    large = client.post(f"{base}/files", params={"name": "図.pdf"}, content=PDF.ljust((1 << 20) + 1), headers=headers)
    assert large.status_code == 413
