"""What simpler ways of labelling reach on the same training and test texts: the commonest label, a city's words, TF-IDF with regression.

``signalen`` is the recipe of Amsterdam's Signalen (github.com/Signalen/classification, app/engine.py at 74d1b33): word counts scaled
to unit length (``use_idf=False``), logistic regression with an L1 penalty by liblinear, one or two words and class weights chosen by
five folds. Dutch stemming and stop words become Sudachi's surfaces. ``tfidf`` is the same idea at its best on our texts: IDF, an L2
penalty, its strength chosen too, all by macro F1. Comparisons are held against the better of the two.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nlp.annotation import Label
from nlp.corpus import Example
from nlp.features import Prepared
from nlp.taxonomy import Taxonomy
from nlp.train import prepare_texts
from nlp.vectors import content_words

Labeller = Callable[[Sequence[Prepared]], list[Label]]
"""Gives each text one label with a confidence."""

NAMES = {
    "majority": "いつも一番多い分類",
    "words": "分類ファイルの語だけ",
    "signalen": "Signalen の方式",
    "tfidf": "TF-IDF とロジスティック回帰",
}
_FOLDS = 5
_ROUNDS = 300
_ENOUGH = 20
_CHOOSE_ON = 2000  # texts: on all of the corpus, choosing would take many times as long as learning


def majority(labels: Sequence[str]) -> Labeller:
    """Says the commonest label of all texts."""
    ((label, count),) = Counter(labels).most_common(1)
    return lambda texts: [Label(label, count / len(labels))] * len(texts)


def theme_words(words: Taxonomy, *, otherwise: str) -> Labeller:
    """Counts, for each theme, its words in the text and the words of its description among the text's; says the theme with most.

    Confidence is its share of all counts; a text without any is said to be ``otherwise``.
    """
    described = [set(content_words(text.tokens)) for text in prepare_texts([theme.description for theme in words.themes])]

    def label(text: Prepared) -> Label:
        own = content_words(text.tokens)
        counts = [
            sum(text.masked.count(word) for word in theme.words) + sum(word in description for word in own)
            for theme, description in zip(words.themes, described, strict=True)
        ]
        best = int(np.argmax(counts))
        return Label(words.themes[best].name, counts[best] / sum(counts)) if counts[best] else Label(otherwise, 0.0)

    return lambda texts: [label(text) for text in texts]


def signalen(texts: Sequence[Prepared], labels: Sequence[str]) -> Labeller:
    """Signalen's classifier, fitted on these texts."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    # What scikit-learn's liblinear did of its own accord when Signalen was written: one label against the rest.
    regression = OneVsRestClassifier(LogisticRegression(l1_ratio=1.0, solver="liblinear", max_iter=_ROUNDS, random_state=0))
    return _chosen(
        texts, labels, regression, idf=False, scoring="accuracy", grid={"regression__estimator__class_weight": [None, "balanced"]}
    )


def tfidf(texts: Sequence[Prepared], labels: Sequence[str]) -> Labeller:
    """Word TF-IDF and logistic regression with an L2 penalty, fitted on these texts."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    regression = OneVsRestClassifier(LogisticRegression(solver="liblinear", max_iter=_ROUNDS, random_state=0))
    grid: dict[str, Sequence[Any]] = {
        "regression__estimator__class_weight": [None, "balanced"],
        "regression__estimator__C": [1.0, 10.0, 100.0],
    }
    return _chosen(texts, labels, regression, idf=True, scoring="f1_macro", grid=grid)


def all_of(texts: Sequence[Prepared], examples: Sequence[Example], name: str, words: Taxonomy) -> Mapping[str, Labeller]:
    """Every baseline for one facet (theme or kind), fitted on the same labelled texts; kinds have no words of their own."""
    labels = [getattr(example, name) for example in examples]
    found = {"majority": majority(labels)}
    if name == "theme":
        found["words"] = theme_words(words, otherwise=Counter(labels).most_common(1)[0][0])
    return found | {"signalen": signalen(texts, labels), "tfidf": tfidf(texts, labels)}


def _chosen(
    texts: Sequence[Prepared], labels: Sequence[str], regression: Any, *, idf: bool, scoring: str, grid: Mapping[str, Sequence[Any]]
) -> Labeller:
    """The best of a small grid by five folds, fitted on all; the plainest where there are too few texts for folds."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
    from sklearn.pipeline import Pipeline

    vectors = TfidfVectorizer(token_pattern=r"\S+", lowercase=False, use_idf=idf)
    model = Pipeline([("vectors", vectors), ("regression", regression)])
    lines, given_labels = np.array(_lines(texts), dtype=object), np.array(labels, dtype=object)
    with warnings.catch_warnings():
        # A combination that hasn't settled after Signalen's own number of rounds is one of those to choose among all the same.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if len(labels) >= _ENOUGH:
            sample = np.random.default_rng(0).permutation(len(labels))[:_CHOOSE_ON]
            even = min(Counter(given_labels[sample]).values()) >= _FOLDS
            folds = (StratifiedKFold if even else KFold)(_FOLDS, shuffle=True, random_state=0)
            search = GridSearchCV(model, {"vectors__ngram_range": [(1, 1), (1, 2)], **grid}, cv=folds, scoring=scoring, refit=False)
            model.set_params(**search.fit(lines[sample], given_labels[sample]).best_params_)
        fitted = model.fit(lines, given_labels)

    def say(given: Sequence[Prepared]) -> list[Label]:
        chances = fitted.predict_proba(_lines(given))
        return [Label(str(fitted.classes_[best]), float(row[best])) for row, best in zip(chances, chances.argmax(axis=1), strict=True)]

    return say


def _lines(texts: Sequence[Prepared]) -> list[str]:
    return [" ".join(token.surface.replace(" ", "") or "_" for token in text.tokens if not token.surface.isspace()) for text in texts]
