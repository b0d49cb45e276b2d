"""Cross tables, compared periods and words in context: what the pages show, where their numbers lead, and what their files hold."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import facts
from core.models import AuditEntry, Channel, Kind, Topic
from nlp import likeness
from nlp.similar import terms
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import queries_of, renew

LAST = date(2026, 9, 30)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def topic(save: Session) -> Topic:
    """A city's two years: this year's complaints about roads grew, questions about child care ended."""
    voices = []
    for theme, kind, district, days in (
        ("道路・交通", Kind.COMPLAINT, "港地区", range(0, 120, 2)),
        ("道路・交通", Kind.COMPLAINT, "港地区", range(365, 485, 12)),
        ("公園・緑地", Kind.REQUEST, "本町地区", [*range(0, 120, 8), *range(365, 485, 8)]),
        ("子育て・保育", Kind.QUESTION, "", range(366, 486, 6)),
        ("ごみ・環境", Kind.THANKS, "", range(1, 121, 15)),
    ):
        for ago in days:
            voice = factories.create_voice(
                save,
                theme=theme,
                kind=kind,
                district=district,
                received_on=LAST - timedelta(days=ago),
                channel=Channel.PHONE,
                labelled=False,
                counted=False,
            )
            voices.append(voice)
    facts.add(save, [facts.attributes_of(save, voice) for voice in voices])
    likeness.index(save, [(voice.id, terms(f"{voice.title}\n{voice.text}")) for voice in voices])
    found: Topic = factories.create_topic(save, name="歩道の段差", voices=voices[:30])
    save.commit()
    return found


def rows_of(page: Page, table: Any) -> list[list[str]]:
    return [[page.words(cell) for cell in row if cell.tag.endswith(("}td", "}th"))] for row in table.iter() if row.tag.endswith("}tr")]


def figure(cell: str) -> int:
    """The number that a cell shows, without its mark and its words for those who listen."""
    found = re.search(r"(\d[\d,]*)(?=$|（|件)", cell)
    assert found, cell
    return int(found[1].replace(",", ""))


def check_links(staff: Browser, page: Page, *, least: int) -> None:
    """Every number that leads to the desk leads to as many voices."""
    links = {link.get("href", ""): page.words(link) for link in page.all("a") if link.get("href", "").startswith("/desk?")}
    checked = 0
    for address, words in sorted(links.items()):
        if (found := re.search(r"(\d[\d,]*)件の声を見る", words)) is not None:
            assert f'role="status">{found[1]}件</p>' in staff.client.get(address).text, address
            checked += 1
    assert checked >= least


def files_of(staff: Browser, address: str) -> tuple[list[list[str]], dict[str, list[tuple[Any, ...]]], str]:
    """The CSV's rows, the workbook's sheets by name, and the name that the file is saved under."""
    join = "&" if "?" in address else "?"
    plain = staff.client.get(f"{address}{join}format=csv")
    assert plain.headers["content-type"] == "text/csv; charset=utf-8"
    assert plain.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(plain.content.decode("utf-8-sig"), newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1
    book = staff.client.get(f"{address}{join}format=xlsx")
    assert book.headers["content-type"] == XLSX
    workbook = load_workbook(io.BytesIO(book.content))
    sheets = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in workbook}
    assert all(sheet.freeze_panes == "B2" for sheet in workbook)
    assert not [cell for sheet in workbook for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    name = re.fullmatch(r"attachment; filename=\"[\x20-\x7e]+\.xlsx\"; filename\*=UTF-8''(\S+)", book.headers["content-disposition"])
    assert name
    return rows, sheets, unquote(name[1])


def shown_in(rows: list[list[str]]) -> list[list[Any]]:
    return [[float(cell) if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell) else cell or None for cell in row] for row in rows]


PAGES = ("/trends/cross", "/trends/compare", "/trends/search")


@pytest.mark.parametrize("address", PAGES)
def test_without_voices_the_page_explains_itself(staff: Browser, address: str) -> None:
    assert "koe import" in staff.get(address).words()
    assert staff.client.get(f"/api/v1{address}").status_code == 404


def test_a_cross_table_adds_up_and_leads_to_its_voices(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/cross?rows=theme&columns=district&period=all")
    (table,) = page.by_class("cross-table")
    head, *body, sums, _ = rows_of(page, table)
    assert head == ["分野（列は地区）", "港地区", "本町地区", "（なし）", "合計", "割合"]
    figures = [[figure(cell) for cell in row[1:-1]] for row in body]
    assert [row[0] for row in body] == ["道路・交通", "公園・緑地", "子育て・保育", "ごみ・環境"]
    assert all(sum(row[:-1]) == row[-1] for row in figures)
    assert [sum(column) for column in zip(*figures, strict=True)] == [figure(cell) for cell in sums[1:-1]] == [70, 30, 28, 128]
    assert "期待よりずっと多い：70（70件の声を見る）" in body[0][1]
    assert "強い関係があります" in page.words()
    check_links(staff, page, least=12)


@pytest.mark.parametrize("rows", ["theme", "kind", "department", "district", "channel", "urgency", "topic"])
def test_any_two_attributes_can_be_crossed(staff: Browser, topic: Topic, rows: str) -> None:
    for columns in ("theme", "kind", "department", "district", "channel", "urgency", "topic"):
        address = f"/trends/cross?rows={rows}&columns={columns}&period=all"
        answer = staff.client.get(f"/api/v1{address}").json()
        if rows == columns:
            assert "ちがう項目" in answer["detail"]
        else:
            assert answer["total"] == 128
    check_links(staff, staff.get(f"/trends/cross?rows={rows}&columns={'kind' if rows == 'theme' else 'theme'}&period=all"), least=4)


def test_what_has_no_value_can_be_left_out(staff: Browser, topic: Topic) -> None:
    answer = staff.client.get("/api/v1/trends/cross?rows=theme&columns=district&period=all&valued=true").json()
    assert [line["name"] for line in answer["columns"]] == ["港地区", "本町地区"]
    assert answer["total"] == 100


def test_small_lines_are_folded_until_all_are_asked_for(staff: Browser, topic: Topic, save: Session) -> None:
    for number in range(40):
        factories.create_voice(save, department=f"第{number:02}課", received_on=LAST, labelled=False)
    save.commit()
    page = staff.get("/trends/cross?rows=department&columns=kind&period=all")
    (table,) = page.by_class("cross-table")
    body = rows_of(page, table)[1:-2]
    assert len(body) == 30
    assert body[-1][0].startswith("そのほか（")
    link = next(link for link in page.all("a") if page.words(link) == "すべての項目を出す")
    page = staff.get(link.get("href", ""))
    assert len(rows_of(page, page.by_class("cross-table")[0])[1:-2]) > 40


@pytest.mark.parametrize(
    ("show", "sheet"), [("count", "件数"), ("row", "行の割合"), ("column", "列の割合"), ("residual", "期待からのずれ")]
)
def test_the_files_of_a_cross_table(staff: Browser, topic: Topic, show: str, sheet: str) -> None:
    address = f"/trends/cross?rows=theme&columns=kind&period=all&show={show}"
    page = staff.get(address)
    body = rows_of(page, page.by_class("cross-table")[0])[1:-2]
    plain, sheets, name = files_of(staff, address)
    assert name.startswith("クロス集計_分野×種別_")
    assert next(iter(sheets)) == sheet
    assert set(sheets) == {"件数", "行の割合", "列の割合", "期待からのずれ", "条件"}
    answer = staff.client.get(f"/api{address.replace('/trends', '/v1/trends')}").json()
    for at, (cells, saved, written) in enumerate(zip(body, sheets[sheet][1:], shown_in(plain)[1:], strict=False)):
        assert saved[0] == written[0] == cells[0]
        assert [float(value) for value in saved[1:]] == pytest.approx(written[1:], abs=1e-6)
        figures = cells[1 : 1 + len(answer["columns"])]
        for cell, value in zip(figures, saved[1:], strict=False):
            shown = re.sub(r"^.*：|（.*$", "", cell)
            expected = {"count": f"{value:,}", "residual": f"{value:+.1f}"}.get(show, f"{value * 100:.1f}%")
            assert shown == expected
        if show == "count":
            assert list(saved[1:-1]) == answer["counts"][at]
    told = dict(sheets["条件"])
    assert (told["件数"], told["期間の終わり"].date()) == (128, LAST)


def test_two_periods(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/compare")
    assert "2026/4/1 水 から 2026/9/30 水 まで（183日）を、2025/6/7 土 から 2025/9/30 火 まで" in page.words()
    assert "くらべる期間の一部にはデータがありません" in page.words()
    page = staff.get("/trends/compare?since=2026-06-03&until=2026-09-30&base_since=2025-06-07&base_until=2025-10-04")
    body = {row[0]: row for row in rows_of(page, page.by_class("changes")[0])[1:]}
    assert [figure(cell) for cell in body["道路・交通"][1:3]] == [60, 10]
    assert (body["道路・交通"][3], body["道路・交通"][5]) == ("+500%", "▲ 増えた")
    assert body["公園・緑地"][5] == "偶然の範囲"
    assert body["子育て・保育"][5] == "▽ なくなった"
    assert body["ごみ・環境"][3] == "新しい"
    assert page.words(page.by_class("most")[0]).startswith("道路・交通 10件の声を見る → 60件の声を見る件 +500%")
    check_links(staff, page, least=8)


@pytest.mark.parametrize("by", ["kind", "department", "district", "channel", "urgency", "topic"])
def test_periods_by_any_attribute_narrowed_by_another(staff: Browser, topic: Topic, by: str) -> None:
    days = "since=2026-06-03&until=2026-09-30&base_since=2025-06-07&base_until=2025-10-04"
    address = f"/trends/compare?by={by}&theme=道路・交通&{days}"
    answer = staff.client.get(f"/api/v1{address}").json()
    assert (sum(item["after"] for item in answer["items"]), sum(item["before"] for item in answer["items"])) == (60, 10)
    check_links(staff, staff.get(address), least=2)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("since=2026-09-02&until=2026-09-01", "始まりより前"),
        ("base_since=2026-09-02&base_until=2026-09-01", "始まりより前"),
        ("theme=道路・交通&kind=要望", "一つに"),
        ("by=kind&kind=要望", "ちがう項目"),
    ],
)
def test_what_cannot_be_compared_is_told(staff: Browser, topic: Topic, query: str, said: str) -> None:
    assert said in staff.get(f"/trends/compare?{query}", status=400).words()


@pytest.mark.parametrize("pair", ["fy", "last-fy", "month", "3m"])
def test_every_named_pair(staff: Browser, topic: Topic, pair: str) -> None:
    staff.get(f"/trends/compare?pair={pair}")
    staff.get(f"/trends/compare?pair={pair}&by=topic")


def test_a_topic_below_is_counted_with_the_one_above(staff: Browser, topic: Topic, save: Session) -> None:
    voices = [factories.create_voice(save, received_on=LAST, labelled=False) for _ in range(3)]
    factories.create_topic(save, name="車いす", voices=voices, parent_id=topic.id)
    save.commit()
    answer = staff.client.get(f"/api/v1/trends/compare?by=kind&topic={topic.id}&since=2026-06-01&until=2026-09-30").json()
    assert sum(item["after"] for item in answer["items"]) == 33
    check_links(staff, staff.get("/trends/cross?rows=topic&columns=channel&period=all"), least=3)


def test_the_files_of_a_comparison(staff: Browser, topic: Topic) -> None:
    address = "/trends/compare?since=2026-06-03&until=2026-09-30&base_since=2025-06-07&base_until=2025-10-04"
    page = staff.get(address)
    body = rows_of(page, page.by_class("changes")[0])[1:-1]
    plain, sheets, name = files_of(staff, address)
    assert name.startswith("期間の比較_分野_")
    for cells, saved, written in zip(body, sheets["比較"][1:], shown_in(plain)[1:], strict=True):
        assert (saved[0], saved[1], saved[2]) == (cells[0], figure(cells[1]), figure(cells[2])) == tuple(written[:3])
        assert saved[3:10] == pytest.approx(list(written[3:10]), abs=1e-6)
        assert saved[10] == written[10]
        if saved[5] is not None:
            assert cells[3] == (f"{round(saved[5] * 100):+,}%" if round(saved[5] * 100) else "±0%")
    told = dict(sheets["条件"])
    assert (told["件数"], told["くらべる期間の件数"]) == (83, 45)


def test_words_in_context(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/search?q=車いす&period=all")
    assert page.by_class("list-count")[0].text == "「車いす」のある声　70件"
    lines = rows_of(page, page.by_class("kwic")[0])[1:]
    assert len(lines) == 50
    assert {(line[0][-10:], line[1], line[2][:7]) for line in lines} == {("歩道の段差が大きく、", "車いす", "で通れません。")}
    months = page.all("table", id="chart-months")[0]
    counts = [figure(cell) for row in rows_of(page, months)[1:] for cell in row[1:]]
    assert sum(counts) == 70
    second = staff.get("/trends/search?q=車いす&period=all&page=2")
    assert len(rows_of(second, second.by_class("kwic")[0])[1:]) == 20


def test_a_month_s_number_leads_to_as_many_voices(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends/search?q=車いす&period=all")
    table = page.all("table", id="chart-months")[0]
    links = [(link.get("href", ""), figure(page.words(link))) for link in table.iter() if link.get("href")]
    assert len(links) >= 8
    for address, count in links:
        assert staff.get(address).by_class("list-count")[0].text == f"「車いす」のある声　{count}件"


@pytest.mark.parametrize(
    ("filters", "count"), [("theme=道路・交通", 70), ("theme=公園・緑地", 0), ("kind=苦情&district=港地区", 70), ("district=（なし）", 0)]
)
def test_a_search_is_narrowed_as_on_the_desk(staff: Browser, topic: Topic, filters: str, count: int) -> None:
    assert staff.client.get(f"/api/v1/trends/search?q=歩道&period=all&{filters}").json()["voices"] == count


@pytest.mark.parametrize("sort", ["new", "old", "right", "left"])
def test_orders(staff: Browser, topic: Topic, sort: str) -> None:
    items = staff.client.get(f"/api/v1/trends/search?q=〔住所〕&period=all&sort={sort}").json()["items"]
    days = [item["received_on"] for item in items]
    assert len(items) == 50
    if sort == "new":
        assert days == sorted(days, reverse=True)
    elif sort == "old":
        assert days == sorted(days)
    else:
        keys = [item["left"][::-1] if sort == "left" else item["right"] for item in items]
        assert keys == sorted(keys)


def test_a_word_without_an_index_is_told(staff: Browser, topic: Topic) -> None:
    words = staff.get("/trends/search?q=の&period=all").words()
    assert "索引にないことばです" in words
    assert "索引にない" not in staff.get("/trends/search?q=歩道&period=all").words()


@pytest.mark.parametrize(
    "query", ["", "q=", "q=%20%20", "q=ゼブラ", "q=%25", "q=_", "q=%00", "q=🦓", "q=" + "長い" * 100, "q=a+b+c+d+e", "page=9999&q=歩道"]
)
def test_any_words_can_be_asked_for(staff: Browser, topic: Topic, query: str) -> None:
    staff.get(f"/trends/search?{query}")


def test_the_files_of_a_search(staff: Browser, topic: Topic) -> None:
    address = "/trends/search?q=車いす&period=all"
    plain, sheets, name = files_of(staff, address)
    assert name.startswith("ことばの検索_車いす_")
    items = staff.client.get("/api/v1/trends/search?q=車いす&period=all").json()["items"]
    assert len(plain) == len(sheets["用例"]) == 71
    for item, saved, written in zip(items, sheets["用例"][1:], plain[1:], strict=False):
        expected = (item["receipt_number"], item["left"], item["keyword"], item["right"])
        assert (saved[0], *saved[2:5]) == (written[0], *written[2:5]) == expected
        assert saved[1].date().isoformat() == written[1] == item["received_on"]
    assert sum(row[1] for row in sheets["月ごとの声"][1:]) == dict(sheets["条件"])["声の数"] == 70


def test_the_files_of_all_topics(staff: Browser, topic: Topic) -> None:
    page = staff.get("/trends?period=12m")
    plain, sheets, _ = files_of(staff, "/trends?period=12m")
    (row,) = [row for row in sheets["話題"][1:] if row[1] == "歩道の段差"]
    cells = [page.words(cell) for cell in page.by_class("topic-row")[0] if cell.tag.endswith(("}td", "}th"))]
    assert (row[1], f"{row[3]}件の声を見る", f"{row[4] * 100:.1f}%") == tuple(cells[:3])
    assert sum(row[8:15]) == row[3] == sum(row[15:])
    total = sheets["話題"][-1]
    assert total[3] == dict(sheets["条件"])["件数"] == sum(row[2] for row in sheets["うごき"][1:])
    assert [shown[3] for shown in shown_in(plain)[1:]] == [row[3] for row in sheets["話題"][1:]]


def test_the_files_of_one_topic(staff: Browser, topic: Topic) -> None:
    plain, sheets, name = files_of(staff, f"/trends/topics/{topic.id}?period=all")
    assert name.startswith("話題_歩道の段差_")
    answer = staff.client.get(f"/api/v1/topics/{topic.id}?period=all").json()
    for part, figures in (("種別", answer["kinds"]), ("地区", answer["districts"]), ("受付媒体", answer["channels"])):
        assert {row[1]: row[2] for row in sheets["内訳"][1:] if row[0] == part} == {
            name or "（なし）": count for name, count in figures.items() if count
        }
    assert sum(row[2] for row in sheets["内訳"][1:] if row[0] == "月") == answer["count"] == len(sheets["声"]) - 1
    assert [[*row[:3]] for row in shown_in(plain)[1:]] == [[*row[:3]] for row in sheets["内訳"][1:]]
    steps = [(step["count"], step["year_before"]) for step in answer["steps"]]
    assert [(row[2], row[3]) for row in sheets["うごき"][1:]] == steps


def trail(save: Session, action: str) -> list[AuditEntry]:
    renew(save)
    return list(save.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def test_who_searched_and_saved_is_on_record_without_names(staff: Browser, topic: Topic, save: Session) -> None:
    staff.get("/trends/search?q=山田太郎+歩道&theme=道路・交通")
    staff.client.get("/trends/search?q=歩道&format=csv")
    staff.client.get("/api/v1/trends/search?q=歩道")
    staff.get("/trends/search")
    first, second, third = trail(save, "voices.search")
    assert (first.detail["words"], first.detail["conditions"]["theme"], first.detail["found"]) == (2, "道路・交通", 0)
    assert second.detail["marks"] == third.detail["marks"] == first.detail["marks"][1:]
    assert "山田" not in str(first.detail)
    assert "歩道" not in str([first.detail, second.detail])
    staff.client.get("/trends/cross?format=xlsx")
    saved = trail(save, "export")
    assert [(entry.subject, entry.detail["format"]) for entry in saved] == [("trends.search", "csv"), ("trends.cross", "xlsx")]
    assert saved[0].detail["conditions"]["ことば"] == "1 語"


def numbers_of_queries(staff: Browser, app: FastAPI, address: str) -> int:
    with queries_of(app.state.engine) as statements:
        staff.get(address)
    return len([statement for statement in statements if "audit" not in statement])


@pytest.mark.parametrize("address", ["/trends/cross?period=all", "/trends/compare", "/trends/search?q=歩道&period=all"])
def test_the_number_of_queries_does_not_grow(staff: Browser, app: FastAPI, topic: Topic, save: Session, address: str) -> None:
    few = numbers_of_queries(staff, app, address)
    for number in range(20):
        voice = factories.create_voice(save, received_on=LAST, theme="道路・交通", department=f"課{number}", labelled=False)
        likeness.index(save, [(voice.id, terms(voice.text))])
    save.commit()
    assert numbers_of_queries(staff, app, address) == few <= 10


@pytest.mark.parametrize(
    "address",
    [
        "/trends/cross?rows=x",
        "/trends/cross?show=x",
        "/trends/compare?pair=x",
        "/trends/search?sort=x",
        "/trends/cross?format=pdf",
        "/trends?format=pdf",
    ],
)
def test_an_address_that_cannot_be_read_is_told(staff: Browser, topic: Topic, address: str) -> None:
    assert "を読み取れません" in staff.get(address, status=422).words()
