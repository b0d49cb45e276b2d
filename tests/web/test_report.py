"""広聴月報 as staff read, print and save it: every number leads to its voices, and the file has the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import AuditEntry, Channel, Kind, Topic, TopicEventKind
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import queries_of, renew
from tests.web.test_tables import check_links, figure, files_of

SEPTEMBER = date(2026, 9, 1)


@pytest.fixture
def topic(save: Session) -> Topic:
    """Voices of a year ago, of August, of September and of October's first days; three of them in a topic."""
    common: dict[str, Any] = {"kind": Kind.REQUEST, "district": "港地区", "labelled": False}
    voices = [
        factories.create_voice(save, received_on=day, theme=theme, channel=channel, **common)
        for day, theme, channel, count in (
            (date(2025, 9, 1), "道路・交通", Channel.PHONE, 2),
            (date(2025, 9, 20), "公園・緑地", Channel.LETTER, 1),
            (date(2026, 8, 5), "道路・交通", Channel.PHONE, 4),
            (date(2026, 9, 4), "道路・交通", Channel.PHONE, 3),
            (date(2026, 9, 30), "公園・緑地", Channel.EMAIL, 2),
            (date(2026, 10, 3), "公園・緑地", Channel.EMAIL, 1),
        )
        for _ in range(count)
    ]
    topic: Topic = factories.create_topic(save, name="歩道の段差 <b>", voices=[*voices[3:5], *voices[7:10]])
    factories.create_topic(save, name="その他の声", voices=voices[10:11], is_rest=True)
    where = [{"facet": "district", "value": "港地区", "observed": 3, "expected": 0.5}]
    rise = {"value": str(topic.id), "voices": [voice.id for voice in voices[7:10]], "where": where, "since": date(2026, 9, 1)}
    factories.create_look(save, {**rise, "until": date(2026, 9, 7), "observed": 3, "expected": 1.2}, as_of=date(2026, 9, 7))
    at = datetime(2026, 9, 12, tzinfo=UTC)
    factories.create_topic_event(save, topic, TopicEventKind.BORN, after=5, at=at)
    ended = factories.create_topic(save, name="街灯の球切れ")
    factories.create_topic_event(save, ended, TopicEventKind.MERGED, before=7, others=[topic.id], at=at, actor="hanako")
    save.commit()
    return topic


def tables(page: Page) -> dict[str, list[list[str]]]:
    """The rows of each table under its heading's words."""
    found = {}
    for table in page.by_class("report-table"):
        heading = next(element for element in page.root.iter() if element.get("id") == table.get("aria-labelledby"))
        rows = [row for row in table.iter() if row.tag.endswith("}tr")]
        found[page.words(heading)] = [[page.words(cell) for cell in row if cell.tag.endswith(("}td", "}th"))] for row in rows]
    return found


def test_without_voices_the_page_explains_itself(staff: Browser) -> None:
    assert "koe import" in staff.get("/trends/report").words()


def test_the_heading_says_whose_month_it_is_and_when_it_was_made(staff: Browser, app: FastAPI, topic: Topic) -> None:
    page = staff.get("/trends/report?month=2026-09")
    assert page.heading == "広聴月報 令和8年9月"
    words = page.words(page.by_class("report-head")[0])
    assert words.startswith(app.state.city.name)
    assert "2026/9/1 火 から 2026/9/30 水 までに受け付けた声" in words
    assert "作成" in words


def test_the_tables_add_up_and_every_number_leads_to_its_voices(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/report?month=2026-09")
    found = tables(page)
    assert list(found) == ["受付媒体ごと", "種別ごと", "分野ごと", "所管課ごと", "3 話題の一覧"]
    assert found["分野ごと"][1:] == [
        ["道路・交通", "3件の声を見る", "60.0%", "4件の声を見る", "-1（-25%）", "2件の声を見る", "+1（+50%）"],
        ["公園・緑地", "2件の声を見る", "40.0%", "0", "+2", "1件の声を見る", "+1（+100%）"],
        ["合計", "5件の声を見る", "100.0%", "4件の声を見る", "+1（+25%）", "3件の声を見る", "+2（+67%）"],
    ]
    for rows in found.values():
        assert sum(figure(row[1]) for row in rows[1:-1]) == figure(rows[-1][1]) == 5
    check_links(staff, page, least=20)


def test_topics_are_told_with_those_that_are_in_none(staff: Browser, topic: Topic) -> None:
    rows = tables(staff.get("/trends/report?month=2026-09"))["3 話題の一覧"]
    assert [row[:2] for row in rows[1:]] == [
        ["歩道の段差 <b>", "3件の声を見る"],
        ["その他の声", "1件の声を見る"],
        ["まだ話題に入っていない声", "1件の声を見る"],
        ["合計", "5件の声を見る"],
    ]


def test_rises_and_changes_of_the_month(staff: Browser, topic: Topic) -> None:
    words = staff.get("/trends/report?month=2026-09").words()
    assert "9月1日から、予想1.2件のところ3件（2.5倍）" in words
    assert "港地区 3件" in words
    assert "新しく現れた話題（1）" in words
    assert "街灯の球切れ 7件 「歩道の段差 <b>」にまとまった（職員による）" in words
    august = staff.get("/trends/report?month=2026-08").words()
    assert "この月の急増は調べていません" in august
    assert "まとまった話題、終わった話題はありません" in august


def test_a_month_under_way_is_compared_up_to_the_same_day(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/report?month=2026-10")
    assert page.heading == "広聴月報 令和8年10月（途中）"
    assert "2026/10/3 土 までです" in page.words()
    assert tables(page)["分野ごと"][-1] == ["合計", "1件の声を見る", "100.0%", "0", "+1", "0", "+1"]


def test_without_a_month_it_is_the_last_that_is_over(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/report")
    assert page.heading == "広聴月報 令和8年9月"
    (chooser,) = page.all("select", id="r-month")
    months = [option.get("value") for option in chooser]
    assert (months[0], months[-1], len(months)) == ("2026-10", "2025-09", 14)


def test_the_first_month_has_nothing_to_be_compared_with(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/report?month=2025-09")
    assert "前月と前年同月は、データがそろっていないため" in page.words()
    assert tables(page)["分野ごと"][-1] == ["合計", "3件の声を見る", "100.0%", "－", "－", "－", "－"]


@pytest.mark.parametrize("month", ["2024-01", "2030-12", "1900-01", "2100-12"])
def test_a_month_without_data_says_where_there_is_some(staff: Browser, topic: Topic, month: str) -> None:
    page = staff.get(f"/trends/report?month={month}")
    assert "この月の声はありません" in page.words()
    assert "2025/9/1 月 から 2026/10/3 土" in page.words()
    assert staff.client.get(f"/trends/report?month={month}&format=xlsx").status_code == 200


@pytest.mark.parametrize("month", ["2026-13", "0000-01", "9999-12", "2026-9", "令和8年9月", "2026-09-01"])
def test_a_month_that_is_none_is_told(staff: Browser, topic: Topic, month: str) -> None:
    assert "2026-10 のように" in staff.get(f"/trends/report?month={month}", status=400).words()


def test_the_picture_has_a_name_and_a_table(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/report?month=2026-09")
    (picture,) = page.by_class("months-chart")
    assert "表にあります" in picture.get("aria-label", "")
    numbers = [page.words(text) for text in picture.iter() if "months-number" in text.get("class", "")]
    assert numbers == ["3", *["0"] * 10, "4", "5"]
    (table,) = page.by_class("report-months")
    head, now, before = ([page.words(cell) for cell in row] for row in table.iter() if row.tag.endswith("}tr"))
    assert (head[1], head[-1]) == ("2025年9月", "9月")
    assert (now[0], now[1], now[-1]) == ("件数", "3件の声を見る", "5件の声を見る")
    assert (before[0], before[1], before[-1]) == ("前年同月", "－", "3件の声を見る")


def test_the_files_have_the_figures_of_the_page(staff: Browser, topic: Topic, save: Session) -> None:
    shown = tables(staff.get("/trends/report?month=2026-09"))
    rows, sheets, name = files_of(staff, "/trends/report?month=2026-09")
    assert name.startswith("広聴月報_2026-09_")
    assert list(sheets) == ["概況", "話題", "月ごと", "急増", "話題の変化", "条件"]
    assert rows[1] == ["合計", "すべての声", "5", "1.0", "4", "1", "3", "2", ""]
    assert [row[:5] for row in sheets["概況"][1:]] == [
        (cut, item, int(count), float(share), int(before)) for cut, item, count, share, before, *_ in rows[1:]
    ]
    for cut in ("受付媒体", "種別", "分野", "所管課"):
        assert [row[1:3] for row in rows if row[0] == cut] == [[row[0], str(figure(row[1]))] for row in shown[f"{cut}ごと"][1:-1]]
    assert [row[:3] for row in sheets["話題の変化"][1:]] == [
        ("新しく現れた話題", topic.id, topic.name),
        ("まとまった話題", topic.id + 2, "街灯の球切れ"),
    ]
    conditions = dict(sheets["条件"][1:])
    assert (conditions["月"], conditions["途中"], conditions["件数"]) == ("令和8年9月", "いいえ", 5)
    renew(save)
    assert {entry.subject for entry in save.scalars(select(AuditEntry).where(AuditEntry.action == "export"))} == {"trends.report"}


def test_the_number_of_queries_does_not_grow(staff: Browser, app: FastAPI, topic: Topic, save: Session) -> None:
    counts = []
    for _ in range(2):
        with queries_of(app.state.engine) as sent:
            staff.get("/trends/report?month=2026-09")
        counts.append(len(sent))
        for number in range(25):
            more = factories.create_topic(save, name=f"話題 {number}", voices=[factories.create_voice(save, received_on=SEPTEMBER)])
            factories.create_topic_event(save, more, TopicEventKind.BORN, after=1, at=datetime(2026, 9, 20, tzinfo=UTC))
        save.commit()
    assert counts[0] == counts[1] <= 34
    page = staff.get("/trends/report?month=2026-09")
    assert "ほかの話題（31）" in page.words()
    assert "ほか 31 の話題" in page.words()
    rows = tables(page)["3 話題の一覧"]
    assert sum(figure(row[1]) for row in rows[1:-1]) == figure(rows[-1][1]) == 55
