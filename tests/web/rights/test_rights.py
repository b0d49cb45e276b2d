"""All routes × roles × own and another department's voice, asked over HTTP, beside the committed table of rights."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from api import keys
from api.app import create_app
from api.deps import STAFF, public
from api.rights import StatedRight, UnstatedRightError, stated
from core import db
from core.models import CaseFile, Role, SavedView, Voice
from core.settings import Settings
from loop import queries
from loop.actors import Actor, visible_to
from loop.filters import Scope, Tab, VoiceFilter
from tests import factories
from tests.web.browser import Browser, TestClient
from tests.web.conftest import SignIn
from tests.web.rights.examples import OTHER, OWN, WITH_FILES, World, body, build, form

TABLE = Path(__file__).parents[1] / "snapshots" / "rights.txt"
COLUMNS = ("nobody", "admin", "kocho", "department", "other", "manager", "key", "wrong key")
HEAD = """\
# Who may use which route, as it was answered over HTTP. other: role department, at what is another department's.
# key: one that is made for the scope at the line's end; wrong key: one that is made for everything else.
# yes · no (403) · sign-in (401, or led to it) · hidden (404, as if it were not there) · - (whose it is makes no difference)
"""
PEOPLES_OWN = {
    "/api/v1/approvals",
    "/api/v1/approvals/{approval_id}",
    "/api/v1/approvals/{approval_id}/approve",
    "/api/v1/approvals/{approval_id}/delegate",
    "/api/v1/approvals/{approval_id}/return",
    "/api/v1/cases/{receipt_number}/dispatches",
    "/api/v1/cases/{receipt_number}/draft",
    "/api/v1/cases/{receipt_number}/draft/check",
    "/api/v1/cases/{receipt_number}/draft/send",
    "/api/v1/cases/{receipt_number}/draft/submit",
    "/api/v1/cases/{receipt_number}/draft/withdraw",
    "/api/v1/cases/{receipt_number}/files/{file_id}",
    "/api/v1/cases/{receipt_number}/letters",
    "/api/v1/cases/{receipt_number}/notes/{note_id}/original",
    "/api/v1/cases/{receipt_number}/parts/reply",
    "/api/v1/session",
    "/api/v1/views",
    "/api/v1/views/{view_id}/delete",
    "/api/v1/voices/{receipt_number}/here",
}
"""What JSON has for a person who is signed in and no key opens: their own things, originals and contacts, answers and approvals."""
_PARAMETER = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, trained_home: Path) -> Path:
    folder = tmp_path_factory.mktemp("rights")
    (folder / "models").symlink_to(trained_home / "models")
    return folder


@dataclass(slots=True)
class Walk:
    """An application that is made as it was at the beginning after each request that may have changed something."""

    app: FastAPI
    home: Path
    kept: Path
    world: World
    browsers: dict[str, Browser]
    keys: dict[tuple[str, str], str]

    def answer(self, right: StatedRight, column: str) -> str:
        """What a request gets, in the table's words."""
        owned = [self._example(right, name) for name in _PARAMETER.findall(right.path)]
        if column == "other" and not any(example.other for example in owned):
            return "-"
        values = iter([example.other if column == "other" and example.other else example.own for example in owned])
        address = _PARAMETER.sub(lambda _: next(values), right.path)
        browser = self.browsers[{"other": "department", "key": "nobody", "wrong key": "nobody"}.get(column, column)]
        options = self._options(right, browser)
        if column in ("key", "wrong key"):
            options["headers"] = {"Authorization": f"Bearer {self.keys[right.scope, column]}"}
        response = browser.client.request(right.method, address, follow_redirects=False, **options)
        if right.method != "GET":
            self._restore()
        return _in_words(right, response)

    def _example(self, right: StatedRight, name: str) -> Any:
        assert name in self.world.parameters, f"{right.name}: tests/web/rights/examples.py has no example of {{{name}}}"
        return self.world.parameters[name]

    def _options(self, right: StatedRight, browser: Browser) -> dict[str, Any]:
        if right.method == "GET":
            return {}
        if right.path == "/sign-in":
            return {"data": {**browser.get("/sign-in").form("/sign-in"), **form(right.name, self.world)}}
        session = browser.client.get("/api/v1/session").json()
        token = session.get("csrf_token", "")
        if right.path.startswith("/api/"):
            return {"headers": {"X-CSRF-Token": token}, **body(right.name, self.world)}
        if right.name in WITH_FILES:
            return {"files": {"csrf_token": (None, token)}}
        return {"data": {"csrf_token": token, **form(right.name, self.world)}}

    def _restore(self) -> None:
        self.app.state.engine.dispose()
        for path in self.home.iterdir():
            if not path.is_symlink():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.kept, self.home, symlinks=True, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def walk(home: Path, trained_home: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    shutil.copy(sqlite_template, home / "koenowa.db")
    app = create_app(Settings(home=home, data=trained_home / "data", engine="serial"))
    world = build(app, app.state.keyring)
    browsers = {"nobody": Browser(TestClient(app, raise_server_exceptions=False))}
    for role in Role:
        with db.writing(app.state.engine) as session:
            values = {"department": OWN} if role is Role.DEPARTMENT else {}
            user = factories.create_user(session, role=role, **values)
            token = factories.create_token(session, user)
            if role is Role.DEPARTMENT:  # whose attachments and views they are: what others have put there it may not take away
                session.execute(update(CaseFile).values(user_id=user.id))
                session.execute(update(SavedView).where(SavedView.department == OWN).values(user_id=user.id))
        browsers[role.value] = Browser(TestClient(app, raise_server_exceptions=False))
        browsers[role.value].client.cookies.set("koe_session", token)
    made = {}
    with db.writing(app.state.engine) as session:
        for number, scope in enumerate(["", *keys.SCOPES]):
            for column, scopes in (("key", {scope} if scope else set(keys.SCOPES)), ("wrong key", set(keys.SCOPES) - {scope})):
                name = f"k{number}-{column[0]}"
                made[scope, column] = keys.add_key(session, name=name, scopes=scopes, expires_on=None, actor="test")
    app.state.engine.dispose()
    kept = tmp_path_factory.mktemp("kept")
    shutil.copytree(home, kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("models"))
    yield Walk(app, home, kept, world, browsers, made)
    app.state.engine.dispose()


def _in_words(right: StatedRight, response: Any) -> str:
    if response.status_code == 422:
        return "? no body that it takes in tests/web/rights/examples.py"
    if response.status_code >= 500 or "画面の有効期限が切れた" in response.text:
        return f"? {response.status_code}"
    led_there = response.headers.get("location", "").startswith("/sign-in") and "clear-site-data" not in response.headers
    if (response.status_code == 401 or led_there) and right.path != "/sign-in":
        return "sign-in"
    return {403: "no", 404: "hidden"}.get(response.status_code, "yes")


def test_every_route_answers_each_role_as_the_committed_table_says(walk: Walk) -> None:
    rights = sorted(stated(walk.app.routes), key=lambda right: (right.path, right.method))
    answers = {right.name: {column: walk.answer(right, column) for column in COLUMNS} for right in rights}
    strange = [f"{name} as {column}: {said}" for name, found in answers.items() for column, said in found.items() if said[0] == "?"]
    assert not strange, "\n".join(strange)
    width = max(map(len, answers))
    lines = ["  ".join([" " * width, *(f"{column:10}" for column in COLUMNS)]).rstrip()]
    scopes = {right.name: right.scope for right in rights}
    lines += [
        "  ".join([f"{name:{width}}", *(f"{each:10}" for each in said.values()), scopes[name]]).rstrip() for name, said in answers.items()
    ]
    text = HEAD + "\n".join(lines) + "\n"
    for right in rights:
        said = answers[right.name]
        for role in Role:
            assert said[role.value] == ("yes" if right.roles is None or role in right.roles else "no"), (right.name, said)
        open_to_all = right.roles is None
        assert said["key"] == ("yes" if open_to_all or right.scope else "no"), (right.name, said)
        assert said["wrong key"] == ("yes" if open_to_all else "no"), (right.name, said)
        assert bool(right.scope) is (right.path.startswith("/api/v1/") and right.path not in PEOPLES_OWN), right.name
        assert (said["nobody"] == "sign-in") is (right.roles is not None), (right.name, said)
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        TABLE.write_text(text, "utf-8")
    assert TABLE.exists(), "UPDATE_SNAPSHOTS=1 pytest tests/web/rights writes it"
    assert text == TABLE.read_text("utf-8"), "who may do what has changed; when that is meant: UPDATE_SNAPSHOTS=1"


def _silent(router: APIRouter) -> None:
    router.get("/silent")(lambda: None)


def _late(router: APIRouter) -> None:
    router.get("/late", dependencies=[Depends(lambda: None), Depends(STAFF)])(lambda: None)


def _plain(router: APIRouter) -> None:
    router.add_route("/plain", lambda request: request)


@pytest.mark.parametrize(("add", "name"), [(_silent, "GET /silent"), (_late, "GET /late"), (_plain, "/plain")])
def test_an_application_with_a_route_that_states_no_right_does_not_start(
    add: Callable[[APIRouter], None], name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()
    router.get("/stated", dependencies=[Depends(public)])(lambda: None)
    add(router)
    monkeypatch.setattr("api.app.ROUTERS", (router,))
    with pytest.raises(UnstatedRightError, match=re.escape(name)) as raised:
        create_app(settings)
    assert "/stated" not in str(raised.value)


def actor(role: Role = Role.DEPARTMENT, department: str = OWN) -> Actor:
    return Actor(1, "hanako", "潮見 花子", role, department)


def test_a_department_sees_its_own_voices_and_those_that_concern_it(engine: Engine) -> None:
    with db.writing(engine) as session:
        own = factories.create_voice(session, theme="道路・交通", department=OWN)
        concerned = factories.create_voice(session, theme="公園・緑地", department=OTHER, related=["下水道課", OWN])
        other = factories.create_voice(session, theme="公園・緑地", department=OTHER, related=[f"{OWN}分室", "公園緑地課"])
        unassigned = factories.create_voice(session, theme="公園・緑地", department="")
        voices = (own, concerned, other, unassigned)
        for who, expected in (
            (actor(), {own.id, concerned.id}),
            (actor(department=OTHER), {concerned.id, other.id}),
            (actor(department=""), set()),
            (actor(department='"'), set()),
            (actor(Role.KOCHO, "広聴課"), {voice.id for voice in voices}),
            (actor(Role.MANAGER, ""), {voice.id for voice in voices}),
        ):
            assert {voice.id for voice in voices if who.may_see(voice)} == expected
            assert _seen(session, who) == expected
            scope = Scope(filter=VoiceFilter(), tab=Tab.ALL, department="", due_by=factories.NOON.date(), seen_by=who)
            assert queries.count_tabs(session, scope)[Tab.ALL] == len(expected)
            assert set(queries.seen(session, [voice.id for voice in voices], seen_by=who)) == expected


def _seen(session: Session, who: Actor) -> set[int]:
    return set(session.scalars(select(Voice.id).where(*visible_to(who))))


def test_another_departments_voice_is_in_no_list_and_beside_no_other(sign_in: SignIn, save: Session) -> None:
    common = {"received_on": factories.NOON.date()}
    first, other, last = (factories.create_voice(save, theme=theme, **common) for theme in ("道路・交通", "公園・緑地", "道路・交通"))
    topic = factories.create_topic(save, voices=[first, other, last])
    save.commit()
    department = sign_in(Role.DEPARTMENT, department=OWN)
    page = department.get("/desk?tab=all")
    assert (other.receipt_number in page.text, first.receipt_number in page.text) == (False, True)
    assert f"/desk/{last.receipt_number}" in department.get(f"/desk/{first.receipt_number}?tab=all").text
    department.get(f"/desk/{other.receipt_number}?tab=all", status=404)
    listed = [item["receipt_number"] for item in department.client.get("/api/v1/voices?tab=all").json()["items"]]
    assert listed == [last.receipt_number, first.receipt_number]
    page = department.get(f"/trends/topics/{topic.id}?period=all")
    assert (other.receipt_number in page.text, first.receipt_number in page.text) == (False, True)
    found = department.client.get("/api/v1/trends/search?q=公園&period=all").json()
    assert found["items"] == []
    kocho = sign_in(Role.KOCHO)
    assert other.receipt_number in kocho.get("/desk?tab=all").text
    assert other.receipt_number in kocho.get(f"/trends/topics/{topic.id}?period=all").text


def test_a_voice_that_goes_to_another_department_leaves_for_the_list(sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save, theme="道路・交通", status="received")
    save.commit()
    department = sign_in(Role.DEPARTMENT, department=OWN)
    here = f"/desk/{voice.receipt_number}"
    token = department.get(here).form(f"{here}/labels")["csrf_token"]
    response = department.post(f"{here}/labels", {"csrf_token": token, "facet": "department", "value": OTHER})
    assert response.headers["location"] == "/desk"
    department.get(here, status=404)


def test_a_manager_sees_figures_and_masked_texts_but_no_form_that_changes_them(sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save, theme="道路・交通")
    topic = factories.create_topic(save, voices=[voice])
    save.commit()
    manager = sign_in(Role.MANAGER)
    for address in ("/desk?tab=all", f"/desk/{voice.receipt_number}", "/trends", f"/trends/topics/{topic.id}?period=all"):
        page = manager.get(address)
        assert {element.get("action") for element in page.all("form", method="post")} == {"/sign-out"}, address
        assert f"/trends/topics/{topic.id}/edit" not in page.text
