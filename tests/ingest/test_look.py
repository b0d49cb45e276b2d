"""The first look at a file, under the choices of a person."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.errors import InputError
from core.models import Channel
from core.settings import Settings
from ingest.look import ROWS, Choices, look

LINES = [
    "管理番号,受付日,ご意見,備考",
    "T-1,令和8年9月1日,歩道の段差が大きい。,",
    "T-2,いつか,街灯が切れている。,要返信",
    "T-3,2026-09-03,,",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "記録.csv"
    path.write_bytes("\n".join(LINES).encode("cp932"))
    return path


def test_what_each_of_the_first_rows_becomes(file: Path, settings: Settings) -> None:
    seen = look(file, Choices(), settings=settings)
    assert (seen.encoding, seen.is_text, seen.problem) == ("cp932", True, None)
    assert seen.columns == ("external_id", "received_on", "text", "")
    assert [voice.text for row in seen.rows for voice in row.voices] == ["歩道の段差が大きい。"]
    assert [(row.number, row.reject.code) for row in seen.rows if row.reject] == [(3, "date"), (4, "empty")]
    assert (seen.voices, seen.rejects) == (1, 2)
    assert seen.samples(3) == ["要返信"]
    assert any("受付媒体の列がない" in note for note in seen.notes)


def test_choices_hold(file: Path, settings: Settings) -> None:
    chosen = Choices(columns=("", "", "text", "title"), channel=Channel.LETTER, received_on=date(2026, 8, 1))
    seen = look(file, Choices.from_dict(chosen.as_dict()), settings=settings)
    assert {(voice.channel, voice.received_on) for row in seen.rows for voice in row.voices} == {(Channel.LETTER, date(2026, 8, 1))}
    assert [voice.title for row in seen.rows for voice in row.voices] == ["", "要返信"]


def test_a_mapping_that_does_not_fit_is_told_with_the_rows_still_there(file: Path, settings: Settings) -> None:
    seen = look(file, Choices(columns=("", "", "", "")), settings=settings)
    assert seen.mapping is None
    assert "本文" in str(seen.problem)
    assert seen.columns == ("", "", "", "")
    assert [row.cells[2] for row in seen.rows] == ["歩道の段差が大きい。", "街灯が切れている。", ""]


def test_headings_that_tell_nothing_can_be_chosen_by_hand(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "a.csv"
    path.write_text("甲,乙\n1,歩道の段差\n", "utf-8")
    seen = look(path, Choices(), settings=settings)
    assert seen.columns == ("", "")
    assert seen.problem is not None
    assert look(path, Choices(columns=("", "text")), settings=settings).voices == 1


def test_an_encoding_that_does_not_fit_is_told_and_can_be_taken_back(file: Path, settings: Settings) -> None:
    for encoding in ("utf-16", "euc_jp", "utf-8"):
        seen = look(file, Choices(encoding=encoding), settings=settings)
        assert (
            seen.problem is not None or seen.voices == 0 or "段差" not in "".join(voice.text for row in seen.rows for voice in row.voices)
        )
    assert look(file, Choices(encoding="cp932"), settings=settings).voices == 1


def test_no_more_than_the_first_rows_are_read(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ご意見\n" + "".join(f"{number} 番目の声です。\n" for number in range(500)), "utf-8")
    seen = look(path, Choices(), settings=settings)
    assert (len(seen.rows), seen.voices) == (ROWS, ROWS)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"")
    with pytest.raises(InputError):
        look(path, Choices(), settings=settings)
