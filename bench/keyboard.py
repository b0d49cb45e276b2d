"""How long Chromium takes from the key to the next voice's text, on a server of its own process as in a city."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from playwright.sync_api import Page, sync_playwright
from timing import Row

from api.auth import open_session
from core import db
from core.models import User

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
STARTING = 60  # seconds
READING = 300  # ms that pass before the next key
# From the key to the frame that shows another voice's number: the one that is painted after the heading has changed.
WATCH = """() => {
  const heading = () => document.querySelector("h1").textContent;
  const before = heading();
  window.koeTook = null;
  document.addEventListener("keydown", () => {
    const began = performance.now();
    const look = () => {
      if (heading() === before) return requestAnimationFrame(look);
      requestAnimationFrame(() => { window.koeTook = performance.now() - began; });
    };
    look();
  }, { capture: true, once: true });
}"""


@contextmanager
def server(url: str, folder: Path) -> Iterator[str]:
    """``koe serve`` on a free port of this machine alone; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("koe")), "serve", "--port", str(port)]
    environment = {**os.environ, "KOE_HOME": str(folder), "KOE_DATABASE_URL": url}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + STARTING
        while not _answers(address):
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError("the server did not start")
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/sign-in").status_code == 200
    except httpx.TransportError:
        return False


def next_voices(url: str, folder: Path, person: User, *, count: int, warm: int, database: str, limit: int) -> list[Row]:
    """Presses j on one voice after another, through the list of open work and the one of those that are due."""
    path = os.environ.get("KOE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        print("no Chromium: the keyboard isn't measured", flush=True)
        return []
    engine = db.connect(url)
    with db.writing(engine) as session:
        token = open_session(session, person, hours=10)
    engine.dispose()
    rows: list[Row] = []
    with server(url, folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        context = browser.new_context(base_url=address, locale="ja-JP")
        context.add_cookies([{"name": "koe_session", "value": token, "url": address}])
        page = context.new_page()
        for name, start in (("j", "/desk"), ("j (due)", "/desk?tab=due")):
            page.goto(start)
            page.locator("a.voice-link").first.click()
            page.wait_for_url("**/desk/R08-*")
            page.wait_for_load_state("networkidle")
            row = Row(database, f"{name}: key to text", np.array([_pressed(page) for _ in range(warm + count)][warm:]), limit)
            print(row, flush=True)
            rows.append(row)
        browser.close()
    return rows


def _pressed(page: Page) -> float:
    page.evaluate(WATCH)
    # The last that comes of what stands around a voice: nobody presses the next key before.
    with page.expect_response(lambda response: "/similar" in response.url):
        page.keyboard.press("j")
        took = float(page.wait_for_function("() => window.koeTook").json_value())
    page.wait_for_timeout(READING)
    return took
