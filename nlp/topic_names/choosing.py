"""One name for each topic, no two alike: who has the best claim to a name keeps it."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from itertools import count

from nlp.topic_names.naming import LONGEST, NAMELESS, Candidate
from nlp.topic_names.nouns import is_impersonal

_MUCH_WORSE = 0.3


def choose(possible: Sequence[Sequence[Candidate]], further: Sequence[Sequence[str]], taken: Collection[str]) -> list[str]:
    """A name for each topic out of its candidates (best first), none of them twice and none that is taken.

    Where nothing nearly as good is free, a further word of the topic tells it apart from who has the name: 「観光客の増加（消費）」.
    """
    used, senses = set(taken), set[frozenset[str]]()
    names = [""] * len(possible)
    waiting = [(-own[0].score if own else 0.0, topic) for topic, own in enumerate(possible)]
    heapq.heapify(waiting)
    places = [0] * len(possible)
    while waiting:
        _, topic = heapq.heappop(waiting)
        own, place = possible[topic], places[topic]
        if place < len(own) and own[place].score >= _MUCH_WORSE * own[0].score:
            found = own[place]
            if found.name in used or (found.keys and found.keys in senses):
                places[topic] += 1
                heapq.heappush(waiting, (-(own[place + 1].score if place + 1 < len(own) else 0.0), topic))
                continue
            name = found.name
            senses.add(found.keys)
        else:
            name = next(option for option in _told_apart(own, further[topic]) if option not in used)
        used.add(name)
        names[topic] = name
    return names


def _told_apart(own: Sequence[Candidate], further: Sequence[str]) -> Iterator[str]:
    for found in own:
        for word in further:
            name = f"{found.name}（{word}）"
            if word not in found.name and len(name) <= LONGEST and is_impersonal(word):
                yield name
    yield from (found.name for found in own)
    yield NAMELESS
    for word in further:
        if is_impersonal(word) and len(word) + len(NAMELESS) + 2 <= LONGEST:
            yield f"{NAMELESS}（{word}）"
    for number in count(2):  # nothing at all is known that would tell them apart
        yield f"{NAMELESS}（{number}）"
