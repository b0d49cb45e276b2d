"""Surges as staff see them: on the trends page, as JSON and as a feed, each number leading to its voices."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy.orm import Session

from core.models import Topic, Voice
from loop import surge_queries
from tests import factories
from tests.web.browser import Browser
from tests.web.conftest import renew

LAST = date(2026, 9, 30)
ATOM = "{http://www.w3.org/2005/Atom}"


def store(session: Session, *surges: dict[str, Any], as_of: date = LAST, at: int = 0, enough: bool = True) -> None:
    """A look as ``koe surges --save`` leaves it."""
    created = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=at)
    factories.create_look(session, *surges, as_of=as_of, created_at=created, enough=enough)
    session.commit()


@pytest.fixture
def topic(save: Session) -> Topic:
    """Nineteen voices of the last week in a topic, sixteen of them of one district."""
    voices: list[Voice] = [
        factories.create_voice(
            save, theme="道路・交通", received_on=LAST - timedelta(days=number % 7), district="港地区" if number < 16 else "山手地区"
        )
        for number in range(19)
    ]
    topic: Topic = factories.create_topic(save, name="歩道の段差 <b>", voices=voices)
    save.commit()
    return topic


def rise(topic: Topic, **values: Any) -> dict[str, Any]:
    where = [{"facet": "district", "value": "港地区", "observed": 16, "expected": 2.5}]
    since = LAST - timedelta(days=6)
    return {"value": str(topic.id), "where": where, "voices": topic.examples, "since": since, **values}


def told(browser: Browser) -> str:
    page = browser.get("/trends?period=all")
    (section,) = [section for section in page.all("section") if section.get("aria-labelledby") == "surges"]
    return page.words(section)


def test_before_anybody_looked(staff: Browser, topic: Topic) -> None:
    assert "まだ調べていません" in told(staff)
    assert staff.client.get("/api/v1/surges").json() == {"as_of": None, "series": 0, "enough": False, "items": []}


def test_no_surge_is_said_with_the_day_of_the_look(staff: Browser, topic: Topic, save: Session) -> None:
    store(save)
    assert "2026/9/30 水 現在" in told(staff)
    assert "めだった増加はありません" in told(staff)


def test_too_little_past_is_not_taken_for_quiet(staff: Browser, topic: Topic, save: Session) -> None:
    store(save, enough=False)
    assert "12 日分" in told(staff)
    assert "めだった増加はありません" not in told(staff)


def test_a_surge_tells_since_when_how_much_where_and_three_voices(staff: Browser, topic: Topic, save: Session) -> None:
    store(save, rise(topic))
    words = told(staff)
    figures = "9月24日から、予想8件のところ19件（2.3倍）"
    for said in ("歩道の段差 <b>", figures, "地区港地区 16件", "最近26週の件数", "2026/09/2419（上限をこえた）"):
        assert said in words
    page = staff.get("/trends")
    assert len(page.by_class("week-high")) == 1
    voices = [link for link in page.all("a") if link.get("href", "").startswith("/desk/R08-")]
    assert len(voices) == 3
    for link in voices:
        assert staff.get(link.get("href", "")).heading


def test_the_button_opens_the_voices_behind_it(staff: Browser, topic: Topic, save: Session) -> None:
    store(save, rise(topic), rise(topic, by_facet="district", by_value="山手地区"))
    page = staff.get("/trends")
    links = [link.get("href", "") for link in page.all("a") if page.words(link).startswith("この間の声を開く")]
    counts = [staff.get(address).by_class("list-count")[0].text for address in links]
    assert counts == ["19件", "3件"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"expected": 0.2}, "予想1件未満のところ19件"),
        ({"expected": 1.27}, "予想1.3件のところ19件（15倍）"),
        ({"expected": 1234.4, "observed": 5678}, "予想1,234件のところ5,678件（4.6倍）"),
        ({"since": date(2025, 12, 30)}, "2025年12月30日から"),
    ],
)
def test_numbers_in_words(staff: Browser, topic: Topic, save: Session, values: dict[str, Any], said: str) -> None:
    store(save, rise(topic, **values))
    assert said in told(staff)


def test_a_theme_that_a_topic_explains_stands_behind_it(staff: Browser, topic: Topic, save: Session) -> None:
    through = [{"facet": "topic", "value": str(topic.id), "observed": 18, "expected": 2.0}]
    theme = {"facet": "theme", "value": "道路・交通", "where": through}
    store(save, rise(topic), theme)
    page = staff.get("/trends")
    assert len(page.by_class("surge")) == 1
    assert "ともなって増えた分野：道路・交通" in told(staff)
    store(save, theme, as_of=LAST + timedelta(days=1))
    assert len(staff.get("/trends").by_class("surge")) == 1, "alone it is told for itself"
    assert "話題歩道の段差 <b> 18件" in told(staff)


def test_a_campaign_is_told_as_what_it_is(staff: Browser, topic: Topic, save: Session) -> None:
    store(save, rise(topic, is_campaign=True, where=[]))
    assert "一斉投稿" in told(staff)
    assert staff.client.get("/api/v1/surges").json()["items"][0]["is_campaign"] is True


def test_more_than_five_are_folded(staff: Browser, topic: Topic, save: Session) -> None:
    store(save, *[rise(topic) for _ in range(7)])
    assert len(staff.get("/trends").by_class("surge")) == 7
    assert "ほかの2件も見る" in told(staff)


def test_as_json(staff: Browser, topic: Topic, save: Session) -> None:
    store(save, rise(topic), as_of=LAST - timedelta(days=30))
    store(save, as_of=LAST)
    assert staff.client.get("/api/v1/surges").json() == {"as_of": "2026-09-30", "series": 60, "enough": True, "items": []}
    earlier = staff.client.get("/api/v1/surges?as_of=2026-09-15").json()
    (item,) = earlier["items"]
    assert earlier["as_of"] == "2026-08-31"
    assert (item["name"], item["observed"], item["factor"]) == ("歩道の段差 <b>", 19, 2.32)
    assert item["where"][0]["name"] == "港地区"
    assert len(item["weeks"]) == 26
    assert len(item["voices"]) == 3
    assert staff.client.get("/api/v1/surges?as_of=2020-01-01").json()["as_of"] is None
    assert staff.client.get("/api/v1/surges?as_of=x").status_code in (400, 422)


def feed(browser: Browser) -> ET.Element:
    response = browser.client.get("/trends/surges.atom")
    assert response.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return ET.fromstring(response.content)  # noqa: S314  (our own)


def entries(root: ET.Element) -> list[dict[str, str]]:
    return [{child.tag.removeprefix(ATOM): child.text or child.get("href", "") for child in entry} for entry in root.iter(f"{ATOM}entry")]


def test_an_empty_feed_is_a_feed(staff: Browser, topic: Topic) -> None:
    root = feed(staff)
    assert root.tag == f"{ATOM}feed"
    assert {"id", "title", "updated", "link", "author"} <= {child.tag.removeprefix(ATOM) for child in root}


def test_a_surge_is_one_entry_as_long_as_it_goes_on(staff: Browser, topic: Topic, save: Session) -> None:
    store(save, rise(topic), as_of=LAST - timedelta(days=2))
    (first,) = entries(feed(staff))
    store(save, rise(topic, observed=25, since=LAST - timedelta(days=5)), as_of=LAST, at=48)
    (later,) = entries(feed(staff))
    assert first["id"] == later["id"]
    assert first["id"].startswith("urn:uuid:")
    assert (first["published"], later["published"]) == ("2026-10-01T00:00:00Z",) * 2
    assert (first["updated"], later["updated"]) == ("2026-10-01T00:00:00Z", "2026-10-03T00:00:00Z")
    assert "25件" in later["content"]
    assert later["title"] == "急増: 歩道の段差 <b>"
    assert later["link"].startswith("http://testserver/desk?")
    assert "〔氏名〕" in later["content"]
    store(save, rise(topic), as_of=LAST + timedelta(days=40), at=900)
    again = entries(feed(staff))
    assert len({entry["id"] for entry in again}) == 2, "after two quiet weeks it is another surge"
    assert "2026-10-01T00:00:00Z" in {entry["published"] for entry in again}
    renew(save)
    assert [episode.line.surge.observed for episode in surge_queries.episodes(save, seen_by=None)] == [19, 25]


def test_the_feed_can_hold_any_name(staff: Browser, topic: Topic, save: Session) -> None:
    topic.name = "制御\x0b文字 & <タグ>"
    save.commit()
    store(save, rise(topic))
    assert entries(feed(staff))[0]["title"] == "急増: 制御 文字 & <タグ>"
