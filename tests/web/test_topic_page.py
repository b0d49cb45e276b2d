"""A topic's page: its course beside the year before and what was to be expected, what became of it, and its surge."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from fastapi import FastAPI
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from api.trends.history import lines
from core.models import Kind, Topic, TopicEvent, TopicEventKind, Voice
from loop.topic_history import History, history
from nlp.opinions import service as opinion_service
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import queries_of

LAST = date(2026, 9, 30)


@pytest.fixture
def topic(save: Session) -> Topic:
    """A voice a week in two years, and five more in the last week; half as many voices are in no topic."""
    days = [7 * week for week in range(104)] + [1, 2, 3, 4, 5]
    voices: list[Voice] = [
        factories.create_voice(save, received_on=LAST - timedelta(days=ago), kind=Kind.REQUEST, labelled=False) for ago in days
    ]
    for ago in range(0, 104 * 7, 14):
        factories.create_voice(save, received_on=LAST - timedelta(days=ago), labelled=False)
    topic: Topic = factories.create_topic(save, name="歩道の段差", voices=voices)
    save.commit()
    return topic


def columns(page: Page) -> dict[str, list[str]]:
    """The columns of the chart's table."""
    (table,) = page.all("table", id="chart-steps")
    heads = [page.words(cell) for cell in table.iter() if cell.tag.endswith("}th") and cell.get("scope") == "col"]
    rows = [[page.words(cell).removesuffix("件を見る") for cell in row] for row in table.iter() if row.tag.endswith("}tr")][1:]
    return {head: [row[at] for row in rows] for at, head in enumerate(heads)}


def test_the_weeks_stand_beside_those_of_the_year_before_and_the_expectation(staff: Browser, topic: Topic) -> None:
    page = staff.get(f"/trends/topics/{topic.id}?period=4w")
    found = columns(page)
    assert list(found) == ["週", "件数", "前年", "予想"]
    assert found["件数"] == ["1", "1", "1", "6"]
    assert found["前年"] == ["1", "1", "1", "1"]
    assert [0.2 < float(expected) < 2.5 for expected in found["予想"]] == [True] * 4, found["予想"]
    (table,) = page.all("table", id="chart-steps")
    assert [cell.get("data-drawn") for cell in table.iter() if cell.get("data-drawn")] == ["bar", "line", "dashes"]


def test_every_number_of_the_chart_leads_to_as_many_voices(staff: Browser, topic: Topic) -> None:
    checked = 0
    for period in ("4w", "12m"):
        page = staff.get(f"/trends/topics/{topic.id}?period={period}")
        (table,) = page.all("table", id="chart-steps")
        for link in (element for element in table.iter() if element.tag.endswith("}a")):
            number = page.words(link).removesuffix("件を見る")
            assert staff.get(link.get("href", "")).by_class("list-count")[0].text == f"{number}件"
            checked += 1
    assert checked > 20


def test_the_months_before_the_data_are_not_told(staff: Browser, topic: Topic) -> None:
    found = columns(staff.get(f"/trends/topics/{topic.id}?period=all"))
    assert found["前年"][0] == found["予想"][0] == "－"
    assert found["前年"][-1] in {"4", "5"}
    assert found["予想"][-1] != "－"


def test_a_short_past_tells_only_the_counts(staff: Browser, save: Session) -> None:
    voices = [factories.create_voice(save, received_on=LAST - timedelta(days=ago)) for ago in range(20)]
    topic = factories.create_topic(save, voices=voices)
    save.commit()
    page = staff.get(f"/trends/topics/{topic.id}?period=all")
    assert list(columns(page)) == ["週", "件数"]


def test_the_file_tells_the_course_too(staff: Browser, topic: Topic) -> None:
    response = staff.client.get(f"/trends/topics/{topic.id}?period=4w&format=xlsx")
    assert response.status_code == 200
    sheet = load_workbook(BytesIO(response.content), read_only=True)["うごき"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("週", "始まり", "件数", "前年", "予想")
    assert [row[2:4] for row in rows[1:]] == [(1, 1), (1, 1), (1, 1), (6, 1)]


def event(topic: Topic, kind: TopicEventKind, day: int, *, run: bool = True, **values: Any) -> TopicEvent:
    at = datetime(2026, 5, day, 3, tzinfo=UTC)
    common = {"before": 10, "after": 10, "actor": "hanako"}
    return TopicEvent(topic_id=topic.id, run_id=topic.born_run_id if run else None, kind=kind, at=at, **{**common, **values})


def test_what_became_of_it_is_told_newest_first_and_quiet_runs_are_one_line(staff: Browser, topic: Topic, save: Session) -> None:
    other = factories.create_topic(save, name="街灯 <b>")
    save.add_all(
        [
            event(topic, TopicEventKind.BORN, 1, before=0, after=8),
            event(topic, TopicEventKind.KEPT, 2, kept_share=0.98),
            event(topic, TopicEventKind.KEPT, 3, kept_share=1.0),
            event(topic, TopicEventKind.KEPT, 4, kept_share=0.99),
            event(topic, TopicEventKind.GREW, 5, before=8, after=1500, kept_share=0.9),
            event(topic, TopicEventKind.KEPT, 6, kept_share=1.0, others=[other.id]),
            event(topic, TopicEventKind.KEPT, 7, kept_share=1.0),
        ]
    )
    save.commit()
    page = staff.get(f"/trends/topics/{topic.id}")
    (lines,) = page.by_class("history-lines")
    told = [page.words(line) for line in lines]
    assert told == [
        "2026/5/7 木 継続 見直しで引き継ぎました（前からの声の 100%がそのまま）。",
        "2026/5/6 水 継続 「街灯 <b>」がまとまりました（声 10 件 → 10 件）。",
        "2026/5/5 火 増加 大きくなりました（声 8 件 → 1,500 件）。前からの声の 90%がそのままです。",
        "2026/5/2 土 から 2026/5/4 月 まで 継続 3 回の見直しで引き継ぎました（前からの声の 98%以上がそのまま）。",
        "2026/5/1 金 誕生 声 8 件で、はじめて現れました。",
    ]
    assert f"/trends/topics/{other.id}" in {link.get("href") for link in lines.iter()}


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (TopicEventKind.SPLIT, {"before": 0, "after": 7}, "「街灯」から分かれて、声 7 件で現れました。"),
        (TopicEventKind.MERGED, {"before": 9, "after": 0}, "「街灯」と同じになり、そこにまとまりました（声 9 件）。"),
        (TopicEventKind.ENDED, {"others": []}, "終わりました（それまでの声 10 件）。"),
        (TopicEventKind.SPLIT, {"run": False, "before": 0, "detail": {"words": ["雪"]}}, "「街灯」から「雪」を含む声を分けて作りました"),
        (TopicEventKind.SPLIT, {"run": False, "after": 4}, "「街灯」を分けました（声 10 件 → 4 件）。"),
        (TopicEventKind.SPLIT, {"run": False, "before": 0, "detail": {"taken_back": 1}}, "「街灯」から出して、まとめる前に戻しました"),
        (TopicEventKind.SPLIT, {"run": False, "after": 4, "detail": {"taken_back": 1}}, "「街灯」を、まとめる前に戻しました"),
        (TopicEventKind.MERGED, {"run": False, "after": 15}, "「街灯」をこの話題にまとめました（声 10 件 → 15 件）。"),
        (TopicEventKind.MERGED, {"run": False, "after": 0, "detail": {"children": []}}, "「街灯」にまとめました（声 10 件）。"),
        (
            TopicEventKind.RENAMED,
            {"run": False, "detail": {"from": "甲", "to": "乙", "by": "machine"}},
            "名前を「甲」から機械の名前「乙」に",
        ),
        (TopicEventKind.MOVED, {"run": False, "after": 8, "detail": {"voices": 2}}, "声 2 件を「街灯」へ移しました"),
        (TopicEventKind.MOVED, {"run": False, "after": 12, "detail": {"voices": 2}}, "声 2 件を「街灯」から移しました"),
        (TopicEventKind.MOVED, {"run": False, "after": 8, "detail": {"voices": 2, "taken_back": True}}, "声 2 件を「街灯」へ戻しました"),
        (
            TopicEventKind.MOVED,
            {"run": False, "after": 12, "others": [], "detail": {"voices": 2}},
            "どの話題にもなかった声 2 件",
        ),
        (TopicEventKind.MOVED, {"run": False, "others": [], "detail": {"voices": 0}}, "この話題にある声を、人の手で留めました。"),
        (TopicEventKind.PINNED, {"run": False, "detail": {"from": [], "to": ["雪", "氷"]}}, "「雪」「氷」で留めました。"),
        (TopicEventKind.PINNED, {"run": False, "detail": {"from": ["雪"], "to": []}}, "留めたことば「雪」を外しました。"),
    ],
)
def test_each_event_is_a_sentence(kind: TopicEventKind, values: dict[str, Any], words: str) -> None:
    found = event(Topic(id=1, born_run_id=1), kind, 1, **{"others": [2], "detail": {}, **values})
    (line,) = lines(History([found], {}, {2: "街灯"}, {}, more=False))
    assert "".join(piece if isinstance(piece, str) else f"「{piece[1]}」" for piece in line.pieces).startswith(words)
    assert line.by == ("hanako" if found.run_id is None else "")


def test_of_a_very_long_history_the_last_is_told(staff: Browser, topic: Topic, save: Session) -> None:
    for day in range(1, 7):
        save.add_all([event(topic, TopicEventKind.GREW, day, before=day), event(topic, TopicEventKind.KEPT, day, kept_share=0.5)])
        save.flush()
    save.commit()
    found = history(save, topic.id, limit=2)
    assert (found.more, [one.before for one in found.events]) == (True, [5, 6])
    assert [found.quiet[one.id].runs for one in found.events] == [1, 1]
    assert len(found.quiet) == 2
    assert [line.label for line in lines(found)] == ["継続", "増加", "継続", "増加"]
    assert not history(save, topic.id, limit=6).more


def test_a_long_history_opens(staff: Browser, topic: Topic, save: Session) -> None:
    save.add_all(event(topic, TopicEventKind.GREW, day, before=day, after=2 * day) for day in range(1, 20))
    save.commit()
    page = staff.get(f"/trends/topics/{topic.id}")
    assert [len(lines) for lines in page.by_class("history-lines")] == [12, 7]
    assert "それより前の 7 件も見る" in page.words()


def test_its_surge_is_linked_to(staff: Browser, topic: Topic, save: Session) -> None:
    above = factories.create_topic(save, name="道")
    topic.parent_id = above.id
    factories.create_look(save, {"facet": "theme", "value": "道路・交通"}, {"value": str(topic.id)}, as_of=LAST)
    save.commit()
    for number, begins in ((topic.id, "急増 9月24日から、予想8件のところ19件"), (above.id, "急増 歩道の段差：9月24日から")):
        page = staff.get(f"/trends/topics/{number}")
        (risen,) = page.by_class("risen")
        assert page.words(risen).startswith(begins)
        (link,) = [link.get("href", "") for link in risen if link.get("href")]
        assert staff.get("/trends").all("li", id=link.partition("#")[2])
    factories.create_look(save, as_of=LAST + timedelta(days=1))
    save.commit()
    assert not staff.get(f"/trends/topics/{topic.id}").by_class("risen")


def test_sides_are_a_cut_like_the_others(staff: Browser, save: Session) -> None:
    voices = [
        factories.create_voice(save, text=text, received_on=LAST) for text in ("拡幅に賛成です。", "拡幅工事には反対です。", "歩道が狭い。")
    ]
    for voice in voices:
        opinion_service.read_now(save, voice)
    topic = factories.create_topic(save, voices=voices)
    save.commit()
    page = staff.get(f"/trends/topics/{topic.id}")
    (cut,) = [cut for cut in page.by_class("cut") if cut.get("aria-labelledby") == "stances-heading"]
    assert "賛成 1件の声（賛成） 33%" in page.words(cut)
    assert len(page.by_class("table-stances")) == 1


def test_the_number_of_queries_grows_neither_with_topics_nor_with_the_past(
    staff: Browser, app: FastAPI, topic: Topic, save: Session
) -> None:
    with queries_of(app.state.engine) as few:
        staff.get(f"/trends/topics/{topic.id}")
    for number in range(10):
        factories.create_topic(save, name=f"話題 {number}", voices=[factories.create_voice(save, received_on=LAST)])
    save.add_all(event(topic, TopicEventKind.KEPT, day) for day in range(1, 20))
    save.commit()
    with queries_of(app.state.engine) as many:
        staff.get(f"/trends/topics/{topic.id}")
    assert len(few) == len(many)
