"""What stops an answer on its way to approval, and what is only said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.settings import PROJECT_ROOT
from nlp.answering import commitments, files, gold, lists, plainness
from nlp.answering.checks import Code, Finding, check, may_go_on

VOICE = "歩道の段差で転びました。歩道の段差をなくしてください。街灯はいつ付きますか。"
GOOD = "歩道の段差は8月3日に職員が直しました。街灯は8月9日に付けました。"
FORMS = commitments.load()


def codes(answer: str, voice: str = VOICE, **options: object) -> set[str]:
    return {one.code.value for one in check(answer, voice, **options)}  # type: ignore[arg-type]


def only(answer: str, code: Code, voice: str = VOICE, **options: object) -> Finding:
    (found,) = [one for one in check(answer, voice, **options) if one.code is code]  # type: ignore[arg-type]
    return found


def test_a_good_answer_has_nothing_to_mend() -> None:
    assert check(GOOD, VOICE) == []
    assert may_go_on([])


def test_nothing_written_stops() -> None:
    (found,) = check(" \n", VOICE)
    assert (found.code, found.severity) == (Code.EMPTY, "stop")


def test_a_question_without_its_answer_is_shown_in_the_voice() -> None:
    found = only("歩道の段差は8月3日に職員が直しました。", Code.UNANSWERED)
    assert (found.where, VOICE[found.start : found.end], found.severity) == ("voice", "街灯はいつ付きますか。", "warn")
    assert "街灯はいつ付きますか。" in found.message
    assert may_go_on([found])


def test_a_question_without_a_subject_of_its_own_asks_for_nothing_more() -> None:
    assert codes("側溝の泥は取り除きました。", "側溝に泥がたまっています。なんとかしてください。") == set()


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("段差の件は、〔氏名〕様のお宅の前を直しました。", "〔氏名〕"),
        ("段差と街灯を直しました。番号は{受付番号}です。", "{受付番号}"),
        ("段差と街灯は、【要確認：8月3日】に直しました。", "【要確認：8月3日】"),
    ],
)
def test_what_is_left_of_masks_templates_and_drafts_stops(answer: str, shown: str) -> None:
    (found,) = [one for one in check(answer, VOICE) if one.severity == "stop"]
    assert answer[found.start : found.end] == shown
    assert not may_go_on([found])


@pytest.mark.parametrize("personal", ["山田太郎様", "090-0000-1234", "taro@mail.example.com"])
def test_personal_data_of_a_resident_stops(personal: str) -> None:
    assert only(f"歩道の段差と街灯は、{personal}に伺って直しました。", Code.PERSONAL).severity == "stop"


def test_the_citys_own_offices_and_lines_are_no_personal_data() -> None:
    answer = "歩道の段差と街灯は道路維持課が直しました。（担当：道路維持課　内線3120　電話：0190-55-1000）"
    assert codes(answer) & {Code.PERSONAL, Code.STAFF_NAME} == set()


def test_a_name_of_the_staff_is_only_said() -> None:
    found = only("歩道の段差と街灯は、担当の佐藤一郎が伺って直しました。", Code.STAFF_NAME)
    assert found.severity == "warn"


def test_a_promise_needs_a_day_to_look_again() -> None:
    answer = "歩道の段差は直しました。街灯を付けることを検討します。"
    found = only(answer, Code.COMMITMENT)
    assert (answer[found.start : found.end].startswith("検討"), found.severity) == (True, "stop")
    assert Code.COMMITMENT not in codes(answer, review_on=date(2027, 4, 1))
    assert Code.REVIEW_PAST in codes(answer, review_on=date(2026, 4, 1), today=date(2026, 10, 1))
    assert Code.REVIEW_PAST not in codes(GOOD, review_on=date(2026, 4, 1), today=date(2026, 10, 1))


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("増便を検討します。", "検討"),
        ("費用を含めて検討してまいります。", "検討"),
        ("現在、検討中です。", "検討"),
        ("設置に向けて県と協議を進めてまいります。", "検討"),
        ("前向きに考えます。", "検討"),
        ("来年4月に工事を行う予定です。", "予定"),
        ("来年度から受付を始めます。", "予定"),
        ("分かりやすい案内に努めてまいります。", "努力"),
        ("見回りを強化してまいります。", "努力"),
        ("いただいたご意見は、今後の参考とさせていただきます。", "参考"),
        ("決まりましたら、改めてお知らせいたします。", "続報"),
        ("検討の予定はありません。", ""),
        ("設置する予定は、今のところございません。", ""),
        ("検討した結果、見送ることといたしました。", ""),
        ("検討しましたが、できませんでした。", ""),
        ("現在は検討しておりません。", ""),
        ("ご検討ください。", ""),
        ("8月3日に工事を終えました。", ""),
        ("窓口は午後5時までです。", ""),
        ("よりよいまちづくりに取り組んでまいります。", ""),
    ],
)
def test_promises_by_class_and_what_takes_them_back(sentence: str, name: str) -> None:
    found = [one.name for one in commitments.commitments(sentence, FORMS)]
    assert (name in found) if name else (found == [])


def test_an_answer_that_only_thanks_stops_unless_the_voice_only_thanked() -> None:
    answer = "貴重なご意見をいただき、ありがとうございます。ご意見は担当課と共有いたします。"
    assert Code.ONLY_THANKS in codes(answer)
    assert Code.ONLY_THANKS not in codes(answer, "図書館の方が親切でした。", thanks=True)


def test_long_sentences_double_negation_and_hard_words_are_said_with_what_to_write() -> None:
    long = "歩道の段差は職員が確かめたところ確かに大きく、" * 3 + "街灯も暗いので直しました。"
    assert only(long, Code.LONG_SENTENCE).severity == "warn"
    assert "二重" in only("歩道の段差も街灯も直せないわけではありません。", Code.DOUBLE_NEGATION).message
    hard = only("歩道の段差と街灯は、可及的速やかに直しました。", Code.HARD_WORD)
    assert "できるだけ早く" in hard.hint
    assert Code.KANJI in codes("歩道の段差と街灯は、道路附属施設維持補修計画により直しました。")


def test_a_word_inside_another_is_left_alone() -> None:
    words = lists.load().plain_words
    assert [one.word for _, _, one in words.find("ロードマップを作り、所管課に聞きました。")] == ["ロードマップ"]
    assert words.find("ニーズマップ") == []
    assert len(words) >= 150


def test_the_figure_of_readability_falls_with_kanji_and_length() -> None:
    easy = plainness.readability("歩道のでこぼこを直しました。あかりも付けました。")
    hard = plainness.readability("当該道路附属施設維持補修計画策定委員会答申、関係機関協議結果、及び、予算措置状況等勘案検討中。")
    assert easy is not None
    assert hard is not None
    assert easy.score > 50 > hard.score
    assert plainness.readability("") is None


@given(st.text(max_size=150), st.text(max_size=100))
def test_any_two_texts_are_checked_and_places_lie_inside(answer: str, voice: str) -> None:
    for one in check(answer, voice):
        assert 0 <= one.start <= one.end <= len(voice if one.where == "voice" else answer)
        assert one.message
        assert one.hint


def test_questions_left_out_of_an_answer_are_found_more_often_than_answered_ones() -> None:
    by = lists.load()
    pairs = gold.answered(PROJECT_ROOT / "data/gold" / gold.ANSWERED)
    score = gold.score_open(pairs, courtesy=by.courtesy, sif=None, below=by.limits.unanswered)
    assert score.questions >= 60
    assert score.recall > score.false_alarms
    never = gold.score_open(pairs, courtesy=by.courtesy, sif=None, below=0.0)
    assert (never.recall, never.false_alarms) == (0, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(files.FOLDER, tmp_path / "answers"))


def _rewrite(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), "utf-8")

    return change


def test_a_city_changes_its_lists_by_file(folder: Path) -> None:
    _rewrite("checks.yaml", "sentence: 60 ", "sentence: 10 ")(folder)
    _rewrite("plain_words.yaml", "words:", "words:\n  - {word: 段差, plain: でこぼこ}")(folder)
    assert {Code.LONG_SENTENCE, Code.HARD_WORD} <= codes(GOOD, folder=folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_rewrite("checks.yaml", "sentence: 60 ", "sentence: 六十 "), "「sentence」が 0 以上の数ではありません"),
        (_rewrite("checks.yaml", "limits:", "borders:"), "「limits:」がありません"),
        (_rewrite("plain_words.yaml", "word: 遵守, plain", "word: 遵守, plane"), r"plain_words.yaml の \d+ 行目からの項目の「plain」"),
        (_rewrite("plain_words.yaml", "words:", "words"), "読めません|形の YAML ではありません"),
        (
            _rewrite("commitments.yaml", "class: 予定, severity: stop", "class: 予定, severity: halt"),
            r"commitments.yaml の \d+ 行目からの項目の「severity」",
        ),
        (_rewrite("commitments.yaml", '"前向きに"', '"前向きに("'), r"\d+ 行目からの項目の「pattern」が正規表現として読めません"),
        (_rewrite("courtesy.yaml", "sentences:", "- a"), "YAML"),
        (lambda folder: (folder / "courtesy.yaml").unlink(), "読めません"),
        (lambda folder: (folder / "courtesy.yaml").write_text("sentences: []", "utf-8"), "一覧がありません"),
        (lambda folder: (folder / "courtesy.yaml").write_text("sentences: [いつも]", "utf-8"), "1 番目"),
    ],
)
def test_a_damaged_list_is_named_with_its_line(folder: Path, change: Callable[[Path], object], message: str) -> None:
    change(folder)
    with pytest.raises(InputError, match=message):
        check(GOOD, VOICE, folder=folder)
