from __future__ import annotations

from datetime import date, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session

from core.clock import today
from core.models import Channel, Kind, Role, Status, Urgency
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import SignIn, queries_of, renew


def rows(page: Page) -> list[str]:
    return [page.words(row) for row in page.by_class("voice-row")]


def counts(page: Page) -> dict[str, str]:
    found = (page.words(link) for link in page.by_class("tabs")[0].iter() if link.tag.endswith("}a"))
    return {words.split()[0].split("道")[0]: words.rsplit(" ", 1)[1].removesuffix("件") for words in found}


def test_an_empty_desk_says_how_voices_come_in(staff: Browser) -> None:
    assert "まだ声がありません" in staff.get("/desk?tab=all").words()
    assert "ここに残っている声はありません" in staff.get("/desk").words()


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.KOCHO, {"open": 3, "mine": 0, "department": 2, "due": 1, "all": 4}),
        (Role.DEPARTMENT, {"open": 2, "mine": 0, "department": 2, "asked": 0, "due": 1, "all": 2}),
    ],
)
def test_the_tabs_count_what_they_show(sign_in: SignIn, save: Session, role: Role, expected: dict[str, int]) -> None:
    browser = sign_in(role, department="道路維持課")
    far = today() + timedelta(days=60)
    factories.create_voice(save, theme="道路・交通", due_on=today())
    factories.create_voice(save, theme="道路・交通", due_on=far)
    factories.create_voice(save, theme="公園・緑地", due_on=far)
    factories.create_voice(save, theme="公園・緑地", due_on=today() - timedelta(days=9), answered=True)
    save.commit()
    for tab, number in expected.items():
        page = browser.get(f"/desk?tab={tab}")
        assert len(rows(page)) == number
        assert [page.words(count) for count in page.by_class("count")] == [f"{n}件" for n in expected.values()]


@pytest.mark.parametrize(
    "address",
    [
        "q=段差 車いす", "q=R08-ABC", "q=r08-abc", "q=100%25", "theme=道路・交通", "kind=苦情", "channel=電話", "urgency=当日の危険",
        "department=道路維持課", "district=港地区", "since=2026-09-01", "until=2026-09-01", "since=2026-09-01&until=2026-09-01",
    ],
)  # fmt: skip
def test_a_filter_keeps_what_it_names(staff: Browser, save: Session, address: str) -> None:
    factories.create_voice(
        save, theme="道路・交通", kind=Kind.COMPLAINT, channel=Channel.PHONE, urgency=Urgency.TODAY, district="港地区",
        received_on=date(2026, 9, 1), text="歩道の段差で車いすが通れない。100%困る。", title="", receipt_number="R08-ABC",
    )  # fmt: skip
    other = date(2026, 9, 2) if "until" in address else date(2026, 8, 31)
    factories.create_voice(
        save,
        theme="公園・緑地",
        kind=Kind.THANKS,
        channel=Channel.LETTER,
        district="本町地区",
        received_on=other,
        text="段差は100点、車は1台。",
    )
    save.commit()
    page = staff.get(f"/desk?tab=all&{address}")
    assert len(rows(page)) == 1
    assert "歩道の段差" in rows(page)[0]
    assert page.by_class("filter-chip")


def test_nothing_found_offers_a_way_out(staff: Browser, save: Session) -> None:
    factories.create_voice(save)
    save.commit()
    assert "この条件に合う声はありません" in staff.get("/desk?q=ゼブラ").words()


@pytest.mark.parametrize(
    "address",
    [
        "since=31.12.2026",
        "kind=ほめことば",
        "topic=99999999999",
        "after=xyz",
        "tab=none",
        "q=" + "あ" * 201,
        "after=2026-01-01.99999999999",
    ],
)
def test_an_address_that_cannot_be_read_says_so(staff: Browser, address: str) -> None:
    response = staff.client.get(f"/desk?{address}")
    assert response.status_code in (400, 422)
    assert "読み" in Page(response.text).words()


def test_control_characters_find_nothing_and_break_nothing(staff: Browser) -> None:
    staff.get("/desk?tab=all&q=%00%1f&theme=%00")
    assert staff.client.get("/desk/%00").status_code == 404 or staff.client.get("/desk/%00").status_code == 422


def test_pages_follow_one_another_and_lead_back(staff: Browser, save: Session) -> None:
    for number in range(120):
        factories.create_voice(
            save, labelled=False, received_on=date(2026, 9, 1) + timedelta(days=number % 3), receipt_number=f"P-{number:03}"
        )
    save.commit()
    seen: list[str] = []
    page = staff.get("/desk?tab=all")
    while True:
        seen += [page.words(cell) for cell in page.by_class("receipt")]
        following = page.all("a", rel="next")
        if not following:
            break
        page = staff.get(following[0].get("href", ""))
    assert len(seen) == len(set(seen)) == 120
    back = staff.get(page.all("a", rel="prev")[0].get("href", ""))
    assert [back.words(cell) for cell in back.by_class("receipt")] == seen[50:100]


def test_the_nearest_deadline_comes_first_and_none_comes_last(staff: Browser, save: Session) -> None:
    for name, due in (("late", date(2026, 9, 1)), ("none", None), ("soon", date(2026, 9, 5))):
        factories.create_voice(save, receipt_number=name.upper(), due_on=due)
    save.commit()
    page = staff.get("/desk?order=due")
    assert [page.words(cell) for cell in page.by_class("receipt")] == ["LATE", "SOON", "NONE"]


def test_confidence_shows_only_where_it_is_low(staff: Browser, save: Session) -> None:
    factories.create_voice(save, confidence=0.41)
    factories.create_voice(save, confidence=0.95)
    save.commit()
    assert [page.words(cell) for page in [staff.get("/desk")] for cell in page.by_class("confidence-low")] == ["判断保留（ 41%）"]


def test_a_topic_filter_holds_the_topics_below_and_zero_holds_the_rest(staff: Browser, save: Session) -> None:
    voices = [factories.create_voice(save) for _ in range(3)]
    above = factories.create_topic(save, name="歩道のこと", voices=voices[:1])
    factories.create_topic(save, voices=voices[1:2], parent_id=above.id)
    save.commit()
    page = staff.get(f"/desk?topic={above.id}")
    assert len(rows(page)) == 2
    assert "話題：歩道のこと" in page.words()
    assert len(rows(staff.get("/desk?topic=0"))) == 1


def test_a_list_takes_as_many_queries_for_fifty_as_for_one(staff: Browser, app: FastAPI, save: Session) -> None:
    taken = []
    for number in (1, 49):
        for _ in range(number):
            factories.create_voice(save)
        save.commit()
        with queries_of(app.state.engine) as statements:
            staff.get("/desk")
        taken.append(len(statements))
    assert taken[0] == taken[1] <= 12


def test_htmx_gets_the_list_alone(staff: Browser, save: Session) -> None:
    factories.create_voice(save)
    save.commit()
    response = staff.client.get("/desk", headers={"HX-Request": "true", "HX-Target": "results"})
    assert response.text.lstrip().startswith('<div id="results"')
    assert response.headers["vary"] == "HX-Request"
    assert "<html" in staff.client.get("/desk", headers={"HX-Request": "true", "HX-Target": "other"}).text


def test_accepting_in_the_list_marks_the_voice_as_checked(staff: Browser, save: Session) -> None:
    voice = factories.create_voice(save, received_on=date(2026, 9, 1), kind=Kind.COMPLAINT)
    save.commit()
    page = staff.get("/desk?kind=苦情")
    after = staff.accept(page, voice.receipt_number)
    assert rows(after)
    assert "分類を採用" in after.words()
    assert "採用" not in rows(after)[0]
    renew(save)
    assert save.get(type(voice), voice.id).status is Status.TRIAGED


def test_a_manager_sees_no_button_that_would_fail(sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save)
    save.commit()
    manager = sign_in(Role.MANAGER)
    assert "採用" not in rows(manager.get("/desk"))[0]
    assert not manager.get(f"/desk/{voice.receipt_number}").by_class("offer")


def test_text_from_outside_stays_text(staff: Browser, save: Session) -> None:
    voice = factories.create_voice(save, title="<script>alert(1)</script>", text="<b onclick=x>太い</b>", district='"><i>')
    save.commit()
    assert "<script>alert(1)</script>" in staff.get("/desk").words()
    assert "<b onclick=x>太い</b>" in staff.get(f"/desk/{voice.receipt_number}").words()


def test_an_odd_referer_breaks_no_error_page(staff: Browser) -> None:
    for send in (staff.client.get, staff.client.post):
        assert send("/desk/nowhere-at-all", headers={"Referer": "http://["}).status_code in (403, 404, 405)
