"""A file's way through the import page: sent, looked at, taken in by the worker's own code."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from api.worker import working
from tests.web.browser import Browser, Page

LINES = [
    "管理番号,受付日,受付媒体,ご意見,お名前,備考",
    "T-1,令和8年9月1日,電話,港町1丁目の歩道の段差が大きく、車いすで通れません。,田中花子,至急",
    "T-2,いつか,窓口,駅前の街灯が切れていて、夜は足もとが見えません。,鈴木一郎,",
    "T-3,2026-09-03,メール,公園のブランコの鎖がさびています。,,",
    "T-4,2026-09-04,電話,,山田太郎,",
]
CSV = "\n".join(LINES).encode("cp932")

# For what the kind of database makes no difference to.
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def send(browser: Browser, *files: tuple[str, bytes], status: int = 303, token: str | None = None, first: str = "csrf_token") -> Any:
    token = browser.client.get("/api/v1/session").json()["csrf_token"] if token is None else token
    parts = [(name, ("files", (name, content, "text/csv"))) for name, content in files]
    response = browser.client.post(
        "/admin/import/uploads", data={first: token}, files=[part for _, part in parts] or None, follow_redirects=False
    )  # fmt: skip
    assert response.status_code == status, response.text[:1500]
    return response


def sent(browser: Browser, content: bytes = CSV, name: str = "記録.csv") -> str:
    """The address of the preview of a file that was sent."""
    return str(send(browser, (name, content)).headers["location"])


def work(app: FastAPI) -> None:
    """Does all jobs that wait, as a worker process would."""
    with working(app.state.settings) as worker:
        worker.sweep()
        while worker.queue.run_next():
            pass


def choices(page: Page) -> dict[str, Any]:
    """What the preview's form holds, as a browser would send it."""
    form = page.form("/admin/import/uploads")
    selects = page.all("select")
    chosen = {select.get("name", ""): _chosen(select) for select in selects if select.get("name") != "column"}
    return {**form, **chosen, "column": [_chosen(select) for select in selects if select.get("name") == "column"]}


def _chosen(select: Any) -> str:
    options = [option for option in select.iter() if option.tag.endswith("}option")]
    return next((option.get("value", "") for option in options if option.get("selected") is not None), options[0].get("value", ""))


def sums(page: Page) -> dict[str, str]:
    (found,) = page.by_class("sums")
    return {page.words(pair[0]): page.words(pair[1]) for pair in found}
