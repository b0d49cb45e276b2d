from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models import Channel
from ingest.normalize import clean_line, clean_text, is_nothing, parse_channel, parse_yes


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
    ("word", "channel"),
    [("電話", Channel.PHONE), ("コールセンター", Channel.PHONE), ("Ｗｅｂフォーム", Channel.WEB_FORM), ("メールフォーム", Channel.WEB_FORM),
     ("ﾎｰﾑﾍﾟｰｼﾞ", Channel.WEB_FORM), ("E-mail", Channel.EMAIL), ("電子メール", Channel.EMAIL), ("はがき", Channel.LETTER),
     ("ご意見箱（提案箱）", Channel.LETTER),
     ("ファックス", Channel.FAX), ("窓口", Channel.COUNTER), ("来庁・面談", Channel.COUNTER), ("市民アンケート", Channel.SURVEY),
     ("その他", Channel.OTHER),
     ("狼煙", None), ("", None)],
)  # fmt: skip
def test_channel_words(word: str, channel: Channel | None) -> None:
    assert parse_channel(word) is channel


def test_every_channel_knows_its_own_name() -> None:
    assert [parse_channel(channel.value) for channel in Channel] == list(Channel)


@pytest.mark.parametrize("word", ["可", "公開", "はい", "○", "１", "Yes", "希望する"])
def test_yes(word: str) -> None:
    assert parse_yes(word)


@pytest.mark.parametrize("word", ["不可", "非公開", "いいえ", "×", "0", "", "希望しない", "検討中"])
def test_everything_else_is_no(word: str) -> None:
    assert not parse_yes(word)


@pytest.mark.parametrize("word", ["", " ", "－", "-", "未回答", "なし"])
def test_nothing(word: str) -> None:
    assert is_nothing(word)
