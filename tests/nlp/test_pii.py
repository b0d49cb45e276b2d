"""What is masked and what stays, sentence by sentence; and what holds for any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import city
from core.settings import PROJECT_ROOT
from nlp import pii
from nlp.annotation import PLACEHOLDERS, PiiSpan
from nlp.japanese import tokenize
from nlp.pii import recogniser
from nlp.pii.forms import is_my_number

PLACES = city.load(PROJECT_ROOT / "data/taxonomy").places


def masked(text: str) -> str:
    return pii.mask(text, pii.find(text, tokenize(text), places=PLACES))


# The part in 〈 〉 is what must go, its type's placeholder in its place.
MASKED = {
    "NAME": """
        〈山田太郎〉と申します。
        〈和田〉と申します。
        〈田中　一郎〉と言います。
        〈ヤマダタロウ〉と申します。
        〈ﾀﾅｶ ｲﾁﾛｳ〉と申します。
        〈グエン・バン・ナム〉と申します。
        〈ジョン・スミス〉さん
        〈高橋花子〉です。よろしくお願いします。
        〈山田〉様からお電話です。
        〈佐藤〉さんに相談しました。
        〈鈴木〉氏の意見です。
        〈鈴木 一郎〉様、〈鈴木 花子〉様
        〈ササキ〉さんが見ました。
        〈ｻﾄｳ〉さん
        〈まゆみ〉さんが
        〈福島〉さんは隣の家です。
        〈李〉さん
        担当の〈林〉さんに伝えました。
        〈森〉様が来られました。
        〈原〉さんの畑
        〈髙橋〉さん
        〈濵田〉と申します。
        〈神﨑〉様のお宅
        〈𠮷田〉と申します。
        〈齋藤〉様
        〈伊藤〉先生に教わりました。
        〈木村〉課長に話しました。
        〈小林〉ちゃんが泣いていました。
        〈山本〉夫妻が困っています。
        〈加藤〉が受けました。
        〈中村〉まで連絡ください。
        氏名：〈渡辺美咲〉
        担当：〈小野寺〉
    """,
    "PHONE": """
        電話は〈090-1234-5678〉です。
        電話は〈０９０－１２３４－５６７８〉です。
        電話は〈０１９０―５５―１０００〉まで。
        電話は〈09012345678〉です。
        電話は〈090 1234 5678〉です。
        電話は〈050.1234.5678〉です。
        電話は〈03-1234-5678〉です。
        電話は〈(03)1234-5678〉です。
        電話は〈0190(55)1000〉です。
        電話をください（〈080-1234-5678〉）。
        電話をください(〈090 1234 5678〉、夜だけ)。
        電話をください（〈(0190)55-1000〉）。
        電話をください（自宅〈0190-55-1000〉）。
        電話は〈+81-90-1234-5678〉です。
        電話は〈0120-123-456〉です。
        電話は〈〇九〇-一二三四-五六七八〉です。
        TEL:〈0190-55-1000〉 FAX:〈0190-55-1001〉
    """,
    "EMAIL": """
        メールは〈yamada@example.jp〉へ。
        メールは〈yamada(at)example.co.jp〉へ。
        〈a.b+c@sub.example.co.jp〉 まで
        〈ｙａｍａｄａ＠ｅｘａｍｐｌｅ．ｊｐ〉
    """,
    "POSTAL_CODE": """
        〈〒100-0001〉
        〈〒１００−０００１〉
        郵便番号は〈100-0001〉です。
    """,
    "MY_NUMBER": """
        〈123456789018〉
        〈1234 5678 9018〉
        〈１２３４－５６７８－９０１８〉
        マイナンバーは〈123456789012〉です。
    """,
    "BIRTHDATE": """
        生年月日は〈昭和45年3月2日〉です。
        〈1970年3月2日〉生まれの者です。
        〈平成元年十二月三日〉生まれです。
        〈S45.3.2〉生
    """,
    "ACCOUNT": """
        普通口座〈1234567〉に振り込まれません。
        ゆうちょ 〈12345-1234567〉
        カード〈4111 1111 1111 1111〉で払った。
    """,
    "PLATE": """
        〈品川 300 あ 12-34〉
        〈横浜500さ・・12〉
        〈つくば 500 あ 12-34〉
        車のナンバーは〈足立330な1234〉でした。
    """,
    "URL_ID": """
        インスタのIDは〈shiomi_123〉です。
        LINEのIDは〈taro-1234〉
        〈@shiomi_taro〉 に書きました。
        〈https://twitter.com/shiomi_taro〉 を見て
    """,
    "OTHER_ID": """
        会員番号は〈A12345〉です。
        図書カードの番号は〈12345678〉です。
        被保険者番号 〈12345678〉
        予約番号は〈AB-123456〉でした
    """,
    "ADDRESS": """
        〈港町3丁目5番地〉に住んでいます。
        住所は〈潮見市港一丁目2番3号 コーポ汐浜203〉です。
        〈東京都千代田区千代田1-1〉
        〈東京都新宿区西新宿2-8-1 都庁ビル101号室〉
        〈大阪府堺市堺区南瓦町3-1〉
        〈堺市堺区堺1-2-3〉に住む
        〈桜坂上12番地4〉
        〈見晴平5-6〉に住んでいます。
        〈網干町三丁目五番地〉
        住所 〈港1-2-3〉
        私の住所は〈山手2の3の4〉です。
        自宅は〈川北1丁目2-3メゾン港201号室〉です。
        〈本町二丁目3の5〉の自宅です。
    """,
}
CASES = [(kind, line.strip()) for kind, lines in MASKED.items() for line in lines.strip().split("\n")]

UNTOUCHED = """
    駅前2丁目の交差点が危ない。|3丁目公園のブランコ|山手3丁目の街灯が切れています。|港一丁目5番の交差点|塩田町5番地先の側溝
    2丁目の山本商店前|本町の交差点|田中町のごみ置き場|浜田地区|山田線の本数が少ない。|川口駅の前|福田川があふれた。|上野動物園
    中島公園の池|石川県の事例|松本市へ引っ越した友人|前田クリニック|本田医院の先生|三浦半島|宮崎牛を給食に|石橋を直して|森の中の道
    小川があふれる|店員さんが親切でした。|和菓子屋さんがなくなった。|パン屋さんの前|郵便局員さん|ヘルパーさんに助けられた|お客様の声
    皆様へ|奥様と旦那様|神様のおかげ|お母さん、お父さん|子どもさん|市長さんへ|空模様が心配です。|王様の耳|汐浜さん
    ヘルパー・ボランティアさん|杉本知事の発言|大野市長の答弁|田村町長に伝えて|国道16号線の渋滞|会議室3-2で待つ
    資料1-2を見て|第3回 2-1で勝った。|10-12時の間|3月10日 16-18時|2024-10-05の件|令和7年4月1日に転入しました。
    昭和45年3月2日に橋ができた。|昭和五十年三月の橋|予算は1234567円です。|人口は86,240人|電話は119番です。|1234 5678 9012
    ISBN 978-4-00-000000-0|103号室の騒音|5号棟の裏|バス停「港2-3」|整理番号 12|12番の番号札|平成30年7月豪雨
    https://www.city.shiomi.lg.jp/page を見て
"""
STAYS = [sentence.strip() for line in UNTOUCHED.strip().split("\n") for sentence in line.split("|")]


@pytest.mark.parametrize(("kind", "marked"), CASES, ids=[marked for _, marked in CASES])
def test_personal_data_is_masked(kind: str, marked: str) -> None:
    pieces = marked.replace("〉", "〈").split("〈")
    expected = "".join(PLACEHOLDERS[kind] if place % 2 else piece for place, piece in enumerate(pieces))
    assert masked("".join(pieces)) == expected


@pytest.mark.parametrize("text", STAYS)
def test_what_points_at_a_problem_stays(text: str) -> None:
    assert masked(text) == text


def test_every_type_has_a_case() -> None:
    assert set(MASKED) == set(PLACEHOLDERS)
    assert len(CASES) + len(STAYS) >= 130


def test_a_whole_letter() -> None:
    text = (
        "港町の鈴木一郎と申します。〒100-0001 潮見市港一丁目2番3号、電話０１９０－５５－１２３４。\n"
        "3丁目公園の前で山田さんが転びました。返事は suzuki@example.jp へ。"
    )
    assert masked(text) == (
        "港町の〔氏名〕と申します。〔郵便番号〕 〔住所〕、電話〔電話〕。\n3丁目公園の前で〔氏名〕さんが転びました。返事は 〔メール〕 へ。"
    )


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("123456789018", True),
        ("1234-5678-9018", True),
        ("123456789012", False),
        ("100000000005", True),
        ("100000000004", False),
        ("111111111111", False),
        ("12345678901", False),
        ("1234567890180", False),
    ],
)
def test_check_digit_of_my_number(number: str, *, valid: bool) -> None:
    assert is_my_number(number) is valid


@given(st.integers(0, 10**11 - 1))
def test_exactly_one_check_digit_is_valid(first: int) -> None:
    body = f"{first:011d}"
    valid = [digit for digit in "0123456789" if is_my_number(body + digit)]
    assert len(valid) == 1 or (len(set(body)) == 1 and len(valid) <= 1)


def test_doubts_are_surnames_that_stand_alone() -> None:
    def doubted(text: str) -> list[str]:
        tokens = tokenize(text)
        return [text[item.start : item.end] for item in pii.doubts(tokens, pii.find(text, tokens, places=PLACES), places=PLACES)]

    assert doubted("昨日、山田が来ました。") == ["山田"]
    assert doubted("山田さんが来ました。") == []
    assert doubted("山田の角を曲がる") == []
    assert doubted("石川は雪が多い。") == []
    assert doubted("川北は雪が多い。") == []
    assert doubted("") == []


@pytest.mark.parametrize("text", ["昨日、山田が来ました。電話は090-1234-5678です。", "本町3丁目4-5の林です。佐藤が伺います。", ""])
def test_one_look_says_what_two_say(text: str) -> None:
    tokens = tokenize(text)
    spans = pii.find(text, tokens, places=PLACES)
    assert pii.look(text, tokens, places=PLACES) == (spans, pii.doubts(tokens, spans, places=PLACES))


def test_a_verdict_is_the_same_when_it_is_asked_for_again() -> None:
    doubts = [("昨日、山田が来ました。", PiiSpan(3, 5, "NAME")), ("山田は山と田が多い。", PiiSpan(0, 2, "NAME"))]
    first = recogniser.confirm([doubts[0]])
    assert recogniser.confirm([*doubts, doubts[0]]) == [*first, *recogniser.confirm([doubts[1]]), *first]
    assert recogniser.confirm([]) == []


def test_longer_spans_win_then_earlier_ones() -> None:
    spans = [PiiSpan(0, 4, "NAME"), PiiSpan(3, 9, "ADDRESS"), PiiSpan(9, 12, "PHONE"), PiiSpan(11, 14, "EMAIL")]
    assert pii.settle(spans) == [PiiSpan(3, 9, "ADDRESS"), PiiSpan(9, 12, "PHONE")]
    assert pii.settle([]) == []


@pytest.mark.parametrize("unit", ["a", "a.", "0-", "あ", "1の", "山田"])
def test_a_long_run_that_is_nothing(unit: str) -> None:
    text = unit * (300_000 // len(unit)) + " @"
    assert masked(text) == text


FRAGMENTS = st.sampled_from(
    [*("".join(marked.split("〈")).replace("〉", "") for _, marked in CASES), *STAYS, "\ud800", "😀", "\n", "1-2-3"]
)


@given(
    st.lists(FRAGMENTS, max_size=8).map("".join)
    | st.text(st.sampled_from("0189-０ー(番地の丁目様さん田山港@a.〒年月生 "), max_size=60)
    | st.text()
)
@settings(max_examples=300, deadline=None)
def test_spans_of_any_text(text: str) -> None:
    spans = pii.find(text, tokenize(text), places=PLACES)
    at, rebuilt = 0, []
    for span in spans:
        assert at <= span.start < span.end <= len(text)
        rebuilt += [text[at : span.start], PLACEHOLDERS[span.type]]
        at = span.end
    assert "".join([*rebuilt, text[at:]]) == pii.mask(text, spans)
