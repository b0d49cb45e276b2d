from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cleaning import clean_line, clean_text, plain_name


@pytest.mark.parametrize(
    ("given_text", "clean"),
    [
        ("道が暗い&hellip;&amp;危ない&#x3002;", "道が暗い…&危ない。"),
        ("AT&T &notaword; a&copy=1", "AT&T &notaword; a&copy=1"),
        ("ｶﾞﾀｶﾞﾀ｡", "ガタガタ。"),
        ("か\u3099", "が"),
        ("一\r\n二\r三\x0b四", "一\n二\n三\n四"),
        ("　 字下げ \t\n 二行目　\n", "字下げ\n 二行目"),
        ("a\x00b\x1bc\u202ed\ud800e\ufeff", "abcde"),
        ("全角１２３", "全角１２３"),
        ("家族👨\u200d👩", "家族👨\u200d👩"),
    ],
)
def test_text_is_cleaned_and_says_the_same(given_text: str, clean: str) -> None:
    assert clean_text(given_text) == clean


@given(st.text(st.characters(), max_size=200))
def test_cleaned_text_can_be_stored_anywhere(text: str) -> None:
    clean = clean_text(text)
    clean.encode()
    assert clean == clean.strip()
    assert unicodedata.is_normalized("NFC", clean)
    assert not any(unicodedata.category(character) == "Cc" for character in clean if character not in "\n\t")
    assert "\n" not in clean_line(text)


def test_a_long_run_of_spaces_is_no_trouble() -> None:
    assert clean_text("a" + " " * 300_000 + "b\n").endswith("b")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("記録.csv", "記録.csv"),
        ("C:\\Users\\花子\\記録.csv", "記録.csv"),
        ("../../etc/passwd", "passwd"),
        ("..", "file"),
        ("", "file"),
        ("a\0b\n.csv", "ab .csv"),
        ("\ud800.csv", ".csv"),
        ("あ" * 200 + ".csv", "あ" * 66 + ".csv"),
        ("a" * 200, "a" * 80),
        ("😀" * 100 + ".csv", "😀" * 50 + ".csv"),
    ],
)
def test_a_name_never_leads_elsewhere(name: str, plain: str) -> None:
    assert plain_name(name) == plain
