"""Near-copies into groups, one chunk of voices at a time.

A group is a connected part of this graph: wordings are its points, and two are joined when they share a band of their signatures
and their 5-grams agree to ``nlp.similar.NEAR``. Both are told from the two texts alone, so that no order of chunks changes the groups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from core.clock import utc_now
from core.models import Campaign, CampaignMember, DistinctText, TextBand, Voice
from nlp.similar import NEAR, Wording, grams, overlap, plain_text, wording

_SLICE = 500
# So many wordings in no group are compared in one band, the newest. More share a band only where a stock phrase fills their texts.
_MOST_COMPARED = 100

# Rows by the million go in without the ORM's own bookkeeping.
_TEXTS, _BANDS, _MEMBERS = (cast("Table", model.__table__) for model in (DistinctText, TextBand, CampaignMember))

# A point of the graph while a chunk is placed: a wording in no group is its text's id, a group is its own id below zero.
Node = int
# The wordings that share a band, those known to be connected side by side.
Bucket = list[list[int]]


@dataclass(frozen=True, slots=True)
class Work:
    """Voices as (id, masked text), in the order of their ids, those after the voice ``after``."""

    after: int
    rows: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class ReadWork:
    """A work with the wordings of its texts; ``None`` for a short one."""

    work: Work
    wordings: tuple[Wording | None, ...]


def read_work(work: Work) -> ReadWork:
    """The wordings of a work: a module-level function, so that a worker process can be given it."""
    return ReadWork(work, tuple(wording(masked) for _, masked in work.rows))


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
        self._grams: dict[int, frozenset[str]] = {}

    def place(self, read: ReadWork) -> tuple[int, int]:
        """Writes wordings, bands and members; returns how many groups were begun, and how many were joined to an older one."""
        texts = dict(read.work.rows)
        voices_of: dict[int, list[int]] = defaultdict(list)
        bands: dict[int, tuple[int, ...]] = {}
        for (voice, _), words in zip(read.work.rows, read.wordings, strict=True):
            if words is not None:
                voices_of[words.key].append(voice)
                bands[voice] = words.bands
        known = self._known(list(voices_of))
        text_of = {voice: known.get(key, voices[0]) for key, voices in voices_of.items() for voice in voices}
        fresh = {voices[0]: key for key, voices in voices_of.items() if key not in known}
        found = self._found({band for text_id in fresh for band in bands[text_id]})
        self._remember_groups({*text_of, *text_of.values(), *(other for others in found.values() for other in others)})
        buckets: dict[int, Bucket] = defaultdict(list, {band: self._clusters(others) for band, others in found.items()})
        self._fetch(cluster[0] for bucket in buckets.values() for cluster in bucket)
        for text_id in fresh:
            self._grams[text_id] = grams(plain_text(texts[text_id]))
            for band in bands[text_id]:
                self._enter(text_id, buckets[band])
        self._save_texts(fresh, bands)
        return self._save_members(text_of)

    def _known(self, keys: Sequence[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for start in range(0, len(keys), _SLICE):
            wanted = select(DistinctText.text_key, DistinctText.text_id).where(DistinctText.text_key.in_(keys[start : start + _SLICE]))
            found.update((row.text_key, row.text_id) for row in self._session.execute(wanted))
        return found

    def _found(self, bands: Iterable[int]) -> dict[int, list[int]]:
        """The wordings that have these bands already."""
        found: dict[int, list[int]] = defaultdict(list)
        wanted = sorted(bands)
        for start in range(0, len(wanted), _SLICE):
            rows = select(TextBand.band, TextBand.text_id).where(TextBand.band.in_(wanted[start : start + _SLICE]))
            for row in self._session.execute(rows):
                found[row.band].append(row.text_id)
        return found

    def _remember_groups(self, voices: Iterable[int]) -> None:
        wanted = sorted(voices)
        for start in range(0, len(wanted), _SLICE):
            rows = select(CampaignMember.voice_id, CampaignMember.campaign_id).where(
                CampaignMember.voice_id.in_(wanted[start : start + _SLICE])
            )
            self._group_of.update((row.voice_id, row.campaign_id) for row in self._session.execute(rows))

    def _node(self, text_id: int) -> Node:
        group = self._group_of.get(text_id)
        return text_id if group is None else -group

    def _clusters(self, text_ids: Sequence[int]) -> Bucket:
        """Wordings of one group stand together: a new text that is like one of them needn't be compared with the others."""
        clusters: dict[Node, list[int]] = defaultdict(list)
        lone = sorted(text_id for text_id in text_ids if text_id not in self._group_of)
        for text_id in (*(text_id for text_id in text_ids if text_id in self._group_of), *lone[-_MOST_COMPARED:]):
            clusters[self._node(text_id)].append(text_id)
        return list(clusters.values())

    def _enter(self, text_id: int, bucket: Bucket) -> None:
        """Joins a wording to those of a bucket that it is a near-copy of, and leaves it there for the next ones."""
        own = self._node(text_id)
        home: list[int] | None = None
        for cluster in bucket:
            other = self._node(cluster[0])
            if self._parts.find(own) != self._parts.find(other):
                if not any(overlap(self._grams[text_id], self._grams_of(member)) >= NEAR for member in cluster):
                    continue
                self._parts.join(own, other)
            home = home or cluster
        if home is None:
            bucket.append([text_id])
        else:
            home.append(text_id)

    def _grams_of(self, text_id: int) -> frozenset[str]:
        if text_id not in self._grams:
            self._fetch([text_id])
        return self._grams[text_id]

    def _fetch(self, text_ids: Iterable[int]) -> None:
        wanted = sorted(set(text_ids) - self._grams.keys())
        self._grams.update(dict.fromkeys(wanted, frozenset()))  # of a voice that was deleted only its bands are left
        for start in range(0, len(wanted), _SLICE):
            rows = select(Voice.id, Voice.text).where(Voice.id.in_(wanted[start : start + _SLICE]))
            self._grams.update((row.id, grams(plain_text(row.text))) for row in self._session.execute(rows))

    def _save_texts(self, fresh: Mapping[int, int], bands: Mapping[int, Sequence[int]]) -> None:
        if fresh:
            self._session.execute(insert(_TEXTS), [{"text_id": text_id, "text_key": key} for text_id, key in fresh.items()])
            rows = sorted((band, text_id) for text_id in fresh for band in set(bands[text_id]))
            self._session.execute(insert(_BANDS), [{"band": band, "text_id": text_id} for band, text_id in rows])

    def _save_members(self, text_of: Mapping[int, int]) -> tuple[int, int]:
        """``text_of`` gives each voice of the chunk its wording. A part of the graph with two voices or more is a group."""
        voices_of: dict[int, set[int]] = defaultdict(set)
        for voice, text_id in text_of.items():
            voices_of[self._node(text_id)] |= {voice, text_id}
        begun = joined = 0
        for node in voices_of:
            self._parts.find(node)
        for part in self._parts.all():
            groups = sorted(-node for node in part if node < 0)
            voices = {voice for node in part for voice in voices_of.get(node, {node} if node > 0 else ())}
            if not groups and len(voices) < 2:
                continue
            if not groups:
                groups = [self._begin()]
                begun += 1
            self._join(groups[1:], groups[0])
            joined += len(groups) - 1
            self._add(sorted(voices - self._group_of.keys()), groups[0], text_of)
        return begun, joined

    def _begin(self) -> int:
        row = Campaign(created_at=utc_now())
        self._session.add(row)
        self._session.flush()
        return row.id

    def _join(self, groups: Sequence[int], older: int) -> None:
        if groups:
            moved = update(CampaignMember).where(CampaignMember.campaign_id.in_(groups)).values(campaign_id=older)
            self._session.execute(moved.execution_options(synchronize_session=False))
            pointing = update(Campaign).where(Campaign.id.in_(groups) | Campaign.merged_into.in_(groups)).values(merged_into=older)
            self._session.execute(pointing.execution_options(synchronize_session=False))

    def _add(self, voices: Sequence[int], group: int, text_of: Mapping[int, int]) -> None:
        if voices:
            rows = [{"voice_id": voice, "campaign_id": group, "text_id": text_of.get(voice, voice)} for voice in voices]
            self._session.execute(insert(_MEMBERS), rows)
