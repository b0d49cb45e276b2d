from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.errors import InputError
from core.settings import Settings
from ingest.incoming import RejectedRow, Row
from ingest.sources import open_source
from tests.ingest.conftest import Write, table_bytes

ENCODINGS = ["utf-8", "utf-8-sig", "cp932", "utf-16"]
slack = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path, settings: Settings, *, needed: int = 1) -> list[Row | RejectedRow]:
    return list(open_source(path).rows(needed=needed, settings=settings))


def cells(path: Path, settings: Settings) -> list[tuple[str, ...]]:
    rows = read(path, settings)
    assert all(isinstance(row, Row) for row in rows), rows
    return [row.cells for row in rows]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_every_encoding_and_delimiter_is_found(write: Write, settings: Settings, encoding: str, delimiter: str) -> None:
    path = write([["受付番号", "内容"], ["1", "道が、\n暗い, です"], ["2", "①㈱ﾃｽﾄ～"]], encoding=encoding, delimiter=delimiter)
    source = open_source(path)
    assert source.encoding == encoding
    assert source.headings == ("受付番号", "内容")
    assert cells(path, settings) == [("1", "道が、\n暗い, です"), ("2", "①㈱ﾃｽﾄ～")]


japanese = st.text(
    st.sampled_from(sorted(set("あいうえおかがさザジんアイウｱｲｳﾞ漢字道路①㈱髙﨑～－ー、。「」　 abcABC012,\t\"'\n\r\r\n=+-@"))), max_size=30
)


@slack
@given(
    rows=st.integers(2, 5).flatmap(lambda width: st.lists(st.lists(japanese, min_size=width, max_size=width), min_size=1, max_size=8)),
    encoding=st.sampled_from(ENCODINGS),
    delimiter=st.sampled_from([",", "\t"]),
)
def test_any_table_comes_back_as_it_was(
    write: Write, settings: Settings, rows: list[list[str]], encoding: str, delimiter: str
) -> None:  # fmt: skip
    headings = [f"見出しの欄{number}" for number in range(len(rows[0]))]
    path = write([headings, *rows], encoding=encoding, delimiter=delimiter)
    expected = [tuple(row) for row in rows if any(cell.strip() for cell in row)]
    if expected:
        assert cells(path, settings) == expected
    else:
        with pytest.raises(InputError, match="記録がありません"):
            open_source(path)


@slack
@given(
    content=st.binary(max_size=400) | st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"\x81", b"\xe3\x81", b"a", b"\0"])).map(b"".join)
)
def test_any_bytes_give_rows_rejects_or_an_input_error(write: Write, settings: Settings, content: bytes) -> None:
    path = write(content)
    try:
        rows = read(path, settings)
    except InputError:
        return
    assert rows
    assert all(isinstance(row, Row | RejectedRow) for row in rows)


def test_rows_are_numbered_by_the_line_on_which_they_start(write: Write, settings: Settings) -> None:
    path = write('番号,"内\n容"\n1,"二行\nあり"\n\n,,\n2,x\n'.encode())
    assert [row.number for row in read(path, settings)] == [3, 7]


def test_blank_lines_and_a_dos_end_of_file_are_no_records(write: Write, settings: Settings) -> None:
    path = write("\n番号,内容\n\n1,あ\n , \n2,い\n\x1a".encode())
    assert cells(path, settings) == [("1", "あ"), ("2", "い")]


def test_unnamed_columns_at_the_end_and_headings_twice_are_fine(write: Write, settings: Settings) -> None:
    path = write([["内容", "理由", "理由", "", ""], ["あ", "い", "う", "", ""]])
    assert open_source(path).headings == ("内容", "理由", "理由", "", "")
    assert cells(path, settings) == [("あ", "い", "う", "", "")]


def test_a_row_may_lack_cells_that_nobody_reads_and_have_empty_ones_too_many(write: Write, settings: Settings) -> None:
    path = write("番号,内容,備考\n1,あ\n2,い,,,\n".encode())
    assert [row.cells for row in read(path, settings, needed=2)] == [("1", "あ", ""), ("2", "い", "")]


@pytest.mark.parametrize("line", ["1", "1,あ,,x"])
def test_a_ragged_row_is_rejected_with_both_numbers(write: Write, settings: Settings, line: str) -> None:
    path = write(f"番号,内容,備考\n{line}\n2,い,\n".encode())
    bad, good = read(path, settings, needed=2)
    assert isinstance(bad, RejectedRow)
    assert (bad.row, bad.code, bad.cells) == (2, "ragged", tuple(line.split(",")))
    assert "見出しは 3 個" in bad.reason
    assert isinstance(good, Row)


def test_only_the_rows_with_undecodable_bytes_are_rejected(write: Write, settings: Settings) -> None:
    good = table_bytes([["番号", "内容"], ["1", "道路の補修をお願いします"]], encoding="cp932")
    path = write(good + b"2,abc\x81\x30def\r\n" + "3,公園\r\n".encode("cp932"))
    assert open_source(path).encoding == "cp932"
    first, bad, last = read(path, settings)
    assert isinstance(bad, RejectedRow)
    assert (bad.row, bad.column, bad.code) == (3, "内容", "encoding")
    assert (first.cells[1], last.cells[1]) == ("道路の補修をお願いします", "公園")


def test_half_a_character_at_the_end_costs_one_row_and_doesn_t_make_mojibake(write: Write, settings: Settings) -> None:
    # The whole file also decodes as CP932 without an error, as nonsense.
    path = write("本文\nああ\nいい\nうう".encode()[:-1])
    assert open_source(path).encoding == "utf-8"
    *good, bad = read(path, settings)
    assert [row.cells for row in good] == [("ああ",), ("いい",)]
    assert isinstance(bad, RejectedRow)
    assert bad.code == "encoding"


def test_euc_jp_is_not_taken_for_half_width_kana(write: Write, settings: Settings) -> None:
    path = write([["番号", "内容"], ["1", "道路の補修をお願いします"]], encoding="euc_jp")
    assert cells(path, settings) == [("1", "道路の補修をお願いします")]


def test_an_unclosed_quote_costs_the_row_where_it_stands(write: Write, settings: Settings) -> None:
    path = write('番号,内容\n1,"閉じない\n2,ふつう\n3,"囲み"\n4,終わり\n'.encode())
    bad, *good = read(path, settings)
    assert isinstance(bad, RejectedRow)
    assert (bad.row, bad.code, bad.cells) == (2, "quote", ('1,"閉じない',))
    assert "閉じていない" in bad.reason
    assert [(row.number, row.cells[1]) for row in good] == [(3, "ふつう"), (4, "囲み"), (5, "終わり")]


def test_an_unclosed_quote_to_the_end_of_the_file_swallows_nothing(write: Write, settings: Settings) -> None:
    path = write(('番号,内容\n1,ふつう\n2,"閉じない\n' + "".join(f"{n},普通\n" for n in range(3, 500))).encode())
    rows = read(path, settings)
    assert [row.code for row in rows if isinstance(row, RejectedRow)] == ["quote"]
    assert sum(isinstance(row, Row) for row in rows) == 498


@pytest.mark.parametrize("cell", ["あ" * 2_000_000, "い\n" * 1_000_000], ids=["one line", "many lines"])
def test_a_cell_of_megabytes_costs_one_row(write: Write, settings: Settings, cell: str) -> None:
    path = write([["番号", "内容"], ["1", cell], ["2", "ふつう"]])
    bad, good = read(path, settings)
    assert isinstance(bad, RejectedRow)
    assert (bad.column, bad.code) == ("内容", "too_long")
    assert "2,000,000 文字" in bad.reason
    assert good.cells == ("2", "ふつう")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "空のファイル"),
        (b"\n\n , \n", "空の行しか"),
        ("番号,内容\n".encode(), "見出し行だけ"),
        (b"PK\x03\x04" + bytes(50), "Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (b"abc\0def,ghi\n1,2\n", "NUL"),
        ("番号,内容\n1,あ\n".encode("iso2022_jp"), "ISO-2022-JP"),
        ('番号,"内容\n1,あ\n'.encode(), "見出し行の引用符"),
    ],
)
def test_what_is_no_table_is_refused_with_advice(write: Write, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        open_source(write(content))
    assert caught.value.hint


def test_files_that_can_t_be_opened_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="見つかりません"):
        open_source(tmp_path / "none.csv")
    with pytest.raises(InputError, match="フォルダ"):
        open_source(tmp_path)
    with pytest.raises(InputError, match="名前"):
        open_source(tmp_path / "a\0b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_told(write: Write) -> None:
    path = write(b"x")
    path.chmod(0)
    with pytest.raises(InputError, match="権限"):
        open_source(path)


def test_a_nul_far_inside_costs_one_row(write: Write, settings: Settings) -> None:
    filler = "1,あいうえお\n".encode() * 6000
    path = write("番号,内容\n".encode() + filler + b"2,x\0y\n3,z\n")
    rows = read(path, settings)
    assert [(row.code, row.column) for row in rows if isinstance(row, RejectedRow)] == [("nul", "内容")]
    assert len(rows) == 6002
