"""What a text names, and which two things it says together: 歩道の段差, 歩道が狭い (歩道 + 狭さ), 東京へ行きやすい (東京 + 行きやすさ)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nlp.opinions.forms import predicate
from nlp.opinions.pairs import pairs
from nlp.opinions.polarity import Polarity, lexicon
from nlp.opinions.words import Sentence, Word
from nlp.topic_names.nominal import GOOD, lists, nominal, of_doing
from nlp.topic_names.nouns import Noun, is_fit, key_of, runs, variants

_ARGUMENTS = {"nsubj", "obj", "dislocated", "iobj"}
_JOINERS = {"から": "からの", "へ": "への", "まで": "までの"}
_DOING = ("のが", "のは", "のに", "のも", "には", "ことが", "ことは")
_FROM = ("来訪", "遠さ", "近さ", "やすさ", "にくさ", "づらさ")
_MAKING = "づくり"  # 思い出づくり, 条例づくり
_POINTS = {"ところ", "所", "とこ", "点", "面"}


class Link(NamedTuple):
    """Two nouns that a sentence ties together, and how: 歩道 + の + 狭さ. ``base`` is the word behind the second (狭い)."""

    first: Noun
    joiner: str
    second: Noun
    base: str

    @property
    def text(self) -> str:
        return f"{self.first.text}{self.joiner}{self.second.text}"


class Said(NamedTuple):
    """What one text names and ties together; each once, in an order that is the same in every process."""

    nouns: tuple[Noun, ...]
    links: tuple[Link, ...]


def read(sentences: Sequence[Sentence]) -> Said:
    """What the sentences of one text say."""
    nouns: set[Noun] = set()
    links: set[Link] = set()
    for words in sentences:
        ends = {last: first for first, last in runs(words)}
        nouns.update(noun for last, first in ends.items() for noun in variants(words, first, last))
        nouns.update(_bare_predicates(words))
        links.update(_links(words, ends))
        for point, told in _good_points(words, ends):
            nouns.add(point)
            links.update(told)
    return Said(tuple(sorted(nouns)), tuple(sorted(link for link in links if link.first.key != link.second.key)))


def _links(words: Sequence[Word], ends: dict[int, int]) -> Iterator[Link]:
    yield from _joined(words, ends)
    told: set[tuple[int, int]] = set()
    at_end = {words[last].end: last for last in ends}
    at_start = {word.start: at for at, word in enumerate(words)}
    for found in pairs(words):
        last, place = at_end.get(found.topic_end), at_start.get(found.predicate_start)
        if last is None or place is None:
            continue
        told.add((last, place))
        if not _for_whom(words, last, place):
            yield from _said_of(words, ends, last, place, _joiner(words, last, place))
    for last, first in ends.items():
        word = _top(words, first, last)
        if first <= word.head <= last or word.dep not in _ARGUMENTS | {"obl"} or (last, predicate(words, word.head).first) in told:
            continue
        if _for_whom(words, last, word.head):
            continue
        joiner = _joiner(words, last, word.head)
        if word.dep in _ARGUMENTS or joiner != "の":
            yield from _said_of(words, ends, last, word.head, joiner)
        if joiner != "の" or word.dep in _ARGUMENTS:
            yield from _done_with(words, ends, last, word.head, joiner)


def _top(words: Sequence[Word], first: int, last: int) -> Word:
    """The word of a run that hangs on something outside it."""
    return next((words[at] for at in range(last, first - 1, -1) if not first <= words[at].head <= last), words[last])


def _for_whom(words: Sequence[Word], last: int, head: int) -> bool:
    """祖父母には遠い, 市民に知らせる: whom it concerns, not what it is about."""
    return last + 1 < len(words) and words[last + 1].text == "に" and _joiner(words, last, head) == "の"


def _joiner(words: Sequence[Word], last: int, head: int) -> str:
    """東京へ行きやすい, 東京から遠い: the particle that stays when the predicate becomes a noun."""
    case = words[last + 1].text if last + 1 < len(words) and words[last + 1].tag.startswith("助詞") else ""
    said = {words[head].lemma, words[head].text}
    if (case in {"に", "へ", "まで"} and said & lists().motions) or (case == "に" and said & lists().towards):
        return "への"
    return "からの" if case == "から" else "の"


def _joined(words: Sequence[Word], ends: dict[int, int]) -> Iterator[Link]:
    """歩道の段差, 駅からの道."""
    starts = {first: last for last, first in ends.items()}
    for last, first in ends.items():
        at, joiner = last + 1, "の"
        if at < len(words) and words[at].text in _JOINERS:
            joiner = _JOINERS[words[at].text]
            at += 1
        if at >= len(words) or words[at].text != "の" or at + 1 not in starts:
            continue
        second = _whole(words, at + 1, starts[at + 1])
        if second is None or not at < _top(words, first, last).head <= starts[at + 1]:
            continue
        for noun in variants(words, first, last):
            yield Link(noun, joiner, second, second.text)


def _whole(words: Sequence[Word], first: int, last: int) -> Noun | None:
    return next((noun for noun in variants(words, first, last)), None)


def _said_of(words: Sequence[Word], ends: dict[int, int], last: int, head: int, joiner: str) -> Iterator[Link]:
    judged = predicate(words, head)
    if judged.first <= last < judged.end or _describes(words, ends[last], last, head):
        return
    text = nominal(words, judged)
    if text is None or not _is_aspect(text):
        return
    if joiner == "からの" and not text.endswith(_FROM):
        return
    for noun in variants(words, ends[last], last):
        if text == "不足" and noun.text in lists().abstract:
            yield _link(noun, joiner, "なさ", judged.base)
        elif text != "不足" or lexicon().of(noun.text) is not Polarity.NEGATIVE:
            yield _link(noun, joiner, text, judged.base)


def _describes(words: Sequence[Word], first: int, last: int, head: int) -> bool:
    """役所が遠い家: a clause that only says which house is meant; not 遠い役所, nor 役所が遠いこと."""
    clause = words[head]
    outside = clause.head > head and not first <= clause.head <= last
    return outside and clause.dep == "acl" and clause.is_adjective and words[clause.head].lemma not in lists().empty


def _bare_predicates(words: Sequence[Word]) -> Iterator[Noun]:
    """変わらない by itself: 変化のなさ. Many an answer of a survey has no subject."""
    for at, word in enumerate(words):
        if word.tag.startswith(("動詞", "形容詞", "形状詞")):
            judged = predicate(words, at)
            text = nominal(words, judged) if judged.first <= at < judged.end else None
            if text is not None and len(text) > 1 and text not in {"不足", _MAKING} and _is_aspect(text):
                yield Noun(text, key_of(text))


def _is_aspect(text: str) -> bool:
    return text.endswith("のなさ") or text == _MAKING or is_fit(text)


def _good_points(words: Sequence[Word], ends: dict[int, int]) -> Iterator[tuple[Noun, list[Link]]]:
    """町のいいところ: 町の良さ."""
    for at, word in enumerate(words[1:], 1):
        before = words[at - 1]
        if word.lemma not in _POINTS or not before.is_adjective or before.head != at:
            continue
        text = "良さ" if before.lemma in GOOD else nominal(words, predicate(words, at - 1))
        if text is None or not is_fit(text):
            continue
        last = at - 3
        owners = variants(words, ends[last], last) if last in ends and words[at - 2].text == "の" else ()
        yield Noun(text, key_of(text)), [_link(noun, "の", text, before.lemma) for noun in owners]


def _done_with(words: Sequence[Word], ends: dict[int, int], last: int, head: int, joiner: str) -> Iterator[Link]:
    """東京に行くのが不便, 機械を使うのが楽: how easily a thing is done."""
    verb = words[head]
    judged = predicate(words, head)
    between = "".join(word.text for word in words[judged.end : judged.end + 2])
    if verb.head == head or not verb.tag.startswith("動詞") or not between.startswith(_DOING):
        return
    text = of_doing(verb, predicate(words, verb.head).base)
    if text is not None and is_fit(text):
        for noun in variants(words, ends[last], last):
            yield _link(noun, joiner, text, judged.base)


def _link(noun: Noun, joiner: str, text: str, base: str) -> Link:
    if joiner == "の":
        joiner = "への" if text in lists().towards else "" if text == _MAKING else "の"
    return Link(noun, joiner, Noun(text, key_of(text)), base)
