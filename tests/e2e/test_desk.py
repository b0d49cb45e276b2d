"""The desk with a keyboard, with a mouse, and without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Site


def test_a_walk_with_the_keyboard(visit: Any) -> None:
    page = visit().sign_in().page
    rows = page.locator("[data-row]")
    links = page.locator(".voice-link")
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(rows.nth(1).get_by_role("button")).to_have_count(0)
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#f-q")).to_be_focused()
    page.keyboard.type("jke?")
    expect(page.locator("#f-q")).to_have_value("jke?")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("R08-")
    page.wait_for_load_state()  # the keys work from then on
    first = page.url
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != first)
    page.keyboard.press("k")
    page.wait_for_url(first)


def test_the_tab_key_reaches_everything_in_order(visit: Any) -> None:
    page = visit().sign_in().page
    page.goto("/desk")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="本文へ移動")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#f-q")).to_be_focused()


def test_searching_swaps_the_list_and_the_address(visit: Any) -> None:
    visitor = visit().sign_in()
    page = visitor.page
    page.locator("#f-q").fill("歩道 穴")
    page.get_by_role("button", name="さがす", exact=True).click()
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator(".filter-chip")).to_have_count(1)
    assert "q=" in page.url
    page.go_back()
    expect(page.locator("[data-row]")).not_to_have_count(1)
    assert visitor.complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without"])
def test_accepting_changing_and_taking_back(visit: Any, site: Site, *, scripts: bool) -> None:
    visitor = visit(java_script_enabled=scripts).sign_in()
    page = visitor.page
    page.goto(f"/desk/{site.voice}")
    theme = page.locator("section.suggestion").first
    theme.get_by_role("button", name="公園・緑地").click()
    expect(page.locator("#labels").get_by_role("status")).to_contain_text("分類を変更しました")
    expect(theme.locator(".suggestion-value")).to_have_text("公園・緑地")
    page.get_by_role("button", name="取り消す").click()
    expect(theme.locator(".suggestion-value")).to_have_text("道路・交通")
    kind = page.locator("section.suggestion").nth(2)
    kind.locator("summary").first.click()
    kind.get_by_role("combobox").select_option("苦情")
    kind.get_by_role("button", name="変更").click()
    expect(kind.locator(".suggestion-value")).to_have_text("苦情")
    kind.get_by_text("履歴").click()
    expect(kind.locator(".history li").first).to_contain_text("潮見 花子")
    page.get_by_role("button", name="取り消す").click()
    expect(kind.locator(".suggestion-value")).to_have_text("通報")


def test_reading_an_original(visit: Any, site: Site) -> None:
    page = visit().sign_in().page
    page.goto(f"/desk/{site.voice}")
    page.get_by_text("原文を表示").click()
    page.get_by_label("本人への回答・連絡のため").check()
    page.get_by_role("button", name="記録して表示する").click()
    expect(page.get_by_role("main")).to_contain_text("港町太郎")
    page.get_by_role("link", name="閉じて声の画面へ戻る").click()
    expect(page.get_by_role("main")).not_to_contain_text("港町太郎")


def test_the_chart_is_drawn_over_its_table(visit: Any) -> None:
    visitor = visit().sign_in()
    page = visitor.page
    page.goto("/trends?period=12m")
    expect(page.locator(".chart canvas")).to_be_visible()
    expect(page.locator("#chart-steps")).to_be_hidden()
    without = visit(java_script_enabled=False).sign_in().page
    without.goto("/trends?period=12m")
    expect(without.locator("#chart-steps")).to_be_visible()
    assert visitor.complaints == []


def test_a_session_that_ended_leads_back_to_where_one_was(visit: Any) -> None:
    visitor = visit().sign_in()
    visitor.context.clear_cookies()
    visitor.page.goto("/desk?tab=all")
    visitor.page.get_by_label("利用者名").fill("hanako")
    visitor.page.get_by_label("パスワード").fill("しおみ-12345")
    visitor.page.get_by_role("button", name="ログイン").click()
    visitor.page.wait_for_url("**/desk?tab=all")
