"""The name of a topic out of what its typical texts say: candidates with their support, and the best that is still free."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nlp.opinions.polarity import lexicon
from nlp.topic_names.nominal import lists
from nlp.topic_names.nouns import is_impersonal, key_of, parts_of
from nlp.topic_names.reading import Said

SHORTEST, LONGEST = 4, 20
NAMELESS = "名前のない話題"

# How much a word's c-TF-IDF counts beside how much oftener it stands in this topic than in others; for a parent it decides nearly alone.
_KEYWORD, _KEYWORD_OF_PARENT = 0.6, 0.85
_PART_OF_COMPOUND = 0.85
_SECOND_WORD = 0.8
# What sorts of names are worth beside a phrase: a compound, a plain word, two words side by side, 「…についての声」, 「…と…」 for a parent.
_COMPOUND, _PLAIN, _SIDE_BY_SIDE, _ABOUT, _PAIR = 0.8, 0.3, 0.42, 0.25, 0.5
# A second aspect (段差・狭さ) is named when it is said at least this much as often as the first.
_AS_OFTEN = 0.55
_BOTH = 1.08
# In so many texts a word has to stand, unless there are few; a phrase in one text only when its words are the topic's own.
_ENOUGH = 2
_FEW = 8
_ONCE = 0.12
_NESTED = 0.6
_MAIN_KEYWORD = 0.5
_FOREMOST = 6
_WIDE = 12
# What a parent's name has to cover: most of its children, else it is worth little.
_MOST, _NARROW = 0.6, 0.1
# 住みやすさ by itself names a topic only where a fair part says so.
_FAIR_PART = 0.15
_EASE = ("やすさ", "にくさ", "づらさ", "のなさ")
# That something lacks is told of a topic only as far as most who name the thing say so: who wishes for 活気 isn't for 活気のなさ.
_LACKS = {"不足", "なさ", "悪さ"}


class Candidate(NamedTuple):
    """A possible name, how well it tells the topic, and the nouns that it is made of (keys)."""

    name: str
    score: float
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Matter:
    """What a topic's texts say, counted: in how many of ``texts`` each noun and each link stands, and which nouns are places."""

    texts: int
    nouns: Mapping[str, int]
    links: Mapping[tuple[str, str, str], int]
    shown: Mapping[str, str]
    bases: Mapping[str, str]
    places: frozenset[str]
    keywords: Mapping[str, float]


def matter(said: Sequence[Said], keywords: Sequence[tuple[str, float]], places: frozenset[str]) -> Matter:
    """Counts what the texts of a topic say. ``places``: names that the whole batch shows to be places rather than persons."""
    nouns: Counter[str] = Counter()
    links: Counter[tuple[str, str, str]] = Counter()
    surfaces: dict[str, Counter[str]] = defaultdict(Counter)
    bases: dict[str, str] = {}
    where: set[str] = set()
    for text in said:
        own = [noun for noun in text.nouns if not noun.doubtful or noun.doubtful in places]
        tied = [link for link in text.links if not any(noun.doubtful and noun.doubtful not in places for noun in (link.first, link.second))]
        nouns.update(dict.fromkeys(noun.key for noun in own).keys())
        links.update(dict.fromkeys((link.first.key, link.joiner, link.second.key) for link in tied).keys())
        for noun in [*own, *(noun for link in tied for noun in (link.first, link.second))]:
            surfaces[noun.key][noun.text] += 1
            if noun.is_place:
                where.add(noun.key)
        bases.update({link.second.key: key_of(link.base) for link in tied})
    nouns, links = _unnested(nouns), _unnested_links(links)
    shown = {key: max(counter.items(), key=lambda pair: (pair[1], pair[0]))[0] for key, counter in surfaces.items()}
    top = max((weight for _, weight in keywords), default=0.0) or 1.0
    weights = {key_of(word): weight / top for word, weight in reversed(keywords)}
    return Matter(len(said), nouns, links, shown, bases, frozenset(where), weights)


def _unnested(nouns: Counter[str]) -> Counter[str]:
    """Without what stands almost always inside one longer compound (クラブ in 児童クラブ)."""
    longer = [key for key in nouns if len(key) > 2]
    return Counter(
        {
            key: count
            for key, count in nouns.items()
            if not any(other != key and other.endswith(key) and nouns[other] >= _NESTED * count for other in longer)
        }
    )


def _unnested_links(links: Counter[tuple[str, str, str]]) -> Counter[tuple[str, str, str]]:
    ends: dict[tuple[str, str], list[str]] = defaultdict(list)
    for first, joiner, second in links:
        ends[joiner, second].append(first)
    return Counter(
        {
            (first, joiner, second): count
            for (first, joiner, second), count in links.items()
            if not any(
                other != first and other.endswith(first) and links[other, joiner, second] >= _NESTED * count
                for other in ends[joiner, second]
            )
        }
    )


class Weigher:
    """How telling a word is of one topic among all: its c-TF-IDF weight, and how much oftener it stands here than elsewhere."""

    def __init__(self, matters: Sequence[Matter]) -> None:
        self._spread: dict[str, float] = defaultdict(float)
        for item in matters:
            for key, count in item.nouns.items():
                self._spread[key] += count / item.texts

    def weight(self, item: Matter, key: str, *, keyword_share: float = _KEYWORD) -> float:
        """0 to 1."""
        base = item.bases.get(key, "")
        keyword = max(item.keywords.get(key, 0.0), item.keywords.get(base, 0.0))
        parts = parts_of(item.shown.get(key, key))
        if keyword == 0 and parts:
            keyword = _PART_OF_COMPOUND * max(item.keywords.get(part, 0.0) for part in parts)
        share = item.nouns.get(key, 0) / item.texts if item.texts else 0.0
        own = share / self._spread[key] if share else 0.0
        return keyword_share * keyword + (1 - keyword_share) * own * min(1.0, 2.5 * share)


def candidates(item: Matter, weigher: Weigher) -> list[Candidate]:
    """Possible names, best first; equal ones by their spelling."""
    found = [*_phrases(item, weigher), *_lone(item, weigher), *_side_by_side(item, weigher)]
    best: dict[str, Candidate] = {}
    for candidate in found:
        if is_name(candidate.name) and candidate.score > best.get(candidate.name, candidate._replace(score=0.0)).score:
            best[candidate.name] = candidate
    return sorted(best.values(), key=lambda candidate: (-candidate.score, candidate.name))


def is_name(name: str) -> bool:
    return SHORTEST <= len(name) <= LONGEST


def broader(item: Matter, weigher: Weigher, children: Sequence[frozenset[str]]) -> list[Candidate]:
    """Names for what holds other topics, whose words are given (keys): what is common to many of them, or two that stand for most."""
    if not children:
        return candidates(item, weigher)
    own = []
    for found in candidates(item, weigher):
        covered = _cover(item, found.keys, children)
        own.append(found._replace(score=found.score * (covered if covered >= _MOST else covered * _NARROW)))
    nouns = _things(item)
    worth = {key: weigher.weight(item, key, keyword_share=_KEYWORD_OF_PARENT) * math.sqrt(_cover(item, (key,), children)) for key in nouns}
    nouns.sort(key=lambda key: (-worth[key], key))
    for place, first in enumerate(nouns[:_WIDE]):
        for second in nouns[place + 1 : _WIDE]:
            name = f"{item.shown[first]}と{item.shown[second]}"
            if is_name(name) and _apart(item.shown[first], item.shown[second]):
                score = _PAIR * (worth[first] + worth[second]) * _cover(item, (first, second), children)
                own.append(Candidate(name, score, frozenset((first, second))))
    return sorted((found for found in own if found.score > 0), key=lambda found: (-found.score, found.name))


def _cover(item: Matter, keys: Iterable[str], children: Sequence[frozenset[str]]) -> float:
    """The share of the children that speak of at least one of these words."""
    parts = {part for key in keys for part in (key, item.bases.get(key, key), *parts_of(item.shown.get(key, key)))}
    return sum(1 for words in children if not parts.isdisjoint(words)) / len(children)


def _phrases(item: Matter, weigher: Weigher) -> Iterator[Candidate]:
    """歩道の段差, and 歩道の段差・狭さ where both are said."""
    aspects: dict[tuple[str, str], list[tuple[str, float, int]]] = defaultdict(list)
    for (first, joiner, second), count in item.links.items():
        if first in item.places and second in item.places:
            continue
        if _same(item.shown[first], item.shown[second]):
            continue
        score = _support(count, item.texts) * (weigher.weight(item, first) + _SECOND_WORD * weigher.weight(item, second) + 0.05)
        if item.shown[second] in _LACKS:
            score *= math.sqrt(count / max(count, item.nouns.get(first, 0)))
        aspects[first, joiner].append((second, score * (1.0 if count >= _ENOUGH else 0.5), count))
    for (first, joiner), told in aspects.items():
        told.sort(key=lambda aspect: (-aspect[1], aspect[0]))
        for place, (second, score, count) in enumerate(told):
            head = f"{item.shown[first]}{joiner}{item.shown[second]}"
            sure = score >= _ONCE or (first in item.places and item.keywords.get(first, 0.0) > _MAIN_KEYWORD)
            if count < _least(item) and not sure:
                continue
            yield Candidate(head, score, frozenset((first, second)))
            for third, other, often in told[place + 1 :]:
                if often >= max(_ENOUGH, _AS_OFTEN * count) and other >= _AS_OFTEN * score and _go_together(item, second, third):
                    yield Candidate(f"{head}・{item.shown[third]}", score * _BOTH, frozenset((first, second, third)))
                    break


def _least(item: Matter) -> int:
    """In how many texts a word has to stand before it may name the topic."""
    return _ENOUGH if item.texts >= _FEW else 1


def _support(count: int, texts: int) -> float:
    return math.sqrt(count / texts)


def _lone(item: Matter, weigher: Weigher) -> Iterator[Candidate]:
    """A compound that says it alone: 放課後児童クラブ."""
    for key, count in item.nouns.items():
        name = item.shown[key]
        if key in item.places or count < _least(item):
            continue
        worth = _support(count, item.texts) * weigher.weight(item, key)
        if len(name) >= SHORTEST:
            telling = len(parts_of(name)) > 1 if not name.endswith(_EASE) else count >= _FAIR_PART * item.texts
            yield Candidate(name, (_COMPOUND if telling else _PLAIN) * worth, frozenset((key,)))
        else:
            yield Candidate(f"{name}についての声", _ABOUT * worth, frozenset((key,)))


def _side_by_side(item: Matter, weigher: Weigher) -> Iterator[Candidate]:
    """Two nouns with a dot between: where no two are tied together."""
    nouns = _things(item)
    nouns.sort(key=lambda key: (-weigher.weight(item, key) * _support(item.nouns[key], item.texts), key))
    for place, first in enumerate(nouns[:_FOREMOST]):
        for second in nouns[place + 1 : _FOREMOST]:
            if _apart(item.shown[first], item.shown[second]):
                score = sum(weigher.weight(item, key) * _support(item.nouns[key], item.texts) for key in (first, second)) / 2
                yield Candidate(f"{item.shown[first]}・{item.shown[second]}", _SIDE_BY_SIDE * score, frozenset((first, second)))


def _things(item: Matter) -> list[str]:
    """The nouns that may stand beside another: not 増加 or 利用, which say nothing without whose."""
    alone = lists().dangling
    return [key for key, count in item.nouns.items() if key not in item.places and count >= _least(item) and item.shown[key] not in alone]


def _go_together(item: Matter, second: str, third: str) -> bool:
    """段差・狭さ, 収集・分別; not 遅れ・業者: a judgement stands beside a judgement, or beside what is bad by itself."""
    first_word, second_word = item.shown[second], item.shown[third]
    if not _apart(first_word, second_word):
        return False
    judged = [item.bases.get(key) != key for key in (second, third)]
    nuisances = [lexicon().is_nuisance(word) for word in (first_word, second_word)]
    return judged[0] == judged[1] or any(nuisances)


def _same(first: str, second: str) -> bool:
    return first in second or second in first


def _apart(first: str, second: str) -> bool:
    """Whether two words side by side say two things: not 不足・少なさ."""
    return not _same(first, second) and not any(first in group and second in group for group in lists().alike)


def fallback(keywords: Iterable[tuple[str, float]]) -> list[Candidate]:
    """Names out of keywords alone: at most two nouns, or one with what makes it a phrase."""
    words = [word for word, _ in keywords if is_impersonal(word)]
    found = [f"{first}・{second}" for place, first in enumerate(words) for second in words[place + 1 :] if _apart(first, second)]
    found += [word if len(word) >= SHORTEST else f"{word}についての声" for word in words]
    return [Candidate(name, 0.0, frozenset()) for name in found if is_name(name)]
