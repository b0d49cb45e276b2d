"""Topics that nobody knew before. EVoC: McInnes, PyPI ``evoc``."""

from __future__ import annotations

import math

import numpy as np

from nlp.topics.grouping import REST, middles
from nlp.vectors import Floats, unit

MOST_TOPICS = 60
"""√n / 2 is 460 at a year of a large city's calls; a manager reads some 60 topics under a dozen heads, and splits those that matter."""
MOST_LOOKED_AT = 20_000
"""Topics of 60 hundreds of voices are the same whether one looks for them among these or among three times as many (bench/topics.py)."""
_SEED = 20260401


def wanted_topics(voices: int) -> int:
    """How many topics so many voices are read best in."""
    return min(max(4, round(math.sqrt(voices) / 2)), MOST_TOPICS)


def discover(vectors: Floats, *, wanted: int | None = None) -> Floats:
    """Middles of topics that nobody knew before, shape (k, d): the EVoC layer with at least ``wanted`` clusters, joined down to that many.

    ``wanted`` defaults to ``wanted_topics``. EVoC's layers jump (24, 77, …) with a single voice more or less; joining the nearest ones
    by Ward's linkage keeps the number steady. With fewer than 30 voices, or always the same one, there is one topic;
    a voice without a known word (all zeros) has no say.
    """
    vectors = vectors[np.linalg.norm(vectors, axis=1) > 0]
    if len(vectors) < 30 or (vectors == vectors[0]).all():
        return unit(vectors.mean(axis=0, keepdims=True)) if len(vectors) else vectors
    from evoc import EVoC
    from scipy.cluster.hierarchy import fcluster, linkage

    wanted = wanted or wanted_topics(len(vectors))
    vectors = some(vectors)
    smallest = max(5, len(vectors) // 400)
    finder = EVoC(base_min_cluster_size=smallest, random_state=_SEED)
    finder.fit(vectors)
    layers = [layer for layer in finder.cluster_layers_ if layer.max() >= 1] or [np.zeros(len(vectors), dtype=int)]
    fine = [layer for layer in layers if layer.max() + 1 >= wanted]
    best = np.asarray(min(fine, key=np.max) if fine else max(layers, key=np.max), dtype=np.int64)
    found = middles(vectors, best, int(best.max()) + 1)
    if len(found) <= wanted:
        return found
    joined = np.append(fcluster(linkage(found, "ward"), wanted, "maxclust") - 1, REST).astype(np.int64)
    return middles(vectors, joined[best], int(joined.max()) + 1)


def some(vectors: Floats) -> Floats:
    """``MOST_LOOKED_AT`` of more vectors, in their order: always the same ones of the same."""
    if len(vectors) <= MOST_LOOKED_AT:
        return vectors
    return vectors[np.sort(np.random.default_rng(_SEED).permutation(len(vectors))[:MOST_LOOKED_AT])]


def warm_up() -> None:
    """Compiles EVoC and UMAP and loads BERTopic: about two minutes after an installation, which a second core can do beside other work.

    Numba keeps the compiled code beside the package, so that it is there for every later process.
    """
    from bertopic import BERTopic  # noqa: F401

    from nlp.topics.layout import lay_out

    vectors = unit(np.random.default_rng(_SEED).normal(size=(1000, 40)).astype(np.float32))
    discover(vectors)
    lay_out(vectors)
