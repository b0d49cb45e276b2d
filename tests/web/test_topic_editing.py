"""Staff put topics in order by forms: every act leads on, is told, can be taken back, and what was typed stays where it fails."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import facts
from core.models import AuditEntry, Role, Topic, TopicMembership, TopicStatus, Voice
from core.settings import Settings
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import SignIn, renew

TEXTS = ["歩道の段差で車いすが止まります。", "歩道が狭くて通れません。", "歩道に段差があります。"]


@pytest.fixture
def topics(save: Session) -> dict[str, Topic]:
    """道 over 歩道の段差 with three voices and 街灯 with two; 公園 alone with one; その他の声 with one."""
    road = factories.create_topic(save, name="道", size=5)
    voices = [factories.create_voice(save, text=text) for text in TEXTS]
    made = [
        road,
        factories.create_topic(save, name="歩道の段差", voices=voices, parent_id=road.id),
        factories.create_topic(save, name="街灯", voices=[factories.create_voice(save) for _ in range(2)], parent_id=road.id),
        factories.create_topic(save, name="公園", voices=[factories.create_voice(save)], keywords=[{"word": "すべり台", "weight": 0.3}]),
        factories.create_topic(save, name="その他の声", voices=[factories.create_voice(save)], is_rest=True),
    ]
    save.commit()
    return {topic.name: topic for topic in made}


def address(topic: Topic, page: str = "edit") -> str:
    return f"/trends/topics/{topic.id}/{page}"


def send(browser: Browser, topic: Topic, act: str, **fields: str | Sequence[str]) -> Page:
    """Sends one of the forms and follows where it leads."""
    token = browser.client.get("/api/v1/session").json()["csrf_token"]
    response = browser.client.post(address(topic, act), data={"csrf_token": token, **fields}, follow_redirects=False)
    assert response.status_code == 303, response.text
    return browser.get(response.headers["location"].removesuffix("#done"))


def refused(browser: Browser, topic: Topic, act: str, status: int, **fields: str | Sequence[str]) -> Page:
    """Sends one of the forms, which comes back with what was wrong."""
    token = browser.client.get("/api/v1/session").json()["csrf_token"]
    response = browser.client.post(address(topic, act), data={"csrf_token": token, **fields}, follow_redirects=False)
    assert response.status_code == status, response.text
    page = Page(response.text)
    assert len(page.all("div", role="alert")) == 1
    return page


def said(page: Page) -> str:
    (notice,) = page.all("div", role="status")
    return page.words(notice)


def alarm(page: Page) -> str:
    return page.words(page.all("div", role="alert")[0])


def places_of(session: Session) -> dict[str, int]:
    renew(session)
    rows = session.execute(select(Voice.receipt_number, TopicMembership.topic_id).join(Voice, Voice.id == TopicMembership.voice_id))
    return dict(rows.all())


def test_a_name_is_given_and_taken_back(sign_in: SignIn, topics: dict[str, Topic], save: Session) -> None:
    clerk = sign_in(Role.KOCHO, username="ichiro", display_name="広聴 一郎")
    walk = topics["歩道の段差"]
    page = clerk.submit(clerk.get(address(walk)), address(walk, "rename"), name="歩道の通りにくさ")
    assert "「歩道の通りにくさ」に変えました" in said(page)
    entry = save.scalars(select(AuditEntry).where(AuditEntry.action == "topics.rename")).one()
    assert (entry.actor, entry.subject) == ("ichiro", f"topic:{walk.id}")
    history = clerk.get(f"/trends/topics/{walk.id}").by_class("history-lines")[0]
    assert "名前を「歩道の段差」から「歩道の通りにくさ」に変えました。（広聴 一郎）" in Page.words(page, history)
    assert "「歩道の段差」に戻しました" in said(clerk.submit(page, address(walk, "machine-name")))
    assert "機械の名前に戻す" not in clerk.get(address(walk)).words()


def test_what_was_typed_stays_where_it_cannot_be_taken(staff: Browser, topics: dict[str, Topic], save: Session) -> None:
    walk = topics["歩道の段差"]
    page = refused(staff, walk, "rename", 409, name="街灯")
    assert "すでにあります" in alarm(page)
    assert page.all("input", id="name")[0].get("value") == "街灯"
    page = refused(staff, walk, "pin", 400, words="段差\n" + "長" * 31)
    assert "長すぎます" in alarm(page)
    assert page.words(page.all("textarea", id="pin-words")[0]) == "段差 " + "長" * 31
    page = refused(staff, walk, "split", 409, words="ゼブラ", name="しま")
    assert "ゼブラ" in alarm(page)
    assert page.words(page.all("textarea", id="split-words")[0]) == "ゼブラ"
    assert page.all("input", id="split-name")[0].get("value") == "しま"
    page = refused(staff, walk, "merge", 400, topics=[str(topics["公園"].id), str(walk.id)])
    assert "その話題自身" in alarm(page)
    assert [box.get("value") for box in page.all("input", name="topics") if box.get("checked") is not None] == [str(topics["公園"].id)]
    assert save.scalars(select(AuditEntry).where(AuditEntry.action.startswith("topics."))).all() == []


NONSENSE: list[tuple[str, dict[str, str | list[str]], int, str]] = [
    ("rename", {"name": " "}, 400, "名前が空です"),
    ("machine-name", {}, 409, "機械が付けたものです"),
    ("merge", {}, 400, "選ばれていません"),
    ("unmerge", {}, 409, "人がまとめた話題ではありません"),
    ("split", {"words": " 、\n"}, 400, "ことばが指定されていません"),
    ("split", {"parts": "1"}, 400, "1 つには分けられません"),
    ("split", {"parts": "9"}, 400, "9 つには分けられません"),
    ("pin", {"words": ""}, 400, "ことばが指定されていません"),
    ("unpin", {}, 409, "留められていません"),
    ("unmove", {}, 409, "手で移した声だけ"),
    ("unmove", {"voice": ["R08-999999-9"]}, 404, "R08-999999-9"),
    ("move", {"to": "1"}, 400, "移す声が選ばれていません"),
    ("move", {"voice": ["R08-999999-9"], "to": "1"}, 404, "R08-999999-9"),
]


def test_what_makes_no_sense_is_told(staff: Browser, topics: dict[str, Topic]) -> None:
    for act, fields, status, words in NONSENSE:
        assert words in alarm(refused(staff, topics["歩道の段差"], act, status, **fields)), act


def test_joining_is_told_on_both_pages_and_taken_back(staff: Browser, topics: dict[str, Topic], save: Session) -> None:
    walk, park = topics["歩道の段差"], topics["公園"]
    page = send(staff, walk, "merge", topics=[str(park.id), str(topics["街灯"].id)])
    assert "2 個の話題を、この話題にまとめました。" in said(page)
    assert f"/trends/topics/{park.id}" in {link.get("href") for link in page.all("a")}
    gone = staff.get(f"/trends/topics/{park.id}")
    assert "「歩道の段差」にまとめました" in gone.words()
    assert "「歩道の段差」にまとめました（声 1 件）" in gone.words(gone.by_class("history-lines")[0])
    assert "新しい声はもう入りません" not in gone.words()
    assert "まとめる前に戻しました" in said(staff.submit(gone, address(park, "unmerge")))
    assert "まとめる前に戻しました" in said(staff.submit(staff.get(address(walk)), address(topics["街灯"], "unmerge")))
    assert "まとめた話題" not in staff.get(address(walk)).words()
    renew(save)
    assert {park.status, topics["街灯"].status} == {TopicStatus.ACTIVE}
    assert (walk.size, park.size, topics["街灯"].size) == (3, 1, 2)
    assert facts.differences(save) == []


def offered(page: Page) -> dict[str, list[str]]:
    """The topics that can be joined, under their families."""
    found = {}
    for group in page.all("fieldset"):
        labels = [page.words(label) for label in group.iter() if label.get("class") == "check"]
        found[page.words(group[0])] = [words.rpartition(" ")[0] for words in labels]
    return found


def test_only_what_can_be_joined_is_offered_and_can_be_looked_for(staff: Browser, topics: dict[str, Topic]) -> None:
    walk = topics["歩道の段差"]
    assert offered(staff.get(address(walk))) == {"道": ["街灯"], "まとまりのない話題": ["公園"]}
    assert offered(staff.get(address(walk) + "?q=すべり台")) == {"まとまりのない話題": ["公園"]}
    none = staff.get(address(walk) + "?q=ゼブラ")
    assert offered(none) == {}
    assert "「ゼブラ」を含む話題はありません" in none.words()
    assert offered(staff.get(address(topics["道"]))) == {}


def test_what_a_topic_is_not_for_is_not_offered(staff: Browser, topics: dict[str, Topic], save: Session) -> None:
    group, rest = staff.get(address(topics["道"])), staff.get(address(topics["その他の声"]))
    assert not any(form.get("action", "").startswith(address(topics["道"], act)) for act in ("split", "pin") for form in group.all("form"))
    assert "街灯" in group.words()
    assert not any(rest.all("input", id="name"))
    assert rest.all("textarea", id="split-words")
    topics["公園"].status = TopicStatus.ENDED
    save.commit()
    ended = staff.get(address(topics["公園"]))
    assert "終わった話題です" in ended.words()
    assert [form.get("action") for form in ended.all("form", method="post")] == ["/sign-out"]
    staff.get("/trends/topics/999/edit", status=404)


def test_a_form_that_the_topic_has_no_more_is_told_too(staff: Browser, topics: dict[str, Topic], save: Session) -> None:
    assert "まとまりです" in alarm(refused(staff, topics["道"], "pin", 400, words="道"))
    park = topics["公園"]
    park.status = TopicStatus.ENDED
    save.commit()
    assert "終わっています" in alarm(refused(staff, park, "rename", 409, name="公園の木"))
    assert "移す先の話題が選ばれていません" in alarm(refused(staff, park, "move?since=2020-01-01&until=2020-01-02", 400, voice=["R08-1"]))


def test_a_topic_is_parted_by_a_word_and_the_new_one_is_listed(
    staff: Browser, topics: dict[str, Topic], save: Session, app: FastAPI, trained_settings: Settings
) -> None:
    app.state.settings = trained_settings
    walk = topics["歩道の段差"]
    page = send(staff, walk, "split", words="車いす、ベビーカー", name="車いすの人の困りごと")
    assert "1 個の話題を分けて作りました。 「車いすの人の困りごと」 1件" in said(page)
    renew(save)
    assert walk.size == 2
    page = staff.get(f"/trends/topics/{walk.id}")
    assert "「車いすの人の困りごと」を分けました（声 3 件 → 2 件）" in page.words()
    assert "似すぎています" in alarm(refused(staff, walk, "split", 409, parts="2"))


def test_pinning_and_letting_go(staff: Browser, topics: dict[str, Topic], save: Session) -> None:
    walk = topics["歩道の段差"]
    assert "「段差」「車いす」で留めました" in said(send(staff, walk, "pin", words="段差、 車いす\r\n\r\n段差"))
    page = staff.get(address(walk))
    assert page.words(page.all("textarea", id="pin-words")[0]) == "段差 車いす"
    assert "外しました" in said(staff.submit(page, address(walk, "unpin")))
    renew(save)
    assert walk.seeds == []


def test_voices_are_moved_from_the_list_and_brought_back(staff: Browser, topics: dict[str, Topic], save: Session) -> None:
    walk, park = topics["歩道の段差"], topics["公園"]
    before = places_of(save)
    page = staff.get(f"/trends/topics/{walk.id}?period=all")
    boxes = page.all("input", name="voice")
    assert len(boxes) == 3
    assert {box.get("form") for box in boxes} == {"move"}
    (form,) = [form for form in page.all("form") if form.get("id") == "move"]
    choices = [option.get("value") for option in page.all("option")]
    assert str(park.id) in choices
    assert not {str(walk.id), str(topics["道"].id)} & set(choices)
    chosen = [boxes[0].get("value", ""), boxes[2].get("value", "")]
    target = form.get("action", "").partition("#")[0]
    response = staff.post(target, {**page.form(address(walk, "move")), "voice": chosen, "to": str(park.id)})
    assert "period=all" in response.headers["location"]
    assert "声 2 件を「公園」へ移しました" in said(staff.get(response.headers["location"].removesuffix("#done")))
    assert {number: place for number, place in places_of(save).items() if number in chosen} == dict.fromkeys(chosen, park.id)
    page = staff.get(address(park))
    assert {button.get("value") for button in page.all("button", name="voice")} == set(chosen)
    assert "もとの話題に戻しました" in said(send(staff, park, "unmove", voice=chosen[:1]))
    page = send(staff, park, "unmove", voice=chosen[1:])
    assert "いまは「歩道の段差」にあります" in said(page)
    assert "まだありません" in page.words()
    assert places_of(save) == before
    assert facts.differences(save) == []


def test_a_choice_of_voices_stays_where_no_topic_was_chosen(staff: Browser, topics: dict[str, Topic]) -> None:
    walk = topics["歩道の段差"]
    chosen = staff.get(f"/trends/topics/{walk.id}").all("input", name="voice")[1].get("value", "")
    page = refused(staff, walk, "move", 400, voice=[chosen])
    assert "移す先の話題が選ばれていません" in alarm(page)
    assert [box.get("value") for box in page.all("input", name="voice") if box.get("checked") is not None] == [chosen]
    page = refused(staff, walk, "move", 400, voice=[chosen], to=str(topics["道"].id))
    assert "まとまりです" in alarm(page)


def test_an_address_that_somebody_made_up_is_told(staff: Browser, topics: dict[str, Topic]) -> None:
    walk = topics["歩道の段差"]
    assert staff.get(address(walk) + "?done=split&topics=999").all("div", role="status")
    for query in ("?done=x", "?topics=1;2"):
        staff.get(address(walk) + query, status=422)
    staff.get(f"/trends/topics/{walk.id}?moved=3&moved_to=999")
