"""Takes the README's pictures: the demo's pages in Chromium, wide (1280 px) and on a phone (375 px).

Usage: python tools/pictures.py   (after `make demo SERVE=0`; KOE_CHROMIUM names the browser where it isn't `chromium`)
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from api.cli.demo import ACCOUNTS
from core import db
from core.settings import PROJECT_ROOT, get_settings

PICTURES = PROJECT_ROOT / "docs" / "pictures"
WIDTHS = {"wide": (1280, 860), "phone": (375, 760)}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def served() -> Iterator[str]:
    """`koe serve` on a free port of this machine, as long as the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([Path(sys.executable).with_name("koe"), "serve", "--port", str(port)], stderr=subprocess.DEVNULL)
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


def telling_voice() -> str:
    """The receipt number of an answered voice with masked spans and a middling length: one that shows what the page can."""
    from sqlalchemy import func, select

    from core.models import Answer, Voice

    engine = db.connect(get_settings().url)
    with db.reading(engine) as session:
        number = session.scalar(
            select(Voice.receipt_number)
            .join(Answer, Answer.voice_id == Voice.id)
            .where(Voice.pii_count >= 2, func.length(Voice.text).between(80, 220), Answer.published_on.is_not(None), Voice.confidence > 0.7)
            .order_by(Voice.received_on.desc(), Voice.id)
            .limit(1)
        )
    engine.dispose()
    if number is None:
        sys.exit("見本の市の声がありません。先に make demo SERVE=0 を実行してください。")
    return str(number)


def take(page: Page, address: str, name: str, width: str) -> None:
    """One picture of a page, of the window's height."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)  # charts draw themselves
    page.screenshot(path=PICTURES / f"{name}-{width}.png")


def main() -> None:
    """Writes every picture to docs/pictures."""
    browser_path = os.environ.get("KOE_CHROMIUM") or shutil.which("chromium")
    if browser_path is None:
        sys.exit("Chromium がありません。KOE_CHROMIUM で場所を指定してください。")
    voice = telling_voice()
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
            topic = page.locator('a[href^="/trends/topics/"]').nth(1).get_attribute("href")
            take(page, f"{site}{topic}", "topic", width)
            context.close()
        browser.close()
    for path in sorted(PICTURES.glob("*.png")):
        print(f"{path.relative_to(PROJECT_ROOT)}  {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
