"""A map of voices: two numbers each, near ones near. EVoC's node embedding in two dimensions, a UMAP without its compiling.

UMAP: McInnes, Healy, Melville 2018. umap-learn compiles for a minute in each process; EVoC has the same steps (neighbours, fuzzy
graph, attraction and repulsion by negative samples) with compiled code that lasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlp.topics.words import Ints
from nlp.vectors import Floats

_NEIGHBOURS = 15
_EPOCHS = 200
_NEAREST = 4
_SEED = 20260401
_MARGIN = 0.02


def lay_out(vectors: Floats, *, before: Floats | None = None) -> Floats:
    """Places between 0 and 1 of up to some 20,000 voices, shape (n, 2); the same for the same vectors.

    Args:
        vectors: unit vectors.
        before: where the same voices stood on an earlier map, NaN where they weren't on it: the new map is turned to lie as that one did.
    """
    places = _principal(vectors)
    if len(vectors) > 2 * _NEIGHBOURS and places.any():
        places = _spread(vectors, places)
    return _fitted(places if before is None else _turned(places, before))


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Voices with a place on the map by which the others are placed: their vectors, topics and places."""

    vectors: Floats
    labels: Ints
    places: Floats

    def place(self, vectors: Floats, labels: Ints) -> Floats:
        """The place of each voice amid the nearest landmarks of its topic (of all, where its topic has none), shape (n, 2)."""
        found = np.full((len(vectors), 2), 0.5, dtype=np.float32)
        for topic in np.unique(labels):
            own = np.flatnonzero(self.labels == topic)
            own = own if len(own) else np.arange(len(self.labels))
            rows = np.flatnonzero(labels == topic)
            if len(own):
                found[rows] = _amid(vectors[rows] @ self.vectors[own].T, self.places[own])
        return found


def _amid(likeness: Floats, places: Floats) -> Floats:
    """The mean of the nearest places, the nearer the heavier."""
    nearest = np.argpartition(-likeness, min(_NEAREST, likeness.shape[1]) - 1, axis=1)[:, :_NEAREST]
    weights = np.maximum(np.take_along_axis(likeness, nearest, axis=1), 1e-3) ** 8
    return np.asarray((weights[:, :, None] * places[nearest]).sum(axis=1) / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _principal(vectors: Floats) -> Floats:
    """The first two principal components, each pointing to where its longest entry is positive."""
    centred = vectors - vectors.mean(axis=0) if len(vectors) else vectors
    axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)[1][:, [-1, -2]]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return np.asarray(centred @ axes, dtype=np.float32)


def _spread(vectors: Floats, start: Floats) -> Floats:
    from evoc.graph_construction import neighbor_graph_matrix
    from evoc.knn_graph import knn_graph
    from evoc.node_embedding import node_embedding

    random = np.random.RandomState(_SEED)  # what EVoC takes
    near, distances = knn_graph(np.ascontiguousarray(vectors), n_neighbors=_NEIGHBOURS, random_state=random)
    graph = neighbor_graph_matrix(_NEIGHBOURS, near, distances, True)  # noqa: FBT003
    first = start / max(float(start.std()), 1e-9) + random.normal(scale=1e-3, size=start.shape)
    return np.asarray(
        node_embedding(
            graph, 2, _EPOCHS, initial_embedding=np.ascontiguousarray(first, dtype=np.float32), random_state=random,
            negative_sample_rate=1.0, noise_level=0.5, initial_alpha=0.1, reproducible_flag=True,
        )
    )  # fmt: skip


def _turned(places: Floats, before: Floats) -> Floats:
    """Turned, mirrored and moved so that the voices that were on the earlier map lie as near to their places as they can."""
    from scipy.linalg import orthogonal_procrustes

    both = np.isfinite(before).all(axis=1)
    if both.sum() < 3:
        return places
    old, new = before[both] - before[both].mean(axis=0), places[both] - places[both].mean(axis=0)
    rotation, _ = orthogonal_procrustes(new.astype(np.float64), old.astype(np.float64))
    return np.asarray((places - places[both].mean(axis=0)) @ rotation, dtype=np.float32)


def _fitted(places: Floats) -> Floats:
    """Moved and scaled into the unit square, its proportions kept; the outermost hundredth is drawn to the edge."""
    if not len(places):
        return places
    low, high = np.quantile(places, [0.005, 0.995], axis=0)
    width = max(float((high - low).max()), 1e-9)
    middle = (low + high) / 2
    scaled = (places - middle) / width * (1 - 2 * _MARGIN) + 0.5
    return np.asarray(np.clip(scaled, 0, 1).round(4), dtype=np.float32)
