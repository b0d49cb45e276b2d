from __future__ import annotations

from datetime import date

import pytest

from core.clock import TOKYO
from core.models import Channel
from core.settings import Settings
from ingest.incoming import IncomingVoice, RejectedRow, Row
from ingest.interpret import Interpreter, fallback_day
from ingest.mapping import resolve_mapping
from tests.ingest.conftest import LIST_HEADINGS, SURVEY_HEADINGS, list_row

AS_OF = date(2026, 6, 1)


class Reading:
    """One file's rows, one after the other."""

    def __init__(
        self, headings: list[str], *, file_name: str = "file_202601.csv", received_on: date | None = None, channel: Channel | None = None
    ):
        mapping = resolve_mapping("auto", headings, settings=Settings())
        fallback = fallback_day(mapping, file_name=file_name, received_on=received_on, as_of=AS_OF)
        self.interpreter = Interpreter(mapping, file_name=file_name, fallback=fallback, channel=channel, as_of=AS_OF)
        self.number = 1

    def all(self, *cells: str) -> list[IncomingVoice]:
        self.number += 1
        result = self.interpreter.read(Row(self.number, cells))
        assert not isinstance(result, RejectedRow), result
        return result

    def one(self, *cells: str) -> IncomingVoice:
        (voice,) = self.all(*cells)
        return voice

    def rejected(self, *cells: str) -> RejectedRow:
        result = self.interpreter.read(Row(9, cells))
        assert isinstance(result, RejectedRow)
        return result


def test_a_row_becomes_a_voice() -> None:
    row = list_row(
        "12", "ｱﾒで道が&hellip;", 受付媒体="はがき", 件名="雨の\n道", 回答="直します", 回答日="R7.4.9", 所管課="道路維持課", 地区="港地区",
        氏名=" 山田太郎 ", 電話番号="090-0000-1234", 年代="40代", 公開="可",
    )  # fmt: skip
    voice = Reading(LIST_HEADINGS).one(*row)
    assert (voice.external_id, voice.row, voice.channel, voice.received_on) == ("12", 2, Channel.LETTER, date(2025, 4, 1))
    assert (voice.title, voice.text, voice.answer, voice.answered_on) == ("雨の 道", "アメで道が…", "直します", date(2025, 4, 9))
    assert (voice.department, voice.district, voice.publishable, voice.received_at) == ("道路維持課", "港地区", True, None)
    assert voice.contact == {"name": "山田太郎", "phone": "090-0000-1234"}
    assert voice.attributes == {"age": "40代"}
    assert voice.original == {"title": "雨の\n道", "text": "ｱﾒで道が&hellip;", "answer": "直します"}


def test_a_time_of_day_comes_with_the_date_or_in_a_column_of_its_own() -> None:
    assert Reading(["受付日時", "内容"]).one("2025/4/1 13:05", "あ").received_at is not None
    at = Reading(["受付日", "受付時刻", "内容"]).one("2025/4/1", "午後1時5分", "あ").received_at
    assert at is not None
    assert (at.hour, at.minute, at.tzinfo) == (13, 5, TOKYO)


def test_an_unknown_channel_is_kept_in_words() -> None:
    voice = Reading(LIST_HEADINGS).one(*list_row("1", "あ", 受付媒体="狼煙"))
    assert (voice.channel, voice.attributes) == (Channel.OTHER, {"given_channel": "狼煙"})


def test_a_row_s_own_channel_goes_before_the_option_and_the_option_before_the_guess() -> None:
    reading = Reading(["受付媒体", "内容"], channel=Channel.LETTER)
    assert [reading.one("電話", "あ").channel, reading.one("", "い").channel] == [Channel.PHONE, Channel.LETTER]
    assert Reading(["問合せ内容", "応答内容"]).one("あ", "い").channel is Channel.PHONE
    assert Reading(["内容"]).one("あ").channel is Channel.OTHER


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"ご意見": " \u200b&nbsp;"}, "ご意見", "empty"),
        ({"受付日": "2/14朝"}, "受付日", "date"),
        ({"受付日": ""}, "受付日", "date"),
        ({"受付日": "2026/6/9"}, "受付日", "date"),
        ({"回答日": "近日"}, "回答日", "date"),
        ({"管理番号": "1" * 200}, "管理番号", "too_long"),
        ({"所管課": "課" * 65}, "所管課", "too_long"),
    ],
)
def test_a_row_that_can_t_be_taken_says_which_column(cells: dict[str, str], column: str, code: str) -> None:
    row = list_row("1", "あ", **cells)
    reject = Reading(LIST_HEADINGS).rejected(*row)
    assert (reject.row, reject.column, reject.code, reject.cells) == (9, column, code, tuple(row))
    assert reject.reason.endswith("。")


def test_a_dash_for_a_date_or_an_answer_means_none() -> None:
    voice = Reading(LIST_HEADINGS).one(*list_row("－", "あ", 回答="－", 回答日="未回答"))
    assert (voice.answer, voice.answered_on, voice.external_id) == ("", None, "file_202601-1")


def test_where_the_day_comes_from_when_no_row_tells() -> None:
    mapping = resolve_mapping("auto", ["内容"], settings=Settings())
    given = fallback_day(mapping, file_name="a_202601.csv", received_on=date(2025, 1, 1), as_of=AS_OF)
    named = fallback_day(mapping, file_name="a_202601.csv", received_on=None, as_of=AS_OF)
    nothing = fallback_day(mapping, file_name="a.csv", received_on=None, as_of=AS_OF)
    assert [(day.day, day.source) for day in (given, named, nothing)] == [
        (date(2025, 1, 1), "指定"), (date(2026, 1, 1), "ファイル名"), (AS_OF, "取込日"),
    ]  # fmt: skip


def test_an_empty_date_is_filled_only_by_a_day_that_somebody_gave() -> None:
    assert Reading(["受付日", "内容"], received_on=date(2025, 1, 1)).one("", "あ").received_on == date(2025, 1, 1)
    reasons = [Reading(["受付日", "内容"]).rejected(day, "あ").reason for day in ("", "未定")]
    assert ["受付日が空です" in reason for reason in reasons] == [True, False], "who opens the row sees the word"


def test_the_same_words_under_another_number_are_another_voice() -> None:
    reading = Reading(LIST_HEADINGS)
    first, again, other = (reading.one(*list_row(number, "同じ文")).content_hash for number in ("1", "1", "2"))
    assert first == again != other


def test_without_numbers_identical_rows_of_a_list_are_one_and_a_contact_makes_a_difference() -> None:
    reading = Reading(["受付日", "内容", "氏名"])
    first, again, other = (reading.one("2025/4/1", "同じ文", name).content_hash for name in ("甲", "甲", "乙"))
    assert first == again != other


def test_a_voice_is_the_same_whatever_the_file_is_called_and_how_it_is_encoded() -> None:
    one = Reading(["内容"], file_name="a_202601.csv").one("道路 ＡＢＣ")
    two = Reading(["内容"], file_name="b_202502.csv", channel=Channel.LETTER).one("道路 ABC")
    assert one.content_hash == two.content_hash
    assert one.received_on != two.received_on


def test_a_survey_row_gives_a_voice_for_each_reason() -> None:
    reading = Reading(SURVEY_HEADINGS, file_name="kanko_202601.csv")
    voices = reading.all("港地区", "はい", "海が近い", "いいえ", "坂が多い", "40代", "女性", "", "")
    assert [voice.external_id for voice in voices] == ["kanko_202601-1-Q02", "kanko_202601-1-Q03"]
    assert [voice.context for voice in voices] == [
        {"question": SURVEY_HEADINGS[1], "choice": "はい"},
        {"question": SURVEY_HEADINGS[3], "choice": "いいえ"},
    ]
    assert {(voice.channel, voice.district, voice.received_on) for voice in voices} == {(Channel.SURVEY, "港地区", date(2026, 1, 1))}
    assert all(voice.attributes == {"age": "40代", "sex": "女性"} and not voice.has_deadline for voice in voices)
    assert reading.all("港地区", "はい", " ", "いいえ", "", "40代", "女性", "", "") == []


def test_two_respondents_with_the_same_answers_are_two_and_come_out_the_same_again() -> None:
    row = ("港地区", "はい", "特になし", "いいえ", "特になし", "40代", "女性", "", "")
    first, second = Reading(SURVEY_HEADINGS), Reading(SURVEY_HEADINGS, file_name="renamed.csv")
    hashes = [voice.content_hash for _ in range(2) for voice in first.all(*row)]
    assert len(set(hashes)) == 4
    assert [voice.content_hash for _ in range(2) for voice in second.all(*row)] == hashes


def test_skipped_rows_count_among_identical_ones() -> None:
    row = ("港地区", "はい", "特になし", "", "", "", "", "", "")
    whole, resumed = Reading(SURVEY_HEADINGS), Reading(SURVEY_HEADINGS)
    whole.all(*row)
    resumed.interpreter.skip(Row(2, row))
    assert resumed.all(*row)[0].content_hash == whole.all(*row)[0].content_hash


def test_a_numbered_survey_keeps_its_numbers() -> None:
    reading = Reading(["回答番号", "回答日", *SURVEY_HEADINGS])
    (voice,) = reading.all("S0001", "2025-05-01", "港地区", "はい", "海が近い", "", "", "", "", "", "")
    assert (voice.external_id, voice.received_on) == ("S0001-Q02", date(2025, 5, 1))
