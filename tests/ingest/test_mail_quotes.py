"""What the writer of a mail wrote is told from what was quoted and signed."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mail_quotes import own_words
from tests.ingest.mails import LETTER, SLACK


@pytest.mark.parametrize(
    "below",
    [
        "> 先日の回答です。\n> よろしく。",
        "＞先日の回答です。\n＞よろしく。",
        "| 先日の回答です。",
        ">> 前の前\n> 前",
        "2026年4月1日(水) 10:00 広聴課 <koe@city.example>:\n\n> 先日の回答です。",
        "2026年4月1日(水) 10:00 広聴課 <koe@city.example>:\n先日の回答です。",
        "On Wed, Apr 1, 2026 at 10:00 AM City <koe@city.example> wrote:\n> 先日の回答です。",
        "On Wed, Apr 1, 2026 at 10:00 AM City\n<koe@city.example> wrote:\n\n> 先日の回答です。",
        "On Wed, Apr 1, 2026 at 10:00 AM City wrote:\n先日の回答です。",
        "2026/04/01 10:00、広聴課 <koe@city.example> のメール:\n> 先日の回答です。",
        "広聴課 さんは書きました:\n> 先日の回答です。",
        "-----Original Message-----\nFrom: koe@city.example\nSent: Wednesday\nTo: a\nSubject: x\n\n先日の回答です。",
        "----- Original Message ----- \nFrom: koe@city.example\n\n先日の回答です。",
        "--- 元のメッセージ ---\n> 先日の回答です。",
        "差出人: 広聴課 <koe@city.example>\n送信日時: 2026年4月1日 10:00\n宛先: 見本\n件名: 回答\n\n先日の回答です。",
        "________________________________\n差出人： 広聴課\n送信日時： 2026年4月1日\n件名： 回答\n\n先日の回答です。",
        "-- \n見本 花子\nどうぞよろしくお願いします。",
        "--\n見本 花子\nTEL 090-0000-0000",
        "----------------\n見本 花子\na@mail.example\n----------------",
        "====================\n見本 花子\n〒000-0000 見本市本町1-2-3\n====================",
        "＊＊＊＊＊＊＊＊\n見本 花子\n電話 090-0000-0000\n＊＊＊＊＊＊＊＊",
        "＿＿＿＿＿＿＿＿\n見本 花子\n携帯 ０９０－００００－００００",
        "━━━━━━━━━━\n見本 花子",
        "見本 花子\n090-0000-0000",
        "Sent from my iPhone",
        "iPhoneから送信",
        "私のAndroid端末から送信されました",
        "見本 花子\n090-0000-0000\n\niPhoneから送信",
        "iPhoneから送信\n\n2026/04/01 10:00、koe@city.example のメール:\n\n> 先日の回答です。",
        "-- \n見本 花子\n\n-----Original Message-----\nFrom: koe@city.example\n\n先日の回答です。",
        "> 先日の回答です。\n\n-- \n見本 花子",
    ], ids=count(1))  # fmt: skip
def test_what_was_quoted_and_signed_is_cut(below: str) -> None:
    assert own_words(f"{LETTER}\n\n{below}\n", sender="見本花子") == LETTER


@pytest.mark.parametrize(
    "text",
    [
        "差出人: と書いてありましたが、件名はありません。",
        "2026年4月1日に起きたこと:\n- 停電\n- 断水",
        "現場の状況\n----------------\n穴があいています。\n電話をください。",
        "A案\n========\n道を広げる。\n\nB案\n========\n信号をつける。",
        "| 日時 | 場所 |\n| 4月1日 | 本町 |",
        ">_<つらいです。",
        "＞＜つらいです。",
        "見本 花子\nと申します。公園の件です。",
        "公園の件です。\n\n見本 花子\nこれからもよろしくお願いします。",
        "通知が「iPhoneから送信」となっていました。",
        "3 > 2 です。",
        "要望\n--\n道を直してください。",
    ], ids=count(1))  # fmt: skip
def test_the_letter_itself_is_never_cut(text: str) -> None:
    assert own_words(text, sender="見本花子") == text


@pytest.mark.parametrize(
    "text",
    [
        "> これだけです。\n> 以上。",
        "-----Original Message-----\nFrom: koe@city.example\nSubject: x\n\n転送だけ",
        "-- \n見本 花子\na@mail.example",
        "iPhoneから送信",
        "On Wed, Apr 1, 2026 City wrote:\nこれだけ",
    ],
    ids=count(1),
)
def test_a_mail_that_would_be_empty_keeps_everything(text: str) -> None:
    assert own_words(text, sender="見本花子") == text


def test_the_line_above_who_wrote_what_is_the_letter_s() -> None:
    for above in (LETTER, "2026年4月1日の件、教えてください。", "よろしくお願いします"):
        for said in ("On Wed, Apr 1, 2026 City wrote:", "2026年4月1日 10:00 広聴課 <koe@city.example>:", "広聴課 さんは書きました:"):
            assert own_words(f"{above}\n{said}\n> 前の話\n\nこちらもです。") == f"{above}\n\nこちらもです。"


def test_answers_below_and_between_quotes_stay() -> None:
    bottom = "2026年4月1日(水) 10:00 広聴課 <koe@city.example>:\n> 場所はどこですか。\n\n本町の交差点です。\n"
    assert own_words(bottom) == "本町の交差点です。"
    between = "> 場所はどこですか。\n本町です。\n> いつですか。\n昨日です。\n\n-- \n見本"
    assert own_words(between) == "本町です。\n昨日です。"
    marked = "-----Original Message-----\nFrom: koe@city.example\nSubject: x\n\n> 場所はどこですか。\n\n本町です。"
    assert own_words(marked) == "本町です。"


def test_what_is_forwarded_stays() -> None:
    gmail = "読んでください。\n\n---------- Forwarded message ---------\nFrom: b@mail.example\nSubject: x\n\n道が暗いです。\n> 前の話"
    assert own_words(gmail) == gmail
    outlook = "読んでください。\n\n-----Original Message-----\nFrom: b@mail.example\nSent: x\nSubject: x\n\n道が暗いです。"
    assert own_words(outlook, subject="FW: x") == outlook
    assert own_words(outlook, subject="Re: x") == "読んでください。"


@SLACK
@given(
    st.lists(
        st.sampled_from(
            [
                *LETTER.split("\n"),
                "",
                "> a",
                "-- ",
                "----",
                "差出人: a",
                "件名: b",
                "宛先: c",
                "On Wed 2026/1/1 x wrote:",
                "見本花子",
                "電話 1",
            ]
        ),
        max_size=25,
    )
)
def test_cutting_leaves_words_where_there_were_any_and_adds_none(lines: list[str]) -> None:
    text = "\n".join(lines)
    kept = own_words(text, sender="見本花子")
    assert bool(kept) == bool(text.strip())
    assert set(kept.splitlines()) <= {line.rstrip() for line in lines} | {"-- ", ""}
    assert all(line in kept for line in LETTER.split("\n") if line in lines[:1])


@pytest.mark.parametrize(
    "piece",
    ["-", "> ", "=", "- ", "2026/1/1", "差出人:", "a@", "On ", "0", "市", "\n> ", "\n--\n", "\n差出人: x", "\nOn 2026/1/1 "],
    ids=count(1),
)
def test_text_made_to_be_slow_is_read_to_its_end(piece: str) -> None:
    # In a time that grew with the square of the length this would take hours.
    assert own_words("x" + piece * (100_000 // len(piece)) + "x", sender="見本").startswith("x")
