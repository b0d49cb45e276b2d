"""A day at the desk in a real browser: sixty voices come in, are sorted, answered by three departments, approved and sent."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from shutil import copy, copytree
from typing import Any

import jpholiday
import numpy as np
import pytest
import yaml
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from api.campaigns import update_campaigns
from core import audit, db, facts
from core.clock import today
from core.crypto import load_keyring
from core.models import Answer, ApprovalState, Case, CloseReason, Role, Status, Voice
from core.models import Approval as Decision
from core.settings import Settings
from ingest.pipeline import import_file
from ingest.reconcile import reconcile
from nlp.annotate import Annotator, Masker
from tests import factories
from tests.e2e.conftest import Site, Visitor, serving
from tests.e2e.test_accessibility import complaints_of_axe, is_wider_than_the_window

ROADS, PARKS, WASTE = "道路維持課", "公園緑地課", "ごみ減量課"
GROUPS = {
    ROADS: ("駅前 学校前 橋の手前 市場の横 坂の下 病院前 港", "{}の歩道が欠けていて、つまずきました。直してください。"),
    PARKS: ("中央 東 西 南 北 丘の上", "{}の公園の遊具がさびています。塗りなおしてください。"),
    WASTE: ("一丁目 二丁目 三丁目 四丁目 五丁目 六丁目 七丁目", "{}のごみ集積所が荒らされます。網を配ってください。"),
}
THANKS = [
    "図書館の職員の方がとても親切でした。ありがとうございました。",
    "窓口の案内が分かりやすく、助かりました。ありがとうございました。",
]
CAMPAIGN = "市民プールの廃止に反対します。子どもが水泳を習う場所がなくなります。市民プールを残し、改修の計画を市民に示してください。"
COPIES = 37
LATE = "堤防ぞいの歩道に草がはみ出していて、歩きにくいです。草を刈ってください。"
ANSWER = "ご連絡をありがとうございます。担当の職員が現地を見ました。はみ出していた草は、きのう刈りました。"


@dataclass(frozen=True)
class Days:
    """The days of the story: ``closed`` is the city's own holiday between the receipt and today."""

    received_on: date
    closed: date
    due_on: date
    late_received_on: date


def days() -> Days:
    """Counted by numpy from the national holidays: not by the code that is tried."""
    end = today()
    around = [end + timedelta(days=offset) for offset in range(-120, 120)]
    closed = [day for day in around if jpholiday.is_holiday(day) or (day.month, day.day) == (6, 10)]
    closed += [day for day in around if (day.month, day.day) in {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}]
    received_on, holiday = (np.busday_offset(end, -count, roll="backward", holidays=closed).item() for count in (6, 3))
    counted = np.busday_offset(received_on, 10, roll="backward", holidays=[*closed, holiday]).item()
    assert counted > np.busday_offset(received_on, 10, roll="backward", holidays=closed).item(), "the holiday makes a difference"
    return Days(received_on, holiday, counted, end - timedelta(days=40))


def write(path: Path, story: Days) -> None:
    """The sixty voices."""
    rows = [(text.format(place), story.received_on) for places, text in GROUPS.values() for place in places.split()]
    rows += [(text, story.received_on) for text in THANKS]
    rows += [(f"{CAMPAIGN}{'お願いします。' if number % 3 else '署名します。'}", story.received_on) for number in range(COPIES)]
    rows.append((LATE, story.late_received_on))
    assert len(rows) == 60
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("管理番号", "受付日", "受付媒体", "ご意見"))
        table.writerows((f"D-{number}", day.isoformat(), "Webフォーム", text) for number, (text, day) in enumerate(rows, start=1))


@dataclass
class Hall:
    """The town hall: a server, and browsers in which people have signed in."""

    settings: Settings
    enter: Callable[[str], Page]
    story: Days

    def asked(self, statement: Any) -> Any:
        engine = db.connect(self.settings.url)
        with db.reading(engine) as session:
            found = session.execute(statement).all()
        engine.dispose()
        return found


@pytest.fixture(params=[True, False], ids=["with-scripts", "without"])
def hall(
    request: pytest.FixtureRequest,
    sqlite_template: Path,
    trained_settings: Settings,
    annotator: Annotator,
    chromium: Browser,
    tmp_path: Path,
) -> Iterator[Hall]:
    story = days()
    taxonomy = tmp_path / "taxonomy"
    copytree(trained_settings.taxonomy_dir, taxonomy)
    city = yaml.safe_load((taxonomy / "city.yaml").read_text("utf-8"))
    city["closed_days"]["city_days"].append({"name": "市制記念の休み", "date": story.closed.isoformat()})
    (taxonomy / "city.yaml").write_text(yaml.safe_dump(city, allow_unicode=True), "utf-8")
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(trained_settings.home / "models")
    copy(sqlite_template, home / "koenowa.db")
    settings = trained_settings.model_copy(update={"home": home, "taxonomy": taxonomy})
    write(tmp_path / "voices.csv", story)
    engine, keyring = db.connect(settings.url), load_keyring(settings)
    import_file(
        engine, tmp_path / "voices.csv", settings=settings, keyring=keyring, annotate=annotator, mask=Masker(taxonomy), actor="test"
    )  # fmt: skip
    update_campaigns(engine, settings)
    with db.writing(engine) as session:
        factories.create_user(session, username="kocho", role=Role.KOCHO)
        for name, department in (("roads", ROADS), ("parks", PARKS), ("waste", WASTE)):
            for suffix, position in (("", ""), ("-kakari", "係長"), ("-kacho", "課長")):
                factories.create_user(session, username=f"{name}{suffix}", role=Role.DEPARTMENT, department=department, position=position)
    engine.dispose()
    visitors: dict[str, Visitor] = {}
    with serving(settings) as address:

        def enter(name: str) -> Page:
            if name not in visitors:
                options = {"java_script_enabled": request.param, "viewport": {"width": 1280, "height": 900}}
                visitors[name] = Visitor(chromium, Site(address, "", "", 0), **options).sign_in(name)
            return visitors[name].page

        yield Hall(settings, enter, story)
        for visitor in visitors.values():
            assert visitor.complaints == []
            visitor.context.close()


def has_scripts(page: Page) -> bool:
    return bool(page.locator("[data-open-keys]").is_visible())


def listed(page: Page, words: str) -> None:
    page.goto(f"/desk?q={words}")


def choose_all(page: Page) -> int:
    """Picks every line: down the list by the keyboard, or box by box."""
    boxes = page.locator("[data-choose]")
    number = boxes.count()
    for place in range(number):
        if has_scripts(page):
            page.keyboard.press("j")
            page.keyboard.press("x")
        else:
            boxes.nth(place).check()
    return number


def press(page: Page, key: str, label: str) -> None:
    """Opens one of the bar's forms."""
    if has_scripts(page):
        page.keyboard.press(key)
    else:
        page.locator(f'#bulk details[data-bulk="{key}"] > summary').click()
    expect(page.get_by_role("button", name=label).last).to_be_visible()


def give(page: Page, words: str, department: str) -> int:
    """Assigns every line with some words to a department."""
    listed(page, words)
    number = choose_all(page)
    press(page, "d", "担当を決める")
    page.locator("#bulk-department").select_option(department)
    page.locator("#bulk").get_by_role("button", name="担当を決める").click()
    expect(page.get_by_role("status").filter(has_text="担当を決定")).to_contain_text(f"{number}件")
    return number


def draft(page: Page, words: str, text: str) -> None:
    """Opens a case, writes an answer and puts it forward."""
    listed(page, words)
    page.locator(".voice-link").first.click()
    page.get_by_role("link", name="回答を書く").click()
    put_forward(page, text)


def put_forward(page: Page, text: str) -> None:
    page.get_by_label("回答文").fill(text)
    page.get_by_label("対応区分").select_option(label="実施済み・反映")
    page.get_by_label("送り方").select_option("none")
    page.get_by_role("button", name="保存して決裁へ回す").click()
    acknowledge = page.get_by_label("このままでよいと判断した")
    if acknowledge.count():
        acknowledge.check()
        page.get_by_role("button", name="保存して決裁へ回す").click()
    expect(page.get_by_text("決裁中").first).to_be_visible()


def decide(page: Page, decision: str, comment: str = "") -> None:
    """Opens the first answer that waits for one's word, and gives it."""
    page.goto("/desk/approvals")
    page.get_by_role("main").locator('a[href^="/desk/approvals/"]').first.click()
    page.get_by_label("意見（差し戻すときは必ず）").fill(comment)
    page.get_by_role("button", name=decision).click()


def test_a_day(hall: Hall) -> None:
    kocho = hall.enter("kocho")
    kocho.goto("/desk")
    expect(kocho.locator("[data-row]")).to_have_count(24)
    expect(kocho.locator(".copies")).to_have_text(f"×{COPIES}件をまとめた案件：")
    assert complaints_of_axe(kocho) == [] if has_scripts(kocho) else True
    assert not is_wider_than_the_window(kocho)
    due = Counter(hall.asked(select(Voice.due_on, Voice.received_on)))
    assert due[hall.story.due_on, hall.story.received_on] == 59

    assert give(kocho, "歩道", ROADS) == 8
    assert give(kocho, "遊具", PARKS) == 6
    assert give(kocho, "集積所", WASTE) == 7
    assert give(kocho, "市民プール", PARKS) == 1
    listed(kocho, "ありがとうございました")
    assert choose_all(kocho) == 2
    press(kocho, "c", "回答せずに完了")
    kocho.locator("#bulk-reason").select_option("noted")
    kocho.locator("#bulk").get_by_role("button", name="回答せずに完了").click()
    expect(kocho.get_by_role("status").filter(has_text="回答せずに完了")).to_contain_text("2件")

    roads, parks, waste = (hall.enter(name) for name in ("roads", "parks", "waste"))
    for page, lines in ((roads, 8), (parks, 7), (waste, 7)):
        page.goto("/desk")
        expect(page.locator("[data-row]")).to_have_count(lines)
    roads.goto("/desk?tab=due")
    expect(roads.locator(".due-late")).to_have_count(1)
    draft(roads, "堤防", ANSWER)
    draft(parks, "市民プール", "ご意見をありがとうございます。市民プールは残します。改修の計画は、来月の広報でお示しします。")
    draft(waste, "一丁目", "ご連絡をありがとうございます。一丁目の集積所に、新しい網をお配りしました。")

    decide(hall.enter("roads-kakari"), "差し戻す", "いつ埋めたかを書いてください。")
    decide(hall.enter("parks-kakari"), "承認する")
    decide(hall.enter("parks-kacho"), "差し戻す", "広報の号を書いてください。")
    for page, words, text in (
        (roads, "堤防", f"{ANSWER}作業は午前中に終えました。"),
        (parks, "市民プール", "ご意見をありがとうございます。市民プールは残します。改修の計画は、広報の次の号でお示しします。"),
    ):
        listed(page, words)
        page.locator(".voice-link").first.click()
        page.get_by_role("link", name="回答を書く").click()
        expect(page.get_by_text("差し戻").first).to_be_visible()
        put_forward(page, text)
    for name in ("roads", "parks", "waste"):
        decide(hall.enter(f"{name}-kakari"), "承認する")
        decide(hall.enter(f"{name}-kacho"), "承認する")
    for page, words in ((roads, "堤防"), (parks, "市民プール"), (waste, "一丁目")):
        listed(page, words)
        page.locator(".voice-link").first.click()
        page.get_by_role("link", name="回答案と決裁").click()
        page.get_by_role("button", name="送らずに回答済みにする").click()
        expect(page.locator(".voice-meta").get_by_text("回答済み")).to_be_visible()

    # In the evening.
    kocho.goto("/desk")
    expect(kocho.locator("[data-row]")).to_have_count(24 - 2 - 3)
    assert dict(hall.asked(select(Voice.status, func.count()).group_by(Voice.status))) == {
        Status.ANSWERED: COPIES + 2, Status.CLOSED: 2, Status.ASSIGNED: 60 - COPIES - 4,
    }  # fmt: skip
    late = select(Voice.text).join(Answer, Answer.voice_id == Voice.id).where(Answer.answered_on > Voice.due_on)
    assert [text for (text,) in hall.asked(late)] == [LATE]
    assert len(set(hall.asked(select(Answer.text).join(Voice).where(Voice.text.contains("市民プール"))))) == 1
    assert hall.asked(select(func.count()).where(Decision.state == ApprovalState.RETURNED)) == [(2,)]
    assert hall.asked(select(Case.close_reason, func.count()).where(Case.close_reason.is_not(None)).group_by(Case.close_reason)) == [
        (CloseReason.NOTED, 2)
    ]  # fmt: skip
    assert hall.asked(select(func.count()).where(Answer.published_on.is_not(None))) == [(0,)]
    engine = db.connect(hall.settings.url)
    assert reconcile(engine).agrees
    with db.reading(engine) as session:
        assert audit.verify(session).broken_at is None
        assert not facts.differences(session)
    engine.dispose()
