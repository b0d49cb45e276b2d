"""What is left after masking and is rare together."""

from __future__ import annotations

import pytest

from core import city
from core.settings import PROJECT_ROOT
from nlp import rarity

SHIOMI = city.load(PROJECT_ROOT / "data/taxonomy")
TOWN = SHIOMI.__class__(name="", phone="", calendar=SHIOMI.calendar, places=frozenset())


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("72歳の女性です。本町三丁目に住み、夫が透析に通っています。", {"年齢", "性別・続柄", "地区", "病気・障害"}),
        ("四十三さい、ではなく43才の男性で、パーキンソン病です", {"年齢", "性別・続柄", "病気・障害"}),
        ("小学３年生の息子が自閉症で、網干町から通っています", {"年齢", "性別・続柄", "地区", "病気・障害"}),
        ("汐浜地区で漁師をしています。父子家庭で子どもは五人です", {"地区", "職業・立場", "世帯", "性別・続柄"}),
        ("ベトナム人の母と来た、中学2年生の女性です", {"年齢", "性別・続柄", "国籍・ことば"}),
    ],
)
def test_a_portrait_is_flagged(text: str, kinds: set[str]) -> None:
    assert set(rarity.telling(text, city=SHIOMI)) == kinds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "公園の遊具が壊れています",
        "80代の母が一人暮らしで不安です",
        "65歳以上の方はバスが無料と聞きました。本町地区の夫婦です",
        "透析の患者が増えている",
        "本町地区の女性が多い時間代",
        "\ud800",
    ],
)
def test_what_many_share_is_not(text: str) -> None:
    assert rarity.telling(text, city=SHIOMI) == ()


def test_a_city_without_figures_counts_as_a_small_one() -> None:
    text = "72歳の女性、夫が透析です"
    assert rarity.telling(text, city=TOWN) == ("年齢", "性別・続柄", "病気・障害")
