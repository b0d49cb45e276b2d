"""Call logs in which one call takes several rows become one voice a call, or a reject that says why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from core import db
from core.errors import InputError
from core.models import Answer, Reject, Voice
from core.settings import PROJECT_ROOT, Settings
from ingest.calls import grouped
from ingest.chunks import Annotate
from ingest.incoming import RejectedRow, Row
from ingest.look import Choices, Look, look
from ingest.mapping import ColumnMapping, Grouping, resolve_mapping
from ingest.mapping_choices import CORRECTED, save_mapping
from nlp.annotation import Annotation
from tests.ingest.conftest import Take, Write

SAMPLE = PROJECT_ROOT / "data/sample/calls_by_row.csv"
HEADINGS = ["受付番号", "枝番", "受付日", "発話者", "発話内容", "所管課"]
DAY = "2026/10/01"
FIRST = ["K-1", "1", DAY, "市民", "駅前の街灯が切れています。", "くらし安全課"]
SECOND = ["K-1", "2", "", "市民", "夜は足もとが見えません。", ""]
THIRD = ["K-1", "3", "", "対応者", "担当の課に伝えると答えた。", ""]
OTHER = ["K-2", "1", DAY, "市民", "公園の水道から水が出ません。", "公園緑地課"]
LAST = ["K-2", "2", "", "対応者", "水道局の番号を案内した。", ""]
CALLS = [HEADINGS, FIRST, SECOND, THIRD, OTHER, LAST]

BY_NUMBER = """
group: {by: 受付番号, order: 枝番, speaker: 発話者, answers: [対応者], blank_continues: true}
columns: {external_id: 受付番号, received_on: 受付日, text: 発話内容, department: 所管課}
"""


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    path = tmp_path / "calls.yaml"
    path.write_text(BY_NUMBER, "utf-8")
    return str(path)


def stored(engine: Engine) -> list[tuple[str, str, str | None]]:
    with db.reading(engine) as session:
        found = select(Voice.external_id, Voice.text, Answer.text).outerjoin(Answer, Answer.voice_id == Voice.id).order_by(Voice.id)
        return [(number, text, answer) for number, text, answer in session.execute(found)]


def seen(write: Write, settings: Settings, rows: Sequence[Sequence[str]], mapping: str = "auto") -> Look:
    return look(write(rows), Choices(mapping=mapping), settings=settings)


def understood(shown: Look) -> list[str]:
    assert shown.mapping
    return shown.mapping.describe()


def texts(shown: Look) -> list[str]:
    return [row.cells[HEADINGS.index("発話内容")] for row in shown.rows]


def test_each_call_of_the_sample_is_one_voice_with_question_and_answer_apart(engine: Engine, take: Take) -> None:
    report = take(engine, SAMPLE, mapping="call-log-rows")
    assert (report.read, report.imported, report.rejected) == (120, 120, 0)
    with db.reading(engine) as session:
        answers = session.scalars(select(Answer.text)).all()
        asked = session.scalars(select(Voice.text)).all()
    assert len(answers) == 120
    assert any("\n" in text for text in asked)
    assert not set(answers) & set(asked)
    again = take(engine, SAMPLE)  # what is guessed gives the same voices
    assert (again.imported, again.duplicates, again.rejected) == (0, 120, 0)


def test_rows_of_a_number_are_joined_in_turn_and_the_city_s_are_the_answer(engine: Engine, take: Take, write: Write, mapping: str) -> None:
    shuffled = [HEADINGS, FIRST, THIRD, SECOND, OTHER, LAST]
    report = take(engine, write(shuffled), mapping=mapping)
    assert (report.read, report.imported) == (2, 2)
    assert stored(engine) == [
        ("K-1", "駅前の街灯が切れています。\n夜は足もとが見えません。", "担当の課に伝えると答えた。"),
        ("K-2", "公園の水道から水が出ません。", "水道局の番号を案内した。"),
    ]


def test_auto_understands_numbers_that_count_on_and_says_so(write: Write, settings: Settings) -> None:
    shown = seen(write, settings, CALLS)
    assert (shown.voices, shown.rejects) == (2, 0)
    assert any("1件にまとめます" in line and "枝番" in line for line in understood(shown))
    assert shown.rows[0].voices[0].answer == "担当の課に伝えると答えた。"


def test_auto_understands_rows_with_nothing_but_words(write: Write, settings: Settings) -> None:
    rows = [
        ["受付番号", "受付日", "内容", "所管課"],
        ["K-1", DAY, "一行目", "広聴課"],
        ["", "", "二行目", ""],
        ["K-2", DAY, "別の電話", ""],
        ["", "", "その続き", ""],
    ]
    shown = seen(write, settings, rows)
    assert [voice.text for row in shown.rows for voice in row.voices] == ["一行目\n二行目", "別の電話\nその続き"]


def test_auto_understands_a_first_row_without_a_turn(write: Write, settings: Settings) -> None:
    rows = [HEADINGS, *([number, "", DAY, "", "", "課"] if not turn else [number, str(turn), "", "市民", f"{turn}行目", ""]
            for number in ("K-1", "K-2") for turn in range(3))]  # fmt: skip
    assert texts(seen(write, settings, rows)) == ["1行目\n2行目"] * 2


UNSAFE: dict[str, list[list[str]]] = {
    "the same number twice and no turn": [["受付番号", "受付日", "内容"], ["1", DAY, "街灯"], ["1", DAY, "歩道"]],
    "turns that run through the file": [["受付番号", "連番", "内容"], ["1", "1", "街灯"], ["1", "2", "歩道"], ["2", "3", "公園"]],
    "one letter divided among departments": [
        ["受付番号", "枝番", "受付日", "内容", "所管課"], ["1", "1", DAY, "街灯", "くらし安全課"], ["1", "2", DAY, "歩道", "道路維持課"],
    ],
    "rows without a number that have a day": [["受付番号", "受付日", "内容"], ["1", DAY, "街灯"], ["", DAY, "歩道"]],
    "one row of which all but the words was forgotten": [
        ["受付番号", "受付日", "内容"], ["1", DAY, "街灯"], ["", "", "歩道"], ["2", DAY, "公園"],
    ],
    "a list without days in which numbers are lacking": [["受付番号", "内容"], ["1", "街灯"], ["", "歩道"]],
}  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE)
def test_auto_joins_nothing_in_doubt(write: Write, settings: Settings, name: str) -> None:
    shown = seen(write, settings, UNSAFE[name])
    assert shown.voices + shown.rejects == len(UNSAFE[name]) - 1
    assert not any("まとめます" in line for line in understood(shown))


def test_a_row_that_stands_twice_is_a_duplicate_and_no_continuation(sqlite_engine: Engine, take: Take, write: Write, mapping: str) -> None:
    report = take(sqlite_engine, write([HEADINGS, OTHER, OTHER]), mapping=mapping)
    assert (report.read, report.imported, report.duplicates) == (2, 1, 1)


def test_a_number_that_comes_back_begins_a_record_of_its_own(write: Write, settings: Settings, mapping: str) -> None:
    assert texts(seen(write, settings, [HEADINGS, FIRST, OTHER, [*SECOND[:2], DAY, *SECOND[3:]]], mapping)) == [
        FIRST[4],
        OTHER[4],
        SECOND[4],
    ]


def test_a_broken_row_costs_its_whole_call_and_no_other(sqlite_engine: Engine, take: Take, write: Write, mapping: str) -> None:
    ragged = ["K-1", "2", "", "市民", "夜は", "", "余分", "な欄"]
    report = take(sqlite_engine, write([HEADINGS, FIRST, ragged, THIRD, OTHER, LAST]), mapping=mapping)
    assert (report.read, report.imported, report.rejected) == (2, 1, 1)
    assert report.rejects_sample[0].row == 2
    assert "列が 8 個" in report.rejects_sample[0].reason
    assert [number for number, _, _ in stored(sqlite_engine)] == ["K-2"]


def test_a_row_below_a_line_nobody_can_read_is_given_to_no_call(write: Write, settings: Settings, mapping: str) -> None:
    lines = [HEADINGS, FIRST, ["K-2", "1", DAY, "市民", '"公園', "課"], ["", "2", "", "市民", "水道", ""], [*OTHER[:4], "歩道", ""]]
    content = "\n".join(",".join(line) for line in lines).encode()
    shown = look(write(content), Choices(mapping=mapping), settings=settings)
    assert shown.voices == 2
    assert [row.cells[4] for row in shown.rows if len(row.cells) > 1] == [FIRST[4], "水道", "歩道"]
    assert [(reject.row, reject.column) for row in shown.rows for reject in row.rejects] == [(3, ""), (4, "受付番号")]


def test_calls_don_t_run_over_the_edge_of_a_sheet(settings: Settings, tmp_path: Path, mapping: str) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for sheet, rows in ((book.active, [HEADINGS, FIRST]), (book.create_sheet("2"), [HEADINGS, ["", "2", DAY, "市民", "歩道の段差", ""]])):
        for row in rows:
            sheet.append(row)
    path = tmp_path / "calls.xlsx"
    book.save(path)
    assert texts(look(path, Choices(mapping=mapping), settings=settings)) == [FIRST[4], "歩道の段差"]


GROUP = ColumnMapping("", {"external_id": 0, "text": 1}, ("番号", "内容"), group=Grouping(number=0, text=1, same_number=True))


def test_a_call_of_a_hundred_thousand_rows_is_rejected_in_parts_that_hold_it_all(settings: Settings) -> None:
    rows = (Row(number, ("K-1", f"{number}番目")) for number in range(2, 100_002))
    out = list(grouped(rows, GROUP, settings=settings))
    assert all(isinstance(part, RejectedRow) and part.code == "too_long" for part in out)
    said = [line for part in out for line in part.cells[1].split("\n")]
    assert said == [f"{number}番目" for number in range(2, 100_002)]
    assert all(len(part.cells[1]) <= settings.max_cell_chars for part in out)
    assert max(part.cells[1].count("\n") for part in out) == 9_999


def test_a_cell_as_long_as_is_allowed_is_taken(settings: Settings) -> None:
    longest = "道" * settings.max_cell_chars
    assert list(grouped([Row(2, ("K-1", longest))], GROUP, settings=settings)) == [Row(2, ("K-1", longest))]


@given(st.lists(st.tuples(st.sampled_from(["", "A", "B"]), st.sampled_from(["", "1", "2", "x"]), st.text(max_size=3)), max_size=30))
def test_whatever_the_rows_are_no_word_is_lost(rows: list[tuple[str, str, str]]) -> None:
    group = Grouping(number=0, text=2, order=1, same_number=True, blank_continues=True)
    mapping = ColumnMapping("", {"external_id": 0, "text": 2}, ("番号", "枝番", "内容"), group=group)
    out = list(grouped([Row(at, cells) for at, cells in enumerate(rows)], mapping, settings=Settings()))
    assert sorted("".join(row.cells[2] for row in out).replace("\n", "")) == sorted(
        "".join(text for _, _, text in rows if text.strip()).replace("\n", "")
    )


class PowerCutError(RuntimeError):
    pass


def test_an_interrupted_import_divides_no_call(engine: Engine, take: Take, annotate: Annotate) -> None:
    calls = 0

    def annotate_twice(given: Sequence[str]) -> list[Annotation]:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise PowerCutError
        return annotate(given)

    with pytest.raises(PowerCutError):
        take(engine, SAMPLE, chunk_voices=25, annotate=annotate_twice)
    report = take(engine, SAMPLE, chunk_voices=25)
    assert (report.resumed, report.read, report.imported, report.duplicates) == (True, 120, 120, 0)
    with db.reading(engine) as session:
        assert len(session.scalars(select(Voice.external_id).distinct()).all()) == 120
        assert session.scalars(select(Reject)).all() == []


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ("{by: 受付番号, speaker: 発話者}", "group.answers"),
        ("{by: 受付番号, answers: [対応者]}", "group.answers"),
        ("{by: 受付番号, blank_continues: たぶん}", "group.blank_continues"),
        ("{by: 受付番号, turn: 枝番}", "group.turn"),
        ("{by: 通話の番号}", "group.by"),
    ],
)
def test_a_mistake_in_the_mapping_is_told_with_its_place(settings: Settings, tmp_path: Path, group: str, told: str) -> None:
    path = tmp_path / "calls.yaml"
    path.write_text(f"group: {group}\ncolumns: {{text: 発話内容}}\n", "utf-8")
    with pytest.raises(InputError, match=told):
        resolve_mapping(str(path), HEADINGS, settings=settings)


def test_a_person_sees_calls_and_what_is_chosen_for_them_holds(settings: Settings, write: Write, take: Take, sqlite_engine: Engine) -> None:
    path = write(CALLS)
    seen = look(path, Choices(), settings=settings)
    assert seen.problem is None
    assert (seen.voices, len(seen.columns), seen.columns[-1]) == (2, len(seen.headings), "answer")
    # The turn's column is made something else: calls are still told apart by it.
    chosen = look(path, Choices(columns=(*seen.columns[:-2], "", seen.columns[-1])), settings=settings)
    assert chosen.mapping
    assert (chosen.voices, chosen.mapping.name) == (2, CORRECTED)
    assert ColumnMapping.from_dict(chosen.mapping.as_dict()) == chosen.mapping
    report = take(sqlite_engine, path, mapping=chosen.mapping)
    assert (report.read, report.imported) == (2, 2)
    # Without a place for the city's words they stay in the text: nothing is lost.
    whole = look(path, Choices(columns=(*seen.columns[:-1], "")), settings=settings)
    assert whole.rows[0].voices[0].text.endswith("担当の課に伝えると答えた。")


def test_calls_are_told_apart_by_a_mapping_that_was_saved(settings: Settings, write: Write) -> None:
    path = write(CALLS)
    seen = look(path, Choices(), settings=settings)
    assert seen.mapping
    save_mapping(seen.mapping, "わが市の電話", settings=settings)
    again = look(path, Choices(), settings=settings)
    assert again.mapping
    assert (again.mapping.name, again.voices) == ("わが市の電話", 2)
    assert again.rows[0].voices[0].answer == "担当の課に伝えると答えた。"
