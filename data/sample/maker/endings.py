"""文末の言いかえ: 材料の角かっこ [常体/敬体] と文の終わりを、文体に合わせる。"""

from __future__ import annotations

import random

from .verbs import A_TO_I, ADJ_NAI, E_ROW, GODAN_KANA, GODAN_KANJI, GODAN_RU, I_ROW, ICHIDAN_KANJI, IRREGULAR, PAST, TO_I, VERB_GA

Tails = list[tuple[tuple[str, ...], int, str]]
"""(文末, 削る字数, 足す字)の表。上から順に見る。"""

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

FINISHED = ("です", "ます", "ました", "ません", "でしょう", "ください", "下さい", "なさい", "くれ")
GUESSES: Tails = [(("だろう",), 3, "でしょう"), (("かもしれない",), 2, "ません")]
PAST_ADJ = (
    "なかった",
    "よかった",
    "多かった",
    "きつかった",
    "ひどかった",
    "しかった",
    "だるかった",
    "遅かった",
    "怖かった",
    "つらかった",
)
NOUNS_ENDING_I = (
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
FORCED: Tails = [
    (("い", "かった"), 0, "です"),
    (("ている", "でいる", "にいる", "がいる", "もいる"), 1, "ます"),
    (("ていた", "でいた"), 1, "ました"),
    (("した",), 1, "ました"),
    (("だった",), 3, "でした"),
    (("てきた", "できた", "れた", "えた", "せた", "めた", "けた", "べた", "てた"), 1, "ました"),
    (("する",), 2, "します"),
    (("てくる",), 2, "きます"),
    (GODAN_RU, 1, "ります"),
    (("る",), 1, "ます"),
    (("だ",), 1, "です"),
    *(((u,), 1, i + "ます") for u, i in TO_I.items()),
]


def by_tail(plain: str, table: Tails) -> str | None:
    """表の最初に合った文末で言いかえる。"""
    for tails, cut, add in table:
        if plain.endswith(tails):
            return plain[: len(plain) - cut] + add
    return None


def is_negative(plain: str) -> bool:
    """打ち消しの「ない」か(「少ない」のような形容詞ではなく)。"""
    return plain.endswith("ない") and not plain.endswith(ADJ_NAI)


def negative(plain: str) -> str:
    """打ち消しの「ない」を「ません」か「ありません」にする。"""
    stem = plain.removesuffix("ない")
    if stem.endswith(("が", "も", "は", "しか", "に、")) and not plain.endswith(VERB_GA):
        return stem + "ありません"
    return stem[:-1] + A_TO_I.get(stem[-1:], stem[-1:]) + "ません"


def polite(plain: str) -> str:
    """常体の文末(動詞・形容詞・だ)を、形だけから敬体にする。分からない形は ValueError。"""
    if plain in IRREGULAR:
        return IRREGULAR[plain]
    if is_negative(plain):
        return negative(plain)
    result = by_tail(plain, FORCED)
    if result is None:
        raise ValueError(f"文末の形が分からない: {plain}")
    return result


def soft(plain: str) -> str | None:
    """文の終わりから形を見て敬体にする。確かでない形は None。"""
    if not plain or plain.endswith(FINISHED):
        return None
    rule = RULES.get(plain[-1])
    return by_tail(plain, GUESSES) or (rule(plain) if rule else None)


def _soft_i(plain: str) -> str | None:
    return negative(plain) if is_negative(plain) else plain + "です"


def _past(plain: str, tail: str) -> str | None:
    table = PAST[tail]
    for stem in sorted(table, key=len, reverse=True):
        if plain.endswith(stem + tail):
            return plain[: -len(stem + tail)] + table[stem] + "ました"
    return None


def _soft_ta(plain: str) -> str | None:
    if plain.endswith(PAST_ADJ):
        return plain + "です"
    if plain.endswith("いた"):
        return _past(plain, "いた")
    if plain.endswith("った"):
        return _past(plain, "った") or by_tail(plain, [(("だった",), 3, "でした")])
    return plain[:-1] + "ました" if plain[-2:-1] in [*E_ROW, *I_ROW, *ICHIDAN_KANJI, "来"] else None


def _soft_da(plain: str) -> str | None:
    if plain.endswith("んだ"):
        return _past(plain, "んだ")
    if plain.endswith("いだ") and not plain.endswith(NOUNS_ENDING_I):
        return None
    return plain[:-1] + "です"


def _soft_ru(plain: str) -> str | None:
    regular = by_tail(plain, [(("する",), 2, "します"), (("くる",), 2, "きます"), (("来る",), 1, "ます")])
    if regular:
        return regular
    before = plain[-2:-1]
    if before in E_ROW + "いじびみちにぎき" or before in ICHIDAN_KANJI:
        return plain[:-1] + "ます"
    return plain[:-1] + "ります" if before in GODAN_KANJI + GODAN_KANA else None


def _soft_u(plain: str) -> str | None:
    last, before = plain[-1], plain[-2:-1]
    sure = {
        "う": ("らう", "まう", "かう", "そろう", "にぎわう"),
        "つ": ("立つ", "待つ", "持つ"),
        "ぬ": ("死ぬ",),
    }.get(last, ("ていく", "ておく", "でいく", "すむ", "こむ", "わく", "のぞく"))
    kanji = last not in "つぬ" and "\u4e00" <= before <= "\u9fff"
    return plain[:-1] + TO_I[last] + "ます" if kanji or plain.endswith(sure) else None


RULES = {"い": _soft_i, "た": _soft_ta, "だ": _soft_da, "る": _soft_ru, **dict.fromkeys("うくすむぶぐつぬ", _soft_u)}


def ending(token: str, style: str, rng: random.Random) -> str:
    """角かっこの中身を、その文体の文末にする。"""
    plain, _, given = token.partition("/")
    if plain.endswith("?"):
        return _question(plain[:-1], given, style, rng)
    if plain == "ほしい":
        return _wish(style, rng)
    if style == "polite":
        return given or soft(plain) or polite(plain)
    return "どうか" if plain == "どうだ" else plain


def _question(plain: str, given: str, style: str, rng: random.Random) -> str:
    if style != "polite":
        return plain.removesuffix("だ") + "か"
    if plain == "だ":
        return rng.choice(["でしょうか", "ですか"])
    return (given or soft(plain) or polite(plain)) + "か"


def _wish(style: str, rng: random.Random) -> str:
    pools = {"polite": WISH, "plain": WISH_PLAIN}
    return rng.choice(pools[style]) if style in pools else "ほしい"


def mark(sentence: str, style: str) -> str:
    """角かっこのない文の終わりを、言いかえられるなら角かっこで囲む。"""
    body = sentence.removesuffix("。")
    if style == "call" or body == sentence or any(c in body for c in "[]/?「」") or soft(body) is None:
        return sentence
    return f"[{body}]。"
