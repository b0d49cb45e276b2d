"""What is judged and how: 主題 → 評価 from the dependencies of a sentence (歩道 → 狭い, 除雪の時間 → 遅い, 改札 → 通れない)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from nlp.opinions.forms import Predicate, Trait, predicate
from nlp.opinions.polarity import Polarity, lexicon, polarity
from nlp.opinions.words import Word

WORDS = Path(__file__).resolve().parents[2] / "data" / "opinions" / "topics.yaml"
_ARGUMENTS = {"nsubj", "obj", "obl", "dislocated", "iobj"}
_PLACES = {"に", "で", "は", "も", "へ", "から", "まで", "が", "を", "って", "とか"}
_ASKING = {"求める", "希望する", "要望する", "願う", "お願う", "お願い", "望む", "要求する", "希望", "要望"}
_GLAD = {"うれしい", "嬉しい", "ありがたい", "有難い", "助かる", "良い", "いい", "よい", "便利", "安心"}
_LONGEST_TOPIC = 24
_EMPTY = {"よう", "なる", "いる", "わけ", "こと", "みたい", "そう", "済む", "すむ", "負ける", "もの", "つもり", "はず", "ところ"}
_SAYING = {"言わ", "言う", "言っ", "紙", "書い", "書か", "渡さ", "申す", "頼ま", "張り紙", "貼り紙"}
_ABSTRACT = {"必要", "意味", "賛否", "問題", "異論", "不満", "価値"}


@dataclass(frozen=True, slots=True)
class Nouns:
    """The words of data/opinions/topics.yaml."""

    light: frozenset[str]
    bodies: frozenset[str]
    plain: frozenset[str]
    feelings: frozenset[str]
    people: frozenset[str]
    met: frozenset[str]


@lru_cache(maxsize=1)
def nouns() -> Nouns:
    """The word lists, read once."""
    said = yaml.safe_load(WORDS.read_text("utf-8"))
    return Nouns(**{name: frozenset(words) for name, words in said.items()})


class Found(NamedTuple):
    """A pair in a sentence: offsets are of the sentence."""

    topic: str
    topic_start: int
    topic_end: int
    predicate: str
    predicate_start: int
    predicate_end: int
    polarity: Polarity


class _Topic(NamedTuple):
    text: str
    first: int
    at: int
    case: str  # the first particle behind it, "" where there is none
    dep: str


def pairs(words: Sequence[Word]) -> list[Found]:
    """The pairs of one sentence, in order of their predicates."""
    said: dict[int, Predicate] = {}
    topics: dict[int, list[_Topic]] = defaultdict(list)
    heads: dict[int, int] = {}
    closed = {predicate(words, word.head).first for word in words if word.lemma in nouns().bodies and word.dep in {"nsubj", "obj"}}
    closed |= {predicate(words, word.head).first for at, word in enumerate(words) if word.dep == "obj" and _topic(words, at) is None}
    for at, word in enumerate(words):
        if word.dep in _ARGUMENTS and (topic := _topic(words, at)):
            head = _what_is_felt(words, at, _not_adverbial(words, word.head))
            judged = predicate(words, head)
            if judged.first <= at < judged.end or judged.first in closed:
                continue
            said[judged.first] = judged
            heads[judged.first] = head
            topics[judged.first].append(topic)
    found = list(_judged(words, said, topics, heads))
    found += _shared(words, found, topics)
    found += _before_nouns(words)
    found += _bare(words)
    return _in_order(found)


def _not_adverbial(words: Sequence[Word], at: int) -> int:
    """早くつけて: a word that hangs on 早く is つけて's."""
    word = words[at]
    if (
        word.dep != "advcl"
        or at + 1 >= len(words)
        or word.head <= at
        or not word.tag.startswith("形容詞")
        or "連用形" not in word.inflection
    ):
        return at
    after = words[at + 1]
    return word.head if after.tag.startswith("動詞") and after.lemma not in {"なる", "する", "すぎる"} and word.head == at + 1 else at


def _what_is_felt(words: Sequence[Word], at: int, head: int) -> int:
    """冷房が効かず困った, read with 冷房 hanging on 困った: what stands between is said of it."""
    if words[head].lemma not in nouns().feelings or at + 1 >= len(words) or words[at + 1].text != "が":
        return head
    between = [place for place in range(at + 1, head) if words[place].dep == "advcl" and words[place].head == head]
    return between[0] if between else head


def _judged(words: Sequence[Word], said: dict[int, Predicate], topics: dict[int, list[_Topic]], heads: dict[int, int]) -> Iterator[Found]:
    for first, judged in said.items():
        topic = _chosen(topics[first])
        if topic is None:
            continue
        if judged.base == "する" and not (topic.case in {"を", "は", "も"} and "サ変" in words[topic.at].tag):
            continue
        if judged.base in _ASKING and topic.dep != "obj" and topic.case not in {"を", "は", "も"}:
            continue
        glad = _wish_come_true(words, judged, heads[first])
        if glad is not None:
            yield _found(words, topic, glad)
        elif _tells(topic.text, judged, words) and (topic.dep != "obl" or _of_a_place(words, topic, judged, heads[first])):
            yield _found(words, topic, judged)


def _wish_come_true(words: Sequence[Word], judged: Predicate, head: int) -> Predicate | None:
    """ベンチがあるとうれしい, 増えれば助かる: the wish is told by what would follow."""
    above = words[head].head
    if Trait.CONDITION not in judged.traits or above == head or words[above].lemma not in _GLAD:
        return None
    return predicate(words, above)


def _chosen(topics: Sequence[_Topic]) -> _Topic | None:
    """Of several words that hang on a predicate the one that is judged; the nearest of those of the same rank."""
    within = [topic for topic in topics if not (topic.case == "が" and topic.text in _ABSTRACT and len(topics) > 1)]
    return min(within, key=lambda topic: (_rank(topic), -topic.at), default=None)


def _rank(topic: _Topic) -> int:
    """を before が before は before に and で."""
    if topic.dep == "obj" or topic.case == "を":
        return 0
    if topic.case == "が":
        return 1
    return 2 if topic.dep in {"nsubj", "dislocated"} else 3


def _tells(topic: str, judged: Predicate, words: Sequence[Word]) -> bool:
    """Whether the predicate judges or asks; plain doings (来る, 電話する) don't, nor what others said or what is only supposed."""
    if judged.base in _EMPTY or _supposed(words, judged):
        return False
    strong = Trait.NEGATED | Trait.HARD | Trait.EASY | Trait.TOO_MUCH | Trait.REQUEST | Trait.SHOULD
    if judged.traits & strong or judged.base in _ASKING:
        return True
    content = words[judged.first]
    if content.is_adjective or (content.tag == "接頭辞" and judged.first + 1 < judged.end and words[judged.first + 1].is_adjective):
        return True
    return judged.form == "賛否がある" or polarity(topic, judged) is not Polarity.NEUTRAL


def _supposed(words: Sequence[Word], judged: Predicate) -> bool:
    """なくても, 違わないよう(に), 逆ではないか: supposed, meant or asked. 四十分, よくした: no judgement but for its looks."""
    after = [word.text for word in words[judged.end : judged.end + 2]]
    supposed = after in (["て", "も"], ["で", "も"]) or after[:1] == ["よう"]
    supposed |= words[judged.end - 1].text.startswith("なけれ")
    asked = Trait.NEGATED in judged.traits and after[:1] == ["か"]
    counted = judged.first > 0 and words[judged.first - 1].tag.startswith("名詞-数詞")
    often = judged.base in {"良い", "よい"} and judged.form.endswith("する")
    return supposed or asked or counted or often or (Trait.REQUEST in judged.traits and _not_wished(after))


def _not_wished(after: Sequence[str]) -> bool:
    """売ってくださいと言われた, 曲げてほしいのではない: another's wish, or none."""
    if after[:1] == ["」"]:
        return True
    return len(after) > 1 and (
        (after[0] in {"と", "って"} and after[1] in _SAYING) or (after[0] in {"の", "わけ"} and after[1] in {"で", "では", "じゃ"})
    )


def _of_a_place(words: Sequence[Word], topic: _Topic, judged: Predicate, head: int) -> bool:
    """Whether に, で or a bare noun before a predicate names what is judged (窓口で待たされる) rather than a circumstance."""
    if topic.case not in _PLACES or words[topic.at].lemma in nouns().people or words[head].dep == "acl":
        return False
    if Trait.REQUEST in judged.traits:
        return topic.case != "で"
    content = words[judged.first]
    if content.is_adjective:
        return not (topic.case == "で" and judged.base in {"いい", "良い", "よい"}) and not _adverb(words, head)
    if judged.base in nouns().met or judged.traits & (Trait.PASSIVE | Trait.HARD | Trait.EASY | Trait.ABLE | Trait.SHOULD):
        return True
    if Trait.NEGATED in judged.traits:
        return content.inflection.startswith("下一段")  # what can't be done: 登れない, 出られない
    return not content.tag.startswith("動詞")


def _adverb(words: Sequence[Word], at: int) -> bool:
    """早う来て: an adjective that only says how."""
    after = words[at + 1] if at + 1 < len(words) else None
    says_how = words[at].tag.startswith("形容詞") and "連用形" in words[at].inflection
    return says_how and after is not None and not after.tag.startswith(("助詞", "助動詞", "補助記号", "形容詞", "接尾辞"))


def _topic(words: Sequence[Word], at: int) -> _Topic | None:
    """The noun at ``at`` with all that it is made of (駐車場, 除雪の時間); ``None`` where it names nothing that could be judged."""
    word = words[at]
    if not word.is_noun or word.lemma in nouns().light or word.tag.startswith(("代名詞", "名詞-数詞")):
        return None
    if "副詞可能" in word.tag and (word.dep == "obl" or at + 1 >= len(words) or not words[at + 1].tag.startswith("助詞")):
        return None
    if word.lemma in nouns().bodies or (
        word.tag.startswith("接尾辞") and (at == 0 or not words[at - 1].is_noun or words[at - 1].tag.startswith("代名詞"))
    ):
        return None
    if any(other.dep == "nummod" and other.head == at for other in words[max(0, at - 4) : at]):
        return None
    first = at
    while first > 0 and _belongs(words, first - 1, at):
        first -= 1
    while first < at and (words[first].text == "の" or words[first].tag.startswith(("補助記号", "助詞", "空白", "接尾辞"))):
        first += 1
    while at - first >= 2 and words[at].end - words[first].start > _LONGEST_TOPIC:
        first += 1
        while first < at and not words[first].is_noun:
            first += 1
    text = "".join(item.text for item in words[first : at + 1])
    if text in nouns().light or text.startswith("何") or not any(character.isalnum() for character in text):
        return None
    case = next((item.text for item in words[at + 1 : at + 2] if item.tag.startswith("助詞")), "")
    return _Topic(text, first, at, case, word.dep)


def _belongs(words: Sequence[Word], place: int, at: int) -> bool:
    word = words[place]
    if word.text == "の" and word.tag.startswith("助詞-格助詞"):
        return (
            place > 0
            and words[place - 1].is_noun
            and not words[place - 1].tag.startswith(("代名詞", "名詞-数詞"))
            and _under(words, place - 1, at)
        )
    inside = word.tag.startswith(("名詞", "接頭辞", "接尾辞-名詞的", "記号"))
    return inside and word.lemma not in {"ため", "よう"} and _under(words, place, at) and word.dep in {"compound", "nmod", "nummod", "dep"}


def _under(words: Sequence[Word], place: int, at: int) -> bool:
    for _ in range(12):
        if place == at:
            return True
        head = words[place].head
        if head == place:
            return False
        place = head
    return False


def _shared(words: Sequence[Word], found: Sequence[Found], topics: dict[int, list[_Topic]]) -> list[Found]:
    """文字が小さく読みにくい: the second judgement, which has no topic of its own, is of the first one's."""
    starts = {item.predicate_start: item for item in found}
    more = []
    for at, word in enumerate(words):
        if word.dep != "advcl" or word.head == at:
            continue
        first = predicate(words, at)
        known = starts.get(words[first.first].start)
        if known is None and (later := _of_the_next(words, at, first, starts)) and first.first not in topics:
            more.append(_of(words, later, first))
            continue
        if known is None or not words[first.first].is_adjective or word.head < first.end:
            continue
        second = predicate(words, word.head)
        if second.first in topics or second.first != _next_content(words, first.end):
            continue
        judges = words[second.first].is_adjective or second.traits & (Trait.HARD | Trait.EASY | Trait.TOO_MUCH)
        if first.base in {"ない", "無い", "少ない"} or not judges or second.base in nouns().feelings | {"仕方ない"}:
            continue
        if words[second.first].start not in starts and _tells(known.topic, second, words):
            more.append(_of(words, known, second))
    return more


def _of_the_next(words: Sequence[Word], at: int, first: Predicate, starts: dict[int, Found]) -> Found | None:
    """文字が小さく読みにくい, read with 文字 hanging on 読みにくい."""
    if not words[first.first].is_adjective or not words[first.first].tag.startswith(("形容詞", "形状詞")):
        return None
    second = predicate(words, words[at].head)
    known = starts.get(words[second.first].start)
    if known is None or known.topic_end > words[first.first].start or second.first != _next_content(words, first.end):
        return None
    judges = words[second.first].is_adjective or bool(second.traits & (Trait.HARD | Trait.EASY))
    return known if judges else None


def _next_content(words: Sequence[Word], place: int) -> int:
    while place < len(words) and words[place].tag.startswith(("補助記号", "助詞", "空白", "助動詞", "副詞")):
        place += 1
    return place


def _before_nouns(words: Sequence[Word]) -> Iterator[Found]:
    """暗い夜道, 壊れた遊具: a judgement before its noun; only where the word is a judgement by itself."""
    own = {word.head for word in words if word.dep in {"nsubj", "obj"}}
    for at, word in enumerate(words):
        if word.dep != "acl" or at in own or word.head <= at:
            continue
        topic = _topic(words, _whole(words, word.head))
        judged = predicate(words, at)
        if topic is None or topic.first < judged.end or judged.traits & (Trait.REQUEST | Trait.SHOULD):
            continue
        if (
            _next_content(words, judged.end) >= topic.first
            and lexicon().of(judged.base) is not Polarity.NEUTRAL
            and judged.base not in nouns().plain
            and judged.first not in own
        ):
            yield _found(words, topic, judged)


def _whole(words: Sequence[Word], at: int) -> int:
    """狭い県境の坂: of the nouns that follow, the last, which is what is meant more often than not."""
    for _ in range(3):
        word = words[at]
        if word.dep not in {"nmod", "compound"} or not 0 < word.head - at <= 2 or not words[word.head].is_noun:
            break
        at = word.head
    return at


def _bare(words: Sequence[Word]) -> Iterator[Found]:
    """説明不足。駐車場の不足。: the sentence is a noun that judges what stands before it."""
    for at, word in enumerate(words):
        if word.dep != "ROOT" or not word.is_noun or lexicon().of(word.text) is Polarity.NEUTRAL:
            continue
        before = at - 2 if at > 1 and words[at - 1].text == "の" else at - 1
        if before < 0 or words[before].head != at or words[before].dep not in {"compound", "nmod"}:
            continue
        topic = _topic(words, before)
        if topic is not None:
            judged = Predicate(word.text, word.text, Trait.NONE, at, at + 1)
            yield _found(words, topic, judged)


def _found(words: Sequence[Word], topic: _Topic, judged: Predicate) -> Found:
    return Found(
        topic.text,
        words[topic.first].start,
        words[topic.at].end,
        judged.form,
        words[judged.first].start,
        words[judged.end - 1].end,
        polarity(topic.text, judged),
    )


def _of(words: Sequence[Word], known: Found, judged: Predicate) -> Found:
    return known._replace(
        predicate=judged.form,
        predicate_start=words[judged.first].start,
        predicate_end=words[judged.end - 1].end,
        polarity=polarity(known.topic, judged),
    )


def _in_order(found: Sequence[Found]) -> list[Found]:
    unique = {(item.topic_start, item.predicate_start): item for item in reversed(found)}
    return sorted(unique.values(), key=lambda item: (item.predicate_start, item.topic_start))
