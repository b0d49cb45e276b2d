"""Every page at both widths: nothing for axe to say, no scrolling sideways, nothing that the policy refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from core.clock import today
from tests.e2e.conftest import Site

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES: dict[str, Callable[[Site], str]] = {
    "home": lambda _: "/",
    "voices": lambda _: "/voices",
    "voices-filtered": lambda _: "/voices?theme=道路・交通&since=2020-01-01",
    "voices-none": lambda _: "/voices?q=ゼブラ",
    "voice": lambda site: f"/voices/{site.published}",
    "not-public": lambda _: "/voices/R08-999999-9",
    "api-docs": lambda _: "/api/docs",
    "sign-in": lambda _: "/sign-in",
    "desk": lambda _: "/desk",
    "desk-filtered": lambda _: "/desk?tab=all&kind=通報&q=歩道&theme=道路・交通",
    "desk-due": lambda _: "/desk?tab=due",
    "desk-none": lambda _: "/desk?q=ゼブラ",
    "desk-mine": lambda _: "/desk?tab=mine",
    "desk-all": lambda _: "/desk?tab=all&order=due",
    "desk-voice": lambda site: f"/desk/{site.voice}",
    "desk-unreadable": lambda _: "/desk?since=x",
    "desk-unknown": lambda _: "/desk/R08-999999-9",
    "desk-not-theirs": lambda _: "/admin/users",
    "desk-course": lambda site: f"/desk/{site.answering.sent}/course",
    "desk-similar": lambda site: f"/desk/{site.voice}/similar",
    "desk-opinions": lambda site: f"/desk/{site.voice}/opinions",
    "desk-parts": lambda site: f"/desk/{site.voice}/parts",
    "outlook": lambda _: "/desk/outlook",
    "outlook-department": lambda _: "/desk/outlook?department=道路維持課",
    "desk-paused": lambda site: f"/desk/{site.answering.paused}",
    "desk-closed": lambda site: f"/desk/{site.answering.closed}",
    "desk-returned": lambda site: f"/desk/{site.answering.returned}",
    "answer-paused": lambda site: f"/desk/{site.answering.paused}/answer",
    "answer-closed": lambda site: f"/desk/{site.answering.closed}/answer",
    "desk-merged": lambda site: f"/desk/{site.answering.waiting}",
    "desk-divided": lambda site: f"/desk/{site.answering.divided}",
    "parts": lambda site: f"/desk/{site.answering.divided}/parts",
    "parts-none": lambda site: f"/desk/{site.voice}/parts",
    "desk-asked": lambda _: "/desk?tab=asked",
    "answer-divided": lambda site: f"/desk/{site.answering.divided}/answer",
    "answer": lambda site: f"/desk/{site.voice}/answer",
    "answer-returned": lambda site: f"/desk/{site.answering.returned}/answer",
    "answer-waiting": lambda site: f"/desk/{site.answering.waiting}/answer",
    "answer-sent": lambda site: f"/desk/{site.answering.sent}/answer",
    "approvals": lambda _: "/desk/approvals",
    "approval": lambda site: f"/desk/approvals/{site.answering.approval}",
    "trends": lambda _: "/trends?period=12m",
    "trends-weeks": lambda _: "/trends?period=4w",
    "trends-custom": lambda _: "/trends?since=2020-01-01",
    "faq": lambda _: "/trends/faq",
    "faq-all": lambda _: "/trends/faq?period=all&theme=ごみ・環境",
    "faq-none": lambda _: "/trends/faq?since=2020-01-02&until=2020-01-03",
    "cross": lambda _: "/trends/cross?period=12m",
    "cross-shares": lambda _: "/trends/cross?rows=district&columns=theme&period=all&show=row&valued=true",
    "cross-nothing": lambda _: "/trends/cross?rows=kind&columns=kind",
    "compare": lambda _: f"/trends/compare?since={today() - timedelta(days=14)}&until={today()}",
    "compare-topics": lambda _: f"/trends/compare?by=topic&kind=通報&since={today() - timedelta(days=9)}",
    "compare-month": lambda _: "/trends/compare?pair=month",
    "compare-before-the-data": lambda _: "/trends/compare?base_since=2020-01-01&base_until=2020-01-02",
    "search": lambda _: "/trends/search?q=歩道&period=all",
    "search-sorted": lambda _: "/trends/search?q=歩道+段差&sort=right&theme=道路・交通",
    "search-none": lambda _: "/trends/search?q=ゼブラ",
    "search-empty": lambda _: "/trends/search",
    "map": lambda _: "/trends/map",
    "map-topic": lambda site: f"/trends/map?topic={site.topic}",
    "report": lambda _: "/trends/report",
    "report-running": lambda _: f"/trends/report?month={today():%Y-%m}",
    "report-empty": lambda _: "/trends/report?month=2020-01",
    "jobs": lambda _: "/admin/jobs",
    "topic": lambda site: f"/trends/topics/{site.topic}?period=all",
    "topic-weeks": lambda site: f"/trends/topics/{site.topic}?period=4w",
    "topic-moved": lambda site: f"/trends/topics/{site.topic}?moved=2&moved_to={site.topic}",
    "topic-edit": lambda site: f"/trends/topics/{site.topic}/edit",
    "topic-edit-none": lambda site: f"/trends/topics/{site.topic}/edit?q=ゼブラ",
    "topic-edit-done": lambda site: f"/trends/topics/{site.topic}/edit?done=split&topics={site.topic}",
    "import": lambda _: "/admin/import",
    "import-batch": lambda _: "/admin/import/batches/1",
    "import-batch-faq": lambda site: f"/admin/import/batches/{site.faq_batch}",
    "password": lambda _: "/account/password",
    "import-unknown": lambda _: "/admin/import/jobs/999",
}
PAGES_OF_ADMINISTRATORS = {
    "users": "/admin/users",
    "user-new": "/admin/users/new",
    "user": "/admin/users/1",
    "keys": "/admin/keys",
    "audit": "/admin/audit",
    "audit-filtered": "/admin/audit?who=hanako&action=sign_in&since=2020-01-01",
    "audit-none": "/admin/audit?word=ゼブラ",
}


@pytest.fixture(params=[1280, 375], ids=["wide", "narrow"])
def visitor(request: pytest.FixtureRequest, visit: Any) -> Any:
    return visit(viewport={"width": request.param, "height": 900}).sign_in()


def complaints_of_axe(page: Page) -> list[str]:
    # As a string, not as a script element: the page's own policy stays in force.
    page.evaluate(AXE.read_text("utf-8"))
    options = {"runOnly": {"type": "tag", "values": TAGS}, "rules": {"target-size": {"enabled": True}}}
    found = page.evaluate("options => axe.run(document, options)", options)
    assert {"color-contrast", "target-size"} <= {item["id"] for item in found["passes"]}, "axe didn't look"
    return [f"{item['id']}: {node['html'][:160]}" for item in found["violations"] for node in item["nodes"]]


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def test_every_page(visitor: Any, site: Site) -> None:
    assert faults_of(visitor, {name: address(site) for name, address in PAGES.items()}) == {}


@pytest.mark.parametrize("width", [1280, 375])
def test_every_page_of_administrators(visit: Any, width: int) -> None:
    assert faults_of(visit(viewport={"width": width, "height": 900}).sign_in("root01"), PAGES_OF_ADMINISTRATORS) == {}


def faults_of(visitor: Any, addresses: dict[str, str]) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    for name, address in addresses.items():
        visitor.complaints.clear()
        visitor.page.goto(address)
        visitor.page.wait_for_load_state("networkidle")
        found = complaints_of_axe(visitor.page)
        found += ["wider than the window"] if is_wider_than_the_window(visitor.page) else []
        found += [text for text in visitor.complaints if "Failed to load resource" not in text]
        if found:
            faults[name] = found
    return faults


def test_what_opens_is_accessible_too(visitor: Any, site: Site) -> None:
    page = visitor.page
    page.goto(f"/desk/{site.voice}")
    for summary in page.locator("summary").all():
        summary.click()
    assert complaints_of_axe(page) == []
    assert not is_wider_than_the_window(page)
    page.get_by_text("主題と評価").wait_for()
    assert page.get_by_text("公開の前に確認").is_visible()
    assert complaints_of_axe(page) == []
    assert not is_wider_than_the_window(page)
    page.goto(f"/trends/topics/{site.topic}?period=all")
    assert page.locator(".table-pairs tbody tr").count() > 0
    page.locator(".table-pairs a").first.click()
    assert complaints_of_axe(page) == []
    page.goto("/desk")
    page.get_by_text("条件をえらぶ").click()
    page.get_by_role("button", name="キーボードの操作").click()
    assert complaints_of_axe(page) == []
    page.get_by_role("button", name="閉じる").click()
    page.goto("/trends?period=12m")
    page.get_by_text("表で見る", exact=True).click()
    assert complaints_of_axe(page) == []
    assert not is_wider_than_the_window(page)


def test_a_form_that_comes_back_is_seen_and_accessible_too(visitor: Any, site: Site) -> None:
    page = visitor.page
    page.goto(f"/trends/topics/{site.topic}/edit")
    page.locator("#split-words").fill("ゼブラ")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    told = page.get_by_role("alert")
    told.wait_for()
    page.wait_for_function(
        "() => [document.querySelector('[role=alert]').getBoundingClientRect()].every((box) => box.top >= 0 && box.bottom <= innerHeight)"
    )
    assert page.locator("#split-words").input_value() == "ゼブラ"
    assert complaints_of_axe(page) == []
    assert not is_wider_than_the_window(page)
    page.goto(f"/trends/topics/{site.topic}?period=all")
    box = page.locator("input[name=voice]").nth(1)
    box.focus()
    page.keyboard.press("Space")
    chosen = box.get_attribute("value")
    page.get_by_role("button", name="移す", exact=True).press("Enter")
    page.get_by_role("alert").get_by_text("移す先の話題が選ばれていません").wait_for()
    assert page.locator("input[name=voice]:checked").evaluate_all("boxes => boxes.map((box) => box.value)") == [chosen]
    assert complaints_of_axe(page) == []
    assert not is_wider_than_the_window(page)


def test_the_pages_behind_the_forms_of_the_desk_are_accessible_too(visitor: Any, site: Site) -> None:
    page = visitor.page
    faults: dict[str, list[str]] = {}

    def look(name: str) -> None:
        page.wait_for_load_state("networkidle")
        if found := complaints_of_axe(page) + ["wider than the window"] * is_wider_than_the_window(page):
            faults[name] = found

    page.goto("/desk")
    for key in "jxjxd":
        page.keyboard.press(key)
    assert page.locator("#bulk-department").is_visible()
    look("several chosen")
    page.keyboard.press("Escape")
    assert not page.locator("#bulk-department").is_visible()
    page.goto(f"/desk/{site.voice}")
    page.get_by_text("原文を表示", exact=True).click()
    page.get_by_label("本人への回答・連絡のため").check()
    page.get_by_role("button", name="記録して表示する").click()
    page.get_by_role("heading", name="原文").wait_for()
    look("original")
    page.goto(f"/desk/{site.answering.returned}/answer")
    page.get_by_role("button", name="保存して決裁へ回す").click()
    page.get_by_role("alert").wait_for()
    look("stopped by checks")
    page.goto(f"/desk/{site.answering.sent}/answer")
    page.get_by_role("button", name="宛名を入れて印刷する").click()
    page.locator(".letter").first.wait_for()
    look("letters")
    page.goto("/account/password")
    for label, typed in (("いまのパスワード", "x"), ("新しいパスワード（12文字以上）", "short"), ("新しいパスワード（もう一度）", "other")):
        page.get_by_label(label).fill(typed)
    page.locator("main form").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="パスワードを変える").click()
    page.get_by_role("alert").wait_for()
    look("password refused")
    assert faults == {}


def test_the_forms_of_administrators_are_accessible_when_they_come_back(visit: Any, site: Site) -> None:
    page = visit(viewport={"width": 375, "height": 900}).sign_in("root01").page
    page.goto("/admin/users/new")
    page.get_by_label("利用者名").fill("あ")
    page.get_by_label("役割").select_option("department")
    page.get_by_role("button", name="加える").click()
    page.get_by_role("alert").wait_for()
    assert complaints_of_axe(page) == []
    page.goto("/admin/keys")
    page.get_by_label("名前（英小文字・数字）").fill("dwh")
    page.get_by_role("button", name="作る").click()
    page.get_by_role("alert").wait_for()
    assert complaints_of_axe(page) == []
    page.get_by_label("監査記録を読む").check()
    page.get_by_role("button", name="作る").click()
    page.get_by_text("このキーが出るのは、いまだけです").wait_for()
    assert complaints_of_axe(page) == []
    assert not is_wider_than_the_window(page)
    page.goto("/admin/keys")
    assert complaints_of_axe(page) == []


def test_a_phone_shows_who_is_signed_in_and_the_menu_in_one_row(visit: Any, site: Site) -> None:
    page = visit(viewport={"width": 375, "height": 760}).sign_in("root01").page
    page.goto("/admin/audit")
    tops = page.locator(".staff-nav a").evaluate_all("links => links.map((link) => link.getBoundingClientRect().top)")
    assert len(tops) > 6
    assert len(set(tops)) == 1
    name, menu = page.locator(".staff-account").bounding_box(), page.locator(".staff-nav").bounding_box()
    assert "情報 三郎" in page.locator(".staff-account").inner_text()
    assert name["height"] >= 44
    assert name["y"] + name["height"] <= menu["y"] + 1
    here = page.locator(".staff-nav [aria-current]").bounding_box()
    assert here["x"] >= menu["x"]
    assert here["x"] + here["width"] <= menu["x"] + menu["width"]


def test_voices_are_moved_without_a_script(visit: Any, site: Site) -> None:
    page = visit(viewport={"width": 1280, "height": 900}, java_script_enabled=False).sign_in().page
    page.goto(f"/trends/topics/{site.topic}?period=all")
    box = page.locator("input[name=voice]").first
    receipt = box.get_attribute("value")
    box.check()
    page.locator("#move-to").select_option(
        label=next(text for text in page.locator("#move-to option").all_inner_texts() if "その他" in text)
    )
    page.get_by_role("button", name="移す", exact=True).click()
    told = page.get_by_role("status")
    assert "声 1 件を「その他の声」へ移しました" in told.inner_text()
    told.get_by_role("link", name="元に戻すとき").click()
    page.locator(f"button[value='{receipt}']").click()
    assert "もとの話題に戻しました" in page.get_by_role("status").inner_text()


def test_a_topic_on_paper_keeps_its_chart_and_its_list(visitor: Any, site: Site) -> None:
    page = visitor.page
    page.goto(f"/trends/topics/{site.topic}?period=all")
    page.locator("[data-chart-canvas] canvas").wait_for()
    page.emulate_media(media="print")
    page.locator("[data-chart-canvas] canvas").wait_for()  # it is drawn anew in the width of the paper
    assert page.locator(".voice-item").first.is_visible()
    for hidden in (".voice-pick", ".move", ".periods .tabs", ".staff-header", ".chart-table"):
        assert not page.locator(hidden).first.is_visible(), hidden
    assert not is_wider_than_the_window(page)


def test_letters_are_sheets_and_nothing_else_on_paper(visitor: Any, site: Site) -> None:
    page = visitor.page
    page.goto(f"/desk/{site.answering.sent}/answer")
    page.get_by_role("button", name="宛名を入れて印刷する").click()
    page.wait_for_load_state("networkidle")
    assert page.locator(".letter").count() == 2
    assert complaints_of_axe(page) == []
    assert not is_wider_than_the_window(page)
    page.emulate_media(media="print")
    assert page.locator(".letter-name").first.is_visible()
    for hidden in (".staff-header", ".letters-head"):
        assert not page.locator(hidden).is_visible(), hidden
    end = page.locator(".letter-end").first
    assert end.locator(".letter-text").inner_text()
    assert end.locator(".letter-foot").is_visible()
    assert end.evaluate("element => getComputedStyle(element).breakInside") == "avoid"


def test_a_case_and_a_decision_on_paper_have_no_forms(visitor: Any, site: Site) -> None:
    page = visitor.page
    for address, shown in (
        (f"/desk/{site.answering.divided}", "#case-heading"),
        (f"/desk/approvals/{site.answering.approval}", ".rounds"),
        ("/desk", ".voices"),
    ):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.emulate_media(media="print")
        assert page.locator(shown).is_visible()
        for hidden in ("form", "button", ".back", ".voice-check", "details:not([open]) > summary", "#decide-heading"):
            assert page.locator(hidden).filter(visible=True).count() == 0, (address, hidden)
        assert not is_wider_than_the_window(page)
        page.emulate_media(media="screen")


def test_a_chart_is_saved_as_a_picture(visitor: Any, site: Site) -> None:
    page = visitor.page
    for address, name in (
        (f"/trends/compare?since={today() - timedelta(days=14)}&until={today()}", "分野ごとの声（多いもの）"),
        ("/trends?period=12m", "声の数のうごき（全体と、多い話題）"),
        (f"/trends/topics/{site.topic}?period=12m", "この話題の声の数のうごき"),
    ):
        page.goto(address)
        with page.expect_download() as saved:
            page.get_by_role("button", name="画像で保存").click()
        picture = saved.value.path().read_bytes()
        assert saved.value.suggested_filename == f"{name}.png"
        assert picture.startswith(b"\x89PNG")
        width, height = (int.from_bytes(picture[at : at + 4]) for at in (16, 20))
        assert width > 2 * page.locator("[data-chart-canvas]").first.bounding_box()["width"]
        assert height > 2 * page.locator("[data-chart-canvas]").first.bounding_box()["height"]
    assert not visitor.complaints


def test_a_wide_table_scrolls_in_itself_and_keeps_its_headings(visitor: Any, site: Site) -> None:
    page = visitor.page
    page.goto("/trends/cross?rows=theme&columns=department&period=all&everything=true")
    area, first, head = (
        page.locator(".cross-scroll"),
        page.locator(".cross-table tbody th").first,
        page.locator(".cross-table thead th").nth(1),
    )
    area.focus()
    page.wait_for_function("() => document.activeElement.matches('.cross-scroll')")
    assert area.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
    area.evaluate("element => element.scrollTo(80, 60)")
    inside = area.bounding_box()
    assert first.bounding_box()["x"] - inside["x"] <= 1  # the border
    assert head.bounding_box()["y"] - inside["y"] <= 1
    assert not is_wider_than_the_window(page)


def test_text_of_double_size_stays_on_the_page(visit: Any, site: Site) -> None:
    visitor = visit(viewport={"width": 640, "height": 900}).sign_in()  # 1280 px at 200 %
    for address in PAGES.values():
        visitor.page.goto(address(site))
        assert not is_wider_than_the_window(visitor.page), address(site)
