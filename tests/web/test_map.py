"""The map of topics: its table, the points that its script reads, what programs read, and its files."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import AuditEntry, Topic, TopicMembership
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import queries_of, renew
from tests.web.test_tables import check_links, files_of

LAST = date(2026, 9, 30)


@pytest.fixture
def topic(save: Session) -> Topic:
    """A family of two topics, その他の声, and a voice in none."""
    voices = [factories.create_voice(save, received_on=LAST - timedelta(days=90 * (number % 5))) for number in range(10)]
    above = factories.create_topic(save, name="歩道と街灯 <b>")
    topic: Topic = factories.create_topic(save, name="歩道の段差", voices=voices[:5], parent_id=above.id)
    factories.create_topic(save, name="街灯の球切れ", voices=voices[5:7], parent_id=above.id)
    factories.create_topic(save, name="その他の声", voices=voices[7:9], is_rest=True)
    save.commit()
    return topic


def rows_of(page: Page) -> list[list[str]]:
    return [[page.words(cell) for cell in row if cell.tag.endswith(("}td", "}th"))] for row in page.by_class("topic-row")]


def test_without_voices_and_without_topics_the_page_says_what_to_do(staff: Browser, save: Session) -> None:
    assert "koe topics fit" in staff.get("/trends/map").words()
    assert staff.client.get("/api/v1/trends/map").json() == {"total": 0, "waiting": 0, "looked_at": 0, "items": []}
    factories.create_voice(save)
    save.commit()
    page = staff.get("/trends/map")
    assert "話題がまだありません" in page.words()
    assert not page.all("canvas")


def test_the_table_says_what_the_map_shows(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/map")
    assert [row[:3] for row in rows_of(page)] == [
        ["歩道と街灯 <b>", "7件の声を見る", "70.0%"],
        ["歩道の段差", "5件の声を見る", "50.0%"],
        ["街灯の球切れ", "2件の声を見る", "20.0%"],
        ["その他の声", "2件の声を見る", "20.0%"],
    ]
    assert "まだ話題に入っていない声" in page.words()
    check_links(staff, page, least=6)
    families = [row.get("data-family") for row in page.by_class("topic-row")]
    assert len(set(families[:3])) == 1
    assert families[0] == page.by_class("topic-row")[0].get("data-topic") != families[3]
    # A family has one mark, told from the next by shape as by colour.
    marks = [(mark.get("class"), mark.get("data-shape")) for mark in page.by_class("map-mark")]
    assert len(set(marks[:3])) == 1
    assert marks[3][0] == "map-mark map-tone-rest"


def test_the_map_has_a_name_and_says_that_the_table_holds_the_same(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/map")
    (canvas,) = page.all("canvas")
    assert "表にあります" in canvas.get("aria-label", "")
    assert "JavaScript" in page.words(page.by_class("map-none")[0])
    assert page.by_class("map-area")[0].get("hidden") is not None


def test_a_topic_stands_out_by_the_address(staff: Browser, topic: Topic) -> None:
    page = staff.get(f"/trends/map?topic={topic.id}")
    (row,) = [row for row in page.by_class("topic-row") if row.get("data-chosen") is not None]
    assert row.get("data-topic") == str(topic.id)
    assert "話題：歩道の段差" in page.words(page.by_class("filter-chip")[0])
    assert [page.words(link) for link in page.all("a", **{"aria-current": "true"})] == ["示す：歩道の段差を地図で"]
    assert "地図にありません" in staff.get("/trends/map?topic=999", status=404).words()
    assert staff.get("/trends/map?topic=x", status=422).heading


def test_points_are_sent_once(staff: Browser, topic: Topic, save: Session) -> None:
    first = staff.client.get("/trends/map/points")
    assert first.headers["content-type"] == "application/octet-stream"
    assert first.headers["cache-control"] == "private, no-cache"
    count, topics, total = np.frombuffer(first.content, "<u4", 3)
    assert (count, topics, total) == (9, 3, 9)
    tag = {"If-None-Match": first.headers["etag"]}
    again = staff.client.get("/trends/map/points", headers=tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    factories.join_topic(save, topic, [factories.create_voice(save)])
    save.commit()
    changed = staff.client.get("/trends/map/points", headers=tag)
    assert changed.status_code == 200
    assert np.frombuffer(changed.content, "<u4", 1) == [10]


def test_a_stranger_gets_no_points(reader: Browser, topic: Topic) -> None:
    assert reader.client.get("/trends/map/points", follow_redirects=False).status_code == 302


def test_topics_with_their_middles_as_json(staff: Browser, topic: Topic, save: Session) -> None:
    for member in save.scalars(select(TopicMembership)):
        member.x, member.y = (0.25, 0.75) if member.topic_id == topic.id else (None, None)
    save.commit()
    found = staff.client.get("/api/v1/trends/map").json()
    assert (found["total"], found["waiting"], found["looked_at"]) == (10, 1, 5)
    assert [(item["name"], item["count"], item["x"], item["y"]) for item in found["items"]] == [
        ("歩道と街灯 <b>", 7, pytest.approx(0.25, abs=1e-4), pytest.approx(0.75, abs=1e-4)),
        ("歩道の段差", 5, pytest.approx(0.25, abs=1e-4), pytest.approx(0.75, abs=1e-4)),
        ("街灯の球切れ", 2, None, None),
        ("その他の声", 2, None, None),
    ]


def test_a_point_tells_how_its_voice_begins(staff: Browser, topic: Topic, save: Session) -> None:
    voice = save.scalars(select(TopicMembership.voice_id).where(TopicMembership.topic_id == topic.id)).first()
    found = staff.client.get(f"/api/v1/trends/map/voices/{voice}").json()
    assert found["topic"] == "歩道の段差"
    assert "〔氏名〕" in found["text"]
    assert "\n" not in found["text"]
    missing = staff.client.get("/api/v1/trends/map/voices/999999")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_the_files_have_the_figures_of_the_table(staff: Browser, topic: Topic, save: Session) -> None:
    rows, sheets, name = files_of(staff, "/trends/map")
    assert [(row[1], row[2], row[3]) for row in rows[1:]] == [
        ("歩道と街灯 <b>", "", "7"),
        ("歩道の段差", "歩道と街灯 <b>", "5"),
        ("街灯の球切れ", "歩道と街灯 <b>", "2"),
        ("その他の声", "", "2"),
        ("まだ話題に入っていない声", "", "1"),
        ("合計", "", "10"),
    ]
    assert [row[3] for row in sheets["話題"][1:]] == [7, 5, 2, 2, 1, 10]
    assert name.startswith("話題の地図_")
    renew(save)
    assert {entry.subject for entry in save.scalars(select(AuditEntry).where(AuditEntry.action == "export"))} == {"trends.map"}


def test_the_number_of_queries_does_not_grow_with_topics(staff: Browser, app: FastAPI, topic: Topic, save: Session) -> None:
    addresses = ("/trends/map", "/trends/map/points", "/api/v1/trends/map")
    counts = []
    for _ in range(2):
        with queries_of(app.state.engine) as sent:
            for address in addresses:
                assert staff.client.get(address).status_code == 200
        counts.append(len(sent))
        for number in range(8):
            factories.create_topic(save, name=f"話題 {number}", voices=[factories.create_voice(save, received_on=LAST)])
        save.commit()
    assert counts[0] == counts[1] <= 26
