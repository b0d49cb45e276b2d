"""潮見市(架空)の24か月分の見本記録をつくる。

使い方: python data/sample/make_sample.py [--out DIR]

乱数の種は固定で、同じ材料(material/*.yaml)からは毎回同じバイト列のファイルができる。
"""

from __future__ import annotations

import argparse
import base64
import csv
import importlib
import io
import json
import os
import random
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
MATERIAL = HERE / "material"
TAXONOMY = HERE.parent / "taxonomy"
SEED = 20241101
START = date(2024, 11, 1)
END = date(2026, 10, 31)
DAYS = [START + timedelta(days=i) for i in range((END - START).days + 1)]

N_CALL, N_VOICE, N_COUNTER, N_MAIL, N_RESPONDENTS = 3000, 2000, 300, 40, 500
N_DUPLICATES, N_CAMPAIGN, N_SENDERS = 12, 60, 45

HOLIDAYS = {
    date.fromisoformat(s)
    for s in """
    2024-11-03 2024-11-04 2024-11-23
    2025-01-01 2025-01-13 2025-02-11 2025-02-23 2025-02-24 2025-03-20 2025-04-29 2025-05-03
    2025-05-04 2025-05-05 2025-05-06 2025-07-21 2025-08-11 2025-09-15 2025-09-23 2025-10-13
    2025-11-03 2025-11-23 2025-11-24
    2026-01-01 2026-01-12 2026-02-11 2026-02-23 2026-03-20 2026-04-29 2026-05-03 2026-05-04
    2026-05-05 2026-05-06 2026-07-20 2026-08-11 2026-09-21 2026-09-22 2026-09-23 2026-10-12
    """.split()
}

CALL_HEADINGS = [
    "受付番号",
    "受付日時",
    "受付方法",
    "区",
    "問合せ内容",
    "応答内容",
    "所管課",
    "種別",
]
VOICE_HEADINGS = [
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
REASON = "上記回答の理由をお書きください（任意）"
QUESTIONS = [
    ("【問２】潮見市は住みやすいと思いますか。", ["住みやすい", "どちらかといえば住みやすい", "どちらかといえば住みにくい", "住みにくい"]),
    (
        "【問３】これからも潮見市に住みつづけたいと思いますか。",
        ["住みつづけたい", "できれば住みつづけたい", "できれば移りたい", "移りたい"],
    ),
    (
        "【問４】市民の声が市の仕事に生かされていると思いますか。",
        ["生かされている", "ある程度生かされている", "あまり生かされていない", "生かされていない"],
    ),
    ("【問５】この１年で市のサービスはよくなったと思いますか。", ["よくなった", "少しよくなった", "少し悪くなった", "悪くなった"]),
]
AGES = ["10代", "20代", "30代", "40代", "50代", "60代", "70代", "80代以上"]
AGE_WEIGHTS = [2, 8, 16, 18, 17, 16, 15, 8]
COUNTER_HEADINGS = ["番号", "受付日", "時刻", "区", "相談者", "内容", "処理", "担当課", "種別"]

# --- 文末の言いかえ -------------------------------------------------------------------------

ADJ_NAI = (
    "少ない", "危ない", "切ない", "もったいない", "みっともない", "とんでもない", "情けない",
    "申し訳ない", "頼りない", "無い",
)
VERB_GA = ("泳がない", "急がない", "防がない", "稼がない", "騒がない", "つながない", "嫌がない")
GODAN_RU = (
    "なる ある 困る 助かる かかる 止まる 溜まる たまる 残る 分かる わかる 走る 通る 曲がる 光る "
    "鳴る 減る 滑る 上がる 下がる 集まる 詰まる 広がる 散る 入る 帰る 切る 知る 要る 戻る 怒る "
    "回る 終わる 始まる 変わる 伝わる 見つかる 余る 送る 取る 作る つくる 乗る 座る 守る 限る "
    "閉まる 決まる 高まる 弱る 折る 掘る 触る 渡る 登る 茂る 腐る 湿る 濁る 漁る 降る 積もる 寄る "
    "残る 眠る 頼る 当たる 回る 強まる 移る 配る かぶる こもる 破る 送る 至る 異なる やる 下る"
).split()
IRREGULAR = {
    "いる": "います",
    "する": "します",
    "来る": "来ます",
    "くる": "きます",
    "だ": "です",
    "だった": "でした",
    "無い": "ありません",
    "助かった": "助かりました",
    "した": "しました",
    "いた": "いました",
    "来た": "来ました",
    "きた": "きました",
    "あった": "ありました",
    "なった": "なりました",
    "困った": "困りました",
    "驚いた": "驚きました",
    "だろう": "でしょう",
}
TO_I = dict(zip("うくぐすつぬぶむる", "いきぎしちにびみり", strict=True))
A_TO_I = dict(zip("かがさたなばまらわ", "きぎしちにびみりい", strict=True))


def polite(plain: str) -> str:
    """常体の文末(動詞・形容詞・だ)を敬体にする。分からない形は ValueError。"""
    for key, value in IRREGULAR.items():
        if plain == key:
            return value
    if plain.endswith("かもしれない"):
        return plain[:-2] + "ません"
    if plain.endswith("ない") and not plain.endswith(ADJ_NAI):
        stem = plain[:-2]
        if stem.endswith(("が", "も", "は", "しか", "に、")) and not plain.endswith(VERB_GA):
            return stem + "ありません"
        if stem and stem[-1] in A_TO_I:
            stem = stem[:-1] + A_TO_I[stem[-1]]
        return stem + "ません"
    if plain.endswith("い"):
        return plain + "です"
    if plain.endswith("かった"):
        return plain + "です"
    if plain.endswith(("ている", "でいる", "ていた", "でいた", "にいる", "がいる", "もいる")):
        return plain[:-1] + "ます" if plain.endswith("る") else plain[:-1] + "ました"
    if plain.endswith("した"):
        return plain[:-1] + "ました"
    if plain.endswith("だった"):
        return plain[:-3] + "でした"
    if plain.endswith(("てきた", "でき" + "た", "れた", "えた", "せた", "めた", "けた", "べた", "てた")):
        return plain[:-1] + "ました"
    if plain.endswith("する"):
        return plain[:-2] + "します"
    if plain.endswith("てくる"):
        return plain[:-2] + "きます"
    if plain.endswith(tuple(GODAN_RU)):
        return plain[:-1] + "ります"
    if plain.endswith("る"):
        return plain[:-1] + "ます"
    if plain.endswith("だ"):
        return plain[:-1] + "です"
    if plain[-1] in TO_I:
        return plain[:-1] + TO_I[plain[-1]] + "ます"
    guess = soft(plain)
    if guess is not None:
        return guess
    raise ValueError(f"文末の形が分からない: {plain}")


E_ROW = "えけげせぜてでねへべぺめれ"
I_ROW = "きぎしじちにひびみり"
GODAN_KANJI = (
    "困通残止減滑散入帰切知要戻怒回余送取作乗座守限折掘触渡登茂腐湿濁漁降積寄眠頼移配破至下曲走光"
    "鳴去語誤売張貼割刈測謝踊釣握粘迫弱漏太上当困終始変集詰広閉決溜余蹴練縛祈預参拾測売振断図"
)
ICHIDAN_KANJI = "見出寝得着似煮居経"
PAST = {
    "った": {
        "言": "言い",
        "思": "思い",
        "もら": "もらい",
        "買": "買い",
        "違": "違い",
        "会": "会い",
        "使": "使い",
        "払": "払い",
        "失": "失い",
        "救": "救い",
        "行": "行き",
        "もって": "",
        "知": "知り",
        "減": "減り",
        "戻": "戻り",
        "帰": "帰り",
        "なくな": "なくなり",
        "な": "なり",
        "あ": "あり",
        "困": "困り",
        "しま": "しまい",
        "や": "やり",
        "入": "入り",
        "残": "残り",
        "閉ま": "閉まり",
        "決ま": "決まり",
        "切": "切り",
        "折": "折り",
        "終わ": "終わり",
        "変わ": "変わり",
        "止ま": "止まり",
        "助か": "助かり",
        "かか": "かかり",
        "受か": "受かり",
        "見つか": "見つかり",
        "分か": "分かり",
        "つか": "つかり",
        "埋ま": "埋まり",
        "座": "座り",
        "当た": "当たり",
        "上が": "上がり",
        "下が": "下がり",
        "去": "去り",
        "逃が": "逃がり",
        "削": "削り",
        "のど": "",
        "集ま": "集まり",
        "待": "待ち",
        "撮": "撮り",
        "取": "取り",
        "送": "送り",
        "作": "作り",
        "売": "売り",
        "立": "立ち",
        "誘": "誘い",
        "通": "通り",
        "走": "走り",
        "救わ": "",
        "染ま": "染まり",
        "曲が": "曲がり",
        "広が": "広がり",
        "すみ": "",
        "移": "移り",
        "伝わ": "伝わり",
        "刈": "刈り",
        "拾": "拾い",
        "習": "習い",
        "終": "終わり",
        "伸び": "",
        "被": "被り",
        "鳴": "鳴り",
        "怒": "怒り",
        "弱": "弱り",
    },
    "いた": {
        "聞": "聞き",
        "驚": "驚き",
        "続": "続き",
        "届": "届き",
        "着": "着き",
        "気づ": "気づき",
        "書": "書き",
        "て": "てい",
        "で": "でい",
        "泣": "泣き",
        "つ": "つき",
        "付": "付き",
        "がい": "",
        "が": "がい",
        "はた": "はたき",
        "に": "にい",
        "も": "もい",
        "落ちつ": "落ちつき",
    },
    "んだ": {
        "転": "転び",
        "死": "死に",
        "住": "住み",
        "読": "読み",
        "休": "休み",
        "頼": "頼み",
        "運": "運び",
        "楽し": "楽しみ",
        "済": "済み",
        "す": "すみ",
        "痛": "痛み",
        "傷": "傷み",
        "進": "進み",
        "叫": "叫び",
        "喜": "喜び",
        "悩": "悩み",
        "呼": "呼び",
        "込": "込み",
    },
}


def soft(plain: str) -> str | None:
    """文の終わりから形を見て敬体にする。確かでない形は None。"""
    fixed = ("です", "ます", "ました", "ません", "でしょう", "ください", "下さい", "なさい", "くれ")
    if not plain or plain.endswith(fixed):
        return None
    last, before = plain[-1], plain[-2:-1]
    kanji = "\u4e00" <= before <= "\u9fff"
    if plain.endswith("だろう"):
        return plain[:-3] + "でしょう"
    if plain.endswith("かもしれない"):
        return plain[:-2] + "ません"
    if last == "い":
        if plain.endswith("ない") and not plain.endswith(ADJ_NAI):
            return polite(plain)
        return plain + "です"
    if plain.endswith(
        ("なかった", "よかった", "多かった", "きつかった", "ひどかった", "しかった", "だるかった", "遅かった", "怖かった", "つらかった")
    ):
        return plain + "です"
    for tail, table in PAST.items():
        if plain.endswith(tail):
            for stem in sorted(table, key=len, reverse=True):
                if table[stem] and plain.endswith(stem + tail):
                    return plain[: -len(stem + tail)] + table[stem] + "ました"
            if tail != "った":
                return None
    if plain.endswith("だった"):
        return plain[:-3] + "でした"
    if last == "た":
        if before and (before in E_ROW or before in I_ROW or before in ICHIDAN_KANJI + "来"):
            return plain[:-1] + "ました"
        return None
    if last == "だ":
        nouns = (
            "みたいだ",
            "きれいだ",
            "嫌いだ",
            "くらいだ",
            "ぐらいだ",
            "扱いだ",
            "違いだ",
            "せいだ",
            "ていだ",
            "いっぱいだ",
            "具合いだ",
            "たいへんだ",
        )
        if before == "い" and not plain.endswith(nouns):
            return None
        return plain[:-1] + "です"
    if last == "る":
        if plain.endswith("する"):
            return plain[:-2] + "します"
        if plain.endswith(("てくる", "でくる", "出てくる", "くる")):
            return plain[:-2] + "きます"
        if plain.endswith("来る"):
            return plain[:-1] + "ます"
        if before in E_ROW + "いじびみちにぎき" or before in ICHIDAN_KANJI:
            return plain[:-1] + "ます"
        if before in GODAN_KANJI or (before and before in "あかがさただなはばまやらわうくぐすつぬふぶむゆおこごそとどのほぼもよろり"):
            return plain[:-1] + "ります"
        return None
    if last == "う" and (kanji or plain.endswith(("らう", "まう", "かう", "そろう", "にぎわう"))):
        return plain[:-1] + "います"
    if last in "くすむぶぐ" and (kanji or plain.endswith(("ていく", "ておく", "でいく", "すむ", "こむ", "わく", "のぞく"))):
        return plain[:-1] + TO_I[last] + "ます"
    if plain.endswith(("立つ", "待つ", "持つ", "死ぬ")):
        return plain[:-1] + TO_I[last] + "ます"
    return None


WISH = [
    "ほしいです",
    "いただきたいです",
    "もらえませんか",
    "いただけないでしょうか",
    "ください",
    "いただけると助かります",
    "ほしいと思います",
]
WISH_PLAIN = ["ほしい", "くれ", "もらいたい", "ください", "ほしい"]


def ending(token: str, style: str, rng: random.Random) -> str:
    """角かっこの中身を、その文体の文末にする。"""
    plain, _, given = token.partition("/")
    if plain.endswith("?"):
        plain = plain[:-1]
        if style != "polite":
            return plain.removesuffix("だ") + "か"
        if plain == "だ":
            return rng.choice(["でしょうか", "ですか"])
        return (given or soft(plain) or polite(plain)) + "か"
    if plain == "ほしい":
        if style == "polite":
            return rng.choice(WISH)
        return rng.choice(WISH_PLAIN) if style == "plain" else "ほしい"
    if style == "polite":
        return given or soft(plain) or polite(plain)
    if plain == "どうだ":
        return "どうか"
    return plain


def mark(sentence: str, style: str) -> str:
    """角かっこのない文の終わりを、言いかえられるなら角かっこで囲む。"""
    body = sentence.removesuffix("。")
    if body == sentence or any(c in body for c in "[]/?「」"):
        return sentence
    if style == "call" or soft(body) is None:
        return sentence
    return sentence[: -len(body) - 1] + f"[{body}]。"


# --- 材料 ------------------------------------------------------------------------------------


@dataclass
class Core:
    """ひとつの出来事の型(文と、その正解)。"""

    theme: str
    subtheme: str
    kind: str
    urgency: str
    text: str
    months: frozenset[int] = frozenset(range(1, 13))
    only: str = ""
    used: int = 0


@dataclass
class Person:
    """つくりものの市民。"""

    surname: str
    given: str
    roman: str
    district: str
    address: str
    phone: str
    email: str
    age: str
    sex: str

    @property
    def full(self) -> str:
        """姓と名。"""
        return self.surname + self.given


@dataclass
class Record:
    """できあがった1件。"""

    file: str
    day: date
    clock: time
    core: Core
    district: str
    text: str
    pii: list[tuple[str, str]]
    person: Person
    surge: str | None = None
    campaign: bool = False
    channel: str = ""
    style: str = "polite"
    external_id: str = ""
    row: int = 0
    subject: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def load_yaml(path: Path) -> Any:
    """YAML をひとつ読む。"""
    with path.open(encoding="utf-8") as handle:
        return yaml.safe_load(handle)


def is_open(day: date, city: dict[str, Any]) -> bool:
    """開庁日かどうか。"""
    if day.weekday() >= 5 or day in HOLIDAYS:
        return False
    stamp = day.strftime("%m-%d")
    if stamp >= "12-29" or stamp <= "01-03":
        return False
    return stamp not in {d["date"] for d in city["closed_days"]["city_days"]}


def wareki(day: date, rng: random.Random) -> str:
    """令和7年4月1日 と R7.4.1 をまぜる。"""
    year = day.year - 2018
    if rng.random() < 0.65:
        return f"令和{year}年{day.month}月{day.day}日"
    return f"R{year}.{day.month}.{day.day}"


def fiscal(day: date) -> int:
    """年度(4月から)。"""
    return day.year if day.month >= 4 else day.year - 1


class Maker:
    """材料と乱数を持ち、記録をつくる。"""

    def __init__(self) -> None:
        self.rng = random.Random(SEED)
        self.city: dict[str, Any] = load_yaml(TAXONOMY / "city.yaml")
        self.places: dict[str, Any] = load_yaml(MATERIAL / "places.yaml")
        self.people: dict[str, Any] = load_yaml(MATERIAL / "people.yaml")
        self.frames: dict[str, Any] = load_yaml(MATERIAL / "frames.yaml")
        self.calendar: dict[str, Any] = load_yaml(MATERIAL / "calendar.yaml")
        self.events: dict[str, Any] = load_yaml(MATERIAL / "events.yaml")
        self.themes: dict[str, dict[str, Any]] = {}
        self.cores: dict[tuple[str, str], list[Core]] = {}
        self.bits: dict[tuple[str, str], list[Core]] = {}
        for path in sorted(MATERIAL.glob("theme_*.yaml")):
            self._load_theme(load_yaml(path))
        order = [t["name"] for t in load_yaml(TAXONOMY / "themes.yaml")["themes"]]
        self.keys = [k for t in order for k in self.cores if k[0] == t]
        self.department: dict[tuple[str, str], dict[str, Any]] = {}
        for dept in load_yaml(TAXONOMY / "departments.yaml")["departments"]:
            for entry in dept["themes"]:
                for sub in entry["subthemes"]:
                    self.department[(entry["theme"], sub)] = dept
        self.districts: list[str] = [d["name"] for d in self.city["districts"]]
        self.district_weights = [float(d["population"]) for d in self.city["districts"]]
        self.towns = {d["name"]: list(d["towns"]) for d in self.city["districts"]}
        self.persons = [self._person() for _ in range(2200)]
        self.by_district = {d: [p for p in self.persons if p.district == d] for d in self.districts}
        self.seen: Counter[str] = Counter()
        self._weights: dict[tuple[int, int, bool], list[float]] = {}

    def _load_theme(self, data: dict[str, Any]) -> None:
        theme = data["theme"]
        self.themes[theme] = data
        for sub, body in data["subthemes"].items():
            key = (theme, sub)
            self.cores[key] = [self._core(theme, sub, c) for c in body["cores"]]
            self.bits[key] = [Core(theme, sub, kind, "normal", text) for kind, text in body["bits"]]

    @staticmethod
    def _core(theme: str, sub: str, item: list[Any]) -> Core:
        options = item[3] if len(item) > 3 else {}
        months = frozenset(options.get("m", range(1, 13)))
        return Core(theme, sub, item[0], item[1], item[2], months, options.get("only", ""))

    # 人 -----------------------------------------------------------------------------------

    def _person(self) -> Person:
        rng = self.rng
        surname, roman = rng.choice(self.people["surnames"])
        sex = rng.choice(["女性", "男性"])
        given, given_roman = rng.choice(self.people["women" if sex == "女性" else "men"])
        district = rng.choices(self.districts, self.district_weights)[0]
        user = rng.choice(
            [
                f"{given_roman}.{roman}",
                f"{roman}{rng.randint(1, 99)}",
                f"{given_roman}_{roman[0]}",
                f"{roman}-{given_roman}",
                f"{given_roman}{rng.randint(1950, 2006)}",
            ]
        )
        domain = rng.choice(["example.jp", "example.com", "example.org", "mail.example.jp"])
        return Person(
            surname,
            given,
            roman,
            district,
            self.block(district),
            self.phone(),
            f"{user}@{domain}",
            rng.choices(AGES, AGE_WEIGHTS)[0],
            sex,
        )

    def block(self, district: str) -> str:
        """番地までの住所(つくりもの)。"""
        rng = self.rng
        town = rng.choice(self.towns[district])
        a, b = rng.randint(1, 28), rng.randint(1, 19)
        return rng.choice(
            [
                f"{town}{a}-{b}",
                f"{town}{a}番{b}号",
                f"{town}{a}番地",
                f"{town}{a}番地{b}",
                f"潮見市{town}{a}-{b}",
                f"潮見市{town}{a}番{b}号",
            ]
        )

    def phone(self) -> str:
        """割り当てのない番号。"""
        tail = self.rng.randint(0, 9999)
        return self.rng.choice(
            [
                f"0190-55-{tail:04d}",
                f"0190-55-{tail:04d}",
                f"090-0000-{tail:04d}",
                f"090-0000-{tail:04d}",
                f"0900000{tail:04d}",
                f"0190（55）{tail:04d}",
            ]
        )

    def resident(self, district: str) -> Person:
        """その地区の人をひとり選ぶ。"""
        return self.rng.choice(self.by_district[district])

    # 文 -----------------------------------------------------------------------------------

    def expand(self, text: str, slots: dict[str, str], pii: list[tuple[str, str]], ctx: dict[str, Any]) -> str:
        """<a|b> と {slot} を埋める。個人情報のスロットは pii に書きとめる。"""
        rng = self.rng
        while True:
            found = re.search(r"<([^<>]*)>", text)
            if not found:
                break
            text = text[: found.start()] + rng.choice(found[1].split("|")) + text[found.end() :]

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name not in slots:
                slots[name] = self.slot(name, ctx, pii)
            return slots[name]

        return re.sub(r"\{(\w+)\}", fill, text)

    def slot(self, name: str, ctx: dict[str, Any], pii: list[tuple[str, str]]) -> str:
        """スロットの中身をひとつ決める。"""
        rng = self.rng
        district: str = ctx["district"]
        person: Person = ctx["person"]
        day: date = ctx["day"]

        def private(surface: str, kind: str) -> str:
            pii.append((surface, kind))
            return surface

        if name == "town":
            return str(rng.choice(self.towns[district]))
        if name == "district":
            return district
        if name in self.places["by_district"][district]:
            return str(rng.choice(self.places["by_district"][district][name]))
        if name in self.places["city"]:
            return str(rng.choice(self.places["city"][name]))
        if name in self.frames["slots"]:
            return self.expand(str(rng.choice(self.frames["slots"][name])), {}, pii, ctx)
        if name == "month":
            return f"{day.month}月"
        if name == "age":
            low, high = (70, 91) if rng.random() < 0.5 else (25, 69)
            return f"{rng.randint(low, high)}歳"
        if name == "n":
            return str(rng.randint(2, 9))
        if name == "nn":
            return str(rng.choice([10, 12, 15, 20, 25, 30, 40, 50]))
        if name == "dept":
            return str(ctx["dept"]["name"])
        if name == "ext":
            return str(ctx["dept"]["phone_ext"])
        if name == "later":
            later = day + timedelta(days=rng.randint(40, 150))
            return f"令和{later.year - 2018}年{later.month}月"
        if name == "done":
            done = day + timedelta(days=rng.randint(1, 4))
            return f"{done.month}月{done.day}日"
        if name == "name":
            full = rng.random() < 0.62
            return private(person.full if full else person.surname, "NAME")
        if name == "fullname":
            return private(person.full, "NAME")
        if name == "staff":
            return private(str(rng.choice(self.people["surnames"])[0]), "NAME")
        if name == "other":
            other = rng.choice(self.persons)
            return private(other.full if rng.random() < 0.4 else other.surname, "NAME")
        if name == "addr":
            return private(person.address, "ADDRESS")
        if name == "otheraddr":
            return private(self.block(district), "ADDRESS")
        if name == "phone":
            return private(person.phone, "PHONE")
        if name == "email":
            return private(person.email, "EMAIL")
        if name == "zip":
            return private(f"〒000-{rng.randint(0, 9999):04d}", "POSTAL_CODE")
        if name == "birth":
            y = rng.randint(1, 63)
            m, d = rng.randint(1, 12), rng.randint(1, 28)
            if rng.random() < 0.2:
                return private(f"{1925 + max(y, 3)}年{m}月{d}日", "BIRTHDATE")
            return private(f"昭和{max(y, 3)}年{m}月{d}日", "BIRTHDATE")
        if name == "childbirth":
            y = rng.randint(1, 5)
            return private(f"令和{y}年{rng.randint(1, 12)}月{rng.randint(1, 28)}日", "BIRTHDATE")
        if name == "plate":
            kana = rng.choice("さすせたなはまら")
            digits = f"{rng.randint(10, 99)}-{rng.randint(10, 99)}"
            return private(f"潮見{rng.choice([330, 500, 580])}{kana}{digits}", "PLATE")
        if name == "member":
            return private(self._member(), "OTHER_ID")
        if name == "insured":
            return private(f"潮国{rng.randint(100000, 999999)}", "OTHER_ID")
        if name == "account":
            return private(f"普通 {rng.randint(0, 9999999):07d}", "ACCOUNT")
        if name == "mynumber":
            return private(self._mynumber(), "MY_NUMBER")
        if name == "url":
            return private(f"https://sns.example.com/{person.roman}{rng.randint(10, 99)}", "URL_ID")
        raise KeyError(f"知らないスロット: {name}")

    def _member(self) -> str:
        rng = self.rng
        return rng.choice(
            [
                f"L{rng.randint(10000, 99999)}",
                f"S-{rng.randint(100000, 999999)}",
                f"{rng.randint(1000000, 9999999)}",
            ]
        )

    def _mynumber(self) -> str:
        """検査数字をわざと外した12桁(だれの番号でもない)。"""
        digits = [self.rng.randint(0, 9) for _ in range(11)]
        weights = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]
        rest = sum(d * w for d, w in zip(digits, weights, strict=True)) % 11
        check = 0 if rest <= 1 else 11 - rest
        return "".join(map(str, digits)) + str((check + 3) % 10)

    def render(self, text: str, style: str) -> str:
        """文末を文体に合わせる。call は最後の文を人づての形にする。"""
        rng = self.rng
        text = "".join(mark(x, style) for x in re.split(r"(?<=。)", text) if x)
        out = re.sub(r"\[([^\[\]]+)\]", lambda m: ending(m[1], style, rng), text)
        if style != "call":
            return out
        body = out.rstrip("。")
        last = text.rsplit("[", 1)[-1].split("]")[0].split("/")[0] if text.endswith("]。") else ""
        tails = self.frames["call_tails"]
        if body.endswith(("です", "ます", "ました", "ません", "ください", "ましょう")):
            return f"「{body}」とのこと。"
        if last.endswith("?") or body.endswith(("のか", "ないか", "うか")):
            return body + rng.choice(tails["question"]) + "。"
        if last.endswith(("ほしい", "欲しい", "どうだ", "たい")):
            return body + rng.choice(tails["wish"]) + "。"
        return body + rng.choice(tails["fact"]) + "。"

    def group(self, kind: str) -> str:
        """種別を、言いそえの組に寄せる。"""
        return {
            "要望": "neg",
            "苦情": "neg",
            "通報": "neg",
            "提案": "idea",
            "問合せ": "ask",
            "感謝": "thx",
            "その他": "none",
        }[kind]

    def pick_style(self, channel: str, core: Core, person: Person) -> str:
        """書きことばの調子を選ぶ。"""
        if core.kind in ("感謝", "問合せ"):
            return "polite"
        blunt = 0.45 if core.kind == "苦情" else 0.18
        if channel in ("手紙", "来庁・面談"):
            blunt /= 3
        return "plain" if self.rng.random() < blunt else "polite"

    def compose(
        self,
        core: Core,
        district: str,
        day: date,
        person: Person,
        mode: str,
        want_pii: bool,
        channel: str = "",
    ) -> tuple[str, list[tuple[str, str]], str]:
        """ひとつの記録の文をつくる。返り値は (文, 個人情報, 文体)。"""
        rng = self.rng
        pii: list[tuple[str, str]] = []
        slots: dict[str, str] = {}
        ctx = {
            "district": district,
            "person": person,
            "day": day,
            "dept": self.department[(core.theme, core.subtheme)],
        }
        group = self.group(core.kind)
        theme = self.themes[core.theme]
        parts: list[str] = [self.expand(core.text, slots, pii, ctx)]
        remarks: list[str] = theme["remarks"].get(group, [])
        if remarks and rng.random() < (0.42 if mode == "call" else 0.58):
            parts.append(self.expand(rng.choice(remarks), slots, pii, ctx))
        general: list[str] = self.frames["remarks"].get(group, [])
        if general and rng.random() < 0.38:
            parts.append(self.expand(rng.choice(general), slots, pii, ctx))
        if mode == "call":
            return self._call_text(core, parts, slots, pii, ctx, want_pii)
        style = self.pick_style(channel, core, person)
        frames = self.frames["self"]
        if group in ("neg", "idea") and rng.random() < 0.1:
            extra = self.choose(self.cores[(core.theme, core.subtheme)], day.month, "self")
            if extra is not core and extra.kind in ("苦情", "要望", "提案") and not (extra.urgency != "normal"):
                joint = rng.choice(["それから、", "もう一点、", "あわせて、", "ついでに申し上げると、"])
                parts.append(joint + self.expand(extra.text, {}, pii, ctx))
        rendered = [self.render(p, style) for p in parts]
        start: list[str] = []
        if want_pii:
            start.append(self.render(self.expand(rng.choice(frames["pii_openings"]), slots, pii, ctx), style))
        elif rng.random() < 0.42:
            pool = frames["openings"]["elder" if person.age in AGES[6:] and rng.random() < 0.6 else style]
            start.append(self.render(self.expand(rng.choice(pool), slots, pii, ctx), style))
        close: list[str] = []
        if rng.random() < 0.4:
            pool = frames["closings"].get(group if group in ("thx", "ask") else style, [])
            if pool:
                close.append(self.render(self.expand(rng.choice(pool), slots, pii, ctx), style))
        if want_pii and rng.random() < 0.55:
            close.append(self.render(self.expand(rng.choice(frames["pii_closings"]), slots, pii, ctx), style))
        glue = "\n" if channel in ("電子メール", "手紙") or rng.random() < 0.22 else ""
        text = glue.join(s for s in ["".join(start), "".join(rendered), "".join(close)] if s)
        return text, self._kept(text, pii), style

    def _call_text(
        self,
        core: Core,
        parts: list[str],
        slots: dict[str, str],
        pii: list[tuple[str, str]],
        ctx: dict[str, Any],
        want_pii: bool,
    ) -> tuple[str, list[tuple[str, str]], str]:
        rng = self.rng
        frames = self.frames["call"]
        if not any("?" in p for p in parts[:-1]) and rng.random() < 0.75:
            body = self.render("".join(parts), "call")
        else:
            body = "".join(self.render(p, "call") for p in parts)
        head = tail = ""
        if want_pii:
            if rng.random() < 0.6:
                head = self.expand(rng.choice(frames["pii_heads"]), slots, pii, ctx)
            else:
                pool = list(frames["pii_tails"])
                if core.theme in ("道路・交通", "ごみ・環境", "防災・防犯", "公園・緑地"):
                    pool += frames["pii_tails_car"]
                if core.theme in ("税・保険・年金", "文化・スポーツ・図書館", "福祉・介護"):
                    pool += frames["pii_tails_number"]
                tail = self.expand(rng.choice(pool), slots, pii, ctx)
        if not head and rng.random() < 0.5:
            pool = list(frames["heads"])
            if core.kind in ("苦情", "要望", "通報"):
                pool += frames["heads_angry"]
            head = self.expand(rng.choice(pool), slots, pii, ctx)
        if not tail and rng.random() < 0.26:
            pool = frames["tails_thx"] if core.kind == "感謝" else frames["tails"]
            tail = self.expand(rng.choice(pool), slots, pii, ctx)
        glue = "\n" if rng.random() < 0.12 else ""
        text = glue.join(s for s in [head, body, tail] if s)
        return text, self._kept(text, pii), "call"

    @staticmethod
    def _kept(text: str, pii: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        kept: list[tuple[str, str]] = []
        for item in pii:
            if item[0] in text and item not in kept:
                kept.append(item)
        return kept

    # 選ぶ ---------------------------------------------------------------------------------

    def choose(self, pool: Sequence[Core], month: int, mode: str) -> Core:
        """その月と受け方に合う型から、あまり使っていないものを選ぶ。"""
        fit = [c for c in pool if month in c.months and c.only in ("", mode)]
        if not fit:
            fit = [c for c in pool if c.only in ("", mode)]
        some = self.rng.sample(fit, min(3, len(fit)))
        core = min(some, key=lambda c: c.used)
        core.used += 1
        return core

    def key_weights(self, day: date, survey: bool = False) -> list[float]:
        """その月の (大分類, 中分類) の出やすさ。"""
        cached = self._weights.get((day.year, day.month, survey))
        if cached is not None:
            return cached
        cal = self.calendar
        progress = ((day.year - START.year) * 12 + day.month - START.month) / 23
        weights: list[float] = []
        for theme, sub in self.keys:
            body = cal["themes"][theme]
            weight = float(body["survey" if survey else "weight"])
            shares = {s: float(cal["subthemes"].get(s, 1)) for t, s in self.keys if t == theme}
            weight *= shares[sub] / sum(shares.values())
            if not survey:
                weight *= float(cal["season"].get(sub, {}).get(day.month, 1))
                weight *= 1 + float(cal["trend"].get(sub, 0)) * (progress - 0.5)
            weights.append(weight)
        self._weights[(day.year, day.month, survey)] = weights
        return weights

    def pick_key(self, day: date, survey: bool = False) -> tuple[str, str]:
        """その日の (大分類, 中分類) をひとつ引く。"""
        return self.rng.choices(self.keys, self.key_weights(day, survey))[0]

    def day_weights(self, file: str) -> list[float]:
        """日ごとの件数の重み(曜日、閉庁日、ゆらぎ)。"""
        rng = self.rng
        table = self.calendar["weekday"][file]
        weights: list[float] = []
        for day in DAYS:
            if is_open(day, self.city):
                base = float(table[day.weekday()])
                if not is_open(day - timedelta(days=1), self.city):
                    base *= 1.18
            else:
                base = float(table[7])
                if day.strftime("%m-%d") in ("12-31", "01-01", "01-02"):
                    base *= 0.5
            weights.append(base * rng.gammavariate(9.0, 1 / 9.0))
        return weights

    def clock(self, file: str, day: date) -> time:
        """受け付けた時刻。"""
        rng = self.rng
        if file in ("call", "counter"):
            hour = rng.choices(range(8, 18), [5, 13, 14, 11, 7, 11, 12, 10, 9, 4])[0]
            if file == "counter":
                hour = min(max(hour, 9), 16)
        else:
            hour = rng.choices(range(24), [3, 2, 1, 1, 1, 2, 3, 5, 6, 7, 8, 7, 8, 6, 6, 6, 6, 6, 7, 8, 10, 11, 9, 6])[0]
        return time(hour, rng.randint(0, 59))

    def unique(self, core: Core, file: str, day: date, district: str, channel: str) -> Record:
        """まだ出ていない文になるまでつくりなおす。"""
        rng = self.rng
        mode = "call" if file in ("call", "counter") else "self"
        rate = float(self.frames["pii_rate"][file])
        record: Record | None = None
        for _ in range(30):
            person = self.resident(district)
            text, pii, style = self.compose(core, district, day, person, mode, rng.random() < rate, channel)
            record = Record(file, day, self.clock(file, day), core, district, text, pii, person, channel=channel, style=style)
            if not self.seen[text]:
                break
        assert record is not None
        self.seen[record.text] += 1
        return record

    def channel(self, file: str, day: date) -> str:
        """受付媒体。"""
        rng = self.rng
        if file == "call":
            if is_open(day, self.city):
                return rng.choices(["電話", "FAX", "メール"], [94, 2, 4])[0]
            return rng.choices(["FAX", "メール"], [1, 3])[0]
        if file == "voices":
            names = ["Webフォーム", "電子メール", "手紙", "FAX", "来庁・面談"]
            if is_open(day, self.city):
                return rng.choices(names, [54, 20, 13, 6, 7])[0]
            return rng.choices(names[:4], [66, 27, 2, 5])[0]
        return {"counter": "来庁・面談", "mail": "電子メール"}[file]

    # 急増 ---------------------------------------------------------------------------------

    def surge_records(self, surge: dict[str, Any]) -> list[Record]:
        """ひとつの急増の記録。"""
        rng = self.rng
        first, last = surge["start"], surge["end"]
        span = [d for d in DAYS if first <= d <= last]
        shape = [1.0 + 1.6 * (i + 1) * pow(0.72, i) for i in range(len(span))]
        pools = [
            Core(surge["theme"], surge["subtheme"], c[0], c[1], c[2], only=(c[3] if len(c) > 3 else {}).get("only", ""))
            for c in surge["cores"]
        ]
        out: list[Record] = []
        for file in ("call", "voices", "counter", "mail"):
            table = self.calendar["weekday"][file]
            weights = [s * float(table[d.weekday()] if is_open(d, self.city) else table[7]) for s, d in zip(shape, span, strict=True)]
            for _ in range(int(surge["counts"][file])):
                day = rng.choices(span, weights)[0]
                if surge["district"]:
                    district = surge["district"]
                else:
                    district = rng.choices(self.districts, self.district_weights)[0]
                mode = "call" if file in ("call", "counter") else "self"
                core = self.choose(pools, day.month, mode)
                record = self.unique(core, file, day, district, self.channel(file, day))
                record.surge = surge["name"]
                out.append(record)
        return out

    def expected(self, surge: dict[str, Any], weights: dict[str, list[float]], sizes: dict[str, int]) -> tuple[float, float]:
        """急増がなかったときの週あたりの件数(大分類, 中分類)。"""
        if surge["district"]:
            at = self.districts.index(surge["district"])
            share = self.district_weights[at] / sum(self.district_weights)
        else:
            share = 1.0
        theme_sum = sub_sum = 0.0
        n_days = 0
        for i, day in enumerate(DAYS):
            if not surge["start"] <= day <= surge["end"]:
                continue
            n_days += 1
            keys = self.key_weights(day)
            total = sum(keys)
            theme = sum(w for k, w in zip(self.keys, keys, strict=True) if k[0] == surge["theme"])
            sub = keys[self.keys.index((surge["theme"], surge["subtheme"]))]
            for file, table in weights.items():
                volume = sizes[file] * table[i] / sum(table)
                theme_sum += volume * theme / total * share
                sub_sum += volume * sub / total * share
        return theme_sum * 7 / n_days, sub_sum * 7 / n_days

    # 一斉投稿 -----------------------------------------------------------------------------

    def campaign_records(self) -> list[Record]:
        """同文の一斉投稿。"""
        rng = self.rng
        camp = self.events["campaign"]
        senders = rng.sample(self.persons, N_SENDERS)
        order = senders + rng.sample(senders, N_CAMPAIGN - N_SENDERS)
        span = [d for d in DAYS if camp["start"] <= d <= camp["end"]]
        weights = [pow(0.86, i) + 0.15 for i in range(len(span))]
        core = Core(camp["theme"], camp["subtheme"], camp["kind"], "normal", "")
        out: list[Record] = []
        for person in order:
            day = rng.choices(span, weights)[0]
            text = ""
            pii: list[tuple[str, str]] = []
            for _ in range(12):
                pii = []
                ctx = {"district": person.district, "person": person, "day": day, "dept": self.department[(core.theme, core.subtheme)]}
                slots: dict[str, str] = {}
                text = "".join(self.expand(s, slots, pii, ctx) for s in camp["sentences"])
                if rng.random() < 0.4:
                    text = self.expand(rng.choice(camp["heads"]), slots, pii, ctx) + text
                if rng.random() < 0.5:
                    text += self.expand(rng.choice(camp["tails"]), slots, pii, ctx)
                if self.seen[text] < 2:
                    break
            self.seen[text] += 1
            record = Record(
                "voices",
                day,
                self.clock("voices", day),
                core,
                person.district,
                text,
                self._kept(text, pii),
                person,
                campaign=True,
                channel="Webフォーム",
            )
            record.subject = rng.choice(camp["subjects"])
            out.append(record)
        return out

    # 回答 ---------------------------------------------------------------------------------

    def answer(self, record: Record) -> str:
        """市の回答文。"""
        rng = self.rng
        theme = self.themes[record.core.theme]
        group = self.group(record.core.kind)
        ctx = {
            "district": record.district,
            "person": record.person,
            "day": record.day,
            "dept": self.department[(record.core.theme, record.core.subtheme)],
        }
        if record.surge:
            pool = next(s for s in self.events["surges"] if s["name"] == record.surge)["answers"]
        elif record.campaign:
            pool = self.events["campaign"]["answers"]
        elif group in ("ask", "thx"):
            pool = theme["answers"][group]
        else:
            pool = theme["subthemes"][record.core.subtheme]["answers"]
            if rng.random() < 0.15:
                pool = theme["answers"].get("general", pool)
        frames = self.frames["answer"]
        bits = [rng.choice(frames["openings"]), rng.choice(pool)]
        if rng.random() < 0.6:
            bits.append(rng.choice(frames["closings"]))
        if rng.random() < 0.7:
            bits.append(rng.choice(frames["signs"]))
        glue = "\n" if rng.random() < 0.35 else ""
        pii: list[tuple[str, str]] = []
        text = glue.join(self.expand(b, {}, pii, ctx) for b in bits)
        assert not pii, text
        return text

    def answer_day(self, day: date) -> date:
        """回答日(開庁日で数える。遅れたものもある)。"""
        rng = self.rng
        wait = rng.choices(range(1, 11), [2, 4, 6, 9, 11, 12, 13, 13, 12, 10])[0]
        if rng.random() < 0.14:
            wait = rng.randint(11, 34)
        while wait:
            day += timedelta(days=1)
            wait -= is_open(day, self.city)
        return day

    def subject_of(self, record: Record) -> str:
        """件名。"""
        rng = self.rng
        if record.subject:
            return record.subject
        frames = self.frames["subjects"]
        if rng.random() < 0.24:
            return str(rng.choice(frames["plain"]))
        if record.surge:
            event = next(s for s in self.events["surges"] if s["name"] == record.surge)
            nouns = event["subjects"]
        else:
            sub = self.themes[record.core.theme]["subthemes"][record.core.subtheme]
            nouns = sub["subjects"]
        group = "thx" if record.core.kind == "感謝" else "any"
        return str(rng.choice(frames[group])).replace("{s}", str(rng.choice(nouns)))


# --- 書きだし --------------------------------------------------------------------------------


def base_records(maker: Maker, file: str, size: int, weights: list[float]) -> list[Record]:
    """ふだんの記録を size 件つくる。"""
    rng = maker.rng
    out: list[Record] = []
    for day in rng.choices(DAYS, weights, k=size):
        mode = "call" if file in ("call", "counter") else "self"
        key = maker.pick_key(day)
        pool = maker.cores[key]
        while not any(day.month in c.months and c.only in ("", mode) for c in pool):
            key = maker.pick_key(day)
            pool = maker.cores[key]
        core = maker.choose(pool, day.month, mode)
        district = rng.choices(maker.districts, maker.district_weights)[0]
        out.append(maker.unique(core, file, day, district, maker.channel(file, day)))
    return out


def truth_line(maker: Maker, record: Record, file: str, **more: Any) -> dict[str, Any]:
    """正解の1行。"""
    core = record.core
    line: dict[str, Any] = {
        "file": file,
        "row": record.row,
        "external_id": record.external_id,
        "theme": core.theme,
        "subtheme": core.subtheme,
        "kind": core.kind,
        "urgency": core.urgency,
        "department": maker.department[(core.theme, core.subtheme)]["name"],
        "pii": [{"surface": s, "type": t} for s, t in record.pii],
        "surge": record.surge,
        "campaign": record.campaign,
    }
    line.update(more)
    return line


def csv_bytes(rows: Sequence[Sequence[Any]], encoding: str, newline: str) -> bytes:
    """CSV の中身をバイト列にする。"""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=newline).writerows(rows)
    return buffer.getvalue().encode(encoding)


def by_time(records: list[Record]) -> list[Record]:
    """受け付けた順(同じ時刻は作った順)。"""
    return sorted(records, key=lambda r: (r.day, r.clock))


def write_calls(maker: Maker, records: list[Record], out: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """call_log_cp932.csv を書く。読めない行を6つまぜる。"""
    rng = maker.rng
    name = "call_log_cp932.csv"
    truth: list[dict[str, Any]] = []
    rows: list[list[str]] = []
    serial: Counter[int] = Counter()
    for record in by_time(records):
        year = fiscal(record.day)
        serial[year] += 1
        record.external_id = f"C{year}-{serial[year]:05d}"
        dept = maker.department[(record.core.theme, record.core.subtheme)]
        pool = maker.frames["call"]["replies"][maker.group(record.core.kind)]
        ctx = {"district": record.district, "person": record.person, "day": record.day, "dept": dept}
        reply = maker.expand(rng.choice(pool), {}, [], ctx)
        if rng.random() < 0.2:
            reply += "\n" + maker.expand(rng.choice(maker.frames["call"]["memos"]), {}, [], ctx)
        stamp = f"{record.day.year}/{record.day.month}/{record.day.day} {record.clock.hour}:{record.clock.minute:02d}"
        rows.append(
            [
                record.external_id,
                stamp,
                record.channel,
                record.district if rng.random() < 0.88 else "",
                record.text,
                reply,
                dept["name"] if rng.random() < 0.97 else "",
                record.core.kind,
            ]
        )
    bad_specs = maker.events["bad_rows"]
    spots = sorted(rng.sample(range(200, len(rows) - 200), len(bad_specs)))
    lines: list[bytes] = [csv_bytes([CALL_HEADINGS], "cp932", "\r\n")]
    bad: list[dict[str, Any]] = []
    ordered = by_time(records)
    row_no = 1
    for i, row in enumerate(rows):
        if i in spots:
            spec = bad_specs[spots.index(i)]
            row_no += 1
            cells = [str(c).replace("{id}", f"X-{spots.index(i) + 1:02d}") for c in spec["cells"]]
            raw = csv_bytes([cells], "cp932", "\r\n").replace(b"@@", b"\x81\x30")
            lines.append(raw)
            bad.append({"file": name, "row": row_no, "external_id": cells[0], "reason": spec["reason"]})
        row_no += 1
        ordered[i].row = row_no
        lines.append(csv_bytes([row], "cp932", "\r\n"))
        truth.append(truth_line(maker, ordered[i], name))
    (out / name).write_bytes(b"".join(lines))
    return truth, bad


def write_voices(maker: Maker, records: list[Record], out: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """voices_utf8bom.csv を書く。まったく同じ行を12まぜる。"""
    rng = maker.rng
    name = "voices_utf8bom.csv"
    rows: list[tuple[Record, list[str]]] = []
    serial: Counter[int] = Counter()
    for record in by_time(records):
        year = fiscal(record.day)
        serial[year] += 1
        record.external_id = f"R{year - 2018}-{serial[year]:04d}"
        person = record.person
        dept = maker.department[(record.core.theme, record.core.subtheme)]
        reply = reply_day = ""
        if rng.random() < 0.63:
            done = maker.answer_day(record.day)
            if done <= END:
                reply, reply_day = maker.answer(record), wareki(done, rng)
        known = record.campaign or bool(record.pii) or rng.random() < 0.6
        by_mail = record.channel in ("Webフォーム", "電子メール")
        show = [
            person.full if known else "",
            person.phone if known and rng.random() < 0.6 else "",
            person.email if record.campaign or (known and by_mail and rng.random() < 0.8) else "",
            person.address if known and rng.random() < 0.55 else "",
        ]
        rows.append(
            (
                record,
                [
                    record.external_id,
                    wareki(record.day, rng),
                    record.channel,
                    maker.subject_of(record),
                    record.text,
                    reply,
                    reply_day,
                    dept["name"],
                    record.district if known or rng.random() < 0.7 else "",
                    *show,
                    person.age if rng.random() < 0.8 else "",
                    person.sex if rng.random() < 0.75 else "",
                    "可" if rng.random() < 0.72 else "不可",
                ],
            )
        )
    plain = [i for i, (r, _) in enumerate(rows) if not r.campaign and not r.surge]
    for i in sorted(rng.sample(plain, N_DUPLICATES), reverse=True):
        rows.insert(i + rng.randint(1, 4), rows[i])
    truth: list[dict[str, Any]] = []
    first: dict[str, int] = {}
    duplicates: list[dict[str, Any]] = []
    for row_no, (record, _) in enumerate(rows, start=2):
        record.row = row_no
        truth.append(truth_line(maker, record, name))
        if record.external_id in first:
            duplicates.append({"file": name, "external_id": record.external_id, "rows": [first[record.external_id], row_no]})
            maker.seen[record.text] += 1
        first.setdefault(record.external_id, row_no)
    table = [VOICE_HEADINGS, *(cells for _, cells in rows)]
    (out / name).write_bytes(csv_bytes(table, "utf-8-sig", "\r\n"))
    return truth, duplicates


def write_survey(maker: Maker, out: Path) -> list[dict[str, Any]]:
    """survey_wide_utf8.csv を書く。年4回のモニター調査を8回分。"""
    rng = maker.rng
    name = "survey_wide_utf8.csv"
    head = ["回答番号", "回答日", "【問１】お住まいの地区"]
    for question, _ in QUESTIONS:
        head += [question, REASON]
    head += ["年代", "性別"]
    rows: list[list[str]] = [head]
    truth: list[dict[str, Any]] = []
    waves = maker.calendar["survey_waves"]
    days: list[date] = []
    for i in range(N_RESPONDENTS):
        wave: date = waves[i * len(waves) // N_RESPONDENTS]
        days.append(wave + timedelta(days=min(13, int(rng.expovariate(0.25)))))
    for i, day in enumerate(sorted(days), start=1):
        district = rng.choices(maker.districts, maker.district_weights)[0]
        person = maker.resident(district)
        respondent = f"S{i:04d}"
        cells = [respondent, day.isoformat(), district]
        base = rng.gauss(0.42, 0.17)
        for number, (_, options) in enumerate(QUESTIONS, start=2):
            reason = ""
            mood = base + rng.uniform(-0.2, 0.2) + (0.12 if number >= 4 else 0)
            if rng.random() < 0.5:
                record = survey_reason(maker, day, district, person, number)
                record.external_id, record.row = f"{respondent}-問{number}", i + 1
                reason = record.text
                mood = {"感謝": 0.2, "その他": mood}.get(record.core.kind, 0.72)
                mood += rng.uniform(-0.2, 0.2)
                truth.append(truth_line(maker, record, name, question=number))
            cells += [options[min(3, max(0, int(mood * 4)))], reason]
        cells += [person.age if rng.random() < 0.95 else "", person.sex]
        rows.append(cells)
    (out / name).write_bytes(csv_bytes(rows, "utf-8", "\n"))
    return truth


def survey_reason(maker: Maker, day: date, district: str, person: Person, number: int) -> Record:
    """短い理由をひとつ。"""
    rng = maker.rng
    ctx: dict[str, Any] = {"district": district, "person": person, "day": day, "dept": {}}
    if rng.random() < 0.014:
        text = rng.choice(["特になし", "なし", "特にありません。"])
        core = Core("その他", "内容なし・不明", "その他", "normal", "")
        maker.seen[text] += 1
        return Record("survey", day, time(0), core, district, text, [], person)
    for _ in range(60):
        key = maker.pick_key(day, survey=True)
        if number == 4 and rng.random() < 0.6:
            key = ("市政運営・職員", rng.choice([s for t, s in maker.keys if t == "市政運営・職員"]))
        core = maker.choose(maker.bits[key], day.month, "self")
        pii: list[tuple[str, str]] = []
        text = maker.expand(core.text, {}, pii, ctx)
        draw = rng.random()
        if draw < 0.2:
            text = maker.expand(rng.choice(maker.frames["survey"]["heads"]), {}, pii, ctx) + text
        elif draw < 0.42:
            text = text + maker.expand(rng.choice(maker.frames["survey"]["tails"]["thx" if core.kind == "感謝" else "any"]), {}, pii, ctx)
        if rng.random() < 0.35:
            text += "。"
        if not maker.seen[text] and 6 <= len(text) <= 60:
            break
    maker.seen[text] += 1
    return Record("survey", day, time(0), core, district, text, maker._kept(text, pii), person)


def write_counter(maker: Maker, records: list[Record], out: Path) -> list[dict[str, Any]]:
    """counter_log.xlsx を書く(2シート、見出しの上に結合した題名)。"""
    os.environ["OPENPYXL_LXML"] = "False"
    openpyxl: Any = importlib.import_module("openpyxl")
    rng = maker.rng
    name = "counter_log.xlsx"
    book = openpyxl.Workbook()
    stamp = datetime(2026, 11, 2, 9, 0, 0)
    book.properties.created = stamp
    book.properties.creator = "潮見市"
    truth: list[dict[str, Any]] = []
    half = date(2025, 11, 1)
    ordered = by_time(records)
    parts = [
        ("令和6年11月～7年10月", [r for r in ordered if r.day < half]),
        ("令和7年11月～8年10月", [r for r in ordered if r.day >= half]),
    ]
    for index, (title, group) in enumerate(parts):
        sheet = book.active if index == 0 else book.create_sheet()
        sheet.title = title
        sheet["A1"] = f"窓口相談記録簿（{title}）"
        sheet.merge_cells("A1:I1")
        for column, heading in enumerate(COUNTER_HEADINGS, start=1):
            sheet.cell(row=2, column=column, value=heading)
        for n, record in enumerate(group, start=1):
            row = n + 2
            record.external_id, record.row = f"M{index + 1}-{n:03d}", row
            dept = maker.department[(record.core.theme, record.core.subtheme)]
            ctx = {"district": record.district, "person": record.person, "day": record.day, "dept": dept}
            serial = (record.day - date(1899, 12, 30)).days
            minutes = record.clock.hour * 60 + record.clock.minute
            pool = maker.frames["counter"]["results"][maker.group(record.core.kind)]
            values = [
                record.external_id,
                serial,
                round(minutes / 1440, 6),
                record.district,
                record.person.full if rng.random() < 0.3 else rng.choice(["匿名", "", "市民"]),
                record.text,
                maker.expand(rng.choice(pool), {}, [], ctx),
                dept["name"],
                record.core.kind,
            ]
            for column, value in enumerate(values, start=1):
                cell = sheet.cell(row=row, column=column, value=value)
                if index == 0 and column == 2:
                    cell.number_format = "yyyy/m/d"
                if column == 3:
                    cell.number_format = "h:mm"
            truth.append(truth_line(maker, record, name, sheet=title))
        for letter, width in zip("ABCDEFGHI", [10, 12, 8, 10, 12, 70, 40, 14, 8], strict=True):
            sheet.column_dimensions[letter].width = width
    raw = io.BytesIO()
    book.save(raw)
    fixed = io.BytesIO()
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(fixed, "w") as target:
        for info in sorted(source.infolist(), key=lambda z: z.filename):
            data = source.read(info.filename)
            if info.filename == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2026-11-02T09:00:00Z", data)
            clean = zipfile.ZipInfo(info.filename, (2026, 11, 2, 9, 0, 0))
            clean.compress_type = zipfile.ZIP_STORED
            clean.create_system = 0
            target.writestr(clean, data)
    (out / name).write_bytes(fixed.getvalue())
    return truth


def encoded_word(text: str, charset: str) -> str:
    """メールの見出しに使う符号化語。長いものは折る。"""
    chunks = [text[i : i + 14] for i in range(0, len(text), 14)]
    words = [f"=?{charset}?B?{base64.b64encode(c.encode(charset)).decode('ascii')}?=" for c in chunks]
    return "\r\n ".join(words)


def write_mail(maker: Maker, records: list[Record], out: Path) -> list[dict[str, Any]]:
    """mail/*.eml を書く。"""
    rng = maker.rng
    folder = out / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    truth: list[dict[str, Any]] = []
    frames = maker.frames["mail"]
    for n, record in enumerate(by_time(records), start=1):
        person = record.person
        ctx = {
            "district": record.district,
            "person": person,
            "day": record.day,
            "dept": maker.department[(record.core.theme, record.core.subtheme)],
        }
        pii: list[tuple[str, str]] = list(record.pii)
        slots: dict[str, str] = {}
        body = maker.expand(rng.choice(frames["greetings"]), slots, pii, ctx) + record.text + "\n"
        if n % 4 == 0:
            body += "\n" + maker.expand(rng.choice(frames["quotes"]), slots, pii, ctx)
        if n % 3 != 0:
            body += "\n" + maker.expand(rng.choice(frames["signatures"]), slots, pii, ctx)
        charset = ["iso-2022-jp", "utf-8", "iso-2022-jp", "utf-8", "shift_jis"][n % 5]
        subject = maker.subject_of(record)
        if n % 4 == 0:
            subject = "Re: " + subject
        if charset == "iso-2022-jp":
            body, subject = body.replace("～", "〜"), subject.replace("～", "〜")
        record.external_id = f"<{record.day:%Y%m%d}.{n:04d}@{person.email.split('@')[1]}>"
        record.row = 1
        record.pii = maker._kept(body, pii)
        week = "Mon Tue Wed Thu Fri Sat Sun".split()[record.day.weekday()]
        month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[record.day.month - 1]
        stamp = f"{week}, {record.day.day:02d} {month} {record.day.year} {record.clock:%H:%M}:00 +0900"
        head = [
            f"From: {encoded_word(person.full, charset)} <{person.email}>",
            "To: koe@city-shiomi.example.jp",
            f"Subject: {encoded_word(subject, charset)}",
            f"Date: {stamp}",
            f"Message-ID: {record.external_id}",
            "MIME-Version: 1.0",
        ]
        crlf = body.replace("\n", "\r\n")
        if charset == "iso-2022-jp":
            head += ["Content-Type: text/plain; charset=ISO-2022-JP", "Content-Transfer-Encoding: 7bit"]
            payload = crlf.encode("iso-2022-jp")
        elif n % 7 == 0:
            mark = f"=_shiomi_{n:04d}"
            head += [f'Content-Type: multipart/alternative; boundary="{mark}"']
            page = "<html><body><p>" + body.replace("\n", "<br>\r\n") + "</p></body></html>"
            payload = b"".join(
                f"--{mark}\r\nContent-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode("ascii")
                + wrapped(part.encode(charset))
                for kind, part in (("text/plain", crlf), ("text/html", page))
            ) + f"--{mark}--\r\n".encode("ascii")
        else:
            head += [f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: base64"]
            payload = wrapped(crlf.encode(charset))
        data = "\r\n".join(head).encode("ascii") + b"\r\n\r\n" + payload
        (folder / f"{n:04d}.eml").write_bytes(data)
        truth.append(truth_line(maker, record, f"mail/{n:04d}.eml"))
    return truth


def wrapped(data: bytes) -> bytes:
    """76字で折った base64。"""
    text = base64.b64encode(data).decode("ascii")
    lines = [text[i : i + 76] for i in range(0, len(text), 76)]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def make(out: Path) -> dict[str, Any]:
    """すべてのファイルを out に書き、truth.json の中身を返す。"""
    out.mkdir(parents=True, exist_ok=True)
    maker = Maker()
    surges = maker.events["surges"]
    extra = {f: sum(int(s["counts"][f]) for s in surges) for f in ("call", "voices", "counter", "mail")}
    sizes = {
        "call": N_CALL - extra["call"],
        "voices": N_VOICE - extra["voices"] - N_CAMPAIGN - N_DUPLICATES,
        "counter": N_COUNTER - extra["counter"],
        "mail": N_MAIL - extra["mail"],
    }
    weights = {f: maker.day_weights(f) for f in sizes}
    records: dict[str, list[Record]] = {f: base_records(maker, f, size, weights[f]) for f, size in sizes.items()}
    for surge in surges:
        for record in maker.surge_records(surge):
            records[record.file].append(record)
    records["voices"] += maker.campaign_records()
    call_truth, bad = write_calls(maker, records["call"], out)
    voice_truth, duplicates = write_voices(maker, records["voices"], out)
    truth = call_truth + voice_truth + write_survey(maker, out)
    truth += write_counter(maker, records["counter"], out)
    truth += write_mail(maker, records["mail"], out)
    counts: Counter[str] = Counter()
    for line in truth:
        counts["mail" if line["file"].startswith("mail/") else line["file"]] += 1
    same = sum(n for n in maker.seen.values() if n > 1)
    summary: dict[str, Any] = {
        "period": {"start": START.isoformat(), "end": END.isoformat()},
        "records": len(truth),
        "counts": dict(counts),
        "respondents": N_RESPONDENTS,
        "same_text_records": same,
        "pii_records": sum(1 for line in truth if line["pii"]),
        "bad_rows": bad,
        "duplicates": duplicates,
        "surges": [],
    }
    for surge in surges:
        theme_rate, sub_rate = maker.expected(surge, weights, sizes)
        ids = [{"file": x["file"], "external_id": x["external_id"]} for x in truth if x["surge"] == surge["name"]]
        weeks = ((surge["end"] - surge["start"]).days + 1) / 7
        summary["surges"].append(
            {
                "name": surge["name"],
                "theme": surge["theme"],
                "subtheme": surge["subtheme"],
                "district": surge["district"],
                "start": surge["start"].isoformat(),
                "end": surge["end"].isoformat(),
                "expected_per_week": round(theme_rate, 2),
                "expected_per_week_subtheme": round(sub_rate, 2),
                "injected_per_week": round(len(ids) / weeks, 2),
                "external_ids": [x["external_id"] for x in ids],
                "records": ids,
            }
        )
    camp = maker.events["campaign"]
    hits = [r for r in by_time(records["voices"]) if r.campaign]
    summary["campaign"] = {
        "name": camp["name"],
        "theme": camp["theme"],
        "subtheme": camp["subtheme"],
        "start": camp["start"].isoformat(),
        "end": camp["end"].isoformat(),
        "file": "voices_utf8bom.csv",
        "records": len(hits),
        "distinct_texts": len({r.text for r in hits}),
        "senders": len({(r.person.full, r.person.email) for r in hits}),
        "external_ids": [r.external_id for r in hits],
    }
    with (out / "truth.jsonl").open("w", encoding="utf-8", newline="\n") as handle:
        for line in truth:
            handle.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    body = json.dumps(summary, ensure_ascii=False, indent=1) + "\n"
    (out / "truth.json").write_bytes(body.encode("utf-8"))
    return summary


def main(argv: Sequence[str] | None = None) -> int:
    """命令行からの入口。"""
    parser = argparse.ArgumentParser(description="潮見市(架空)の見本記録をつくる")
    parser.add_argument("--out", type=Path, default=HERE, help="書きだす先(既定はこの場所)")
    args = parser.parse_args(argv)
    summary = make(args.out)
    for name, count in summary["counts"].items():
        print(f"{name}: {count}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
