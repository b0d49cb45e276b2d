"""Topics from voices: BERTopic as the frame, EVoC to discover, spherical k-means to assign and to keep.

BERTopic's own embedding and reduction are replaced by SIF ⊕ LSA vectors (``embed``); its clustering by the labels that
``discover`` or ``nlp.identity`` found. It then gives the class-based TF-IDF (Grootendorst, "BERTopic: Neural topic
modeling with a class-based TF-IDF procedure", 2022) behind keywords and names. EVoC: McInnes, PyPI ``evoc``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from nlp.japanese import Part, Token
from nlp.vectors import Floats, Lexicon, Sif, content_words, unit

Ints = NDArray[np.int64]
STOPWORDS = Path(__file__).resolve().parent.parent / "data" / "topics" / "stopwords.yaml"
REST = -1
UNSEEN = -2
"""A voice's earlier topic when it had none: put with その他の声, or not there at the last run."""
_LSA_DIMENSIONS = 100
_LSA_WEIGHT = 0.7
# Rounds end when no voice moves; 12 were too few for 5,000 voices, and a refit of the same ones went on moving some.
_ROUNDS = 200
_SEED = 20260401
_KEYWORDS = 10
_NAME_WORDS = 3
_NEARLY = 0.85
_EXAMPLES = 5
_SHARPNESS = 12.0
# A voice nearer than this to no middle belongs to その他の声: below it, two readers' random pairs look alike as often.
_LEAST_LIKENESS = 0.22


class Term(NamedTuple):
    """A word that may tell one topic from another: the form that is counted, and how it is shown."""

    norm: str
    surface: str
    is_noun: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A voice as topics see it: its id, its content words (for vectors) and its topic words with their surfaces (for names)."""

    id: int
    words: tuple[str, ...]
    terms: tuple[Term, ...]
    length: int


@dataclass(frozen=True, slots=True)
class Description:
    """What a topic is shown by: keywords with their weight, the name made of them, and its typical voices (ids)."""

    name: str
    keywords: tuple[tuple[str, float], ...]
    examples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which topic each voice belongs to (index into ``centroids``, or ``REST``), how likely (0–1), and the middles (k, d)."""

    labels: Ints
    probabilities: Floats
    centroids: Floats


def document(voice_id: int, tokens: Sequence[Token]) -> Document:
    """A voice's tokens as a ``Document``. Neighbouring nouns also count as one term (防犯 + カメラ)."""
    stop = _stopwords()
    terms: list[Term] = []
    before: Token | None = None
    for token in tokens:
        noun = bool(token.part & Part.NOUN and token.part & Part.CONTENT and not token.part & Part.VAGUE)
        if noun and before is not None and before.end == token.start and token.norm not in stop and before.norm not in stop:
            terms.append(Term(_solid(before.norm + token.norm), before.surface + token.surface, is_noun=True))
        before = token if noun else None
        telling = noun or (token.part & Part.PREDICATE and token.part & Part.CONTENT)
        if telling and token.norm not in stop and (len(token.surface) > 1 or _is_kanji(token.surface)):
            terms.append(Term(_solid(token.norm), token.surface if noun else _dictionary_form(token), is_noun=noun))
    return Document(voice_id, tuple(content_words(tokens)), tuple(terms), tokens[-1].end if tokens else 0)


def embed(documents: Sequence[Document], lexicon: Lexicon) -> Floats:
    """Unit vectors, shape (n, 300 + up to 100): SIF from ja_ginza's word vectors beside an LSA of TF-IDF of these voices."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    sif = Sif.fit(lexicon, [item.words for item in documents]).encode([item.words for item in documents])
    lines = [" ".join(word.replace(" ", "") for word in item.words) for item in documents]
    vectorizer = TfidfVectorizer(token_pattern=r"\S+", lowercase=False, sublinear_tf=True, min_df=3, max_df=0.2, dtype=np.float32)
    try:
        counts = vectorizer.fit_transform(lines)
    except ValueError:  # no word is frequent enough: too few voices for LSA
        return sif
    dimensions = min(_LSA_DIMENSIONS, min(counts.shape) - 1)
    if dimensions < 2:
        return sif
    latent = TruncatedSVD(dimensions, random_state=_SEED).fit_transform(counts).astype(np.float32)
    return unit(np.hstack([sif, unit(latent) * _LSA_WEIGHT]).astype(np.float32))


def discover(vectors: Floats, *, wanted: int | None = None) -> Floats:
    """Middles of topics that nobody knew before, shape (k, d): the EVoC layer with at least ``wanted`` clusters, joined down to that many.

    ``wanted`` defaults to √n / 2. EVoC's layers jump (24, 77, …) with a single voice more or less; joining the nearest ones
    by Ward's linkage keeps the number steady. With fewer than 30 voices, or always the same one, there is one topic;
    a voice without a known word (all zeros) has no say.
    """
    vectors = vectors[np.linalg.norm(vectors, axis=1) > 0]
    if len(vectors) < 30 or (vectors == vectors[0]).all():
        return unit(vectors.mean(axis=0, keepdims=True)) if len(vectors) else vectors
    from evoc import EVoC
    from scipy.cluster.hierarchy import fcluster, linkage

    wanted = wanted or max(4, round(math.sqrt(len(vectors)) / 2))
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


def warm_up() -> None:
    """Compiles EVoC and loads BERTopic: about two minutes after an installation, which a second core can do beside other work.

    Numba keeps the compiled code beside the package, so that it is there for every later process.
    """
    from bertopic import BERTopic  # noqa: F401

    discover(unit(np.random.default_rng(_SEED).normal(size=(1000, 40)).astype(np.float32)))


def middles(vectors: Floats, labels: Ints, count: int) -> Floats:
    """The unit mean of each label's vectors, shape (count, d); a label that has none gets zeros."""
    from scipy.sparse import csr_matrix

    inside = labels >= 0
    member = csr_matrix((np.ones(inside.sum(), dtype=np.float32), (labels[inside], np.flatnonzero(inside))), shape=(count, len(vectors)))
    return unit(np.asarray(member @ vectors, dtype=np.float32))


def assign(vectors: Floats, centroids: Floats, *, move: bool = True) -> Grouping:
    """Each vector to its nearest middle, or to ``REST``; with ``move`` the middles follow (spherical k-means, Dhillon and Modha 2001)."""
    centroids = centroids.copy()
    labels = np.full(len(vectors), REST, dtype=np.int64)
    if not len(centroids):
        return Grouping(labels, np.ones(len(vectors), dtype=np.float32), centroids)
    for _ in range(_ROUNDS if move else 1):
        likeness = vectors @ centroids.T
        nearest = likeness.argmax(axis=1).astype(np.int64)
        nearest[likeness.max(axis=1) < _LEAST_LIKENESS] = REST
        if (nearest == labels).all():
            break
        labels = nearest
        if move:
            moved = middles(vectors, labels, len(centroids))
            filled = np.linalg.norm(moved, axis=1) > 0
            centroids[filled] = moved[filled]
    likeness = vectors @ centroids.T
    powers = np.exp(_SHARPNESS * (likeness - likeness.max(axis=1, keepdims=True)))
    share = powers / powers.sum(axis=1, keepdims=True)
    rows = np.arange(len(vectors))
    probabilities = np.where(labels >= 0, share[rows, np.maximum(labels, 0)], 1 - share.max(axis=1))
    return Grouping(labels, probabilities.astype(np.float32), centroids)


def parents(centroids: Floats) -> Ints:
    """A coarser grouping of topics: the index of each topic's parent; about √(2k) of them, by Ward's linkage of the middles."""
    from scipy.cluster.hierarchy import fcluster, linkage

    count = len(centroids)
    if count < 6:
        return np.zeros(count, dtype=np.int64)
    groups = fcluster(linkage(centroids, "ward"), max(2, round(math.sqrt(2 * count))), "maxclust")
    return np.asarray(groups, dtype=np.int64) - 1


def describe(documents: Sequence[Document], labels: Ints, vectors: Floats, centroids: Floats) -> list[Description]:
    """Keywords, name and typical voices of each topic, through BERTopic's class-based TF-IDF."""
    if not len(centroids):
        return []
    surfaces = _surfaces(documents)
    weights = _class_words(documents, labels, len(centroids))
    described = []
    for topic in range(len(centroids)):
        terms = [surfaces[word] for word, _ in weights[topic][:_KEYWORDS]]
        keywords = tuple((term.surface, round(float(weight), 4)) for term, (_, weight) in zip(terms, weights[topic], strict=False))
        inside = np.flatnonzero(labels == topic)
        described.append(
            Description(
                _name([(term, weight) for term, (_, weight) in zip(terms, weights[topic], strict=False)]),
                keywords,
                _typical(documents, inside, vectors, centroids[topic]),
            )
        )
    return described


def _class_words(documents: Sequence[Document], labels: Ints, count: int) -> list[list[tuple[str, float]]]:
    from bertopic import BERTopic
    from bertopic.cluster import BaseCluster
    from bertopic.dimensionality import BaseDimensionalityReduction
    from bertopic.vectorizers import ClassTfidfTransformer
    from sklearn.feature_extraction.text import CountVectorizer

    model = BERTopic(
        language="japanese",  # the default strips every kana and kanji
        embedding_model=None,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=BaseCluster(),
        vectorizer_model=CountVectorizer(analyzer=str.split, min_df=1),
        ctfidf_model=ClassTfidfTransformer(reduce_frequent_words=True),
        top_n_words=3 * _KEYWORDS,
        calculate_probabilities=False,
        verbose=False,
    )
    lines = [" ".join(term.norm for term in item.terms) or "_" for item in documents]
    # BERTopic numbers topics by size: ``topic_mapper_`` tells which of its numbers stands for which of ours.
    model.fit(lines, embeddings=np.zeros((len(lines), 2), dtype=np.float32), y=labels.tolist())
    theirs = {int(ours): int(new) for ours, new in zip(labels.tolist(), model.topics_, strict=True)}
    return [
        [(word, weight) for word, weight in (model.get_topic(theirs[topic]) or []) if word not in {"", "_"} and weight > 0]
        if topic in theirs
        else []
        for topic in range(count)
    ]


def _surfaces(documents: Sequence[Document]) -> dict[str, Term]:
    """Each term's commonest surface: Sudachi's normalised spelling looks wrong on a page."""
    counts: dict[str, Counter[Term]] = {}
    for item in documents:
        for term in item.terms:
            counts.setdefault(term.norm, Counter())[term] += 1
    return {norm: max(counter.items(), key=lambda pair: (pair[1], pair[0]))[0] for norm, counter in counts.items()}


def _name(words: Sequence[tuple[Term, float]]) -> str:
    """The first nouns that don't say the same again, joined (「除雪・歩道・通学路」); verbs only where there are no two nouns.

    A compound takes the place of a part that was chosen before it only when it weighs nearly as much (車社会 for 社会, not
    自然災害 for 自然).
    """
    nouns = [(term.surface, weight) for term, weight in words if term.is_noun]
    verbs = [(term.surface, weight) for term, weight in words if not term.is_noun] if len(nouns) < 2 else []
    chosen: dict[str, float] = {}
    for word, weight in [*nouns, *verbs]:
        if any(word in other for other in chosen):
            continue
        parts = [other for other in chosen if other in word]
        if any(weight < _NEARLY * chosen[part] for part in parts):
            continue
        if len(chosen) - len(parts) == _NAME_WORDS:
            break
        chosen = {other: own for other, own in chosen.items() if other not in parts} | {word: weight}
    return "・".join(chosen) or "名前のない話題"


def _typical(documents: Sequence[Document], inside: Ints, vectors: Floats, centroid: Floats) -> tuple[int, ...]:
    """The voices nearest to the middle; among them those long enough to say something come first."""
    ranked = inside[np.argsort(-(vectors[inside] @ centroid), kind="stable")][: 6 * _EXAMPLES]
    telling = [index for index in ranked if documents[index].length >= 15]
    rest = [index for index in ranked if documents[index].length < 15]
    return tuple(documents[index].id for index in (telling + rest)[:_EXAMPLES])


def _dictionary_form(token: Token) -> str:
    """A verb's or adjective's stem with the ending of its dictionary form (変わら → 変わる), in the writer's own spelling."""
    if token.surface[-1] == token.norm[-1]:
        return token.surface
    return token.norm if token.norm[0] == token.surface[0] else token.surface


def _solid(norm: str) -> str:
    """A form without spaces, since terms are handed on as a line."""
    return norm.replace(" ", "")


def _is_kanji(text: str) -> bool:
    return "一" <= text <= "龥"


@lru_cache(maxsize=1)
def _stopwords() -> frozenset[str]:
    return frozenset(yaml.safe_load(STOPWORDS.read_text("utf-8"))["stopwords"])
