"""How good topics are and how steady: coherence and diversity of their words, and the share of voices that stay; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from nlp.line import Ints

LEFT_OUT = -1
"""The label of a text that is in no topic."""


def coherence(keywords: Sequence[Sequence[str]], texts: Sequence[Sequence[str]]) -> float:
    """Mean NPMI of the pairs of each topic's keywords, by the texts that hold both; -1 to 1, higher is better.

    Bouma, "Normalized (pointwise) mutual information in collocation extraction", 2009; as a measure of topics Lau, Newman and Baldwin,
    "Machine reading tea leaves", EACL 2014. A pair that never meets counts -1; a topic of fewer than two words has no say.

    Args:
        keywords: each topic's words, the best first.
        texts: the words of each text.
    """
    words = sorted({word for topic in keywords for word in topic})
    place = {word: index for index, word in enumerate(words)}
    met = _together(place, texts)
    share = met / max(len(texts), 1)
    topics = [
        float(np.mean([_npmi(share, place[first], place[second]) for first, second in combinations(dict.fromkeys(topic), 2)]))
        for topic in keywords
        if len(set(topic)) > 1
    ]
    return float(np.mean(topics)) if topics else 0.0


def diversity(keywords: Sequence[Sequence[str]]) -> float:
    """The share of the topics' words that no other topic has, 0–1 (Dieng, Ruiz and Blei, "Topic modeling in embedding spaces", 2020)."""
    words = [word for topic in keywords for word in topic]
    return len(set(words)) / len(words) if words else 0.0


def stayed(before: Ints, after: Ints, *, by_id: bool = False) -> float:
    """The share of texts that keep their topic from one run to the next, 0–1.

    Args:
        before: each text's topic, shape (n); ``LEFT_OUT`` for none. Texts without a topic before are not asked.
        after: the same texts' topics after.
        by_id: topics are the same when their numbers are; otherwise under the best matching of old and new ones, which is all that
            a model that numbers its topics anew can offer.
    """
    asked = before >= 0
    before, after = before[asked], after[asked]
    if not len(before):
        return 1.0
    if by_id:
        return float((before == after).mean())
    from scipy.optimize import linear_sum_assignment

    old, new = np.unique(before, return_inverse=True)[1], np.unique(after, return_inverse=True)
    shared = np.zeros((int(old.max()) + 1, len(new[0])))
    np.add.at(shared, (old, new[1]), 1)
    shared[:, new[0] < 0] = 0  # to be left out is to leave
    rows, columns = linear_sum_assignment(-shared)
    return float(shared[rows, columns].sum() / len(before))


def _together(place: dict[str, int], texts: Sequence[Sequence[str]]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """In how many texts each pair of words stands; on the diagonal each word."""
    from scipy.sparse import csr_matrix

    rows: list[int] = []
    columns: list[int] = []
    for row, text in enumerate(texts):
        found = {place[word] for word in text if word in place}
        rows += [row] * len(found)
        columns += found
    counts = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(texts), len(place)))
    return np.asarray((counts.T @ counts).todense(), dtype=np.float64)


def _npmi(share: np.ndarray[tuple[int, int], np.dtype[np.float64]], first: int, second: int) -> float:
    both = share[first, second]
    if both == 0:
        return -1.0
    if both == 1:
        return 1.0
    return float(np.log(both / (share[first, first] * share[second, second])) / -np.log(both))
