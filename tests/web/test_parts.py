"""A letter with several topics on the desk's pages and in the JSON API, as browsers without JavaScript use them."""

from __future__ import annotations

from datetime import timedelta
from xml.etree.ElementTree import Element

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import today
from core.models import CasePart, Draft, Role, Voice
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import SignIn, renew

LETTER = "歩道の段差が大きくて車いすで通れません。早く直してください。また、公園のブランコの鎖がさびています。取り替えはいつですか。"
TURN = LETTER.index("また、")
SEGMENTS = [
    {"start": 0, "end": TURN, "theme": "道路・交通", "subtheme": "", "department": "道路維持課", "confidence": 0.8},
    {"start": TURN, "end": len(LETTER), "theme": "公園・緑地", "subtheme": "", "department": "公園緑地課", "confidence": 0.8},
    {"start": 0, "end": TURN, "theme": "学校・教育", "subtheme": "", "department": "教育総務課", "confidence": 0.3},
    {"start": len(LETTER), "end": len(LETTER) + 12, "theme": "その他", "subtheme": "", "department": "広聴課", "confidence": 0.8},
]


@pytest.fixture
def voice(save: Session) -> Voice:
    voice: Voice = factories.create_voice(
        save, theme="道路・交通", text=f"{LETTER}よろしくお願いします。\n", segments=SEGMENTS, due_on=today() + timedelta(days=30)
    )
    save.commit()
    return voice


def address(voice: Voice) -> str:
    return f"/desk/{voice.receipt_number}"


def form_of(page: Page, heading: str) -> dict[str, list[str]]:
    """What the form of the panel with this heading sends when nothing is changed in it."""
    panel = next(panel for panel in page.by_class("panel") if heading in page.words(next(panel.iter("{http://www.w3.org/1999/xhtml}h2"))))
    fields: dict[str, list[str]] = {}
    for element in panel.iter():
        name, tag = element.get("name", ""), element.tag.partition("}")[2]
        if tag == "input" and (element.get("type") != "checkbox" or element.get("checked") is not None):
            fields.setdefault(name, []).append(element.get("value", ""))
        elif tag == "textarea":
            fields[name] = [(element.text or "").removeprefix("\n")]
        elif tag == "select":
            fields[name] = [_chosen(element)]
    return fields


def _chosen(select: Element) -> str:
    options = [option for option in select.iter() if option.tag.endswith("option")]
    return next((option.get("value", "") for option in options if option.get("selected") is not None), options[0].get("value", ""))


def test_the_machines_division_is_sent_as_it_is_and_taken_back(staff: Browser, voice: Voice, save: Session) -> None:
    page = staff.get(f"{address(voice)}/parts")
    fields = form_of(page, "公園緑地課に頼む")
    assert (fields["department"], fields["number"]) == (["公園緑地課"], ["3", "4"])
    assert "道路維持課に頼む" not in page.words(), "who answers isn't asked"
    answer = staff.post(f"{address(voice)}/parts", {**fields, "asked": ["03-1234-5678 に電話したと書いてあります。"]})
    back = staff.get(answer.headers["location"])
    assert "部分の回答を依頼（1件）" in back.words()
    renew(save)
    part = save.scalars(select(CasePart).where(CasePart.department == "公園緑地課")).one()
    assert part.asked == "〔電話〕 に電話したと書いてあります。"
    letter = staff.get(address(voice))
    assert [letter.words(tag) for tag in letter.by_class("passage-tag")] == ["公園緑地課", "課の名前"]
    assert (
        letter.words(letter.by_class("voice-text")[0])
        .replace("公園緑地課", "")
        .replace("（分野・所管課の手がかり）", "")
        .startswith(LETTER)
    )
    assert "依頼中" in letter.words(letter.by_class("case")[0])
    staff.submit(back, "/desk/acts/")
    renew(save)
    assert save.scalars(select(CasePart)).all() == []


def test_a_department_replies_on_the_voices_page_and_gets_it_back_with_a_reason(
    sign_in: SignIn, staff: Browser, voice: Voice, save: Session
) -> None:  # fmt: skip
    fields = form_of(staff.get(f"{address(voice)}/parts"), "公園緑地課に頼む")
    staff.post(f"{address(voice)}/parts", fields)
    parks = sign_in(Role.DEPARTMENT, department="公園緑地課")
    page = parks.get(address(voice))
    assert "あなたの課への依頼" in page.words(page.by_class("part-own")[0])
    assert "取り替えはいつですか。" in page.words(page.by_class("part-own")[0])
    page = parks.submit(page, f"{address(voice)}/parts/reply", text="来月替えます。")
    assert "回答あり" in page.words(page.by_class("case")[0])
    lead = sign_in(Role.DEPARTMENT, department="道路維持課")
    page = lead.get(address(voice))
    assert "来月替えます。" in page.words(page.by_class("case-reply")[0])
    page = lead.submit(page, f"{address(voice)}/parts/return", reason="何日か書いてください。")
    assert "差し戻し" in page.words(page.by_class("case")[0])
    page = parks.get(address(voice))
    assert "何日か書いてください。" in page.words(page.by_class("part-own")[0])
    course = parks.get(f"{address(voice)}/course").words()
    told = ("関係課の回答: 公園緑地課", "来月替えます。", "関係課へ差し戻し: 公園緑地課", "何日か書いてください。")
    assert [said for said in told if said not in course] == []


def test_what_cannot_be_taken_comes_back_with_what_was_typed(sign_in: SignIn, staff: Browser, voice: Voice) -> None:
    fields = form_of(staff.get(f"{address(voice)}/parts"), "公園緑地課に頼む")
    wrong = {**fields, "asked": "時期を教えてください。", "due_on": (today() - timedelta(days=3)).isoformat()}
    answer = staff.client.post(f"{address(voice)}/parts", data=wrong)
    assert answer.status_code == 400
    again = Page(answer.text)
    assert "期日が過ぎています" in again.words()
    kept = form_of(again, "ほかの課に頼む")
    assert (kept["department"], kept["number"], kept["asked"]) == (["公園緑地課"], ["3", "4"], ["時期を教えてください。"])
    staff.post(f"{address(voice)}/parts", fields)
    first, second = (sign_in(Role.DEPARTMENT, department="公園緑地課") for _ in range(2))
    shown = second.get(address(voice)).form(f"{address(voice)}/parts/reply")
    first.submit(first.get(address(voice)), f"{address(voice)}/parts/reply", text="来月替えます。")
    answer = second.client.post(f"{address(voice)}/parts/reply", data={**shown, "text": "再来月替えます。"})
    assert answer.status_code == 409
    assert form_of(Page(answer.text), "あなたの課への依頼")["text"] == ["再来月替えます。"]


def test_only_who_answers_divides(sign_in: SignIn, staff: Browser, voice: Voice) -> None:
    sign_in(Role.DEPARTMENT, department="保育課").get(f"{address(voice)}/parts", status=404)
    manager = sign_in(Role.MANAGER, department="").get(f"{address(voice)}/parts")
    assert not manager.all("form", action=f"{address(voice)}/parts")
    staff.post(f"{address(voice)}/parts", form_of(staff.get(f"{address(voice)}/parts"), "公園緑地課に頼む"))
    parks = sign_in(Role.DEPARTMENT, department="公園緑地課")
    page = parks.get(f"{address(voice)}/parts")
    assert not page.all("form", action=f"{address(voice)}/parts")
    token = page.form(f"{address(voice)}/parts/reply")["csrf_token"]
    parks.post(f"{address(voice)}/parts", {"csrf_token": token, "department": "保育課", "number": "1"}, status=403)


def test_a_letter_of_one_topic_has_no_proposal_and_can_be_divided_by_hand(staff: Browser, save: Session) -> None:
    voice = factories.create_voice(save, theme="道路・交通", text=LETTER)
    save.commit()
    page = staff.get(f"{address(voice)}/parts")
    fields = form_of(page, "課に頼む")
    assert (fields["department"], fields.get("number")) == ([""], None)
    staff.post(f"{address(voice)}/parts", {**fields, "department": "公園緑地課", "number": ["1", "3"]})
    renew(save)
    passages = save.scalars(select(CasePart.passages).where(CasePart.department == "公園緑地課")).one()
    assert [LETTER[one["start"] : one["end"]][:4] for one in passages] == ["歩道の段", "また、公"]


def test_parts_in_the_json_api(sign_in: SignIn, staff: Browser, voice: Voice) -> None:
    api = f"/api/v1/cases/{voice.receipt_number}"
    said = staff.client.get(f"{api}/parts").json()
    assert [one["number"] for one in said["sentences"]] == [1, 2, 3, 4, 5]
    assert said["proposals"] == [
        {"department": "道路維持課", "numbers": [1, 2], "themes": ["道路・交通"]},
        {"department": "公園緑地課", "numbers": [3, 4], "themes": ["公園・緑地"]},
    ]

    def post(browser: Browser, path: str, **given: object) -> tuple[int, dict[str, object]]:
        token = browser.client.get("/api/v1/session").json()["csrf_token"]
        answer = browser.client.post(f"{api}/{path}", json=given, headers={"X-CSRF-Token": token})
        return answer.status_code, answer.json()

    assert post(staff, "parts", department="公園緑地課", numbers=[3, 4], version=0)[0] == 200
    assert post(staff, "parts", department="保育課", numbers=[1], version=0)[0] == 409
    parks = sign_in(Role.DEPARTMENT, department="公園緑地課")
    assert post(parks, "parts/reply", text="来月替えます。", seen=2)[0] == 200
    assert post(parks, "parts/reply", text="来月替えます。", seen=2)[0] == 409
    assert post(parks, "parts/return", department="公園緑地課", reason="何日か。")[0] == 403
    assert post(staff, "parts/return", department="公園緑地課", reason="何日か。")[0] == 200
    part = next(part for part in staff.client.get(api).json()["parts"] if part["department"] == "公園緑地課")
    assert (part["state"], part["reply"], part["return_reason"], part["version"]) == ("returned", "来月替えます。", "何日か。", 4)
    assert [passage["text"] for passage in part["passages"]] == [LETTER[TURN:]]


def test_a_reply_stands_beside_the_answer_and_is_put_into_it(sign_in: SignIn, staff: Browser, voice: Voice, save: Session) -> None:
    staff.post(f"{address(voice)}/parts", form_of(staff.get(f"{address(voice)}/parts"), "公園緑地課に頼む"))
    page = staff.get(f"{address(voice)}/answer")
    assert "依頼中" in page.words(page.by_class("answer-part")[0])
    assert "use:part:公園緑地課" not in page.text, "there is nothing to use yet"
    parks = sign_in(Role.DEPARTMENT, department="公園緑地課")
    parks.submit(parks.get(address(voice)), f"{address(voice)}/parts/reply", text="来月替えます。")
    page = staff.get(f"{address(voice)}/answer")
    said = page.words(page.by_class("answer-part")[0])
    assert all(word in said for word in ("公園緑地課", "回答あり", "取り替えはいつですか。", "来月替えます。"))
    fields = {**page.form(f"{address(voice)}/answer"), "text": "歩道は昨日直しました。", "then": "use:part:公園緑地課"}
    used = Page(staff.post(f"{address(voice)}/answer", fields, status=200).text)
    (text,) = used.all("textarea")
    assert (text.text or "").split() == ["歩道は昨日直しました。", "来月替えます。"]
    saved = {**used.form(f"{address(voice)}/answer"), "text": "歩道は昨日直しました。鎖は来月替えます。", "delivery": "none"}
    staff.post(f"{address(voice)}/answer", {**saved, "then": "save"})
    renew(save)
    assert save.scalars(select(Draft.sources)).one() == [{"kind": "part", "number": "公園緑地課"}]
    other = staff.post(f"{address(voice)}/answer", {**saved, "then": "use:part:保育課"}, status=400)
    assert "使おうとした回答が見つかりません" in other.text


def test_what_a_department_was_asked_for_has_a_list_of_its_own_until_it_replied(sign_in: SignIn, staff: Browser, voice: Voice) -> None:
    fields = form_of(staff.get(f"{address(voice)}/parts"), "公園緑地課に頼む")
    day = today() + timedelta(days=5)
    staff.post(f"{address(voice)}/parts", {**fields, "due_on": day.isoformat()})
    parks = sign_in(Role.DEPARTMENT, department="公園緑地課")

    def listed(browser: Browser) -> list[str]:
        page = browser.get("/desk?tab=asked")
        assert len(page.by_class("voice-row")) == len(page.by_class("voice-link"))
        return [time.get("datetime", "") for cell in page.by_class("voice-due") for time in cell.iter() if time.get("datetime")]

    assert listed(parks) == [day.isoformat()], "the part's day, not the resident's deadline"
    assert listed(sign_in(Role.DEPARTMENT, department="道路維持課")) == [], "who answers isn't asked"
    assert listed(staff) == []
    assert "依頼" in parks.get("/desk").words(parks.get("/desk").by_class("tabs")[0])
    assert "依頼" not in staff.get("/desk").words(staff.get("/desk").by_class("tabs")[0])
    parks.submit(parks.get(address(voice)), f"{address(voice)}/parts/reply", text="来月替えます。")
    assert listed(parks) == []
    staff.submit(staff.get(address(voice)), f"{address(voice)}/parts/return", reason="何日か。")
    assert listed(parks) == [day.isoformat()], "what was sent back is owed again"
    api = parks.client.get("/api/v1/voices", params={"tab": "asked"}).json()
    assert [item["receipt_number"] for item in api["items"]] == [voice.receipt_number]
