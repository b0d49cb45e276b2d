"""広聴月報 on paper: what a browser prints has pages, Japanese text and figures, and none of the screen's parts."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from core.clock import today
from tests.e2e.conftest import Site


def streams(pdf: bytes) -> Iterator[bytes]:
    """What the streams of a PDF hold, unpacked."""
    for match in re.finditer(rb"stream\r?\n", pdf):
        try:
            yield zlib.decompressobj().decompress(pdf[match.end() :])
        except zlib.error:
            continue


def letters_of(pdf: bytes) -> set[str]:
    """The letters that a PDF's fonts say they write: those of its text."""
    found: set[str] = set()
    for stream in streams(pdf):
        for block in re.findall(rb"beginbfchar(.*?)endbfchar", stream, re.DOTALL):
            found |= {bytes.fromhex(code.decode()).decode("utf-16-be") for _, code in re.findall(rb"<(\w+)>\s*<(\w+)>", block)}
        for block in re.findall(rb"beginbfrange(.*?)endbfrange", stream, re.DOTALL):
            for first, last, code in re.findall(rb"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
                begin = int(code, 16)
                found |= {chr(begin + step) for step in range(int(last, 16) - int(first, 16) + 1)}
    return set(unicodedata.normalize("NFKC", "".join(found)))  # some fonts write 月 as the radical of the same look


@pytest.fixture
def month() -> str:
    return f"{today():%Y-%m}"


def test_the_report_as_a_pdf(visit: Any, site: Site, month: str) -> None:
    visitor = visit(viewport={"width": 1280, "height": 900}).sign_in()
    page = visitor.page
    page.goto(f"/trends/report?month={month}")
    figures = page.locator(".report-table").first.locator("tfoot td").all_inner_texts()
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
    assert 2 <= pages <= 12
    # A4, upright, in points.
    (width, height) = map(float, re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf).groups())
    assert (width, height) == (pytest.approx(595.3, abs=1), pytest.approx(841.9, abs=1))
    letters = letters_of(pdf)
    assert set("広聴月報令和概況受付媒体種別分野所管課話題件前年同") <= letters
    assert set(unicodedata.normalize("NFKC", "".join(figures))) - set(" \n") <= letters
    assert set("ページ") <= letters, "only its foot has these"
    for hidden in ("ログアウト", "書き出す", "クロス集計"):
        assert not set(hidden) <= letters, hidden


def test_on_paper_nothing_is_cut_off(visit: Any, site: Site, month: str) -> None:
    visitor = visit(viewport={"width": 688, "height": 1000}).sign_in()  # A4 less its margins
    page = visitor.page
    page.goto(f"/trends/report?month={month}")
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    for table in page.locator(".report table").all():
        assert table.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")
    assert not page.get_by_role("link", name="月報").is_visible()
    assert not page.get_by_role("button", name="表示").is_visible()
    assert page.locator(".months-chart").is_visible()
    rows = page.locator(".report-table tbody tr").first
    assert rows.evaluate("row => getComputedStyle(row).breakInside") == "avoid"
    assert page.locator(".report-table a").first.evaluate("link => getComputedStyle(link).textDecorationLine") == "none"


def test_another_month_is_chosen(visit: Any, site: Site) -> None:
    visitor = visit(viewport={"width": 375, "height": 900}).sign_in()
    page = visitor.page
    page.goto("/trends/report")
    first = page.locator("#r-month option").last.get_attribute("value")
    page.get_by_label("月", exact=True).select_option(first)
    page.get_by_role("button", name="表示").click()
    page.wait_for_url(f"**/trends/report?month={first}")
    assert page.locator("#r-month").input_value() == first
    assert not visitor.complaints
