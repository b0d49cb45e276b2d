"""What was read of a voice, on its page and on its topic's."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import Opinion, Topic, Voice
from nlp.opinions import service as opinion_service
from tests import factories
from tests.web.browser import Browser
from tests.web.conftest import queries_of, renew

LAST = date(2026, 9, 30)
TEXTS = (
    "歩道が狭いです。直してください。",
    "歩道が狭くて困る。<b>いつ</b>直りますか？",
    "歩道の拡幅に賛成です。",
    "拡幅工事には反対です。",
    "職員の説明が丁寧でした。",
    "こんにちは。",
)


@pytest.fixture
def voice(save: Session) -> Voice:
    voice: Voice = factories.create_voice(
        save, text="歩道の段差が危ない。ごみ袋の値上げに反対です。説明会はいつですか。早く直してください。"
    )
    save.commit()
    return voice


@pytest.fixture
def topic(save: Session) -> Topic:
    """Seven voices, of which all but the last are read."""
    voices = [factories.create_voice(save, text=text, received_on=LAST - timedelta(days=day)) for day, text in enumerate(TEXTS)]
    for item in voices:
        opinion_service.read_now(save, item)
    voices.append(factories.create_voice(save, text="歩道が狭い。", received_on=LAST))
    topic: Topic = factories.create_topic(save, name="歩道", voices=voices)
    save.commit()
    return topic


def test_the_voices_page_asks_for_the_block_and_links_to_it(staff: Browser, voice: Voice) -> None:
    page = staff.get(f"/desk/{voice.receipt_number}")
    (block,) = page.all("section", id="opinions")
    assert block.get("hx-get") == f"/desk/{voice.receipt_number}/opinions"
    assert "読み取り中" in page.words(block)
    (link,) = page.by_class("opinions-link")
    assert staff.get(link.get("href", "")).heading == f"{voice.receipt_number} の読み取り"


def test_what_was_read_is_shown_in_words(staff: Browser, voice: Voice) -> None:
    page = staff.get(f"/desk/{voice.receipt_number}/opinions")
    words = page.words(page.all("section", id="opinions")[0])
    assert "歩道の段差 → は、危ない 悪い" in words
    assert "反対 確からしさ" in words
    assert "手がかり：「反対」" in words
    assert "説明会はいつですか。" in words
    assert "早く直してください。" in words


def test_the_first_look_reads_and_later_ones_do_not(staff: Browser, app: FastAPI, voice: Voice, save: Session) -> None:
    address = f"/desk/{voice.receipt_number}/opinions"
    first = staff.get(address).text
    renew(save)
    assert save.scalar(select(func.count()).select_from(Opinion)) == 1
    with queries_of(app.state.engine) as statements:
        again = staff.get(address).text
    assert not [statement for statement in statements if statement.startswith("INSERT")]
    assert first.count("pair-words") == again.count("pair-words") > 0


def test_htmx_gets_the_block_alone(staff: Browser, voice: Voice) -> None:
    response = staff.client.get(f"/desk/{voice.receipt_number}/opinions", headers={"HX-Request": "true", "HX-Target": "opinions"})
    assert response.text.strip().startswith('<section class="panel" id="opinions"')
    assert "<html" not in response.text


def test_a_voice_that_says_nothing_says_so(staff: Browser, save: Session) -> None:
    voice = factories.create_voice(save, text="こんにちは。")
    save.commit()
    words = staff.get(f"/desk/{voice.receipt_number}/opinions").words()
    assert "読み取れる評価はありません" in words
    assert "どちらでもない" in words
    staff.get("/desk/R08-999999-9/opinions", status=404)


def test_the_topics_page_counts_what_was_read(staff: Browser, topic: Topic) -> None:
    page = staff.get(f"/trends/topics/{topic.id}?period=all")
    assert "この期間の声 7 件のうち、6 件を読み取りました（6 / 7）" in page.words()
    (pairs,) = page.all("table", **{"aria-labelledby": "pairs-heading"})
    assert "歩道 → は、狭い 悪い 2件の声" in page.words(pairs)
    (stances,) = page.all("table", **{"aria-labelledby": "stances-heading"})
    words = page.words(stances)
    assert "賛成 1件の声（賛成） 17%" in words
    assert "反対 1件の声（反対） 17%" in words
    assert "どちらでもない 4件の声" in words


def test_every_number_leads_to_as_many_voices(staff: Browser, topic: Topic) -> None:
    page = staff.get(f"/trends/topics/{topic.id}?period=all")
    links = [link for link in page.all("a") if "/opinions?" in link.get("href", "")]
    assert len(links) >= 5
    for link in links:
        behind = staff.get(link.get("href", ""))
        assert behind.by_class("list-count")[0].text == f"{page.words(link).partition('件')[0]}件"
        assert len(behind.by_class("voice-item")) == int(page.words(link).partition("件")[0])


def test_the_words_that_count_are_marked_and_nothing_is_taken_for_html(staff: Browser, topic: Topic) -> None:
    page = staff.get(f"/trends/topics/{topic.id}/opinions?period=all&subject=歩道&predicate=狭い")
    assert page.heading == "「歩道 → 狭い」と述べた声"
    assert [page.words(mark) for mark in page.all("mark")] == ["歩道", "狭いです", "歩道", "狭く"]
    assert not page.all("b")
    assert "<b>いつ</b>" in page.words()


def test_a_topic_that_was_not_read_says_how(staff: Browser, save: Session) -> None:
    topic = factories.create_topic(save, voices=[factories.create_voice(save)])
    save.commit()
    page = staff.get(f"/trends/topics/{topic.id}?period=all")
    assert f"koe opinions --topic {topic.id}" in page.words()
    assert not page.all("table", **{"aria-labelledby": "pairs-heading"})


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("stance=x", 422),
        ("subject=a", 400),
        ("stance=賛成&page=99", 200),
        ("subject=無い&predicate=ない", 200),
        ("stance=賛成&since=2026-09-30", 200),
    ],
)
def test_any_address_is_answered(staff: Browser, topic: Topic, query: str, status: int) -> None:
    staff.get(f"/trends/topics/{topic.id}/opinions?{query}", status=status)


def test_a_topic_that_is_not_there(staff: Browser, topic: Topic) -> None:
    staff.get("/trends/topics/999/opinions?stance=賛成", status=404)


def test_pages_of_many_voices(staff: Browser, save: Session) -> None:
    voices = [factories.create_voice(save, text="歩道が狭い。", received_on=LAST) for _ in range(31)]
    for item in voices:
        opinion_service.read_now(save, item)
    topic = factories.create_topic(save, voices=voices)
    save.commit()
    first = staff.get(f"/trends/topics/{topic.id}/opinions?subject=歩道&predicate=狭い")
    assert len(first.by_class("voice-item")) == 30
    (following,) = first.all("a", rel="next")
    second = staff.get(following.get("href", ""))
    assert len(second.by_class("voice-item")) == 1
    assert second.all("a", rel="prev")
