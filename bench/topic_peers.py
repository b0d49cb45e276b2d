"""What one would take instead of our topics: BERTopic with its defaults, NMF, LDA and k-means, on the same words and vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.line import Ints
from nlp.vectors import Floats

SEED = 20261122
WORDS = 10


@dataclass(frozen=True, slots=True)
class Found:
    """Each text's topic (-1 for none), and each topic's words."""

    labels: Ints
    keywords: list[list[str]]


def bertopic(lines: Sequence[str], vectors: Floats, count: int) -> Found:
    """BERTopic as it comes: UMAP to five dimensions, HDBSCAN with clusters of ten; ``count`` is its own affair.

    HDBSCAN is scikit-learn's (docs/adr/0014). Its parameters and UMAP's are BERTopic's own.
    """
    del count
    from bertopic import BERTopic
    from sklearn.cluster import HDBSCAN
    from sklearn.feature_extraction.text import CountVectorizer
    from umap import UMAP

    model = BERTopic(
        language="japanese",  # the default strips every kana and kanji
        embedding_model=None,
        umap_model=UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine"),
        hdbscan_model=HDBSCAN(min_cluster_size=10, metric="euclidean", cluster_selection_method="eom", copy=True),
        vectorizer_model=CountVectorizer(analyzer=str.split),
        calculate_probabilities=False,
    )
    topics, _ = model.fit_transform(list(lines), embeddings=vectors)
    numbers = sorted({topic for topic in topics if topic >= 0})
    keywords = [[word for word, _ in (model.get_topic(topic) or []) if word][:WORDS] for topic in numbers]
    return Found(np.asarray(topics, dtype=np.int64), keywords)


def nmf(lines: Sequence[str], vectors: Floats, count: int) -> Found:
    """Non-negative factors of TF-IDF."""
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfVectorizer

    del vectors
    counter = TfidfVectorizer(token_pattern=r"\S+", lowercase=False, min_df=5, max_df=0.5, dtype=np.float32)
    counts = counter.fit_transform(lines)
    model = NMF(count, init="nndsvd", random_state=SEED, max_iter=200)
    return _factors(model.fit_transform(counts), model.components_, counter.get_feature_names_out())


def lda(lines: Sequence[str], vectors: Floats, count: int) -> Found:
    """Latent Dirichlet allocation of word counts, learnt online."""
    from sklearn.decomposition import LatentDirichletAllocation
    from sklearn.feature_extraction.text import CountVectorizer

    del vectors
    counter = CountVectorizer(token_pattern=r"\S+", lowercase=False, min_df=5, max_df=0.5)
    counts = counter.fit_transform(lines)
    model = LatentDirichletAllocation(count, learning_method="online", random_state=SEED, max_iter=10, batch_size=2048)
    return _factors(model.fit_transform(counts), model.components_, counter.get_feature_names_out())


def kmeans(lines: Sequence[str], vectors: Floats, count: int) -> Found:
    """K-means of the vectors, its words by class-based TF-IDF."""
    from sklearn.cluster import KMeans

    labels = np.asarray(KMeans(count, n_init=3, random_state=SEED).fit_predict(vectors), dtype=np.int64)
    return Found(labels, class_words(lines, labels))


def class_words(lines: Sequence[str], labels: Ints) -> list[list[str]]:
    """The words of each topic by BERTopic's class-based TF-IDF."""
    from bertopic.vectorizers import ClassTfidfTransformer
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer=str.split)
    counts = counter.fit_transform(lines)
    inside = np.flatnonzero(labels >= 0)
    member = csr_matrix((np.ones(len(inside)), (labels[inside], inside)), shape=(int(labels.max()) + 1, len(lines)))
    weights = ClassTfidfTransformer(reduce_frequent_words=True).fit_transform((member @ counts).tocsr()).toarray()
    return _best(weights, counter.get_feature_names_out())


PEERS: dict[str, Callable[[Sequence[str], Floats, int], Found]] = {"BERTopic": bertopic, "NMF": nmf, "LDA": lda, "k-means": kmeans}


def _factors(weights: Floats, components: Floats, names: NDArray[np.str_]) -> Found:
    """Each text's strongest factor; a text without any of its words is in none."""
    return Found(np.where(weights.max(axis=1) > 0, weights.argmax(axis=1), -1).astype(np.int64), _best(components, names))


def _best(weights: Floats, names: NDArray[np.str_]) -> list[list[str]]:
    return [[str(names[place]) for place in np.argsort(-row, kind="stable")[:WORDS] if row[place] > 0] for row in weights]
