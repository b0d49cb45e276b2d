"""One block of sentences for each family of masking rules, with the traps beside them; and what holds for any text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import city
from core.settings import PROJECT_ROOT
from nlp import pii
from nlp.annotate import collector_paused
from nlp.annotation import PLACEHOLDERS
from nlp.japanese import tokenize
from nlp.pii.lexicon import CLEAR, NONE, POSSIBLE, family_weight, given_weight, is_reading_of, joined_weight

PLACES = city.load(PROJECT_ROOT / "data/taxonomy").places

# The part in 〈 〉 must go as the type of its block, one in 《 》 as any other; everything else must stay.
FAMILIES = {
    ("a name of two parts, with a blank", "NAME"): """
        〈堤 航平〉です。
        先日〈長野 さとみ〉さんのお宅へ伺いました。
        〈陳 美玲〉です。夜の工事の音が困ります。
        夫 〈隈部 誠一〉は入院中です。
        〈近藤 エミリー 沙羅〉
        申請したのは〈戸川 春男〉、私の叔父です。
        亡くなった父 〈清水 武〉の名義のままです。
    """,
    ("a signature", "NAME"): """
        ではまた。〈浜崎〉
        よろしくお願いします。\\n〈須藤〉
        草々\\n〈阿部 千代〉（八十二歳）
        直してください。〈瀬良〉 《0776-12-3456》
        《fukazawa@example.jp》　〈深沢〉
        連絡は《090-7777-8888》（〈木戸〉）にください。
        問い合わせ先：〈水谷〉、《mizu@example.jp》
    """,
    ("who introduces themselves", "NAME"): """
        〈栗原〉です。先日はありがとうございました。
        お世話になっております、〈西脇〉です。
        さくら台自治会の〈長尾〉です。
        先日引っ越してきた〈山口〉です。
        以上です。〈曽根〉でした。
        〈鹿児島 正〉と申します。
    """,
    ("a label", "NAME"): """
        お名前　〈内藤 剛志〉
        【氏名】〈桑名淳〉
        フリガナ：〈アライ　カオリ〉
        なまえ：〈きむら ゆうと〉
        口座名義は〈オオタ ケンジ〉です。
        対応者：〈工藤〉。
        被相続人〈相沢 トメ〉、相続人〈相沢 均〉
    """,
    ("kin and a given name", "NAME"): """
        娘の〈結愛〉と息子の〈蓮〉が同じ保育園に入れません。
        長女 〈心春〉、次女 〈芽衣〉の入園を希望します。
        弟〈和也〉の医療費の件で相談です。
        ひ孫の〈湊斗〉が生まれました。
        妹の〈さつき〉は耳が聞こえません。
        うちの〈健太〉が公園でけがをしました。
    """,
    ("a role and a family name", "NAME"): """
        館長の〈若林〉が勝手に休館日を決めた。
        会長は〈飯田〉、副会長は〈三宅〉、会計は〈土屋〉です。
        担当の〈原〉から説明がなかった。
        担当〈笠松〉より折り返す約束です。
    """,
    ("a job behind the name", "NAME"): """
        〈谷口〉係長より折り返し電話あり。
        〈矢野〉医師の説明が丁寧で安心しました。
        〈鳥居〉巡査が来てくれた。
        〈宇野〉議員に頼んだら、すぐ直った。
        〈吉岡〉教諭と〈篠崎〉校長に話しました。
        私の知り合いの〈堀〉君も手伝った。
    """,
    ("what only people do", "NAME"): """
        以前〈永井〉が受けた相談の続きです。
        〈鶴田〉には何度もお願いしている。
        〈桜井〉なら知っているはずだ。
        〈根岸〉っていう職員、態度が悪すぎる。
        〈黒川〉は話を聞こうともしなかった。
        きのう〈平野〉に会ったが、あいさつもなかった。
        〈松下〉の件、まだ連絡がありません。
    """,
    ("a list, a successor, a repeat", "NAME"): """
        〈杉山〉さん、〈小笠原〉、〈森下〉の順に回覧板を回しています。
        〈山口〉、〈福島〉、〈石川〉の三名で伺います。
        担当が〈宮田〉から〈安藤〉に代わってから、対応が悪くなった。
        〈落合 勝〉の妻です。〈落合〉は病気で行けません。
    """,
    ("a reading in brackets", "NAME"): """
        〈角田（つのだ）〉と申します。
        〈小鳥遊 澪〉（〈たかなし みお〉）
        〈国分 太一郎〉 (〈ｺｸﾌﾞ ﾀｲﾁﾛｳ〉)
        〈孫 暁明〉（〈ソン ギョウメイ〉）、留学生です。
    """,
    ("a name from abroad", "NAME"): """
        〈Tran Thi Lan〉です。ごみの分別がわかりません。
        My name is 〈Maria Santos〉 and I live near the station.
        The park is dark.\\nSincerely,\\n〈Emily R. Thompson〉
        わたしは〈リン・メイ〉です。
        〈パク・ジヨン〉（韓国籍）です。
        〈クマール〉さんはインドから来ました。
    """,
    ("an address with its building", "ADDRESS"): """
        〈栄町3-4-12-508〉に住んでいます。
        送付先 〈熊本県合志原市豊岡2000-1 ハウス北斗B-102〉
        〈三重県志摩野市阿児町鵜方3098番地22〉在住です。
        現住所：〈愛媛県松前野市北黒田七百二十番地〉
        〈京都市左京区一乗寺払殿町45〉に住む学生です。
        〈若葉町二の八の三〉に住んでいます。
        〈西条村大字上条乙560〉の自宅前の水路
    """,
    ("a building with a room, without a block", "ADDRESS"): """
        〈さつき荘3号室〉の騒音で眠れません。
        うちは〈県営東団地2号棟305号室〉で、水漏れがひどい。
        〈市営緑が丘住宅A棟402号〉に入居しています。
    """,
    ("a number plate, short or of a moped", "PLATE"): """
        ナンバーは〈湘南 ３３２ て ５５－０９〉です。
        〈なにわ100あ8-88〉のトラックが過積載です。
        〈富士山 580 む ・・31〉の軽
        原付のナンバー〈青葉市 あ 12-34〉が放置されています。
    """,
    ("a postal code in any form", "POSTAL_CODE"): """
        〈〒９１００００５〉
        郵便番号は〈9100005〉です。
    """,
    ("a date of birth", "BIRTHDATE"): """
        〈大正14年(1925年)3月3日〉生まれの母
        生年月日(西暦) 〈19720315〉
        〈明治四拾年五月壱日〉出生の祖父
        I was born on 〈May 3, 1988〉 in Manila.
        接種日ではなく〈R2.10.08〉が生年月日です。
    """,
    ("a bank account", "ACCOUNT"): """
        みずほし銀行の〈204-7712823〉に振り込んでください。
        北陸信金 駅前支店 普 〈0123456〉
        ゆうちょ 記号 〈12340〉 番号 〈12345671〉
        JA三里 本所 (普)〈7654321〉
        市の還付金は〈7110364〉の口座から、と言われた。
    """,
    ("a number that a person carries", "OTHER_ID"): """
        障害者手帳 〈第045678号〉の更新について
        在留カード番号 〈AB12345678CD〉 の写しを出した。
        基礎年金番号〈4321-098765〉を聞かれた。
        介護保険の被保険者番号は〈0000123456〉です。
        免許返納済、番号〈301234567890〉
        母子健康手帳 No.〈R6-01187〉
    """,
    ("a phone", "PHONE"): """
        Call me at 〈+84 912 345 678〉.
        FAX:〈0776-12-3457〉 まで
        連絡先は〈+81(0)90-1234-5678〉です。
    """,
    ("a My Number", "MY_NUMBER"): """
        個人番号 〈987654321098〉 が漏れた
        My number is 〈1111 2222 3333〉.
    """,
    ("a handle or a page", "URL_ID"): """
        私は 〈@mimamori-kita〉 です。
        YouTubeの〈youtube.com/@machi_walker〉を見て
        偽物は〈@shicho@example.social〉です。
    """,
}
CASES = [(family, kind, line.strip()) for (family, kind), lines in FAMILIES.items() for line in lines.strip().splitlines()]

TRAPS = """
    千葉の海はきれいだと聞く。|長崎に行った時の路面電車がよかった。|石川の人が多く来る。|大野と勝山は雪が深い。|青山から赤坂へ抜ける道
    小松と敦賀の間の特急|坂井、あわら、勝山の三市で連携を。|三条の橋、四条の橋、どちらも古い。|森の中、谷の奥、原の端|平野に雪が積もる。
    高橋建設の工事がうるさい。|佐々木医院の前の信号|吉野家ができてほしい。|桜井線のバスが減った。|今井町の町並み|大橋が通行止めで困る。
    朝倉氏の館跡に案内板を。|徳川家の墓所の案内板が読めない。|前田利家の像のまわりの草刈り|夏目漱石の本が図書館にない。
    奥さん、大将、若旦那、と呼び合う店|神主さんも町会長さんも高齢です。|先生と生徒、親と子、上司と部下。|保健師さんがいつも親切です。
    会長は高齢、会計は不在、書記は転居した。|娘の学校、息子の部活、孫の保育園。|子の将来、親の介護が心配。|孫の手も借りたい。
    父が朝早くから畑に出る。|父のために手すりをつけた。|若い子の顔見てみ。|母が一人で暮らしています。|妻の実家の福井に引っ越します。
    氏名 住所 電話番号を三回書かされた。|氏名：匿名希望|担当：市民課|世帯主：同上|電話番号：不明　氏名：不明|名前は書きたくありません。
    カフェ・レストランです。駐車場が足りません。|Google Mapsの表示が違う。
    Thank you very much.\\nThe library is great.|まいにち たのしい です
    駅です。駅にいます。|今、林業の担い手がいない。|小銭がなくて金子も払えない、とぼやく。|杉本知事の発言|大野市長の答弁
    中央3丁目8番の信号が消えています。|市民プラザ3階の会議室302号室が寒い。|団地の3号棟のエレベーター|1丁目から3丁目まで断水した。
    3-2で負けた試合|令和6-7年度の比較表|駅から7-8分の所|議案第35号の説明を求める。|国道8と27の合流点|定員500の3割しか埋まらない。
    お問い合わせ番号1234-5678-9012の荷物|受付番号 A-1023 で呼ばれた。|管理番号00123の街灯
    カタログ番号 45-678 の防災用品
    追跡番号は123456789012です。
    手帳を2冊もらった。|会員は1200人います。|税は1234567円でした。|平成5年4月1日に開校した小学校
    令和2年4月2日生まれ以降の子が対象と言われた。
    500円@3個で買った。|@1,200円のお弁当|集合＠駅前広場|https://www.pref.example.lg.jp/kosodate/ の内容が古い
    https://city.example.jp/a/b が開けない
    苗の規格は100-2000ポット、単価は155円。|第100-2000条例|型番 123-4567 の部品|番号は0776から始まる。
"""
TRAP_LINES = [sentence.strip().replace("\\n", "\n") for line in TRAPS.strip().splitlines() for sentence in line.split("|")]


def found(text: str) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], span.type) for span in pii.find(text, tokenize(text), places=PLACES)]


@pytest.mark.parametrize(("family", "kind", "line"), CASES, ids=[line for _, _, line in CASES])
def test_a_family_of_rules_finds_its_own(family: str, kind: str, line: str) -> None:
    marked = line.replace("\\n", "\n")
    text = "".join(character for character in marked if character not in "〈〉《》")
    expected = [piece.split("〉")[0] for piece in marked.split("〈")[1:]]
    assert [surface.lstrip("〒 ") for surface, type_ in found(text) if type_ == kind] == [item.lstrip("〒 ") for item in expected], family


@pytest.mark.parametrize("text", TRAP_LINES)
def test_what_looks_like_it_stays(text: str) -> None:
    assert found(text) == []


def test_offsets_are_those_of_the_given_text() -> None:
    text = "👪　住所：港町３丁目５番地\ud800　氏名：髙橋　花子　☎０９０－１２３４－５６７８"
    assert [(surface, type_) for surface, type_ in found(text) if type_ != "ADDRESS"] == [
        ("髙橋　花子", "NAME"),
        ("０９０－１２３４－５６７８", "PHONE"),
    ]


def test_weights_of_words() -> None:
    assert (family_weight("渡辺"), family_weight("千葉"), family_weight("一人")) == (CLEAR, POSSIBLE, NONE)
    assert (given_weight("莉子"), given_weight("翼"), given_weight("道路")) == (CLEAR, POSSIBLE, NONE)
    assert joined_weight("渡辺莉子") >= CLEAR
    assert joined_weight("渡辺") == NONE


def test_readings_of_names() -> None:
    assert is_reading_of("たかはし はなこ", "高橋 花子")
    assert is_reading_of("ﾀｶﾊｼ", "高橋")
    assert not is_reading_of("すずき", "高橋")
    assert not is_reading_of("takahashi", "高橋")


# A name repeated must cost no more than it is long: each of these units was once walked through from each of its places.
UNITS = [
    "佐藤 花子、",
    "佐藤さんと",
    "John Smith. ",
    "マリア・サントス、",
    "息子の陽翔が",
    "港町3-5 コーポ港",
    "@a.b",
    "https://a.",
    "氏名：",
    "年金",
    "のの",
    "（かな）",
]


@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_the_length(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        tokens = tokenize(text)
        with collector_paused():  # what else is in memory is no part of the work
            started = time.process_time()
            pii.mask(text, pii.find(text, tokens, places=PLACES))
            return time.process_time() - started

    short, long = seconds(10_000), seconds(80_000)
    assert long < 40 * max(short, 0.005)


WORDS = st.sampled_from(
    [*"、。\n （）「」：・のはが", "です", "さん", "と申します", "\ud800", "😀", "氏名", "息子の", "住所", "生まれ", "番号"]
    + [piece for _, _, line in CASES for piece in line.replace("〉", "〈").replace("》", "〈").replace("《", "〈").split("〈") if piece]
)


@given(st.lists(WORDS, max_size=14).map("".join) | st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_masked_text_maps_back(text: str) -> None:
    spans = pii.find(text, tokenize(text), places=PLACES)
    masked = pii.mask(text, spans)
    at = given_at = 0
    for span in spans:
        assert given_at <= span.start < span.end <= len(text)
        kept = text[given_at : span.start]
        assert masked.startswith(kept + PLACEHOLDERS[span.type], at)
        at += len(kept) + len(PLACEHOLDERS[span.type])
        given_at = span.end
    assert masked[at:] == text[given_at:]


@given(st.lists(WORDS, max_size=10).map("".join))
@settings(max_examples=100, deadline=None)
def test_doubts_are_valid_and_undecided(text: str) -> None:
    tokens = tokenize(text)
    spans = pii.find(text, tokens, places=PLACES)
    for doubt in pii.doubts(tokens, spans, places=PLACES):
        assert 0 <= doubt.start < doubt.end <= len(text)
        assert all(doubt.end <= span.start or span.end <= doubt.start for span in spans)
