"""The audit trail: searches without what was searched for, and the administrators' page of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import audit_words
from core import audit, audit_trail, db
from core.models import AuditEntry, Role
from core.settings import PROJECT_ROOT
from loop.steps import Step
from tests import factories
from tests.web.browser import Browser
from tests.web.conftest import SignIn, renew

# Where an act isn't named on the spot: all that the expression can stand for.
COMPUTED = {
    ("loop/handling.py", "step.value"): set(Step),
    ("loop/handling.py", "Step.UNDO.value"): {Step.UNDO},
    ("loop/recount.py", "Step.RECOUNT.value"): {Step.RECOUNT},
    ("ingest/pipeline.py", "action"): {"import.cancel", "import.finish"},
}


def recorded() -> Iterator[tuple[str, str]]:
    """Every act that the program records, with the file that does."""
    for folder in ("api", "core", "ingest", "loop", "nlp"):
        for path in sorted((PROJECT_ROOT / folder).rglob("*.py")):
            tree, name = ast.parse(path.read_text("utf-8")), path.relative_to(PROJECT_ROOT).as_posix()
            constants = {
                target.id: node.value.value
                for node in tree.body
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and _is_record(node.func):
                    yield from ((name, code) for code in _codes(name, node, constants))


def _is_record(called: ast.expr) -> bool:
    if not isinstance(called, ast.Attribute) or not isinstance(called.value, ast.Name):
        return False
    return called.attr in ("record", "record_all") and called.value.id == "audit"


def _codes(name: str, call: ast.Call, constants: dict[str, object]) -> set[str]:
    given = next(keyword.value for keyword in call.keywords if keyword.arg == "action")
    chosen = [given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]
    if all(isinstance(each, ast.Constant) for each in chosen):
        return {str(ast.literal_eval(each)) for each in chosen}
    said = ast.unparse(given)
    if said in constants:
        return {str(constants[said])}
    assert (name, said) in COMPUTED, f"{name} records an act named {said}: say in COMPUTED what that can be"
    return {str(code) for code in COMPUTED[name, said]}


def test_every_act_that_is_recorded_has_a_japanese_name() -> None:
    found = {code for _, code in recorded()}
    assert len(found) > 40
    assert sorted(found - set(audit_words.ACTIONS)) == []
    assert sorted(set(audit_words.ACTIONS) - found) == [], "named, but nothing records it"
    assert len(set(audit_words.ACTIONS.values())) == len(audit_words.ACTIONS)


@pytest.mark.parametrize(
    ("code", "values", "said"),
    [
        ("case.answer", {"delivery": "mail", "voices": 2}, [("送り方", "電子メール"), ("声の件数", "2")]),
        ("case.close", {"reason": "unclear"}, [("理由", "趣旨不明")]),
        ("case.hand_back", {"reason": "unclear"}, [("理由", "内容の確認が要る")]),
        ("case.approve", {"step": 1, "position": "課長", "in_place": False}, [("職位", "課長")]),
        ("job.create", {"kind": "forecast"}, [("処理", "期限の見通しを立てる")]),
        ("voices.search", {"conditions": {"theme": "道路・交通", "kind": "通報"}, "found": 0},
         [("条件", "分野: 道路・交通、種別: 通報"), ("件数", "0")]),
        ("user.change", {"changed": ["position"], "from": {"role": "kocho"}}, [("変えた項目", "職位"), ("前", "役割: 広聴課")]),
    ],
)  # fmt: skip
def test_the_particulars_are_told_in_the_words_of_the_pages(code: str, values: dict[str, object], said: list[tuple[str, str]]) -> None:
    assert audit_words.detail(values, code) == said


def test_nothing_but_the_trail_s_own_module_writes_to_it() -> None:
    writers = [
        found.relative_to(PROJECT_ROOT).as_posix()
        for folder in ("api", "core", "ingest", "loop", "nlp")
        for found in (PROJECT_ROOT / folder).rglob("*.py")
        if re.search(r"(?<!class )AuditEntry(\(|\.__table__)", found.read_text("utf-8"))
    ]
    assert writers == ["core/audit.py"]


def trail(save: Session, action: str = "voices.search") -> list[AuditEntry]:
    renew(save)
    return list(save.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def test_a_search_on_the_desk_is_on_record_without_its_words(sign_in: SignIn, save: Session) -> None:
    factories.create_voice(save, theme="道路・交通")
    save.commit()
    staff = sign_in(username="hanako")
    staff.get("/desk?tab=all&theme=道路・交通")
    assert trail(save) == []
    staff.get("/desk?tab=all&q=港町太郎+段差&theme=道路・交通")
    staff.client.get("/api/v1/voices?tab=all&q=段差")
    page, json = trail(save)
    assert (page.actor, page.subject, page.detail["words"], page.detail["found"]) == ("hanako", "desk", 2, 0)
    assert page.detail["conditions"] == {"theme": "道路・交通"}
    assert (json.detail["marks"], json.detail["found"]) == ([page.detail["marks"][1]], 1)
    assert not any(word in str([page.detail, json.detail]) for word in ("港町", "段差"))


def test_whether_somebody_searched_for_a_word_can_be_asked(sign_in: SignIn, save: Session) -> None:
    sign_in(username="hanako").get("/desk?q=港町太郎")
    sign_in(username="ichiro").get("/desk?q=段差")
    admin = sign_in(Role.ADMIN, username="root01")
    page = admin.get("/admin/audit?word=港町太郎")
    assert ("hanako" in page.words(page.all("table")[0]), "ichiro" in page.words(page.all("table")[0])) == (True, False)
    assert "あてはまる記録はありません" in admin.get("/admin/audit?word=ゼブラ").words()


def test_the_page_shows_filters_and_turns(sign_in: SignIn, app: FastAPI) -> None:
    admin = sign_in(Role.ADMIN, username="root01")
    assert "まだ確かめていません" in admin.get("/admin/audit").words()
    with db.writing(app.state.engine) as session:
        for number in range(60):
            audit.record(session, actor="hanako", action="label.set", subject=f"voice:{number}", detail={"to": {"theme": "税"}})
        audit.record(session, actor="ichiro", action="voice.read_original", subject="voice:7", detail={"reason": "reply"})
        audit_trail.record_verdict(session, audit.verify(session), actor="cli")
    page = admin.get("/admin/audit?action=label.set")
    assert len(page.all("tr")) == 51
    assert "分類を変えた" in page.words()
    older = next(link.get("href") for link in page.all("a", rel="next"))
    assert len(admin.get(str(older)).all("tr")) == 11
    assert len(admin.get("/admin/audit?subject=voice:7").all("tr")) == 3
    assert len(admin.get("/admin/audit?who=ichiro&since=2020-01-01&until=2100-01-01").all("tr")) == 2
    assert "61 件すべてがつながっている" in admin.get("/admin/audit").words()


def test_a_broken_chain_is_told(sign_in: SignIn, app: FastAPI) -> None:
    with db.writing(app.state.engine) as session:
        audit_trail.record_verdict(session, audit.Verdict(3, 4), actor="cli")
    page = sign_in(Role.ADMIN).get("/admin/audit")
    assert "4 番の記録が、前の記録とつながっていません" in page.words(page.by_class("notice-error")[0])


def test_the_trail_goes_out_as_a_file_and_that_is_on_record(sign_in: SignIn, save: Session) -> None:
    admin = sign_in(Role.ADMIN, username="root01")
    sign_in(username="hanako").get("/desk?q=港町太郎")
    response = admin.client.get("/admin/audit?format=csv&word=港町太郎")
    lines = response.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("番号,日時,だれが,何を")
    assert "ことばで検索した" in lines[1]
    (entry,) = trail(save, "export")
    assert (entry.actor, entry.subject, entry.detail["conditions"]["検索語"]) == ("root01", "admin.audit", "1 語")
    assert "港町" not in str(entry.detail)


@pytest.mark.parametrize("address", ["/admin/audit?since=x", "/admin/audit?before=-1"])
def test_an_address_that_cannot_be_read(sign_in: SignIn, address: str) -> None:
    sign_in(Role.ADMIN).get(address, status=422)


def test_others_do_not_see_it(staff: Browser) -> None:
    staff.get("/admin/audit", status=403)
    assert "/admin/audit" not in staff.get("/desk").text
