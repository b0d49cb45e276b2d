from __future__ import annotations

from datetime import date

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session

from core.models import Campaign, CampaignMember, Role, Sender, Voice
from nlp import likeness
from nlp.similar import terms
from tests import factories
from tests.web.browser import Browser
from tests.web.conftest import SignIn, queries_of

BLOCK = {"HX-Request": "true", "HX-Target": "similar"}
BUS = "通学のバスの本数が減って、朝は満員で乗れません。増便してください。"


@pytest.fixture
def voice(save: Session) -> Voice:
    return create(save, BUS, receipt_number="S-1")


def create(save: Session, text: str, **values: object) -> Voice:
    voice: Voice = factories.create_voice(save, theme="道路・交通", text=text, **values)
    likeness.index(save, [(voice.id, terms(f"{voice.title}\n{voice.text}"))])
    save.commit()
    return voice


def campaign(save: Session, *, copies: int) -> list[Voice]:
    group = Campaign(created_at=factories.NOON)
    save.add(group)
    save.flush()
    voices = [create(save, BUS + "お願いします。" * number, receipt_number=f"C-{number}") for number in range(copies)]
    for number, voice in enumerate(voices):
        save.add(CampaignMember(voice_id=voice.id, campaign_id=group.id, text_id=voice.id))
        if number:
            save.add(Sender(voice_id=voice.id, key_id="k1", sender=f"{number % 2:032x}"))
    save.commit()
    return voices


def test_a_voice_page_fetches_the_block_and_links_to_it_without_a_script(staff: Browser, voice: Voice) -> None:
    page = staff.get("/desk/S-1?theme=道路・交通")
    section = page.all("section", id="similar")[0]
    address = section.get("hx-get", "")
    assert address.startswith("/desk/S-1/similar?theme=")
    assert [link.get("href") for link in page.by_class("similar-link")][-1:] == [address]
    assert "に似た声" in staff.get(address).heading


def test_similar_voices_come_with_number_date_department_and_likeness(staff: Browser, voice: Voice, save: Session) -> None:
    create(save, "朝のバスが満員で乗れません。通学に困るので本数を増やしてください。", receipt_number="S-2", received_on=date(2026, 5, 1))
    create(save, "図書館の本が古いので買いかえてください。", receipt_number="S-3")
    page = staff.get("/desk/S-1/similar")
    (item,) = page.by_class("similar-item")
    words = page.words(item)
    assert all(part in words for part in ("S-2", "%", "道路維持課", "2026/5/1", "通学に困る"))
    assert page.all("a", href="/desk/S-2")


def test_an_answer_stands_with_its_source_and_date(staff: Browser, voice: Voice, save: Session) -> None:
    other = create(save, "通学のバスが満員です。増便してください。", receipt_number="S-2")
    factories.create_answer(save, other, text="来月から朝に二便増やします。", department="交通政策課", answered_on=date(2026, 6, 2))
    save.commit()
    page = staff.get("/desk/S-1/similar")
    (answer,) = page.by_class("similar-answer")
    assert all(part in page.words(answer) for part in ("来月から朝に二便増やします。", "交通政策課", "2026/6/2", "受付 S-2"))


def test_a_further_answer_is_shown_below_nearer_voices(staff: Browser, voice: Voice, save: Session) -> None:
    for number in range(6):
        create(save, f"{BUS}{'駅まで歩けません。' * (number + 1)}")
    other = create(save, "バスの本数が減りました。", receipt_number="S-9")
    factories.create_answer(save, other)
    save.commit()
    page = staff.get("/desk/S-1/similar")
    assert "ほかの似た声への回答" in page.words()
    assert "S-9" in page.words(page.by_class("similar-item")[-1])


def test_a_campaign_is_counted_three_ways_and_not_listed_again(staff: Browser, save: Session) -> None:
    campaign(save, copies=5)
    page = staff.get("/desk/C-0/similar")
    assert "同文・一斉投稿: ×5（文面 5 種、送り主 2 人、送り主不明 1 件）" in page.words()
    assert page.by_class("similar-item") == []


def test_one_copy_stands_for_a_campaign(staff: Browser, voice: Voice, save: Session) -> None:
    campaign(save, copies=4)
    page = staff.get("/desk/S-1/similar")
    (item,) = page.by_class("similar-item")
    assert "同文 ×4" in page.words(item)


def test_a_voice_that_nothing_is_like_says_so(staff: Browser, voice: Voice) -> None:
    assert "似た声はまだありません" in staff.get("/desk/S-1/similar").words()


def test_htmx_gets_the_block_alone(staff: Browser, voice: Voice) -> None:
    answer = staff.client.get("/desk/S-1/similar", headers=BLOCK)
    assert answer.text.lstrip().startswith('<section class="panel" id="similar"')
    assert "<h1" not in answer.text
    assert answer.headers["vary"] == "HX-Request"


def test_text_of_a_resident_is_never_markup(staff: Browser, voice: Voice, save: Session) -> None:
    create(save, f"{BUS}<script>alert(1)</script>", receipt_number="S-2")
    assert "<script>alert" not in staff.get("/desk/S-1/similar").text


@pytest.mark.parametrize("role", list(Role))
def test_whoever_may_read_a_voice_may_read_what_is_like_it(sign_in: SignIn, voice: Voice, role: Role) -> None:
    sign_in(role).get("/desk/S-1/similar")


def test_an_unknown_number_is_not_found(staff: Browser) -> None:
    staff.get("/desk/S-404/similar", status=404)


def test_the_block_takes_a_fixed_number_of_queries(staff: Browser, app: FastAPI, voice: Voice, save: Session) -> None:
    counts = []
    for _ in range(2):
        for _ in range(8):
            create(save, BUS + "駅まで歩けません。")
        with queries_of(app.state.engine) as statements:
            staff.get("/desk/S-1/similar")
        counts.append(len(statements))
    assert counts[0] == counts[1]
