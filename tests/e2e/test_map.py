"""The map of topics in a browser: drawn from its points, moved by keys, buttons and the mouse, and standing aside without a script."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Site

# How many pixels of the canvas have a colour, and how many have the quiet grey of points that don't stand out.
COLOURS = """() => {
  const canvas = document.querySelector("canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let [coloured, quiet] = [0, 0];
  for (let at = 0; at < data.length; at += 4) {
    const [least, most] = [Math.min(data[at], data[at + 1], data[at + 2]), Math.max(data[at], data[at + 1], data[at + 2])];
    if (most - least > 60) coloured += 1;
    if (data[at] === 217 && data[at + 1] === 217 && data[at + 2] === 222) quiet += 1;
  }
  return [coloured, quiet];
}"""
# The canvas as it is once nothing more is to be drawn.
DRAWN = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
  done(document.querySelector("canvas").toDataURL()))))"""


@pytest.fixture
def page(visit: Any, site: Site) -> Page:
    visitor = visit(viewport={"width": 1280, "height": 900}).sign_in()
    visitor.page.goto("/trends/map")
    visitor.page.locator("canvas").wait_for()
    return visitor.page


def drawn(page: Page) -> str:
    return str(page.evaluate(DRAWN))


def middle_of_a_point(page: Page) -> tuple[float, float]:
    """A place on the page where a point is drawn that isn't below a name."""
    found = page.evaluate(
        """async () => {
      const buffer = await (await fetch("/trends/map/points")).arrayBuffer();
      const [count, topics] = new Uint32Array(buffer, 0, 2);
      const begin = 12 + 4 * topics + 4 * count;
      const [x, y] = [new Uint16Array(buffer, begin, count), new Uint16Array(buffer, begin + 2 * count, count)];
      const canvas = document.querySelector("canvas");
      const box = canvas.getBoundingClientRect();
      const size = Math.min(box.width, box.height);
      return [box.left + box.width / 2 + (x[0] / 65535 - 0.5) * size, box.top + box.height / 2 + (y[0] / 65535 - 0.5) * size];
    }"""
    )
    return found[0], found[1]


def test_points_are_drawn_and_a_row_shows_its_own(page: Page, site: Site) -> None:
    coloured, quiet = page.evaluate(COLOURS)
    assert coloured > 100
    assert quiet == 0
    assert "件を描いています" in page.locator("[data-map-now]").inner_text()
    page.locator(f"tr[data-topic='{site.topic}']").hover()
    drawn(page)
    assert page.evaluate(COLOURS)[1] > 20, "その他の声 steps back"
    page.locator("tr[data-topic]", has_text="その他の声").hover()
    drawn(page)
    fewer, others = page.evaluate(COLOURS)
    assert fewer < coloured
    assert others > 20
    page.mouse.move(5, 5)
    drawn(page)
    assert page.evaluate(COLOURS) == [coloured, 0]


def test_a_chosen_topic_stands_in_the_address(page: Page, site: Site) -> None:
    row = page.locator(f"tr[data-topic='{site.topic}']")
    row.get_by_role("link", name="示す").click()
    assert page.url.endswith(f"/trends/map?topic={site.topic}")
    assert "「歩道の段差」" in page.locator("[data-map-now]").inner_text()
    chosen = drawn(page)
    page.reload()
    page.locator("canvas").wait_for()
    page.locator("[data-map-now]", has_text="「歩道の段差」").wait_for()
    page.locator("h1").hover()
    assert page.evaluate(COLOURS)[1] > 20
    assert len(drawn(page)) == pytest.approx(len(chosen), rel=0.5)
    row.get_by_role("link", name="示す").click()
    assert page.url.endswith("/trends/map")
    assert page.locator("[data-map-chip]").count() == 0


def test_keys_buttons_and_the_wheel_move_it(page: Page) -> None:
    canvas = page.locator("canvas")
    whole = drawn(page)
    canvas.focus()
    seen = [whole]
    for key in ("+", "ArrowRight", "ArrowUp", "+", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
        seen.append(drawn(page))
    assert len(set(seen)) == len(seen)
    page.keyboard.press("0")
    assert drawn(page) == whole
    page.get_by_role("button", name="大きくする").click()
    assert drawn(page) == seen[1], "as with the key"
    page.get_by_role("button", name="小さくする").click()
    assert drawn(page) == whole
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 80, box["y"] + 300)
    page.mouse.wheel(0, -240)
    page.wait_for_function("before => document.querySelector('canvas').toDataURL() !== before", arg=whole)
    zoomed = drawn(page)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 350, steps=4)
    page.mouse.up()
    assert drawn(page) not in (zoomed, whole)
    assert page.url.endswith("/trends/map"), "dragging opens no topic"
    page.get_by_role("button", name="全体").click()
    assert drawn(page) == whole


def test_a_point_tells_its_voice_and_opens_its_topic(page: Page) -> None:
    x, y = middle_of_a_point(page)
    with page.expect_response("**/api/v1/trends/map/voices/*"):
        page.mouse.move(x, y)
    tip = page.locator("[data-map-tip]")
    tip.get_by_text("〔氏名〕").wait_for()
    name = tip.locator("strong").inner_text()
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url("**/trends/topics/*")
    assert page.locator("h1").inner_text() == name


def test_a_tap_tells_the_topic_and_leads_there(visit: Any, site: Site) -> None:
    visitor = visit(viewport={"width": 375, "height": 900}, has_touch=True).sign_in()
    page = visitor.page
    page.goto("/trends/map")
    page.locator("canvas").wait_for()
    page.locator("canvas").scroll_into_view_if_needed()
    page.touchscreen.tap(*middle_of_a_point(page))
    link = page.locator("[data-map-tip] a")
    link.wait_for()
    name = link.inner_text()
    link.tap()
    page.wait_for_url("**/trends/topics/*")
    assert page.locator("h1").inner_text() == name
    assert not visitor.complaints


def test_the_map_is_saved_as_a_picture(page: Page) -> None:
    with page.expect_download() as saved:
        page.get_by_role("button", name="画像で保存").click()
    picture = saved.value.path().read_bytes()
    assert saved.value.suggested_filename == "話題の地図.png"
    assert picture.startswith(b"\x89PNG")
    box = page.locator("canvas").bounding_box()
    assert box
    assert int.from_bytes(picture[16:20]) > box["width"]


def test_without_a_script_the_table_stands_alone(visit: Any, chromium: Any, site: Site) -> None:
    visitor = visit(viewport={"width": 1280, "height": 900}).sign_in()
    context = chromium.new_context(base_url=site.address, java_script_enabled=False, storage_state=visitor.context.storage_state())
    try:
        page = context.new_page()
        page.goto("/trends/map")
        assert page.get_by_text("地図を描くには JavaScript が要ります").is_visible()
        assert not page.locator("canvas").is_visible()
        assert page.locator(f"tr[data-topic='{site.topic}']").is_visible()
        assert not page.get_by_role("link", name="示す").first.is_visible()
    finally:
        context.close()


def test_when_the_points_do_not_come_it_says_so(visit: Any, site: Site) -> None:
    page = visit(viewport={"width": 1280, "height": 900}).sign_in().page
    page.route("**/trends/map/points", lambda route: route.abort())
    page.goto("/trends/map")
    page.get_by_text("地図の点を読み込めませんでした").wait_for()
    assert not page.locator("canvas").is_visible()
