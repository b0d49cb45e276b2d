"""Training: from labelled voices to stored models, with calibration and metrics from held-out folds."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clock import utc_now
from core.errors import InputError
from core.settings import Settings
from nlp import artifacts, corpus, pii, taxonomy
from nlp.classify import SUBTHEME_JOIN, softmax
from nlp.corpus import Example
from nlp.features import Blocks, FeatureMaker, Prepared, prepare
from nlp.japanese import tokenize
from nlp.taxonomy import Taxonomy
from nlp.vectors import Floats, Lexicon, Sif, content_words, write_lexicon

FOLDS = 5
# How much each view (words, characters, SIF) counts for a facet; by cross-validation on data/corpus.
VIEWS: dict[str, tuple[float, float, float]] = {
    "theme": (1.0, 0.7, 2.0),
    "subtheme": (1.0, 0.7, 2.0),
    "kind": (1.0, 1.0, 0.5),
    "urgency": (1.0, 1.0, 1.0),
}
# Inverse regularisation, likewise.
_STRENGTH = {"theme": 3.0, "subtheme": 3.0, "kind": 5.0, "urgency": 10.0}
_WORD_WEIGHT = 0.6
_HUMAN_WEIGHT = 3.0


def train(settings: Settings, *, human: Sequence[Example] = ()) -> Path:
    """Trains every model on ``data/corpus``, the taxonomy's own words and staff's corrections; stores them and returns the folder.

    Raises:
        InputError: corpus or taxonomy can't be read, or a label has fewer than two examples.
    """
    words = taxonomy.load(settings.taxonomy_dir)
    examples = [*_known(corpus.load(settings.data / "corpus"), words), *(_weighted(example, _HUMAN_WEIGHT) for example in human)]
    lexicon = ready_lexicon(settings)
    texts = prepare_texts([example.text for example in examples])
    sif = Sif.fit(lexicon, [content_words(text.tokens) for text in texts])
    features = FeatureMaker.fit(sif, texts)
    hints = _hints(words)
    hint_blocks = features.transform(prepare_texts([hint.text for hint in hints]))
    blocks = features.transform(texts)
    estimators: dict[str, Any] = {}
    temperatures: dict[str, float] = {}
    metrics: dict[str, dict[str, float]] = {}
    for name in ("theme", "kind", "urgency"):
        facet = _facet(name, examples, hints, blocks=blocks, hint_blocks=hint_blocks)
        scores, classes = facet.held_out()
        temperatures[name] = temperature(scores, np.searchsorted(classes, facet.labels))
        metrics[name] = quality(softmax(scores / temperatures[name]), classes, facet.labels)
        estimators[name] = facet.fit(np.arange(len(facet.labels)))
    # One small model a theme: its 中分類 against each other, nothing else.
    for theme in words.themes:
        facet = _facet("subtheme", examples, hints, blocks=blocks, hint_blocks=hint_blocks, theme=theme.name)
        if len(set(facet.labels) | set(facet.hint_labels)) > 1:
            estimators[f"subtheme/{theme.slug}"] = facet.fit(np.arange(len(facet.labels)))
    temperatures["subtheme"] = temperatures["theme"]
    frequencies = sorted(sif.frequencies.items())
    bundle = artifacts.Bundle(
        estimators=estimators,
        temperatures=temperatures,
        weights=VIEWS,
        words=features.words,
        characters=features.characters,
        sif_words=tuple(word for word, _ in frequencies),
        sif_frequencies=np.array([share for _, share in frequencies]),
        sif_common=sif.common,
        card={
            "version": _version(settings, human),
            "date": utc_now().date().isoformat(),
            "examples": len(examples),
            "human_examples": len(human),
            "folds": FOLDS,
            "metrics": metrics,
        },
    )
    return artifacts.save(bundle, settings)


def ready_lexicon(settings: Settings) -> Lexicon:
    """The word vectors, written first where they are not there yet."""
    folder = artifacts.lexicon_folder(settings)
    if not (folder / "rows.npy").exists():
        write_lexicon(folder)
    return Lexicon(folder)


def prepare_texts(texts: Sequence[str]) -> list[Prepared]:
    """Texts as the models see them: masked by the rules (training texts hold no personal data, so no GiNZA)."""
    prepared = []
    for text in texts:
        tokens = tokenize(text)
        prepared.append(prepare(text, tokens, pii.find(text, tokens)))
    return prepared


class _Facet:
    def __init__(
        self, *, strength: float, blocks: Any, labels: NDArray[Any], weights: NDArray[Any], hints: Any, hint_labels: NDArray[Any]
    ) -> None:
        self.strength = strength
        self.blocks, self.labels, self.weights = blocks, labels, weights
        self.hints, self.hint_labels = hints, hint_labels

    def fit(self, rows: NDArray[Any]) -> Any:
        from scipy.sparse import vstack
        from sklearn.linear_model import LogisticRegression

        weights = np.concatenate([self.weights[rows], np.full(len(self.hint_labels), _WORD_WEIGHT)])
        labels = np.concatenate([self.labels[rows], self.hint_labels])
        return LogisticRegression(C=self.strength, max_iter=300, tol=1e-3).fit(
            vstack([self.blocks[rows], self.hints]).tocsr(), labels, weights
        )

    def held_out(self) -> tuple[Floats, NDArray[Any]]:
        """Each text's scores by a model that didn't see it, (n, labels), and the labels in column order."""
        from joblib import Parallel, delayed
        from sklearn.model_selection import StratifiedKFold

        own, counts = np.unique(self.labels, return_counts=True)
        if counts.min() < 2:
            lacking = "、".join(own[counts < 2])
            raise InputError(f"学習例が2件に満たない分類があります: {lacking}", hint="学習例を足すか、分類ファイルから外してください。")
        # A label that only the taxonomy's words stand for is learnt too: every model knows the same labels.
        classes = np.union1d(own, self.hint_labels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # fewer examples of a label than folds: some folds test none of it
            folds = list(StratifiedKFold(min(FOLDS, int(counts.max())), shuffle=True, random_state=0).split(self.blocks, self.labels))
        fitted = Parallel(n_jobs=-1, prefer="threads")(delayed(self.fit)(rows) for rows, _ in folds)
        scores = np.zeros((len(self.labels), len(classes)), dtype=np.float32)
        for model, (_, rows) in zip(fitted, folds, strict=True):
            raw = model.decision_function(self.blocks[rows])
            scores[rows] = np.column_stack([-raw, raw]) / 2 if raw.ndim == 1 else raw
        return scores, classes


def temperature(scores: Floats, truth: NDArray[Any]) -> float:
    """The divisor of the scores under which held-out labels are likeliest."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        return float(-np.log(np.maximum(softmax(scores / np.exp(log_temperature))[rows, truth], 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def quality(probabilities: Floats, classes: NDArray[Any], labels: NDArray[Any]) -> dict[str, float]:
    """Accuracy, macro F1 and expected calibration error (ten bins) of held-out predictions."""
    from sklearn.metrics import f1_score

    predicted = classes[probabilities.argmax(axis=1)]
    return {
        "accuracy": float((predicted == labels).mean()),
        "macro_f1": float(f1_score(labels, predicted, average="macro")),
        "ece": calibration_error(probabilities.max(axis=1), predicted == labels),
    }


def calibration_error(confidence: Floats, right: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Expected calibration error: the mean gap between confidence and hit rate, over bins of equal width, weighted by size."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (place == one).sum() * abs(float(confidence[place == one].mean()) - float(right[place == one].mean()))
        for one in range(bins)
        if (place == one).any()
    ]
    return float(sum(gaps) / max(len(confidence), 1))


def _facet(
    name: str, examples: Sequence[Example], hints: Sequence[Example], *, blocks: Blocks, hint_blocks: Blocks, theme: str = ""
) -> _Facet:
    """What there is to learn a facet from; with ``theme``, only the examples of that theme."""
    labels, used = _labels(examples, name, theme)
    hinted, hints_used = _labels(hints, name, theme)
    return _Facet(
        strength=_STRENGTH[name],
        blocks=blocks.take(used).stacked(VIEWS[name]),
        labels=labels,
        weights=np.array([examples[index].weight for index in used]),
        hints=hint_blocks.take(hints_used).stacked(VIEWS[name]),
        hint_labels=hinted,
    )


def _labels(examples: Sequence[Example], name: str, theme: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """The given labels of a facet, and the indices of the examples that have one."""
    used = [index for index, item in enumerate(examples) if getattr(item, name) and (not theme or item.theme == theme)]
    values = [
        f"{theme}{SUBTHEME_JOIN}{examples[index].subtheme}" if name == "subtheme" else getattr(examples[index], name) for index in used
    ]
    return np.array(values, dtype=np.str_), np.array(used, dtype=np.int64)


def _hints(words: Taxonomy) -> list[Example]:
    """The taxonomy's descriptions and words as small examples: what a city's own labels mean before it has cases."""
    hints = []
    for theme in words.themes:
        hints.append(Example(f"{theme.name}。{theme.description}", theme=theme.name))
        hints += [Example(word, theme=theme.name) for word in theme.words]
        hints += [Example(subtheme, theme=theme.name, subtheme=subtheme) for subtheme in theme.subthemes]
    return hints


def _known(examples: Sequence[Example], words: Taxonomy) -> list[Example]:
    """The examples whose theme the city's taxonomy has; another city's labels would be noise."""
    pairs = {(theme.name, subtheme) for theme in words.themes for subtheme in theme.subthemes}
    names = set(words.theme_names)
    return [
        Example(
            text=item.text,
            theme=item.theme if item.theme in names else "",
            subtheme=item.subtheme if (item.theme, item.subtheme) in pairs else "",
            kind=item.kind,
            urgency=item.urgency,
        )
        for item in examples
    ]


def _weighted(example: Example, weight: float) -> Example:
    return Example(example.text, example.theme, example.subtheme, example.kind, example.urgency, weight=weight)


def _version(settings: Settings, human: Sequence[Example]) -> str:
    base = artifacts.source_digest(settings)
    if not human:
        return f"base-{base}"
    digest = hashlib.sha256(repr([(item.text, item.theme, item.subtheme, item.kind, item.urgency) for item in human]).encode()).hexdigest()
    return f"own-{base}-{len(human)}-{digest[:6]}"
