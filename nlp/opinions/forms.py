"""What a predicate says, in a form that people read: 待たされました → 待たされる, 増やして → 増やしてほしい, 分かりません → 分からない."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Flag, auto

from nlp.opinions.words import Word

# 未然形 of 五段 verbs, by the last kana of the dictionary form.
_A_ROW = dict(zip("くぐすつぬぶむるう", "かがさたなばまらわ", strict=True))
_SUFFIXES = {
    "れる",
    "られる",
    "せる",
    "させる",
    "たい",
    "やすい",
    "にくい",
    "づらい",
    "辛い",
    "がたい",
    "難い",
    "すぎる",
    "過ぎる",
    "できる",
    "する",
    "なる",
    "がる",
}
_HARD = {"にくい", "づらい", "辛い", "がたい", "難い"}
_WANTING = {"ほしい", "欲しい", "ちょうだい", "頂戴"}
_PLEASE = {"くださる", "下さる"}
_GLAD = re.compile("助か|うれし|嬉し|ありがた|有難|有り難|幸い|良い|いい|よい|安心|便利")
_FAVOURS = {"もらう", "貰う", "もらえる", "貰える", "いただく", "頂く", "いただける", "頂ける", "くれる"}
_CARRIED = {"おく", "ある", "もらう", "もらえる", "いただく", "いただける", "くれる", "あげる", "やる", "くださる", "下さる"}
_DROPPED = {"しまう", "くる", "来る", "いく", "行く", "みる"}
_ABSTRACT = {"必要", "意味", "効果", "価値", "問題", "余裕", "心配", "関係", "仕方", "しかた", "不満", "異論", "賛否"}
_VOTES = {"賛成", "反対", "大賛成", "大反対"}
_LEANING = {"ない", "無い", "なる", "すぎる", "過ぎる", "する", "ある", "やすい", "にくい", "づらい", "たい"}
_MUST = ("なけれ", "なきゃ", "ねば")
_ADVERBIAL = ("語幹", "連用形")


class Trait(Flag):
    """What the endings of a predicate add to its word."""

    NONE = 0
    NEGATED = auto()
    HARD = auto()  # 〜にくい, 〜づらい
    EASY = auto()  # 〜やすい
    TOO_MUCH = auto()  # 〜すぎる
    PASSIVE = auto()
    CAUSATIVE = auto()
    REQUEST = auto()
    SHOULD = auto()  # 〜べき
    ABLE = auto()  # 〜できる
    CONDITION = auto()  # 〜と, 〜ば, 〜たら


@dataclass(frozen=True, slots=True)
class Predicate:
    """A predicate: how it is shown, the dictionary form of its word, its traits, and its words ``first`` to ``end`` (exclusive)."""

    form: str
    base: str
    traits: Trait
    first: int
    end: int


def predicate(words: Sequence[Word], at: int) -> Predicate:
    """The predicate that the word ``at`` belongs to, with the words before it that it is bound to and all endings behind it."""
    first = _beginning(words, at)
    builder = _Builder(words, first)
    builder.up_to(at)
    return builder.finished()


def _beginning(words: Sequence[Word], at: int) -> int:
    first = at
    while first > 0:
        step = _bound_before(words, first)
        if not step:
            break
        first -= step
    return first


def _bound_before(words: Sequence[Word], at: int) -> int:
    """How many words before ``at`` belong to the same predicate and end at a content word."""
    word, before = words[at], words[at - 1]
    if before.tag == "接頭辞" or (before.dep == "compound" and before.head == at and before.is_noun):
        return 1
    if word.lemma in _LEANING and _carries(before, word):
        return 1
    further = words[at - 2] if at > 1 else None
    if further is None:
        return 0
    become = before.text == "に" and word.lemma in {"なる", "する"} and _judges(further, verb=word.lemma)
    lack = before.text in {"が", "は", "も"} and word.lemma in {"ない", "無い", "ある"} and further.lemma in _ABSTRACT
    return 2 if become or lack else 0


def _carries(before: Word, word: Word) -> bool:
    """Whether the word before ない, なる or すぎる is its content: 高く(ない), 使いやすく(なる)."""
    if before.lemma in {"やすい", "にくい", "づらい", "辛い", "たい"}:
        return True
    if before.tag.startswith("形容詞") and any(name in before.inflection for name in _ADVERBIAL):
        return True
    return before.tag.startswith(("動詞", "名詞-普通名詞-サ変")) and word.tag.startswith(("接尾辞", "助動詞"))


def _judges(word: Word, *, verb: str) -> bool:
    return word.is_adjective or (verb == "する" and "サ変" in word.tag)


class _Builder:
    """Puts the form together: ``before`` is kept as it stands, ``tail`` is shown in its dictionary form."""

    def __init__(self, words: Sequence[Word], first: int) -> None:
        self.words = words
        self.first = self.next = first
        self.before, self.tail, self.tail_text = "", words[first], words[first].text
        self.traits = Trait.NONE
        self.shown: str | None = None
        self.next += 1
        if self.tail.tag == "接頭辞" and self.next < len(words):
            self._keep(words[self.next])
            self.next += 1
        self.base = self.before + self._dictionary()

    def up_to(self, at: int) -> None:
        """Takes every word up to ``at`` as it stands."""
        while self.next <= at:
            word = self.words[self.next]
            if word.lemma in {"ない", "無い"}:
                self.traits ^= Trait.NEGATED
            self._note(word)
            self._keep(word)
            self.next += 1

    def finished(self) -> Predicate:
        while self.next < len(self.words) and self.shown is None:
            step = self._ending(self.words[self.next])
            if not step:
                break
            self.next += step
        form = self.shown if self.shown is not None else self.before + self._dictionary()
        if self.base in _VOTES and Trait.NEGATED not in self.traits and self.shown is None:
            form = self.base  # 賛成です, 賛成します and 賛成している are one
        return Predicate(form, self.base, self.traits, self.first, self.next)

    def _dictionary(self) -> str:
        if not self.tail.inflection:
            return self.tail.text
        stem = self.tail.lemma.removesuffix("ずる")
        return self.tail.lemma if stem == self.tail.lemma else f"{stem}じる"

    def _keep(self, word: Word) -> None:
        self.before += self.tail.text
        self.tail = word

    def _note(self, word: Word) -> None:
        lemma = word.lemma
        if lemma in _HARD:
            self.traits |= Trait.HARD
        elif lemma == "やすい":
            self.traits |= Trait.EASY
        elif lemma in {"すぎる", "過ぎる"}:
            self.traits |= Trait.TOO_MUCH
        elif lemma in {"れる", "られる"}:
            self.traits |= Trait.PASSIVE
        elif lemma in {"せる", "させる"}:
            self.traits |= Trait.CAUSATIVE
        elif lemma == "できる":
            self.traits |= Trait.ABLE

    def _ending(self, word: Word) -> int:  # noqa: C901, PLR0911  (one line for each sort of ending)
        """Takes one ending in; gives how many words it was, 0 when the predicate ends before it."""
        lemma = word.lemma
        following = self._peek(1)
        if lemma == "ます" or (lemma == "た" and word.tag == "助動詞"):
            if word.text in {"たら", "ましたら"}:
                self.traits |= Trait.CONDITION
            return 1
        if lemma in {"ない", "無い"}:
            return self._negative(word)
        if lemma in {"ぬ", "ず"}:
            return self._negative_by_stem(word)
        if lemma in {"だ", "です", "じゃ"} and word.tag == "助動詞":
            return self._copula(word, following)
        if word.text in {"は", "も"} and following and following.lemma in {"ない", "無い"}:
            return 1
        if lemma == "ある" and following and following.lemma == "ます" and self._negative_follows(2):
            self._keep(word)
            self.tail = word._replace(text="ない", lemma="ない", inflection="形容詞")
            self.traits ^= Trait.NEGATED
            return 3
        if lemma == "べし":
            self._show(self.before + self._dictionary() + "べき", Trait.SHOULD)
            return 1
        if lemma in _SUFFIXES and word.tag.startswith(("助動詞", "接尾辞", "動詞-非自立可能", "形容詞-非自立可能")):
            self._note(word)
            self._keep(word)
            return 1
        if lemma in {"てる", "でる"} and word.tag == "助動詞":
            self.before += self.tail.text + word.lemma[0]
            self.tail = word._replace(lemma="いる", text=word.text[1:] or "い", inflection="上一段-ア行")
            return 1
        if word.text in {"て", "で"} and word.tag == "助詞-接続助詞":
            return self._joined(word, following)
        if word.text in {"と", "ば"} and word.tag == "助詞-接続助詞":
            self.traits |= Trait.CONDITION
        return 0

    def _negative(self, word: Word) -> int:
        if word.text.startswith(_MUST):
            self._show(f"{self.before}{self.tail.text}なければならない", Trait.NONE)
            return 1
        self._keep(word)
        self.traits ^= Trait.NEGATED
        return 1

    def _negative_by_stem(self, word: Word) -> int:
        self.before += _irrealis(self.tail)
        if word.text in {"ね", "ねば"}:
            self._show(f"{self.before}なければならない", Trait.NONE)
            return 1
        self.tail = word._replace(text="ない", lemma="ない", inflection="形容詞")
        self.traits ^= Trait.NEGATED
        return 1

    def _copula(self, word: Word, following: Word | None) -> int:
        if word.text == "に" and following and following.lemma in {"なる", "する"}:
            self._keep(word)
            self._keep(following)
            return 2
        if word.text in {"で", "じゃ"}:
            gap = 2 if following and following.text in {"は", "も"} else 1
            ahead = self._peek(gap)
            if ahead and ahead.lemma in {"ない", "無い"} and not ahead.text.startswith(_MUST):
                return self._not_so(ahead, gap + 1)
            if ahead and ahead.lemma in {"ある", "ござる"} and self._negative_follows(gap + 2):
                return self._not_so(ahead, gap + 3)
            return 0
        if word.text == "なら":
            self.traits |= Trait.CONDITION
            return 0
        return 1

    def _not_so(self, ahead: Word, step: int) -> int:
        self.before += self.tail.text + "で"
        self.tail = ahead._replace(text="ない", lemma="ない", inflection="形容詞")
        self.traits ^= Trait.NEGATED
        return step

    def _joined(self, word: Word, following: Word | None) -> int:
        lemma = following.lemma if following else ""
        stem = self.before + self.tail.text + word.text
        if (
            lemma in _WANTING
            or (lemma in _PLEASE and following and "命令形" in following.inflection)
            or (lemma in _FAVOURS and self._asks(2, lemma))
        ):
            self._show(f"{stem}ほしい", Trait.REQUEST)
            return 2
        if following is None or following.tag.startswith("補助記号") or following.text in {"ね", "よ", "っ"}:
            if not self._closes():
                return 0
            self._show(f"{stem}ほしい", Trait.REQUEST)
            return 1
        if lemma in _CARRIED | {"いる", "おる"}:
            self.before, self.tail = stem, following._replace(lemma="いる", inflection="上一段-ア行") if lemma == "おる" else following
            return 2
        return 2 if lemma in _DROPPED else 0

    def _asks(self, ahead: int, lemma: str) -> bool:
        """Whether もらう, いただく or くれる ahead asks for something to be done rather than tells that it was."""
        favour, after = self._peek(ahead - 1), self._peek(ahead)
        if favour and lemma == "くれる" and "命令形" in favour.inflection:
            return True
        if favour and lemma == "くれる" and favour.text == "くれ" and (after is None or after.tag.startswith("補助記号")):
            return True
        rest = "".join(word.text for word in self.words[self.next + ahead :][:12])
        if rest.startswith(("たい", "たく", "ないと", "なきゃ", "なければ", "ないか", "ないでしょうか", "ないもの")):
            return True
        if rest.startswith(("ませんか", "ませんでしょうか")):
            return True
        # 〜してもらえると助かる
        return bool(re.match("と|ば|たら|ますと|ましたら", rest)) and bool(_GLAD.search(rest[:14]))

    def _closes(self) -> bool:
        """Whether nothing but signs comes after the て that is next: 増やして。"""
        return all(word.tag.startswith(("補助記号", "空白")) or word.text in {"ね", "よ", "っ"} for word in self.words[self.next + 1 :])

    def _negative_follows(self, ahead: int) -> bool:
        word = self._peek(ahead)
        return word is not None and word.lemma == "ぬ"

    def _peek(self, ahead: int) -> Word | None:
        place = self.next + ahead
        return self.words[place] if place < len(self.words) else None

    def _show(self, form: str, trait: Trait) -> None:
        self.shown = form
        self.traits |= trait


def _irrealis(word: Word) -> str:
    """The stem that ない follows: 分かる → 分から, 見える → 見え, する → し."""
    lemma, kind = word.lemma, word.inflection.partition(";")[0]
    if not kind:
        return word.text
    if lemma == "ある":
        return ""
    if kind.startswith("五段"):
        return lemma[:-1] + _A_ROW.get(lemma[-1:], "ら")
    if kind.startswith("サ行変格"):
        return lemma.removesuffix("ずる") + "じ" if lemma.endswith("ずる") else lemma.removesuffix("する") + "し"
    if kind.startswith("形容詞"):
        return lemma[:-1] + "く"
    return lemma.removesuffix("る")
