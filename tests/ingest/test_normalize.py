from __future__ import annotations

import pytest

from core.models import Channel
from ingest.normalize import is_nothing, parse_channel, parse_yes


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
