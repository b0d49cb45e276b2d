"""Staff name, join, divide and pin topics over the JSON API."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import facts
from core.models import AuditEntry, Role, Topic, TopicEvent, TopicStatus, Voice
from core.settings import Settings
from tests import factories
from tests.web.browser import Browser
from tests.web.conftest import SignIn, renew


@pytest.fixture
def topics(save: Session) -> tuple[Topic, Topic]:
    """歩道の段差 with three voices and 街灯 with two."""
    texts = ["歩道の段差で車いすが止まります。", "歩道が狭くて通れません。", "歩道に段差があります。"]
    walk = factories.create_topic(save, name="歩道の段差", voices=[factories.create_voice(save, text=text) for text in texts])
    lamp = factories.create_topic(save, name="街灯", voices=[factories.create_voice(save) for _ in range(2)])
    save.commit()
    return walk, lamp


def send(browser: Browser, topic: Topic, act: str, body: dict[str, Any] | None = None, *, status: int = 200) -> Any:
    token = browser.client.get("/api/v1/session").json()["csrf_token"]
    response = browser.client.post(f"/api/v1/topics/{topic.id}/{act}", json=body, headers={"X-CSRF-Token": token})
    assert response.status_code == status, response.text
    return response.json()


def test_a_name_is_whose_gave_it(sign_in: SignIn, topics: tuple[Topic, Topic], save: Session) -> None:
    clerk = sign_in(Role.KOCHO, username="ichiro")
    assert send(clerk, topics[0], "rename", {"name": "歩道の通りにくさ"})["name"] == "歩道の通りにくさ"
    renew(save)
    assert topics[0].named_by is not None
    entry = save.scalars(select(AuditEntry).where(AuditEntry.action == "topics.rename")).one()
    assert (entry.actor, entry.subject) == ("ichiro", f"topic:{topics[0].id}")
    assert send(clerk, topics[0], "rename", {"name": None})["name"] == "歩道の段差"


def test_joining_and_parting(staff: Browser, topics: tuple[Topic, Topic], save: Session) -> None:
    walk, lamp = topics
    assert send(staff, walk, "merge", {"topics": [lamp.id]})["size"] == 5
    renew(save)
    assert (lamp.status, lamp.merged_into) == (TopicStatus.MERGED, walk.id)
    assert send(staff, lamp, "unmerge")["size"] == 2
    assert send(staff, lamp, "unmerge", status=409)["title"].startswith("話題")
    renew(save)
    assert facts.differences(save) == []


def test_moving_voices_and_taking_the_hand_off(staff: Browser, topics: tuple[Topic, Topic], save: Session) -> None:
    walk, lamp = topics
    number = save.scalars(select(Voice.receipt_number).where(Voice.id == walk.examples[0])).one()
    assert send(staff, lamp, "move", {"receipt_numbers": [number]})["size"] == 3
    assert send(staff, walk, "unmove", {"receipt_numbers": [number]}, status=409)["code"] == "conflict"
    assert [item["id"] for item in send(staff, lamp, "unmove", {"receipt_numbers": [number]})["items"]] == [walk.id]
    missing = send(staff, lamp, "move", {"receipt_numbers": [number, "R08-999999-9"]}, status=404)
    assert "R08-999999-9" in missing["title"]


def test_pinning_and_letting_go(staff: Browser, topics: tuple[Topic, Topic], save: Session) -> None:
    send(staff, topics[0], "pin", {"words": ["段差", "車いす"]})
    renew(save)
    assert topics[0].seeds == ["段差", "車いす"]
    send(staff, topics[0], "pin", {"words": []})
    assert send(staff, topics[0], "pin", {"words": [""]}, status=400)["title"] == "空のことばがあります。"
    renew(save)
    assert topics[0].seeds == []


def test_a_topic_is_parted_by_a_word(
    staff: Browser, topics: tuple[Topic, Topic], save: Session, app: FastAPI, trained_settings: Settings
) -> None:
    app.state.settings = trained_settings
    made = send(staff, topics[0], "split", {"words": ["車いす"], "name": "車いすの人の困りごと"})["items"]
    assert [(item["name"], item["size"]) for item in made] == [("車いすの人の困りごと", 1)]
    renew(save)
    assert topics[0].size == 2
    assert save.scalars(select(TopicEvent.topic_id).order_by(TopicEvent.id)).all() == [topics[0].id, made[0]["id"]]
    for body in ({}, {"words": ["段差"], "parts": 2}):
        assert "どちらか一つ" in send(staff, topics[0], "split", body, status=400)["title"]
