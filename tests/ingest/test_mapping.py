from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.errors import InputError
from core.models import Channel
from core.settings import Settings
from ingest.mapping import resolve_mapping
from ingest.mapping_files import mapping_names
from tests.ingest.conftest import LIST_HEADINGS, REASON, SURVEY_HEADINGS


def fields(headings: list[str], settings: Settings) -> dict[str, str]:
    mapping = resolve_mapping("auto", headings, settings=settings)
    return {field: headings[position] for field, position in mapping.fields.items()}


def test_a_call_log_is_understood(settings: Settings) -> None:
    headings = ["受付番号", "受付日時", "受付方法", "区", "問合せ内容", "応答内容", "所管課", "種別"]
    assert fields(headings, settings) == {
        "external_id": "受付番号", "received_on": "受付日時", "channel": "受付方法", "district": "区", "text": "問合せ内容",
        "answer": "応答内容", "department": "所管課", "kind": "種別",
    }  # fmt: skip


def test_a_list_of_voices_is_understood(settings: Settings) -> None:
    headings = [
        "管理番号",
        "受付日",
        "受付媒体",
        "件名",
        "ご意見",
        "回答",
        "回答日",
        "所管課",
        "地区",
        "氏名",
        "電話番号",
        "メール",
        "住所",
        "年代",
        "性別",
        "公開",
    ]
    assert fields(headings, settings) == {
        "external_id": "管理番号", "received_on": "受付日", "channel": "受付媒体", "title": "件名", "text": "ご意見",
        "answer": "回答", "answered_on": "回答日",
        "department": "所管課", "district": "地区", "name": "氏名", "phone": "電話番号", "email": "メール",
        "address": "住所", "age": "年代", "sex": "性別",
        "publishable": "公開",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Ｎｏ．", "external_id"), ("№", "external_id"), ("回答番号", "external_id"), ("お問い合わせ番号", "external_id"),
        ("受付 番号【必須】", "external_id"),
        ("受付年月日", "received_on"), ("受付日（和暦）", "received_on"), ("タイムスタンプ", "received_on"),
        ("受付時刻", "received_time"),
        ("受付経路", "channel"), ("媒体", "channel"), ("タイトル", "title"), ("お名前", "name"), ("氏名（漢字）", "name"),
        ("フリガナ", "name_kana"), ("ＴＥＬ", "phone"),
        ("メールアドレス", "email"), ("E-mail", "email"), ("ご住所", "address"), ("郵便番号", "postal_code"),
        ("お住まいの地域", "district"),
        ("【問１】あなたのお住まいの地域を教えてください。", "district"), ("行政区", "district"),
        ("あなたのご年齢を教えてください。", "age"), ("性別（任意）", "sex"), ("担当課", "department"),
        ("所管部署", "department"), ("対応内容", "answer"), ("市の回答", "answer"), ("声の種別", "kind"), ("大分類", "theme"),
        ("公開可否", "publishable"),
    ],
)  # fmt: skip
def test_spellings(settings: Settings, heading: str, field: str) -> None:
    assert fields([heading, "本文"], settings)[field] == heading


@pytest.mark.parametrize(
    "heading",
    [
        "内容",
        "本文",
        "ご意見",
        "要旨",
        "問合せ内容",
        "お問い合わせ内容",
        "問合わせ 内容",
        "応答内容",
        "ご意見・ご要望",
        "意見の内容",
        "相談内容",
        "市民の声",
        "自由記述",
        "ご意見（自由記述）",
    ],
)
def test_bodies(settings: Settings, heading: str) -> None:
    assert fields(["番号", heading], settings)["text"] == heading


def test_a_summary_beside_the_full_text_is_the_title(settings: Settings) -> None:
    assert fields(["要旨", "内容"], settings) == {"title": "要旨", "text": "内容"}


def test_the_day_of_filling_in_is_the_received_day_only_without_the_city_s_answer(settings: Settings) -> None:
    assert fields(["回答日", "自由意見"], settings) == {"received_on": "回答日", "text": "自由意見"}
    assert fields(["回答日", "回答", "ご意見"], settings) == {"answered_on": "回答日", "answer": "回答", "text": "ご意見"}


def test_it_says_what_it_guessed_and_what_it_doesn_t_use(settings: Settings) -> None:
    said = resolve_mapping("auto", ["管理番号", "ご意見", "備考", ""], settings=settings).describe()
    assert "「管理番号」→ 受付番号" in said
    assert "「ご意見」→ 本文" in said
    assert "使わない列: 「備考」" in said


def test_without_a_body_it_names_the_headings_it_saw(settings: Settings) -> None:
    with pytest.raises(InputError, match="本文の列") as caught:
        resolve_mapping("auto", ["甲", "乙"], settings=settings)
    assert "「甲」、「乙」" in caught.value.hint


@pytest.mark.parametrize("name", ["auto", "survey-wide"])
def test_a_wide_survey_is_understood(settings: Settings, name: str) -> None:
    mapping = resolve_mapping(name, SURVEY_HEADINGS, settings=settings)
    assert [(reason.code, reason.position, reason.question) for reason in mapping.reasons] == [("Q02", 2, 1), ("Q03", 4, 3)]
    assert mapping.fields == {"district": 0, "age": 5, "sex": 6}
    assert (mapping.same_rows, mapping.deadline, mapping.defaults.channel) == ("each", False, Channel.SURVEY)


def test_a_free_column_at_the_end_of_a_survey_is_a_reason_of_its_own(settings: Settings) -> None:
    mapping = resolve_mapping("auto", ["問1 好きですか", REASON, "問2 嫌いですか", REASON, "ご意見"], settings=settings)
    assert [(reason.code, reason.question) for reason in mapping.reasons] == [("Q01", 0), ("Q02", 2), ("F03", None)]


def test_two_reasons_for_one_question_have_two_codes(settings: Settings) -> None:
    mapping = resolve_mapping("auto", ["問1 好きですか", REASON, "上記でその他の方はその理由"], settings=settings)
    assert [reason.code for reason in mapping.reasons] == ["Q01", "Q01-2"]


@pytest.mark.parametrize("name", ["call-log", "shimin-no-koe"])
def test_the_mappings_that_come_along_fit_the_usual_files(settings: Settings, name: str) -> None:
    headings = (
        LIST_HEADINGS if name == "shimin-no-koe" else ["受付番号", "受付日時", "受付方法", "区", "問合せ内容", "応答内容", "所管課", "種別"]
    )
    mapping = resolve_mapping(name, headings, settings=settings)
    assert mapping.used == frozenset(range(len(headings)))


def mapping_file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def test_every_key_of_a_mapping_file(tmp_path: Path, settings: Settings) -> None:
    path = mapping_file(
        tmp_path,
        """
        name: 町の声
        description: 見本
        columns: {text: [ない列, "^.*の声$"], received_on: 2, age: "あなたの…"}
        attributes: {職業: ご職業}
        defaults: {channel: 手紙, received_on: 2026-01-31, prefix: MACHI}
        values: {channel: {投げ文: 手紙}}
        same_rows: each
        deadline: none
        """,
    )
    mapping = resolve_mapping(path, ["町民の声", "日にち", "あなたの歳を教えてください", "ご職業", "ご職業"], settings=settings)
    assert mapping.fields == {"text": 0, "received_on": 1, "age": 2}
    assert mapping.attributes == {"職業": 3}
    assert (mapping.defaults.channel, mapping.defaults.received_on, mapping.defaults.prefix) == (Channel.LETTER, date(2026, 1, 31), "MACHI")
    assert (mapping.name, mapping.same_rows, mapping.deadline, mapping.values) == ("町の声", "each", False, {"channel": {"投げ文": "手紙"}})


def test_a_survey_may_list_its_columns(tmp_path: Path, settings: Settings) -> None:
    path = mapping_file(tmp_path, "survey: {reason: [わけ1, わけ2], question: [好き, 嫌い]}")
    mapping = resolve_mapping(path, ["好き", "嫌い", "わけ1", "わけ2"], settings=settings)
    assert [(reason.position, reason.question) for reason in mapping.reasons] == [(2, 0), (3, 1)]
    path = mapping_file(tmp_path, "survey: {reason: [わけ1, わけ2], question: '^(好き|嫌い)$'}")
    mapping = resolve_mapping(path, ["好き", "わけ1", "嫌い", "わけ2"], settings=settings)
    assert [(reason.position, reason.question) for reason in mapping.reasons] == [(1, 0), (3, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns: [", "1 行目が YAML"),
        ("- a", "（全体）"),
        ("kolumns: {}", "kolumns.*このキーはありません"),
        ("columns: {body: 内容}", "columns.body"),
        ("columns: {title: 件名}", "columns.text"),
        ("columns: {text: [true]}", "columns.text"),
        ("columns: {text: '^('}", "columns.text.*正規表現"),
        ("survey: {question: a}", "survey.reason"),
        ("survey: {reason: '('}", "survey.reason.*正規表現"),
        ("columns: {text: 内容}\ndefaults: {channel: 狼煙}", "defaults.channel"),
        ("columns: {text: 内容}\ndefaults: {received_on: いつか}", "defaults.received_on"),
        ("columns: {text: 内容}\nvalues: {channel: 電話}", "values.channel"),
        ("columns: {text: 内容}\nsame_rows: two", "same_rows"),
        ("columns: {text: 内容}\ndeadline: 3", "deadline"),
        ("columns: {text: ない}", "本文"),
        ("survey: {reason: ^ない}", "survey.reason"),
    ],
)
def test_a_mistake_in_a_mapping_file_is_told_with_its_place(tmp_path: Path, settings: Settings, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        resolve_mapping(mapping_file(tmp_path, text), ["内容"], settings=settings)
    assert caught.value.hint


def test_an_unknown_mapping_lists_the_known_ones(settings: Settings) -> None:
    with pytest.raises(InputError, match="対応表「nope」はありません") as caught:
        resolve_mapping("nope", ["内容"], settings=settings)
    assert all(name in caught.value.hint for name in mapping_names(settings))
    with pytest.raises(InputError, match=r"none\.yaml」が読めません"):
        resolve_mapping("/none.yaml", ["内容"], settings=settings)


def test_a_mapping_in_another_encoding_is_told(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes("columns: {text: 内容}".encode("cp932"))
    with pytest.raises(InputError, match="UTF-8 ではありません"):
        resolve_mapping(str(path), ["内容"], settings=settings)
