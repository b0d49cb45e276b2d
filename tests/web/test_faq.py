"""よく見られている質問: what residents look up, beside the voices of the same theme and period."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session

from core.models import Role
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import SignIn, queries_of


def month(number: int) -> tuple[date, date]:
    return date(2026, number, 1), date(2026, number, monthrange(2026, number)[1])


@pytest.fixture
def log(save: Session) -> None:
    """Three questions over four months; two voices in September with the theme of one of them, one of another theme."""
    factories.create_faq_entry(
        save, question="粗大ごみの申込み方法を教えてください。", counts={month(9): 300, month(8): 200, month(7): 200, month(6): 10}
    )
    factories.create_faq_entry(save, question="分別の表はどこにありますか。", counts={month(9): 40, month(8): 80})
    factories.create_faq_entry(save, question="駐輪場はどこですか。", theme="道路・交通", counts={month(9): 90})
    for theme, day in (("ごみ・環境", 2), ("ごみ・環境", 30), ("公園・緑地", 5)):
        factories.create_voice(save, theme=theme, received_on=date(2026, 9, day))
    factories.create_voice(save, theme="道路・交通", received_on=date(2026, 8, 31))
    save.commit()


def rows(page: Page, heading: str) -> list[list[str]]:
    """The cells of a table's rows, without the head."""
    (table,) = page.all("table", **{"aria-labelledby": heading})
    found = [row for part in table for row in part if not part.tag.endswith("}thead")]
    return [[page.words(cell) for cell in row] for row in found]


def test_without_counts_the_page_explains_itself(staff: Browser, sign_in: SignIn) -> None:
    page = staff.get("/trends/faq")
    assert "FAQ の参照回数がまだありません" in page.words()
    assert "/admin/import" in [link.get("href") for link in page.by_class("empty")[0].iter()]
    other = sign_in(Role.DEPARTMENT).get("/trends/faq")
    assert "/admin/import" not in [link.get("href") for link in other.by_class("empty")[0].iter()]
    assert staff.client.get("/api/v1/faq").json() == {
        "since": None, "until": None, "views": 0, "voices": 0, "themes": [], "items": [],
    }  # fmt: skip


def test_both_trends_pages_lead_there(staff: Browser, save: Session) -> None:
    assert "/trends/faq" in [link.get("href") for link in staff.get("/trends").all("a")]
    factories.create_voice(save)
    save.commit()
    assert "/trends/faq" in [link.get("href") for link in staff.get("/trends").all("a")]


def test_the_newest_period_against_the_one_before(staff: Browser, log: None) -> None:
    page = staff.get("/trends/faq")
    assert "2026/9/1 火 から 2026/9/30 水 まで" in page.words()
    assert rows(page, "questions") == [
        ["粗大ごみの申込み方法を教えてください。", "ごみ・環境", "ごみ減量課", "300", "+50% 前 200"],
        ["駐輪場はどこですか。", "道路・交通", "ごみ減量課", "90", "－"],
        ["分別の表はどこにありますか。", "ごみ・環境", "ごみ減量課", "40", "-50% 前 80"],
    ]


def test_a_theme_that_is_looked_up_and_not_written_about_is_seen(staff: Browser, log: None) -> None:
    page = staff.get("/trends/faq")
    assert rows(page, "themes") == [
        ["ごみ・環境の質問を見る", "2", "340", "+21% 前 280", "2件の声を見る", "170"],
        ["道路・交通の質問を見る", "1", "90", "－", "0", "声なし"],
        ["公園・緑地", "0", "0", "－", "1件の声を見る", "－"],
        ["合計", "3", "430", "", "3件の声を見る", ""],
    ]


def test_every_number_of_voices_leads_to_as_many(staff: Browser, log: None) -> None:
    checked = 0
    for address in ("/trends/faq", "/trends/faq?period=all"):
        page = staff.get(address)
        for link in page.all("a"):
            if link.get("href", "").startswith("/desk?") and "件の声を見る" in page.words(link):
                number = page.words(link).removesuffix("件の声を見る")
                assert staff.get(link.get("href", "")).by_class("list-count")[0].text == f"{number}件"
                checked += 1
    assert checked == 7


@pytest.mark.parametrize(
    ("query", "views", "told"),
    [
        ("period=3m", 910, "2026/7/1 水 から 2026/9/30 水"),
        ("period=all", 920, "2026/6/1 月 から 2026/9/30 水"),
        ("since=2026-08-01&until=2026-08-31", 280, "2026/8/1 土 から 2026/8/31 月"),
        ("since=1900-01-01", 920, "2026/6/1 月 から 2026/9/30 水"),
        ("until=2026-07-31", 210, "2026/6/1 月 から 2026/7/31 金"),
        ("since=2026-08-15&until=9999-12-31", 430, "2026/8/15 土 から 2026/9/30 水"),
    ],
)
def test_any_period_can_be_asked_for(staff: Browser, log: None, query: str, views: int, told: str) -> None:
    page = staff.get(f"/trends/faq?{query}")
    assert told in page.words()
    assert page.words(page.by_class("figure-number")[0]) == str(views)
    said = staff.client.get(f"/api/v1/faq?{query}").json()
    assert said["views"] == sum(item["views"] for item in said["items"]) == sum(theme["views"] for theme in said["themes"]) == views


def test_a_period_that_was_counted_only_in_part_is_not_compared_with(staff: Browser, log: None) -> None:
    page = staff.get("/trends/faq?period=3m")
    assert {row[-1] for row in rows(page, "questions")} == {"－"}
    assert "くらべていません" in page.words()


def test_a_period_in_which_no_count_fits(staff: Browser, log: None) -> None:
    assert "月の初めから終わりまで" in staff.get("/trends/faq?since=2026-09-02&until=2026-09-20").words()


def test_a_period_that_ends_before_it_begins_is_told(staff: Browser, log: None) -> None:
    assert "始まりより前" in staff.get("/trends/faq?since=2026-09-02&until=2026-09-01", status=400).words()
    assert staff.client.get("/api/v1/faq?since=2026-09-02&until=2026-09-01").status_code == 400


def test_the_questions_of_a_theme(staff: Browser, log: None) -> None:
    page = staff.get("/trends/faq?theme=ごみ・環境&period=all")
    assert [row[3] for row in rows(page, "questions")] == ["710", "120"]
    assert "/trends/faq?period=all#questions" in [link.get("href") for link in page.all("a")]
    assert "この分野の質問は" in staff.get("/trends/faq?theme=ゼブラ").words()


def test_many_questions_are_paged_with_the_same_number_of_queries(staff: Browser, app: FastAPI, log: None, save: Session) -> None:
    with queries_of(app.state.engine) as few:
        staff.get("/trends/faq")
    for number in range(150):
        factories.create_faq_entry(save, counts={month(9): 1000 + number, month(8): 5})
    save.commit()
    with queries_of(app.state.engine) as many:
        first = staff.get("/trends/faq")
    assert len(few) == len(many) <= 12
    following = next(link.get("href", "") for link in first.all("a", rel="next"))
    second = staff.get(following.partition("#")[0])
    views = [int(row[3].replace(",", "")) for page in (first, second) for row in rows(page, "questions")]
    assert (len(views), views) == (153, sorted(views, reverse=True))
    assert not second.all("a", rel="next")


def test_the_same_as_json(staff: Browser, log: None) -> None:
    said = staff.client.get("/api/v1/faq").json()
    assert (said["since"], said["until"], said["views"], said["voices"]) == ("2026-09-01", "2026-09-30", 430, 3)
    assert said["themes"][0] == {"theme": "ごみ・環境", "entries": 2, "views": 340, "previous": 280, "change": 60, "voices": 2}
    assert [(item["views"], item["previous"], item["change"]) for item in said["items"]] == [
        (300, 200, 100),
        (90, None, None),
        (40, 80, -40),
    ]
    assert staff.client.get("/api/v1/faq?since=x").status_code == 422
