"""Training: from labelled voices to models, with calibration and metrics from leave-one-out scores.

Three sources, the later ones counting more: ``data/corpus``, the city's own past cases (``cases.jsonl`` beside its taxonomy) and staff's
decisions, recent ones most. Where the city's themes are not the corpus's, the corpus still teaches: what its models say of a text
becomes a view of it beside words, characters and vectors (a stacked model, Wolpert 1992), folded into the coefficients afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.clock import utc_now
from core.settings import Settings
from nlp import artifacts, corpus, pii, taxonomy
from nlp.classify import softmax
from nlp.corpus import Example
from nlp.features import Blocks, FeatureMaker, Prepared, prepare
from nlp.japanese import tokenize
from nlp.quality import Quality, temperature
from nlp.space import VIEWS, HeldOut, Learned, Opinion, Space
from nlp.taxonomy import Taxonomy
from nlp.vectors import Floats, Lexicon, Sif, content_words, write_lexicon

# How much a word of the taxonomy, a past case and a decision of today count beside a voice of the corpus.
_WORD_WEIGHT = 0.6
_FOREIGN_WORD_WEIGHT = 4.5  # where the corpus gives its opinion only, and the words tell what that means here
_CASE_WEIGHT = 2.0
_HUMAN_WEIGHT = 3.0
_OLDEST_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """Models that aren't stored yet, and how they were held to account."""

    bundle: artifacts.Bundle
    examples: tuple[Example, ...]
    human_from: int
    held_out: Mapping[str, HeldOut]


def train(settings: Settings, *, human: Sequence[Example] = ()) -> Path:
    """Fits every model, stores them and returns their folder. ``nlp.retrain`` asks first whether they are better.

    Raises:
        InputError: corpus, cases or taxonomy can't be read.
    """
    return artifacts.save(fit(settings, human=human).bundle, settings)


def fit(settings: Settings, *, human: Sequence[Example] = ()) -> Fitted:
    """Fits every model on the corpus, the city's cases, the taxonomy's own words and staff's decisions.

    Raises:
        InputError: see ``train``.
    """
    words = taxonomy.load(settings.taxonomy_dir)
    whole_corpus = corpus.load(settings.data / "corpus")
    cases = [_weighted(example, _CASE_WEIGHT) for example in _cases(settings, words)]
    decided = _decided(human)
    examples = [*_known(whole_corpus, words), *cases, *decided]
    texts = prepare_texts([example.text for example in examples])
    sif = Sif.fit(ready_lexicon(settings), [content_words(text.tokens) for text in texts])
    features = FeatureMaker.fit(sif, texts)
    foreign = _is_foreign(whole_corpus, words)
    hints = _hints(words, weight=_FOREIGN_WORD_WEIGHT if foreign else _WORD_WEIGHT)
    space = Space(features.transform(texts), features.transform(prepare_texts([hint.text for hint in hints])))
    if foreign:
        space = space.with_opinion(whole_corpus)  # the first of the examples are the corpus's texts
    learned = space.learn(("theme", "kind", "urgency"), examples, hints)
    temperatures: dict[str, float] = {}
    metrics: dict[str, dict[str, Any]] = {}
    for name, facet in learned.items():
        scored = facet.held_out
        if not len(scored.examples):
            # Learnt from the taxonomy's words alone: nobody can say how sure that is, and all will be held back.
            temperatures[name] = 1.0
            continue
        truth = np.array([getattr(examples[index], name) for index in scored.examples])
        weights = _evened([examples[index] for index in scored.examples])
        temperatures[name] = temperature(scored.scores, np.searchsorted(scored.labels, truth), weights=weights)
        metrics[name] = Quality.of(softmax(scored.scores / temperatures[name]), scored.labels, truth).as_dict()
    models = {name: facet.model for name, facet in learned.items()}
    # One small model a theme: its 中分類 against each other, nothing else.
    for theme in words.themes:
        if len(theme.subthemes) > 1:
            models[f"subtheme/{theme.slug}"] = space.learn_within(theme.name, examples, hints).model
    temperatures["subtheme"] = temperatures["theme"]
    bundle = artifacts.Bundle(
        models=models,
        temperatures=temperatures,
        weights=VIEWS,
        words=features.words,
        characters=features.characters,
        sif=sif,
        seen=tuple(sorted(map(decision_key, human))),
        card={
            "version": _version(settings, human),
            "date": utc_now().date().isoformat(),
            "examples": len(examples),
            "corpus_examples": len(examples) - len(cases) - len(decided),
            "case_examples": len(cases),
            "human_examples": len(human),
            "taxonomy": str(settings.taxonomy_dir.name),
            "transfer": space.opinion is not None,
            "metrics": metrics,
        },
    )
    held_out = {name: facet.held_out for name, facet in learned.items()}
    return Fitted(bundle, tuple(examples), len(examples) - len(decided), held_out)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A city with themes of its own before anyone there has decided anything: the part of ``fit`` that its decisions don't change.

    With it, models for many different sets of decisions cost a second each. The vocabularies are the corpus's alone, while ``fit``
    learns the city's own words too.
    """

    words: Taxonomy
    features: FeatureMaker
    opinion: Opinion
    hints: tuple[Example, ...]
    hint_blocks: Blocks

    @classmethod
    def of(cls, settings: Settings, taught: Sequence[Example], texts: Sequence[Prepared]) -> Newcomer:
        """From the city's taxonomy and labelled voices of the corpus, with the same voices prepared."""
        words = taxonomy.load(settings.taxonomy_dir)
        features = FeatureMaker.fit(Sif.fit(ready_lexicon(settings), [content_words(text.tokens) for text in texts]), texts)
        hints = tuple(_hints(words, weight=_FOREIGN_WORD_WEIGHT))
        space = Space(features.transform(texts), features.transform(prepare_texts([hint.text for hint in hints]))).with_opinion(taught)
        if space.opinion is None:
            raise AssertionError("with_opinion gives one")
        return cls(words, features, space.opinion, hints, space.hint_blocks)

    def learn(self, human: Sequence[Example], blocks: Blocks) -> Learned:
        """The theme model of some decisions (none: the taxonomy's words alone), with the features of their texts."""
        return Space(blocks, self.hint_blocks, self.opinion).learn(("theme",), _decided(human), self.hints)["theme"]


def learn_facets(
    settings: Settings, examples: Sequence[Example], texts: Sequence[Prepared], *, names: Sequence[str] = ("theme", "kind")
) -> tuple[FeatureMaker, dict[str, Learned]]:
    """What ``fit`` would learn of some facets from these voices (prepared) and the taxonomy's words alone; nothing is stored."""
    features = FeatureMaker.fit(Sif.fit(ready_lexicon(settings), [content_words(text.tokens) for text in texts]), texts)
    hints = _hints(taxonomy.load(settings.taxonomy_dir))
    space = Space(features.transform(texts), features.transform(prepare_texts([hint.text for hint in hints])))
    return features, space.learn(names, examples, hints)


def decision_key(example: Example) -> str:
    """A short name of a text with its labels, by which a model remembers what it learnt from without keeping it."""
    said = "\0".join((example.text, example.theme, example.subtheme, example.kind, example.urgency))
    return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest()


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


def _hints(words: Taxonomy, *, weight: float = _WORD_WEIGHT) -> list[Example]:
    """The taxonomy's descriptions and words as small examples: what a city's own labels mean before it has cases."""
    hints = []
    for theme in words.themes:
        hints.append(Example(f"{theme.name}。{theme.description}", theme=theme.name))
        hints += [Example(word, theme=theme.name) for word in theme.words]
        hints += [Example(subtheme, theme=theme.name, subtheme=subtheme) for subtheme in theme.subthemes]
    return [_weighted(hint, weight) for hint in hints]


def _is_foreign(whole_corpus: Sequence[Example], words: Taxonomy) -> bool:
    """Whether most of the city's themes are none of the corpus's."""
    known = {example.theme for example in whole_corpus}
    return 2 * sum(name in known for name in words.theme_names) < len(words.theme_names)


def _known(examples: Sequence[Example], words: Taxonomy) -> list[Example]:
    """The examples with the labels that the city's taxonomy has; another city's would be noise."""
    pairs = {(theme.name, subtheme) for theme in words.themes for subtheme in theme.subthemes}
    names = set(words.theme_names)
    return [
        replace(
            item,
            theme=item.theme if item.theme in names else "",
            subtheme=item.subtheme if (item.theme, item.subtheme) in pairs else "",
        )
        for item in examples
    ]


def _cases(settings: Settings, words: Taxonomy) -> list[Example]:
    path = settings.taxonomy_dir / "cases.jsonl"
    return _known(corpus.read(path), words) if path.exists() else []


def _evened(examples: Sequence[Example]) -> Floats:
    """Weights by which surveys and all other channels count alike: a city hears more than surveys, whatever the corpus holds."""
    survey = np.array([example.channel == "アンケート" for example in examples])
    shares = np.where(survey, survey.mean(), 1 - survey.mean())
    return np.asarray(1 / shares, dtype=np.float32)


def _decided(human: Sequence[Example]) -> list[Example]:
    return [_weighted(example, max(_OLDEST_WEIGHT, _HUMAN_WEIGHT * example.weight)) for example in human]


def _weighted(example: Example, weight: float) -> Example:
    return replace(example, weight=weight)


def _version(settings: Settings, human: Sequence[Example]) -> str:
    base = artifacts.source_digest(settings)
    if not human:
        return f"base-{base}"
    decisions = [(item.text, item.theme, item.subtheme, item.kind, item.urgency, round(item.weight, 3)) for item in human]
    return f"own-{base}-{len(human)}-{hashlib.sha256(repr(decisions).encode()).hexdigest()[:6]}"
