from __future__ import annotations

from datetime import date, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session

from core.models import Channel, Kind, Topic, TopicEventKind, Voice
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import queries_of

LAST = date(2026, 9, 30)


@pytest.fixture
def topic(save: Session) -> Topic:
    """Twelve voices: eight of the last four weeks and four of the four weeks before, two of them in a topic below, one in none."""
    days = [0, 1, 2, 3, 8, 9, 15, 27, 28, 29, 30, 55, 1]
    voices: list[Voice] = [
        factories.create_voice(
            save, theme="道路・交通", received_on=LAST - timedelta(days=ago), kind=Kind.REQUEST, channel=Channel.PHONE, district="港地区"
        )
        for ago in days
    ]
    topic: Topic = factories.create_topic(save, name="歩道の段差", voices=voices[:10])
    factories.create_topic(save, name="車いす", voices=voices[10:12], parent_id=topic.id)
    save.commit()
    return topic


def cells(page: Page, row: int) -> list[str]:
    return [page.words(cell) for cell in page.by_class("topic-row")[row] if cell.tag.endswith(("}td", "}th"))]


def test_without_voices_the_page_explains_itself(staff: Browser) -> None:
    assert "koe topics fit" in staff.get("/trends").words()
    staff.get("/trends/topics/1", status=404)


def test_without_topics_it_says_how_to_make_them(staff: Browser, save: Session) -> None:
    factories.create_voice(save)
    save.commit()
    words = staff.get("/trends").words()
    assert "話題がまだありません" in words
    assert "koe topics fit" in words


def test_a_topic_counts_those_below_and_compares_with_the_period_before(staff: Browser, topic: Topic, save: Session) -> None:
    factories.create_voice(save, received_on=LAST - timedelta(days=400))
    save.commit()
    page = staff.get("/trends?period=4w")
    assert cells(page, 0)[:4] == ["歩道の段差", "8件の声を見る", "88.9%", "+100% 前 4"]
    assert cells(page, 0)[5] == "道路維持課"
    assert "まだ話題に入っていない声" in page.words()
    table = page.all("table", id="chart-steps")[0]
    total = [int(page.words(row[1])) for body in table if body.tag.endswith("tbody") for row in body]
    assert sum(total) == 9


def test_every_number_leads_to_as_many_voices(staff: Browser, topic: Topic) -> None:
    overview = staff.get("/trends?period=all")
    pages = [overview, staff.get(f"/trends/topics/{topic.id}?period=all")]
    checked = 0
    for page in pages:
        for link in page.all("a"):
            if link.get("href", "").startswith("/desk?") and "件の声を見る" in page.words(link):
                number = page.words(link).removesuffix("件の声を見る")
                assert staff.get(link.get("href", "")).by_class("list-count")[0].text == f"{number}件"
                checked += 1
    assert checked >= 8


def test_the_cuts_of_a_topic_add_up(staff: Browser, topic: Topic) -> None:
    page = staff.get(f"/trends/topics/{topic.id}?period=all")
    for name in ("kind", "department", "district", "channel"):
        table = page.all("table", **{"aria-labelledby": f"cut-{name}"})[0]
        figures = [page.words(cell) for cell in table.iter() if cell.get("class") == "figure"]
        assert sum(int(figure.removesuffix("件の声を見る")) for figure in figures) == 12


def test_the_newest_voice_is_the_present(staff: Browser, topic: Topic) -> None:
    assert "データは 2026/9/30 水 現在" in staff.get("/trends").words()


@pytest.mark.parametrize(
    "query",
    ["since=2026-09-01&until=2026-09-30", "since=0001-01-01", "until=9999-12-31", "since=2026-09-30", "since=1900-01-01&until=1900-01-02"],
)
def test_any_period_can_be_asked_for(staff: Browser, topic: Topic, query: str) -> None:
    staff.get(f"/trends?{query}")
    staff.get(f"/trends/topics/{topic.id}?{query}")


def test_a_period_that_ends_before_it_begins_is_told(staff: Browser, topic: Topic) -> None:
    assert "始まりより前" in staff.get("/trends?since=2026-09-02&until=2026-09-01", status=400).words()


def test_the_number_of_queries_does_not_grow_with_topics(staff: Browser, app: FastAPI, topic: Topic, save: Session) -> None:
    with queries_of(app.state.engine) as few:
        staff.get("/trends")
    for number in range(20):
        factories.create_topic(save, name=f"話題 {number}", voices=[factories.create_voice(save, received_on=LAST)])
    save.commit()
    with queries_of(app.state.engine) as many:
        staff.get("/trends")
    assert len(few) == len(many) <= 8


def test_topics_as_json(staff: Browser, topic: Topic) -> None:
    listed = staff.client.get("/api/v1/topics").json()["items"]
    assert {item["name"] for item in listed} == {"歩道の段差", "車いす"}
    one = staff.client.get(f"/api/v1/topics/{topic.id}?period=all").json()
    assert one["count"] == sum(step["count"] for step in one["steps"]) == sum(one["kinds"].values()) == 12
    assert sum(one["opinions"]["sides"].values()) == one["opinions"]["read"] == 0
    assert {step["expected"] for step in one["steps"]} == {None}  # the past is too short to say
    assert staff.client.get("/api/v1/topics/999").json()["code"] == "not_found"


def test_a_topic_s_history_as_json(staff: Browser, topic: Topic, save: Session) -> None:
    factories.create_topic_event(save, topic, TopicEventKind.BORN, after=8)
    factories.create_topic_event(save, topic, TopicEventKind.GREW, before=8, after=12, kept_share=1.0, drift=0.1)
    save.commit()
    answer = staff.client.get(f"/api/v1/topics/{topic.id}/history").json()
    assert [(item["kind"], item["before"], item["after"]) for item in answer["items"]] == [("born", 0, 8), ("grew", 8, 12)]
    assert not answer["more"]
    assert staff.client.get("/api/v1/topics/999/history").json()["code"] == "not_found"
