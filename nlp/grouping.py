"""Near-copies into groups, one chunk of voices at a time.

A group is a connected part of this graph: wordings are its points, and two are joined when ``nlp.wordings.near`` pairs them and their
5-grams agree to ``NEAR``. Both are told from what came before alone, so that no size of chunks changes the groups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.bulk import among, insert_rows
from core.clock import utc_now
from core.models import Campaign, CampaignMember, Voice
from nlp.wordings import NEAR, Pairs, grams, near, overlap, plain_text

# A point of the graph while a chunk is placed: a wording in no group is its text's id, a group is its own id below zero.
Node = int


@dataclass(frozen=True, slots=True)
class Signed:
    """Every voice that is long enough to be a copy, in the order of the ids: its id, its wording's key and signature."""

    voices: NDArray[np.int64]
    keys: NDArray[np.int64]
    signatures: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is known of the voices after one and up to another.

    Attributes:
        after: the last voice before them.
        last: the last of them.
        copies: voices whose wording came before, each with the first voice that used it.
        near: pairs of first voices that are likely near-copies; the later one is of this chunk.
    """

    after: int
    last: int
    copies: Mapping[int, int]
    near: Sequence[tuple[int, int]]


def chunks(signed: Signed, bounds: Sequence[int]) -> Iterable[Chunk]:
    """What is to be placed between each bound (an id) and the next, from all that are signed."""
    _, first, inverse = np.unique(signed.keys, return_index=True, return_inverse=True)
    first_of = first[inverse]
    is_first = first_of == np.arange(len(first_of))
    firsts = signed.voices[is_first]
    pairs: Pairs = firsts[near(signed.signatures[is_first], since=int(np.searchsorted(firsts, bounds[0], side="right")))]
    for after, last in pairwise(bounds):
        start, end = np.searchsorted(signed.voices, [after, last], side="right")
        again = np.flatnonzero(~is_first[start:end]) + start
        copies = dict(zip(signed.voices[again].tolist(), signed.voices[first_of[again]].tolist(), strict=True))
        start, end = np.searchsorted(pairs[:, 1], [after, last], side="right")
        yield Chunk(after, last, copies, [(older, newer) for older, newer in pairs[start:end].tolist()])


class Parts:
    """The connected parts of a graph (union-find with path halving: Tarjan and van Leeuwen, 1984)."""

    def __init__(self) -> None:
        self._above: dict[Node, Node] = {}

    def find(self, node: Node) -> Node:
        """The point that stands for a point's part."""
        above = self._above
        while (parent := above.setdefault(node, node)) != node:
            above[node] = node = above[parent]
        return node

    def join(self, first: Node, second: Node) -> None:
        """Makes one part of two."""
        self._above[self.find(first)] = self.find(second)

    def all(self) -> list[list[Node]]:
        """Every part with its points."""
        parts: dict[Node, list[Node]] = defaultdict(list)
        for node in list(self._above):
            parts[self.find(node)].append(node)
        return list(parts.values())


class Grouping:
    """Places one chunk's voices, in the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._parts = Parts()
        self._group_of: dict[int, int] = {}

    def place(self, chunk: Chunk) -> tuple[int, int]:
        """Writes the members; returns how many groups were begun, and how many were joined to an older one."""
        texts = {text for pair in chunk.near for text in pair} | set(chunk.copies.values())
        self._remember_groups(texts | chunk.copies.keys())
        grams_of = self._grams({text for pair in chunk.near for text in pair})
        for older, newer in chunk.near:
            first, second = self._node(older), self._node(newer)
            if self._parts.find(first) != self._parts.find(second) and overlap(grams_of[older], grams_of[newer]) >= NEAR:
                self._parts.join(second, first)
        return self._save_members({**{text: text for text in sorted(texts)}, **chunk.copies})

    def _remember_groups(self, voices: Iterable[int]) -> None:
        rows = select(CampaignMember.voice_id, CampaignMember.campaign_id)
        found = self._session.execute(rows.where(among(self._session, CampaignMember.voice_id, sorted(voices))))
        self._group_of.update((row.voice_id, row.campaign_id) for row in found)

    def _node(self, text_id: int) -> Node:
        group = self._group_of.get(text_id)
        return text_id if group is None else -group

    def _grams(self, voices: Iterable[int]) -> Mapping[int, frozenset[str]]:
        wanted = among(self._session, Voice.id, sorted(voices))
        return {row.id: grams(plain_text(row.text)) for row in self._session.execute(select(Voice.id, Voice.text).where(wanted))}

    def _save_members(self, text_of: Mapping[int, int]) -> tuple[int, int]:
        """``text_of`` gives each voice its wording. A part of the graph with two voices or more is a group."""
        voices_of: dict[Node, set[int]] = defaultdict(set)
        for voice, text_id in text_of.items():
            voices_of[self._node(text_id)] |= {voice, text_id}
        for node in voices_of:
            self._parts.find(node)
        older: list[tuple[int, set[int]]] = []
        fresh: list[set[int]] = []
        joined = 0
        for part in self._parts.all():
            groups = sorted(-node for node in part if node < 0)
            voices = {voice for node in part for voice in voices_of[node]}
            if groups:
                self._join(groups[1:], groups[0])
                joined += len(groups) - 1
                older.append((groups[0], voices - self._group_of.keys()))
            elif len(voices) > 1:
                fresh.append(voices)
        members = [*older, *zip(self._begin(len(fresh)), fresh, strict=True)]
        rows = [
            {"voice_id": voice, "campaign_id": group, "text_id": text_of[voice]} for group, voices in members for voice in sorted(voices)
        ]
        insert_rows(self._session, CampaignMember.__table__, rows)
        return len(fresh), joined

    def _begin(self, count: int) -> list[int]:
        rows = [Campaign(created_at=utc_now()) for _ in range(count)]
        self._session.add_all(rows)
        self._session.flush()
        return [row.id for row in rows]

    def _join(self, groups: Sequence[int], older: int) -> None:
        if groups:
            moved = update(CampaignMember).where(CampaignMember.campaign_id.in_(groups)).values(campaign_id=older)
            self._session.execute(moved.execution_options(synchronize_session=False))
            pointing = update(Campaign).where(Campaign.id.in_(groups) | Campaign.merged_into.in_(groups)).values(merged_into=older)
            self._session.execute(pointing.execution_options(synchronize_session=False))
