from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from core import db
from core.errors import InputError
from core.models import Reject, Voice
from core.settings import Settings
from ingest.incoming import RejectedRow, Row
from ingest.jsonlines import JsonLines
from ingest.sources import open_source
from tests.ingest.conftest import Take, Write

slack = hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def lines(*records: Any) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def read(path: Path, settings: Settings, *, needed: int = 1) -> list[Row | RejectedRow]:
    source = open_source(path)
    assert isinstance(source, JsonLines)
    return list(source.rows(needed=needed, settings=settings))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_keys_become_headings_in_the_order_of_appearance(write: Write, settings: Settings, encoding: str, line_end: str) -> None:
    text = '\n{"番号": "1", "内容": "声\\n二行"}\n\n{"地区": "東", "番号": "2"}\n'.replace("\n", line_end)
    path = write(text.encode(encoding), name="voices.csv")
    source = open_source(path)
    assert (source.name, source.encoding, source.headings) == ("voices.csv", encoding, ("番号", "内容", "地区"))
    assert (source.lines, len(source.sha256)) == (5, 64)
    assert read(path, settings, needed=3) == [Row(2, ("1", "声\n二行", "")), Row(4, ("2", "", "東"))]


def test_values_become_text(write: Write, settings: Settings) -> None:
    given_line = (
        '{"a": 1, "b": 1.50, "c": 123456789012345678901234567890, "d": true, "e": null, "f": [1, {"x": "あ"}], "g": NaN, "h": "x"}\n'
    )
    (row,) = read(write(given_line.encode()), settings)
    assert row.cells == ("1", "1.50", "123456789012345678901234567890", "true", "", '[1,{"x":"あ"}]', "NaN", "x")


def test_lines_that_say_nothing_are_no_records(write: Write, settings: Settings) -> None:
    path = write(lines({"a": "1"}, {}, {"a": None}, {"a": " "}, {"a": "2"}))
    assert [row.cells for row in read(path, settings)] == [("1",), ("2",)]


@pytest.mark.parametrize(
    "line",
    ["[1]", '"声"', "{", '{"a": 1} x', "声", '{"a": 1, "a": 2}', '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"],
    ids=["list", "text", "open", "more", "no JSON", "key twice", "deep"],
)
def test_a_line_that_is_no_object_is_rejected_whole(write: Write, settings: Settings, line: str) -> None:
    first, bad, last = read(write(lines({"a": "1"}) + line.encode() + b"\n" + lines({"a": "2"})), settings)
    assert isinstance(bad, RejectedRow)
    assert (bad.row, bad.code, bad.cells) == (2, "json", (line,))
    assert (first.cells, last.cells) == (("1",), ("2",))


def test_a_new_key_with_a_value_after_the_beginning_is_rejected(write: Write, settings: Settings) -> None:
    path = write(lines(*({"a": str(number)} for number in range(1000)), {"a": "x", "later": None}, {"a": "y", "later": "z"}))
    *good, bad = read(path, settings)
    assert len(good) == 1001
    assert isinstance(bad, RejectedRow)
    assert (bad.row, bad.column, bad.code) == (1002, "later", "ragged")


def test_cells_have_the_limits_of_a_csv(write: Write, settings: Settings) -> None:
    short = settings.model_copy(update={"max_cell_chars": 20})
    content = lines({"a": "1"}, {"a": "長" * 21}, {"a": "x\0y"}) + b'{"a": "\\ud800"}\n{"a": "x\x81y"}\n'
    rows = read(write(content), short)
    assert [(row.row, row.code, row.column) for row in rows if isinstance(row, RejectedRow)] == [
        (2, "too_long", "a"),
        (3, "nul", "a"),
        (4, "encoding", "a"),
        (5, "encoding", "a"),
    ]


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "utf-16"])
def test_another_encoding_than_utf_8_is_refused(write: Write, encoding: str) -> None:
    path = write('{"番号": "1", "内容": "道路の補修をお願いします"}\n{"番号": "2"}\n'.encode(encoding))
    with pytest.raises(InputError, match="JSON Lines") as caught:
        open_source(path)
    assert "UTF-8" in caught.value.hint


@pytest.mark.parametrize("content", [b"{}\n", b'{"a": null}\n{"a": ""}\n'])
def test_without_records_there_is_advice(write: Write, content: bytes) -> None:
    with pytest.raises(InputError, match="記録がありません") as caught:
        open_source(write(content))
    assert caught.value.hint


def test_ten_thousand_keys_are_too_many(write: Write) -> None:
    with pytest.raises(InputError, match="項目"):
        open_source(write(lines({str(number): "x" for number in range(10_001)})))


@pytest.mark.parametrize("first", ["{内容},番号", '"{""a"": 1}",番号', '{"a": 1},番号'])
def test_a_csv_that_begins_with_a_brace_stays_a_csv(write: Write, first: str) -> None:
    assert not isinstance(open_source(write(f"{first}\n1,2\n".encode())), JsonLines)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.text(max_size=3), max_size=3)


@slack
@given(records=st.lists(st.dictionaries(st.text(max_size=3), values, max_size=4), min_size=1, max_size=8), ascii_only=st.booleans())
def test_as_many_rows_come_out_as_lines_say_something(
    write: Write, settings: Settings, records: list[dict[str, Any]], *, ascii_only: bool
) -> None:  # fmt: skip
    path = write("".join(json.dumps(record, ensure_ascii=ascii_only) + "\n" for record in records).encode())
    said = [
        number
        for number, record in enumerate(records, start=1)
        if any(value is not None and (not isinstance(value, str) or value.strip()) for value in record.values())
    ]
    if not said:
        with pytest.raises(InputError, match="記録がありません"):
            open_source(path)
        return
    rows = read(path, settings)
    assert [row.number if isinstance(row, Row) else row.row for row in rows] == said
    assert {row.code for row in rows if isinstance(row, RejectedRow)} <= {"nul"}


@slack
@given(damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=5), cut=st.none() | st.floats(0.01, 1))
def test_damaged_bytes_give_rows_rejects_or_an_input_error(
    write: Write, settings: Settings, damage: list[tuple[float, int]], cut: float | None
) -> None:  # fmt: skip
    content = bytearray(lines(*({"番号": number, "内容": "街灯が切れています。"} for number in range(4))))
    for place, byte in damage:
        content[int(place * len(content))] = byte
    path = write(bytes(content[: int(len(content) * cut)] if cut else content))
    try:
        rows = list(open_source(path).rows(needed=1, settings=settings))
    except InputError:
        return
    assert rows
    assert all(isinstance(row, Row | RejectedRow) for row in rows)


def test_an_import_takes_voices_and_keeps_rejects(engine: Engine, take: Take, write: Write) -> None:
    record = {"受付番号": 7, "受付日": "2025-04-01", "ご意見": "街灯が切れています。"}
    path = write(lines(record) + b"[]\n" + lines(record | {"受付番号": 8}), name="voices.jsonl")
    report = take(engine, path)
    assert (report.read, report.imported, report.rejected, report.encoding) == (3, 2, 1, "UTF-8")
    with db.reading(engine) as session:
        assert session.execute(select(Voice.external_id, Voice.row).order_by(Voice.id)).all() == [("7", 1), ("8", 3)]
        assert session.scalars(select(Reject.code)).all() == ["json"]
    assert take(engine, path).imported == 0
