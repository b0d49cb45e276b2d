from __future__ import annotations

from datetime import date, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session

from core.models import Urgency
from tests import factories
from tests.web.browser import Browser
from tests.web.conftest import queries_of


def test_an_empty_city_has_pages_too(reader: Browser) -> None:
    assert "公開した回答は、まだありません" in reader.get("/").words()
    assert "公開した回答は、まだありません" in reader.get("/voices").words()


def test_only_what_was_published_is_shown(reader: Browser, save: Session) -> None:
    shown = factories.create_voice(save, published=True, text="公開してよい声。")
    answered = factories.create_voice(save, answered=True, text="回答だけの声。")
    open_voice = factories.create_voice(save, text="まだの声。", publishable=True)
    save.commit()
    for address in ("/", "/voices", "/voices?q=声"):
        words = reader.get(address).words()
        assert "公開してよい声" in words
        assert "回答だけの声" not in words
        assert "まだの声" not in words
    assert "現地を確かめ" in reader.get(f"/voices/{shown.receipt_number}").words()
    for hidden in (answered, open_voice):
        assert "公開されていません" in reader.get(f"/voices/{hidden.receipt_number}", status=404).words()
        assert reader.client.get(f"/api/public/v1/voices/{hidden.receipt_number}").status_code == 404


def test_nothing_that_is_the_staffs_is_shown(reader: Browser, save: Session) -> None:
    voice = factories.create_voice(
        save, published=True, confidence=0.123, urgency=Urgency.TODAY, attributes={"age": "40代"}, context={"choice": "ひみつの答え"}
    )
    save.commit()
    for text in (
        reader.get(f"/voices/{voice.receipt_number}").text,
        reader.client.get(f"/api/public/v1/voices/{voice.receipt_number}").text,
    ):
        assert not [word for word in ("0.123", "確信度", "当日の危険", "40代", "ひみつの答え", "test-1", voice.external_id) if word in text]


def test_readers_get_no_cookie_and_their_pages_may_be_kept(reader: Browser, save: Session) -> None:
    voice = factories.create_voice(save, published=True)
    save.commit()
    for address in ("/", "/voices", f"/voices/{voice.receipt_number}", "/api/public/v1/voices"):
        response = reader.client.get(address)
        assert "set-cookie" not in response.headers
        assert response.headers["cache-control"] == "public, max-age=300"


def test_a_cookie_changes_nothing_on_a_public_page(reader: Browser, staff: Browser, save: Session) -> None:
    factories.create_voice(save, published=True)
    save.commit()
    assert reader.get("/").text == staff.get("/").text


@pytest.mark.parametrize("query", ["theme=道路・交通", "district=港地区", "since=2026-08-02", "until=2026-08-02", "q=歩道 補修"])
def test_filters(reader: Browser, save: Session, query: str) -> None:
    other = date(2026, 8, 3) if "until" in query else date(2026, 8, 1)
    factories.create_voice(save, published=True, theme="道路・交通", district="港地区", received_on=date(2026, 8, 2))
    factories.create_voice(save, published=True, theme="公園・緑地", district="本町地区", received_on=other)
    save.commit()
    page = reader.get(f"/voices?{query}")
    assert "1件の声と回答" in page.words()
    assert len(page.by_class("card")) == 1


def test_pages_follow_one_another(reader: Browser, app: FastAPI, save: Session) -> None:
    for number in range(45):
        factories.create_voice(save, published=True, labelled=False, received_on=date(2026, 8, 1) + timedelta(days=number % 4))
    save.commit()
    page, seen = reader.get("/voices"), []
    while True:
        seen += [link.get("href") for link in page.by_class("card-link")]
        following = page.all("a", rel="next")
        if not following:
            break
        page = reader.get(following[0].get("href", ""))
    assert len(seen) == len(set(seen)) == 45
    with queries_of(app.state.engine) as statements:
        reader.get("/voices")
    assert len(statements) == 3


def test_dates_are_in_wareki(reader: Browser, save: Session) -> None:
    voice = factories.create_voice(save, published=True, received_on=date(2026, 4, 1))
    save.commit()
    assert "令和8年4月1日" in reader.get(f"/voices/{voice.receipt_number}").words()


def test_the_figures_are_those_of_the_newest_fiscal_year(reader: Browser, save: Session) -> None:
    factories.create_voice(save, received_on=date(2026, 4, 1), published=True)
    factories.create_voice(save, received_on=date(2026, 5, 1), answered=True)
    factories.create_voice(save, received_on=date(2026, 3, 31), published=True)
    save.commit()
    page = reader.get("/")
    assert "令和8年度の声のゆくえ" in page.words()
    assert [page.words(number) for number in page.by_class("ring-number")] == ["2件", "2件", "1件"]


def test_the_public_api_pages_with_a_cursor(reader: Browser, save: Session) -> None:
    for _ in range(3):
        factories.create_voice(save, published=True)
    save.commit()
    first = reader.client.get("/api/public/v1/voices?limit=2").json()
    second = reader.client.get("/api/public/v1/voices", params={"limit": 2, "after": first["next"]}).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, "")
