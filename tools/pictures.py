"""Takes the README's pictures: the demo's pages in Chromium, wide (1280 px) and on a phone (375 px).

Usage: python tools/pictures.py   (KOE_CHROMIUM names the browser where it isn't `chromium`)

The sample city is taken in first where KOE_HOME has no voices yet. The pictures are of a copy: what is clicked for them changes nothing.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine, exists, func, select
from sqlalchemy.orm import Session

from api.cli.demo import ACCOUNTS
from core import db
from core.clock import today
from core.models import Answer, MachineReading, Status, Topic, TopicMembership, Voice
from core.settings import PROJECT_ROOT, Settings, get_settings

PICTURES = PROJECT_ROOT / "docs" / "pictures"
WIDTHS = {"wide": (1280, 860), "phone": (375, 760)}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
KOE = Path(sys.executable).with_name("koe")
WINDOW = 3  # months
FEW = 80  # voices: with fewer, a peak may be chance
TALL = 1180  # pixels: of the page whose end belongs to it
COLOURS = 256  # of a picture: no difference to the eye, and a third of the bytes
REPLY = """歩道を通りにくくしており、申し訳ありません。
ご連絡の歩道は、現地で確かめます。木の根で盛りあがったところは、けずって平らにします。
舗装の全体は、令和9年3月までに直します。工事の日は、前もって沿道にお知らせします。"""


@contextmanager
def copied(settings: Settings) -> Iterator[Path]:
    """A folder with the city of KOE_HOME as it is now, gone afterwards."""
    if settings.database_url or settings.keys:
        sys.exit("絵は KOE_HOME の SQLite から撮ります。KOE_DATABASE_URL と KOE_KEYS を外してください。")
    with TemporaryDirectory(prefix="koe-pictures") as folder:
        home = Path(folder)
        with closing(sqlite3.connect(settings.home / "koenowa.db")) as city, closing(sqlite3.connect(home / "koenowa.db")) as copy:
            city.backup(copy)
        shutil.copy(settings.home / "keys.json", home)
        (home / "models").symlink_to(settings.models_dir.resolve())
        yield home


@contextmanager
def served(home: Path) -> Iterator[str]:
    """`koe serve` of a city on a free port of this machine, as long as the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([KOE, "serve", "--port", str(port)], stderr=subprocess.DEVNULL, env={**os.environ, "KOE_HOME": str(home)})
    try:
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"{address}/healthz", timeout=1):
                    break
            except OSError:
                time.sleep(0.05)
        yield address
    finally:
        server.terminate()
        server.wait()


def filled() -> Engine:
    """An engine on a database with voices: the sample city's, where there was none."""
    engine = db.connect(get_settings().url)
    db.upgrade(engine)
    with db.reading(engine) as session:
        has_voices = session.scalar(select(exists().where(Voice.id.is_not(None))))
    if not has_voices:
        subprocess.run([KOE, "demo", "--no-serve"], check=True)
    return engine


def telling_voice(session: Session) -> str:
    """The newest published voice of a middling length with masked spans whose labels lead to the department that answered it."""
    found = session.execute(
        select(Voice.receipt_number, Voice.department, MachineReading.department.label("said"))
        .join(Answer, Answer.voice_id == Voice.id)
        .join(MachineReading, MachineReading.voice_id == Voice.id)
        .where(Voice.pii_count >= 2, func.length(Voice.text).between(80, 220), Answer.published_on.is_not(None), Voice.confidence > 0.7)
        .order_by(Voice.received_on.desc(), Voice.id)
    )
    number = next((row.receipt_number for row in found if row.said and row.said[0] == row.department), None)
    if number is None:
        sys.exit("絵にできる声（公開した、伏せ字のある声）がありません。KOE_HOME を空にすると、見本の市を取り込みます。")
    return str(number)


def telling_question(session: Session) -> str:
    """The newest voice that ``REPLY`` answers, of the department whose people the demo has."""
    department = next(department for username, _, _, department, *_ in ACCOUNTS if username == "doro")
    open_ = (Voice.department == department) & (Voice.status == Status.RECEIVED) & (Voice.case_id.is_(None))
    found = select(Voice.receipt_number).where(open_, Voice.text.contains("木の根")).order_by(Voice.received_on.desc(), Voice.id)
    number = session.scalar(found.limit(1))
    if number is None:
        sys.exit("回答の絵にできる声（歩道と木の根の声）がありません。KOE_HOME を空にすると、見本の市を取り込みます。")
    return str(number)


def telling_topic(session: Session) -> int:
    """The topic of which the largest share came within three months: a peak that one sees at a glance."""
    months: dict[int, Counter[int]] = defaultdict(Counter)
    membership = select(Topic.id, Voice.received_on).join(TopicMembership, TopicMembership.topic_id == Topic.id)
    for topic, day in session.execute(membership.join(Voice, Voice.id == TopicMembership.voice_id).where(Topic.is_rest.is_(False))):
        months[topic][12 * day.year + day.month] += 1
    peaks = {topic: _peak(counts) for topic, counts in months.items() if counts.total() >= FEW}
    if not peaks:
        sys.exit("絵にできる話題がありません。koe topics fit を実行してください。")
    return max(peaks, key=lambda topic: peaks[topic])


def _peak(counts: Counter[int]) -> float:
    return max(sum(counts[first + step] for step in range(WINDOW)) for first in counts) / counts.total()


def take(page: Page, address: str, name: str, width: str) -> None:
    """One picture of a page, of the window's height."""
    page.goto(address)
    shoot(page, name, width)


def shoot(page: Page, name: str, width: str) -> None:
    """One picture of the page as it stands."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)  # charts draw themselves
    path = PICTURES / f"{name}-{width}.png"
    page.screenshot(path=path)
    with Image.open(path) as taken:
        small = taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


@contextmanager
def window(browser: Browser, width: str) -> Iterator[Page]:
    """A tab of a width."""
    pixels, height = WIDTHS[width]
    context = browser.new_context(viewport={"width": pixels, "height": height}, reduced_motion="reduce", locale="ja-JP")
    yield context.new_page()
    context.close()


def sign_in(page: Page, site: str, who: str) -> None:
    """Signs in as one of the demo's people."""
    password = next(account[-1] for account in ACCOUNTS if account[0] == who)
    page.goto(f"{site}/sign-in")
    page.fill("[name=username]", who)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk*")


def take_import(page: Page, site: str) -> None:
    """The preview of the sample city's call log."""
    page.goto(f"{site}/admin/import")
    page.set_input_files("#files", PROJECT_ROOT / "data/sample/call_log_cp932.csv")
    page.get_by_role("button", name="送って確かめる").click()
    page.wait_for_url("**/uploads/*")
    take(page, page.url, "import", "wide")


def take_answer(browser: Browser, site: str, number: str) -> None:
    """An answer as it is drafted from past ones, and as it lies before the one who decides."""
    with window(browser, "wide") as page:
        page.set_viewport_size({"width": WIDTHS["wide"][0], "height": TALL})
        sign_in(page, site, "doro")
        page.goto(f"{site}/desk/{number}/answer")
        page.get_by_role("button", name="下書きを作る").click()
        page.get_by_role("heading", name="確認").wait_for()
        shoot(page, "answer", "wide")
        page.fill("[name=text]", REPLY)
        page.select_option("[name=disposition]", "planned")
        page.select_option("[name=delivery]", "mail")
        page.fill("[name=review_on]", (today() + timedelta(days=90)).isoformat())
        page.get_by_role("button", name="確認だけする").click()
        page.wait_for_load_state("networkidle")
        for box in page.locator("[name=acknowledged]").all():
            box.check()
        page.get_by_role("button", name="保存して決裁へ回す").click()
        page.get_by_text("決裁へ回しました").wait_for()
    for width in WIDTHS:
        with window(browser, width) as page:
            sign_in(page, site, "kakari")
            page.goto(f"{site}/desk/approvals")
            page.locator(".waiting", has_text=number).get_by_role("link").click()
            page.get_by_role("button", name="承認する").wait_for()
            shoot(page, "approval", width)


def main() -> None:
    """Writes every picture to docs/pictures."""
    browser_path = os.environ.get("KOE_CHROMIUM") or shutil.which("chromium")
    if browser_path is None:
        sys.exit("Chromium がありません。KOE_CHROMIUM で場所を指定してください。")
    engine = filled()
    with db.reading(engine) as session:
        voice, topic, question = telling_voice(session), telling_topic(session), telling_question(session)
    engine.dispose()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with copied(get_settings()) as home, served(home) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        for width in WIDTHS:
            with window(browser, width) as page:
                take(page, f"{site}/", "public-home", width)
                sign_in(page, site, "kocho")
                take(page, f"{site}/desk", "desk", width)
                take(page, f"{site}/trends", "trends", width)
        with window(browser, "wide") as page:
            take(page, f"{site}/voices/{voice}", "public-voice", "wide")
            sign_in(page, site, "kocho")
            take(page, f"{site}/desk/{voice}", "voice", "wide")
            take(page, f"{site}/trends/topics/{topic}?period=all", "topic", "wide")
            take_import(page, site)
        take_answer(browser, site, question)
        browser.close()
    for path in sorted(PICTURES.glob("*.png")):
        print(f"{path.relative_to(PROJECT_ROOT)}  {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
