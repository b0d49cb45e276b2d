"""Takes the README's pictures: the demo's pages in Chromium, wide (1280 px) and on a phone (375 px).

Usage: python tools/pictures.py   (KOE_CHROMIUM names the browser where it isn't `chromium`)

The sample city is taken in first where KOE_HOME has no voices yet.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import Engine, exists, func, select
from sqlalchemy.orm import Session

from api.cli.demo import ACCOUNTS
from core import db
from core.models import Answer, MachineReading, Topic, TopicMembership, Voice
from core.settings import PROJECT_ROOT, get_settings

PICTURES = PROJECT_ROOT / "docs" / "pictures"
WIDTHS = {"wide": (1280, 860), "phone": (375, 760)}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
KOE = Path(sys.executable).with_name("koe")
WINDOW = 3  # months
FEW = 80  # voices: with fewer, a peak may be chance


@contextmanager
def served() -> Iterator[str]:
    """`koe serve` on a free port of this machine, as long as the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([KOE, "serve", "--port", str(port)], stderr=subprocess.DEVNULL)
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
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)  # charts draw themselves
    page.screenshot(path=PICTURES / f"{name}-{width}.png")


def take_import(page: Page, site: str, width: str) -> None:
    """The preview of the sample city's call log, which is thrown away again."""
    page.goto(f"{site}/admin/import")
    page.set_input_files("#files", PROJECT_ROOT / "data/sample/call_log_cp932.csv")
    page.get_by_role("button", name="送って確かめる").click()
    page.wait_for_url("**/uploads/*")
    take(page, page.url, "import", width)
    page.get_by_role("button", name="このファイルを捨てる").click()


def main() -> None:
    """Writes every picture to docs/pictures."""
    browser_path = os.environ.get("KOE_CHROMIUM") or shutil.which("chromium")
    if browser_path is None:
        sys.exit("Chromium がありません。KOE_CHROMIUM で場所を指定してください。")
    engine = filled()
    with db.reading(engine) as session:
        voice, topic = telling_voice(session), telling_topic(session)
    engine.dispose()
    username, *_, password = ACCOUNTS[0]
    PICTURES.mkdir(parents=True, exist_ok=True)
    with served() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        for width, (pixels, height) in WIDTHS.items():
            context = browser.new_context(viewport={"width": pixels, "height": height}, reduced_motion="reduce")
            page = context.new_page()
            take(page, f"{site}/", "public-home", width)
            take(page, f"{site}/voices/{voice}", "public-voice", width)
            page.goto(f"{site}/sign-in")
            page.fill("[name=username]", username)
            page.fill("[name=password]", password)
            page.keyboard.press("Enter")
            page.wait_for_url("**/desk*")
            take(page, f"{site}/desk", "desk", width)
            take(page, f"{site}/desk/{voice}", "voice", width)
            take(page, f"{site}/trends", "trends", width)
            take(page, f"{site}/trends/topics/{topic}?period=all", "topic", width)
            take_import(page, site, width)
            context.close()
        browser.close()
    for path in sorted(PICTURES.glob("*.png")):
        print(f"{path.relative_to(PROJECT_ROOT)}  {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
