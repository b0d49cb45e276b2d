"""Keys for programs: shown once, good for what they were made for, and in the trail by their names."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api import keys
from core import db
from core.clock import today
from core.models import ApiKey, AuditEntry, HumanLabel, Role, User
from tests import factories
from tests.web.browser import Browser, check
from tests.web.conftest import SignIn, renew


def made(app: FastAPI, *scopes: str, name: str = "line") -> dict[str, str]:
    """The header of a new key."""
    with db.writing(app.state.engine) as session:
        token = keys.add_key(session, name=name, scopes=scopes, expires_on=None, actor="root01")
    return {"Authorization": f"Bearer {token}"}


def test_a_key_is_made_on_the_page_used_and_stopped(sign_in: SignIn, reader: Browser, save: Session) -> None:
    factories.create_voice(save)
    save.commit()
    admin = sign_in(Role.ADMIN, username="root01")
    form = admin.get("/admin/keys").form("/admin/keys")
    wrong = check(admin.post("/admin/keys", {**form, "name": "line"}, status=400))
    assert "できることが選ばれていません" in wrong.words()
    until = (today() + timedelta(days=30)).isoformat()
    wrong = check(admin.post("/admin/keys", {**form, "name": "Line", "scope": ["voices:read"], "expires_on": until}, status=400))
    (day,) = wrong.all("input", name="expires_on")
    assert day.get("value") == until
    shown = check(admin.post("/admin/keys", {**form, "name": "line", "scope": ["voices:read"]}, status=200))
    token = shown.words(shown.all("code")[0])
    header = {"Authorization": f"Bearer {token}"}
    assert len(reader.client.get("/api/v1/voices?tab=all", headers=header).json()["items"]) == 1
    renew(save)
    key = save.scalars(select(ApiKey)).one()
    assert (key.last_used_on, token in key.token_hash) == (today(), False)
    listed = admin.get("/admin/keys")
    assert keys.SCOPES["voices:read"] in listed.words(listed.all("tbody")[0])
    assert token not in listed.text
    admin.submit(admin.get("/admin/keys"), "/admin/keys/line/revoke")
    assert "停止" in admin.get("/admin/keys").words()
    answer = reader.client.get("/api/v1/voices", headers=header)
    assert (answer.status_code, answer.json()["title"]) == (401, "この API キーは使えません。")
    again = check(admin.post("/admin/keys", {**form, "name": "line", "scope": ["voices:read"]}, status=409))
    assert "すでにあります" in again.words()
    renew(save)
    acts = save.execute(select(AuditEntry.actor, AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id)).all()
    assert [tuple(act) for act in acts] == [
        ("root01", "key.add", "key:line"),
        ("key:line", "key.read", "key:line"),
        ("root01", "key.revoke", "key:line"),
    ]


def test_what_a_key_changes_has_its_name(app: FastAPI, reader: Browser, save: Session) -> None:
    voice = factories.create_voice(save, theme="道路・交通")
    save.commit()
    body = {"facet": "kind", "value": "苦情"}
    here = f"/api/v1/voices/{voice.receipt_number}/labels"
    answer = reader.client.post(here, json=body, headers=made(app, "voices:write"))
    assert answer.status_code == 200, answer.text
    renew(save)
    label = save.scalars(select(HumanLabel)).one()
    assert save.get_one(User, label.user_id).username == "key:line"
    assert save.scalars(select(AuditEntry.actor).where(AuditEntry.action == "label.set")).one() == "key:line"


def test_a_key_is_good_for_its_scopes_alone(app: FastAPI, reader: Browser, sign_in: SignIn) -> None:
    header = made(app, "trends:read")
    assert reader.client.get("/api/v1/topics", headers=header).status_code == 200
    for address in ("/api/v1/voices", "/api/v1/imports", "/api/v1/audit"):
        answer = reader.client.get(address, headers=header)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope"), address
    assert reader.client.get("/desk", headers=header, follow_redirects=False).status_code == 403
    assert reader.client.get("/api/v1/session", headers=header).status_code == 403
    # Beside a cookie that would do, the key still decides.
    assert sign_in(Role.ADMIN).client.get("/api/v1/voices", headers=header).status_code == 403


@pytest.mark.parametrize("header", ["Bearer ", "Bearer koe_wrong", "bearer \udcff".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_a_key_that_is_none_opens_nothing(reader: Browser, header: str) -> None:
    answer = reader.client.get("/api/v1/voices", headers={"Authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")


def test_a_key_ends_with_its_last_day(app: FastAPI, reader: Browser) -> None:
    header = made(app, "voices:read")
    for day, status in ((today(), 200), (today() - timedelta(days=1), 401)):
        with db.writing(app.state.engine) as session:
            session.execute(update(ApiKey).values(expires_on=day))
        assert reader.client.get("/api/v1/voices", headers=header).status_code == status


def test_nobody_signs_in_as_a_key_and_no_page_of_people_has_one(app: FastAPI, sign_in: SignIn, save: Session) -> None:
    made(app, "voices:read")
    admin = sign_in(Role.ADMIN)
    assert "key:line" not in admin.get("/admin/users").text
    admin.get(f"/admin/users/{save.scalars(select(User.id).where(User.username == 'key:line')).one()}", status=404)


def test_the_trail_goes_to_programs_that_may_have_it(app: FastAPI, reader: Browser) -> None:
    header = made(app, "audit:read")
    first = reader.client.get("/api/v1/audit?limit=1", headers=header).json()
    assert [item["action"] for item in first["items"]] == ["key.read"], "the reading itself is noted before the answer"
    rest = reader.client.get(f"/api/v1/audit?before={first['next']}", headers=header).json()
    assert first["items"][0]["previous"] == rest["items"][0]["digest"]
    assert ([item["action"] for item in rest["items"]], rest["next"]) == (["key.add"], None)


def test_the_description_says_which_scope_a_route_takes(reader: Browser) -> None:
    paths = reader.client.get("/api/openapi.json").json()["paths"]
    assert paths["/api/v1/voices"]["get"]["security"] == [{"session": []}, {"key": ["voices:read"]}]
    assert paths["/api/v1/session"]["get"]["security"] == [{"session": []}]
    assert "security" not in paths["/api/public/v1/voices"]["get"]
