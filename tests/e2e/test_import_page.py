"""A whole import in a real browser: a file of 20,000 rows with a real worker that is killed in the middle, and without JavaScript."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from core import db
from core.models import Batch, Reject, Role, Voice
from core.settings import PROJECT_ROOT, Settings
from tests import factories
from tests.e2e.conftest import Site, Visitor, serving
from tests.e2e.test_accessibility import complaints_of_axe, is_wider_than_the_window

ROWS = 20_000
BAD = 25
LONG = 240_000  # milliseconds


def sentences() -> list[str]:
    """Sentences of the project's own examples, so that no two rows are alike."""
    lines = [line for path in (PROJECT_ROOT / "data/corpus").glob("*.jsonl") for line in path.read_text("utf-8").splitlines()]
    texts = [json.loads(line)["text"] for line in lines]
    found = {part for text in texts for part in text.split("。") if 12 <= len(part) <= 40 and "\n" not in part}
    return sorted(part for part in found if part.encode("cp932", "replace").decode("cp932") == part)


def write(path: Path, *, rows: int, bad: int) -> None:
    """A list in CP932 with varied texts; in ``bad`` of its rows the date is none."""
    drawn = random.Random(20261121)  # noqa: S311  (nothing secret)
    pool = sentences()
    with path.open("w", encoding="cp932", newline="") as file:
        table = csv.writer(file)
        table.writerow(("整理番号", "受付日", "受付媒体", "ご意見", "お名前", "メモ"))
        for number in range(1, rows + 1):
            day = "未定" if number % (rows // bad) == 0 else f"令和8年{drawn.randint(1, 9)}月{drawn.randint(1, 28)}日"
            text = "。".join(drawn.sample(pool, 3)) + "。"
            table.writerow((f"N-{number}", day, drawn.choice(("電話", "窓口", "メール")), text, "港 花子", f"{number % 7} 班"))


@dataclass
class House:
    """A server with a home of its own, and worker processes that can be killed."""

    site: Site
    settings: Settings
    variables: dict[str, str]
    workers: list[subprocess.Popen[bytes]]

    def start_worker(self) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [sys.executable, "-c", "from api.cli import app; app()", "worker"], env=self.variables, stderr=subprocess.DEVNULL
        )
        self.workers.append(worker)
        return worker

    def count(self, *wanted: Any) -> int:
        engine = db.connect(self.settings.url)
        with db.reading(engine) as session:
            found = session.scalar(select(func.count()).select_from(*wanted)) or 0
        engine.dispose()
        return int(found)


@pytest.fixture(scope="module")
def house(sqlite_template: Path, trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("imports")
    shutil.copy(sqlite_template, home / "koenowa.db")
    (home / "models").symlink_to(trained_home / "models")
    settings = Settings(home=home, data=trained_home / "data", engine="serial")
    engine = db.connect(settings.url)
    with db.writing(engine) as session:
        factories.create_user(session, username="hanako", display_name="潮見 花子", role=Role.KOCHO)
    engine.dispose()
    variables = os.environ | {"KOE_HOME": str(home), "KOE_DATA": str(settings.data), "KOE_ENGINE": "serial", "KOE_LOG_LEVEL": "warning"}
    with serving(settings) as address:
        house = House(Site(address, "", "", 0), settings, variables, [])
        yield house
        for worker in house.workers:
            worker.terminate()
        for worker in house.workers:
            worker.wait(timeout=60)


@pytest.fixture
def visitor(house: House, chromium: Any) -> Iterator[Callable[..., Visitor]]:
    opened: list[Visitor] = []

    def visitor(**options: Any) -> Visitor:
        opened.append(Visitor(chromium, house.site, accept_downloads=True, **options))
        return opened[-1].sign_in()

    yield visitor
    for one in opened:
        one.context.close()


def figure(page: Page, name: str) -> int:
    text = page.locator(".sums div", has=page.get_by_text(name, exact=True)).locator("dd").inner_text()
    return int(text.replace(",", ""))


def is_well(page: Page) -> None:
    assert complaints_of_axe(page) == []
    assert not is_wider_than_the_window(page)


def test_a_whole_import(house: House, visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    path = tmp_path / "応答記録.csv"
    write(path, rows=ROWS, bad=BAD)
    seen = visitor(viewport={"width": 1280, "height": 900})
    page = seen.page
    page.get_by_role("link", name="取込", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("取込")
    is_well(page)

    # Sent, and looked at before anything is taken in.
    page.get_by_label("取り込むファイル").set_input_files(path)
    page.get_by_role("button", name="送って確かめる").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("取り込む前に確かめる")
    expect(page.locator("dl.facts")).to_contain_text("CP932（Shift_JIS）")
    expect(page.locator("dl.facts")).to_contain_text("応答記録.csv")
    expect(page.locator(".outcome-sum")).to_contain_text("声 20 件")
    is_well(page)

    # A column is corrected: what comes of it is shown at once, by the keyboard alone.
    memo = page.get_by_label("6 列目「メモ」を何として読むか")
    expect(memo).to_have_value("")
    memo.focus()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    expect(memo).to_have_value("title")
    expect(page.locator(".outcome-text").first).to_contain_text("班")
    page.get_by_label("1 列目「整理番号」を何として読むか").select_option("title")
    expect(page.locator("#outcome")).to_contain_text("「件名」が2つ以上の列に選ばれています")
    is_well(page)
    memo.select_option("attribute")
    page.get_by_label("1 列目「整理番号」を何として読むか").select_option("external_id")
    expect(page.locator(".outcome-sum")).to_contain_text("声 20 件")

    # The rehearsal waits for a worker; then it counts the whole file and writes nothing.
    page.get_by_role("button", name="試しに取り込む").click()
    expect(page.get_by_role("heading", name="順番を待っています")).to_be_visible()
    is_well(page)
    first = house.start_worker()
    expect(page.get_by_text("まだ何も取り込んでいません")).to_be_visible(timeout=LONG)
    assert [figure(page, name) for name in ("読んだ", "取り込む", "重複", "取り込めない")] == [ROWS, ROWS - BAD, 0, BAD]
    assert house.count(Voice) == 0
    is_well(page)

    # The import, its page loaded anew in the middle, its worker killed and another one started.
    page.get_by_role("button", name="このまま取り込む").click()
    bar = page.locator("#progress progress")
    page.wait_for_function("() => document.querySelector('#progress progress[value]')?.value >= 10", timeout=LONG)
    is_well(page)
    page.reload()
    expect(bar).to_be_visible()
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=60)
    begun = house.count(Voice)
    assert 0 < begun < ROWS - BAD
    house.start_worker()
    expect(page.get_by_text("取り込みが終わりました")).to_be_visible(timeout=LONG)
    assert [figure(page, name) for name in ("読んだ", "取り込んだ", "重複", "取り込めなかった")] == [ROWS, ROWS - BAD, 0, BAD]
    assert (house.count(Voice), house.count(Batch), house.count(Reject)) == (ROWS - BAD, 1, BAD)
    assert not any((house.settings.home / "uploads").iterdir())
    is_well(page)

    # One row is opened, mended and taken in.
    page.get_by_role("link", name="取込の結果と、取り込めなかった行を見る").click()
    is_well(page)
    page.get_by_role("button", name="開く").first.click()
    day = page.get_by_label("受付日（直すところ）")
    expect(day).to_have_value("未定")
    is_well(page)
    page.get_by_role("button", name="直して取り込む").click()
    expect(page.get_by_text("まだ取り込めません")).to_be_visible()
    is_well(page)
    day.fill("令和8年9月30日")
    page.get_by_role("button", name="直して取り込む").click()
    expect(page.get_by_text("直した行を取り込みました")).to_be_visible(timeout=LONG)
    assert (figure(page, "取り込んだ"), figure(page, "取り込めなかった")) == (ROWS - BAD + 1, BAD - 1)

    # All of it is taken back.
    page.get_by_text("この取込をまるごと取り消す").click()
    page.get_by_label("試しに取り込んだ").check()
    page.get_by_label("この取込の声をすべて消す").check()
    is_well(page)
    page.get_by_role("button", name="取込を取り消す").click()
    expect(page.get_by_text("取込を取り消しました")).to_be_visible(timeout=LONG)
    assert (house.count(Voice), house.count(Reject)) == (0, 0)
    page.get_by_role("link", name="取込の一覧へ", exact=True).click()
    expect(page.locator("table")).to_contain_text("取り消し")
    is_well(page)
    # What a browser says of a page that tells a mistake, and htmx of a question that a newer one, or leaving the page, has cut short.
    known = ("the server responded with a status of 422", "htmx:afterRequest", "htmx:sendAbort")
    assert [complaint for complaint in seen.complaints if not any(said in complaint for said in known)] == []


def test_without_javascript_on_a_narrow_window(house: House, visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    path = tmp_path / "窓口.csv"
    write(path, rows=40, bad=4)
    page = visitor(viewport={"width": 375, "height": 800}, java_script_enabled=False).page
    page.goto("/admin/import")
    page.get_by_label("取り込むファイル").set_input_files(path)
    page.get_by_role("button", name="送って確かめる").click()
    page.get_by_label("6 列目「メモ」を何として読むか").select_option("title")
    page.get_by_label("受付媒体（行にないとき）").select_option("手紙")
    page.get_by_role("button", name="確かめ直す").click()
    expect(page.locator(".outcome-text").first).to_contain_text("班")
    page.get_by_text("この対応を名前を付けて保存する").click()
    page.get_by_label("対応表の名前").fill("窓口の記録")
    page.get_by_role("button", name="対応表を保存").click()
    expect(page.get_by_text("対応表「窓口の記録」を保存しました")).to_be_visible()
    page.get_by_role("button", name="試しに取り込む").click()
    expect(page.locator("#progress")).to_be_visible()
    house.start_worker()
    # The page loads itself anew until there is a result.
    expect(page.get_by_text("まだ何も取り込んでいません")).to_be_visible(timeout=LONG)
    assert figure(page, "取り込む") == 36
    page.get_by_role("button", name="このまま取り込む").click()
    expect(page.get_by_text("取り込みが終わりました")).to_be_visible(timeout=LONG)
    page.get_by_role("link", name="取込の結果と、取り込めなかった行を見る").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV で書き出す").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    assert text.count(",未定,") == 4
    mended = tmp_path / "直した.csv"
    mended.write_text(text.replace(",未定,", ",2026-09-30,"), "utf-8-sig")
    page.get_by_label("書き出して直したファイル").set_input_files(mended)
    page.get_by_role("button", name="送って取り込む").click()
    expect(page.get_by_text("送られた行を読みました")).to_be_visible(timeout=LONG)
    assert (figure(page, "取り込んだ"), figure(page, "まだ取り込めない")) == (4, 0)
    page.get_by_role("link", name="取込の結果を見る").click()
    assert figure(page, "取り込めなかった") == 0
    page.get_by_text("この取込をまるごと取り消す").click()
    page.get_by_label("試しに取り込んだ").check()
    page.get_by_label("この取込の声をすべて消す").check()
    page.get_by_role("button", name="取込を取り消す").click()
    expect(page.get_by_text("取込を取り消しました")).to_be_visible(timeout=LONG)


@pytest.mark.parametrize("width", [1280, 375])
def test_a_log_of_questions_is_asked_for_its_period(visitor: Callable[..., Visitor], tmp_path: Path, width: int) -> None:
    path = tmp_path / "よくある質問.csv"
    rows = [[f"F-{number}", f"{number}番の窓口は、どこに{'いつも' * number}ありますか。", str(90 - number)] for number in range(1, 9)]
    with path.open("w", encoding="cp932", newline="") as file:
        csv.writer(file).writerows([["番号", "質問", "参照回数"], *rows, ["F-9", "閉まるのは何時ですか。", "多い"]])
    page = visitor(viewport={"width": width, "height": 900}).page
    page.goto("/admin/import")
    page.get_by_label("取り込むファイル").set_input_files(path)
    page.get_by_role("button", name="送って確かめる").click()
    expect(page.locator("#outcome")).to_contain_text("参照回数の期間が分かりません")
    is_well(page)
    page.get_by_label("期間（行にないとき）").fill("令和8年4月")
    page.get_by_label("期間（行にないとき）").press("Tab")
    expect(page.locator(".outcome-sum")).to_contain_text("参照回数 8 件、取り込めない回数 1 件")
    is_well(page)
    page.get_by_label("取り込むもの").select_option("市民の声")
    page.get_by_role("button", name="確かめ直す").click()
    expect(page.locator("#outcome")).to_contain_text("本文の列")
    expect(page.get_by_label("2 列目「質問」を何として読むか")).to_be_visible()
    is_well(page)


def test_the_preview_of_many_columns_fits_a_phone(visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    path = tmp_path / "意識調査.csv"
    asked = [
        heading for number in range(1, 9) for heading in (f"【問{number}】市の取組をどう思いますか。", "上記回答の理由を教えてください。")
    ]
    rows = [[str(number), *(["よい", f"{number}人目の、{'長い' * 40}理由です。"] * 8)] for number in range(1, 6)]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["回答者番号", *asked], *rows])
    page = visitor(viewport={"width": 375, "height": 800}).page
    page.goto("/admin/import")
    page.get_by_label("取り込むファイル").set_input_files(path)
    page.get_by_role("button", name="送って確かめる").click()
    expect(page.locator(".outcome-sum")).to_contain_text("声 40 件")
    for summary in page.locator("summary").all():
        summary.click()
    is_well(page)
    page.locator("#column-2").select_option("title")
    expect(page.locator("#outcome")).to_contain_text("声 35 件")
    is_well(page)


def test_a_file_that_cannot_be_taken_is_told_on_the_page(visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    path = tmp_path / "図.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    page = visitor().page
    page.goto("/admin/import")
    page.get_by_label("取り込むファイル").set_input_files(path)
    page.get_by_role("button", name="送って確かめる").click()
    expect(page.get_by_role("alert")).to_contain_text("「図.csv」は画像ファイル")
    is_well(page)


def test_an_faq_log_asks_for_its_period(visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    path = tmp_path / "よくある質問.csv"
    path.write_text("番号,質問,参照回数\n1,ごみの出し方を知りたい。,120\n2,住民票の取り方は。,80\n", "utf-8")
    page = visitor(viewport={"width": 375, "height": 800}).page
    page.goto("/admin/import")
    page.get_by_label("取り込むファイル").set_input_files(path)
    page.get_by_role("button", name="送って確かめる").click()
    expect(page.locator("#outcome")).to_contain_text("期間が分かりません")
    is_well(page)
    page.get_by_label("期間（行にないとき）").fill("2026-04")
    page.keyboard.press("Tab")
    expect(page.locator(".outcome-sum")).to_contain_text("参照回数 2 件")
    is_well(page)
