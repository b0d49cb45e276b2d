"""Past answers in order: the same matter first, each wording once, something for each question."""

from __future__ import annotations

from datetime import date

import pytest

from nlp.answering import letters, ranking, substance
from nlp.answering.questions import questions
from nlp.answering.ranking import Asked, Labels, Past
from nlp.similar import terms

DRAIN = "側溝のふたが割れて、子どもが足を落としました。早く直してください。"
BUS = "バスの本数が減って、通学に困っています。増便してください。"
FIXED = "側溝のふたは職員が確認し、新しいものに取りかえました。"
PLANNED = "バスの増便は、運転士の確保を見ながら、来年のダイヤで検討します。"
APRIL = date(2026, 4, 1)
UNLABELLED = Labels()


def past(key: int, text: str, answer: str, *, on: date = APRIL, labels: Labels = UNLABELLED, empty: bool = False) -> Past:
    return Past(key, text, terms(text), terms(answer), labels, on, empty)


def asked(text: str, labels: Labels = UNLABELLED) -> Asked:
    return Asked(text, terms(text), labels, tuple(terms(one.subject(text)) for one in questions(text)))


def order(voice: Asked, known: list[Past], *, limit: int = 3, least: float = 0.0) -> list[int]:
    return [fit.key for fit in ranking.rank(voice, known, weights={}, sif=None, limit=limit, least=least)]


def test_the_same_matter_comes_first_and_what_is_unlike_not_at_all() -> None:
    known = [past(1, BUS, PLANNED), past(2, DRAIN, FIXED)]
    assert order(asked("側溝のふたが割れて危ないです。直してください。"), known)[0] == 2
    assert order(asked("図書館の本が古い。"), known, least=ranking.LEAST_FIT) == []
    assert order(asked(DRAIN), []) == []


def test_the_newer_of_two_equals_comes_first_and_stands_for_both() -> None:
    old, new = past(1, DRAIN, FIXED, on=date(2024, 5, 1)), past(2, DRAIN, FIXED.replace("職員", "職員3人"), on=date(2026, 5, 1))
    (fit,) = ranking.rank(asked(DRAIN), [old, new], weights={}, sif=None, limit=3)
    assert (fit.key, fit.others) == (2, 1)


def test_the_same_labels_settle_what_is_nearly_equal_and_no_more() -> None:
    own = Labels("道路・交通", "側溝・排水", "要望", "道路維持課")
    known = [past(1, DRAIN, FIXED), past(2, DRAIN, PLANNED, labels=own), past(3, BUS, "別の話です。", labels=own)]
    assert order(asked(DRAIN, own), known) == [2, 1, 3]


def test_an_answer_that_only_thanked_comes_after_one_that_says_something() -> None:
    known = [past(1, DRAIN, "ありがとうございました。", empty=True), past(2, DRAIN, FIXED, on=date(2020, 1, 1))]
    assert order(asked(DRAIN), known) == [2, 1]


def test_each_of_two_questions_gets_a_source() -> None:
    voice = asked("側溝のふたが割れています。側溝のふたをすぐに直してください。バスの本数を増やしてください。")
    known = [
        past(number, f"側溝のふたが割れて{word}。側溝のふたを直してください。", f"{word}{word}")
        for number, word in enumerate("危困泣怒転", 1)
    ]
    known.append(past(9, "バスの本数を増やしてください。", PLANNED))
    found = ranking.rank(voice, known, weights={}, sif=None, limit=3)
    assert 9 in [fit.key for fit in found]
    assert {fit.key: fit.question for fit in found}[9] == 1
    assert len(found) == 3


def test_shared_words_are_the_rare_ones_rarest_first() -> None:
    one = past(1, DRAIN, FIXED)
    weights = dict.fromkeys(terms(DRAIN), 1.0) | {"側溝": 6.0, "蓋": 5.0}
    assert ranking.shared_words(terms(DRAIN), one, weights)[0] == "側溝"
    assert "落とす" not in ranking.shared_words(terms(DRAIN), one, weights)


def test_letters_are_compared_without_masks_and_blanks() -> None:
    same, masked, other, nothing = letters.likeness("側溝のふた", ["側溝のふた", "〔氏名〕側溝の\nふた", "バスの本数", ""])
    assert same == pytest.approx(1.0)
    assert masked == pytest.approx(1.0)
    assert (0 <= other < 0.3, nothing) == (True, 0)
    assert list(letters.likeness("", ["側溝"])) == [0]
    assert len(letters.likeness("側溝", [])) == 0


@pytest.mark.parametrize(
    ("sentence", "courtesy"),
    [
        ("このたびは、ご意見をお寄せいただき、ありがとうございます。", True),
        ("いただいたご意見は、今後の参考とさせていただきます。", True),
        ("貴重なご意見として承りました。", True),
        ("ご意見は担当課と共有いたします。", True),
        ("（担当：道路維持課　内線3120）", True),
        ("今後とも市政にご理解とご協力をお願いいたします。", True),
        ("歩道の拡幅については、用地の協力が必要なため、今後の参考とさせていただきます。", False),
        ("側溝のふたは8月3日に取りかえました。", False),
        ("いただいたご意見をもとに、12月の一部見直しを検討します。", False),
        ("窓口でのご案内が不足し、ご不便をおかけしたため、案内板を3か所に増やしました。", False),
        ("申請の受付は木曜の夜7時までです。", False),
    ],
)
def test_courtesy_is_told_from_what_says_something(sentence: str, *, courtesy: bool) -> None:
    assert substance.load().holds(sentence) is courtesy


def test_substance_is_what_is_left_of_an_answer() -> None:
    answer = "ご連絡、ありがとうございます。\n側溝のふたを取りかえました。\n今後とも、ご協力をお願いいたします。\n【所管】道路維持課"
    assert [answer[start:end] for start, end in substance.substance(answer, substance.load())] == ["側溝のふたを取りかえました。"]


def test_a_note_of_a_call_is_no_letter() -> None:
    assert not substance.is_letter("必要なものと窓口を説明。ご了解いただいた。")
    assert not substance.is_letter("担当課へ伝えますとお答えした。")
    assert substance.is_letter("側溝のふたを取りかえました。")
