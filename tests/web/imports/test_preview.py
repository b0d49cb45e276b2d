"""The preview of a file that was sent: how it is read, and what a person may correct."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import AuditEntry, Job, Role
from tests.web.browser import Browser
from tests.web.conftest import SignIn
from tests.web.imports.conftest import Take
from tests.web.imports.pages import CSV, SQLITE, choices, sent


@SQLITE
def test_a_preview_says_how_the_file_is_read(staff: Browser) -> None:
    page = staff.get(sent(staff))
    assert "CP932（Shift_JIS）" in page.words()
    assert choices(page)["column"] == ["external_id", "received_on", "channel", "text", "name", ""]
    assert "声 2 件、取り込めない行 2 行" in page.words()
    assert "日付として読めません" in page.words()
    assert "港町1丁目の歩道の段差" in page.words()


def test_looking_at_a_file_is_recorded_once_for_each_person(staff: Browser, sign_in: SignIn, save: Session) -> None:
    address = sent(staff)
    other = sign_in(Role.ADMIN)
    for browser in (staff, staff, other, staff, other):
        browser.get(address)
    seen = save.scalars(select(AuditEntry).where(AuditEntry.action == "upload.view")).all()
    assert len(seen) == 2
    assert len({entry.actor for entry in seen}) == 2
    assert {entry.subject for entry in seen} == {f"upload:{address.rpartition('/')[2]}"}


@SQLITE
def test_a_corrected_column_shows_at_once_and_stays(staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"][5] = "title"
    response = staff.post(f"{address}/choices", given)
    assert response.headers["location"] == f"{address}#outcome"
    again = staff.get(address)
    assert choices(again)["column"][5] == "title"
    assert "至急 港町1丁目" in again.words()


@SQLITE
def test_htmx_gets_the_outcome_alone(staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"][3] = ""
    response = staff.client.post(f"{address}/choices", data=given, headers={"HX-Request": "true", "HX-Target": "outcome"})
    assert response.text.lstrip().startswith("<section")
    assert "<h1" not in response.text
    assert "本文の列が選ばれていません" in response.text


@pytest.mark.parametrize("step", ["check", "start"])
def test_a_mapping_that_does_not_fit_leads_back_to_what_is_wrong(staff: Browser, save: Session, step: str) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"][0] = "text"
    response = staff.post(f"{address}/{step}", given)
    assert response.headers["location"] == f"{address}#outcome"
    assert "「本文」が2つ以上の列に" in staff.get(address).words()
    assert save.scalars(select(Job)).all() == []


@SQLITE
def test_a_wrong_encoding_is_told_and_can_be_taken_back(staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    staff.post(f"{address}/choices", {**given, "encoding": "utf-16"})
    assert "UTF-16 ではありません" in staff.get(address).words()
    staff.post(f"{address}/choices", {**given, "encoding": "cp932"})
    assert "声 2 件" in staff.get(address).words()


@SQLITE
def test_choices_that_are_not_offered_are_refused(staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    staff.post(f"{address}/choices", {**given, "mapping": "/etc/passwd.yaml"}, status=400)
    staff.post(f"{address}/choices", {**given, "encoding": "rot13"}, status=400)
    staff.post(f"{address}/choices", {**given, "channel": "のろし"}, status=422)


def test_a_mapping_is_saved_under_a_name_and_chosen_for_the_same_headings(staff: Browser, save: Session) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"][5] = "title"
    wrong = staff.post(f"{address}/mapping", {**given, "name": "../x"}, status=400)
    assert "対応表の名前が使えません" in wrong.text
    staff.post(f"{address}/mapping", {**given, "name": "応答記録"})
    page = staff.get(f"{address}?saved=true")
    assert "対応表「応答記録」を保存しました" in page.words()
    assert choices(page)["mapping"] == "応答記録"
    assert save.scalars(select(AuditEntry.subject).where(AuditEntry.action == "mapping.save")).all() == ["mapping:応答記録"]
    other = staff.get(sent(staff, CSV + "\nT-5,2026-09-05,電話,別の月の声です。,,".encode("cp932"), "別の月.csv"))
    assert choices(other)["mapping"] == "auto"
    assert choices(other)["column"][5] == "title"


@SQLITE
def test_choosing_another_mapping_begins_the_columns_anew(staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"][5] = "title"
    staff.post(f"{address}/mapping", {**given, "name": "わが市"})
    given = choices(staff.get(address))
    given["column"][0] = ""
    staff.post(f"{address}/choices", {**given, "mapping": "auto"})
    assert choices(staff.get(address))["column"][0] == "external_id"


@SQLITE
def test_text_of_a_file_is_never_markup(take: Take, staff: Browser) -> None:
    evil = "<script>alert(1)</script>"
    content = f"番号,受付日,{evil},ご意見\n1,いつか,{evil},{evil}\n2,2026-09-01,{evil},{evil}です\n".encode()
    address = sent(staff, content, f"{evil}.csv")
    page = staff.get(address)
    assert evil not in page.text
    batch = take(content, "b.csv")
    assert evil not in staff.get(f"/admin/import/batches/{batch}").text
