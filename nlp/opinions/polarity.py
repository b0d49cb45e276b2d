"""Whether a judgement is good or bad: a small lexicon (data/opinions/polarity.yaml), turned by negation and endings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import yaml

from nlp.opinions.forms import Predicate, Trait

LEXICON = Path(__file__).resolve().parents[2] / "data" / "opinions" / "polarity.yaml"


class Polarity(StrEnum):
    """How a judgement sounds."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEUTRAL = "neutral"

    @property
    def opposite(self) -> Polarity:
        return _OPPOSITE[self]


_OPPOSITE = {
    Polarity.POSITIVE: Polarity.NEGATIVE,
    Polarity.NEGATIVE: Polarity.POSITIVE,
    Polarity.NEUTRAL: Polarity.NEUTRAL,
}


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of data/opinions/polarity.yaml."""

    positive: frozenset[str]
    negative: frozenset[str]
    little: frozenset[str]
    much: frozenset[str]
    dear: frozenset[str]
    cheap: frozenset[str]
    nuisances: tuple[str, ...]
    prices: tuple[str, ...]
    earnings: tuple[str, ...]
    prefixes: tuple[str, ...]
    prefix_exceptions: frozenset[str]
    support_verbs: frozenset[str]
    oppose_verbs: frozenset[str]

    def of(self, word: str) -> Polarity:
        """The sense of a word by itself; a word that isn't known is neutral, unless 不 or 無 begins it."""
        for form in (word, word.removesuffix("する"), word.removesuffix("的")):
            if form in self.positive:
                return Polarity.POSITIVE
            if form in self.negative:
                return Polarity.NEGATIVE
        prefixed = len(word) > 2 and word.startswith(self.prefixes) and word not in self.prefix_exceptions
        return Polarity.NEGATIVE if prefixed else Polarity.NEUTRAL

    def is_nuisance(self, topic: str) -> bool:
        """Whether one wants little of the thing."""
        thing = topic.removesuffix("の件数").removesuffix("の数").removesuffix("の回数")
        return thing.endswith(self.nuisances) or thing in self.negative


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon, read once."""
    said = yaml.safe_load(LEXICON.read_text("utf-8"))
    scales = said["scales"]
    return Lexicon(
        positive=frozenset(said["positive"]),
        negative=frozenset(said["negative"]),
        little=frozenset(scales["little"]),
        much=frozenset(scales["much"]),
        dear=frozenset(scales["dear"]),
        cheap=frozenset(scales["cheap"]),
        nuisances=tuple(said["nuisances"]),
        prices=tuple(said["prices"]),
        earnings=tuple(said["earnings"]),
        prefixes=tuple(said["prefixes"]),
        prefix_exceptions=frozenset(said["prefix_exceptions"]),
        support_verbs=frozenset(said["support_verbs"]),
        oppose_verbs=frozenset(said["oppose_verbs"]),
    )


def polarity(topic: str, said: Predicate) -> Polarity:
    """How the predicate sounds of this topic: 段差が多い is bad, 事故が減る good, 悪くない good, 壊れやすい bad."""
    words = lexicon()
    if Trait.REQUEST in said.traits or Trait.SHOULD in said.traits:
        return _wish(said)
    if Trait.HARD in said.traits or Trait.TOO_MUCH in said.traits:
        return Polarity.NEGATIVE
    whole = words.of(said.form)
    if whole is not Polarity.NEUTRAL:
        return whole
    sense = _sense(topic, said.base)
    if Trait.EASY in said.traits:
        sense = Polarity.NEGATIVE if sense is Polarity.NEGATIVE else Polarity.POSITIVE
    if Trait.NEGATED not in said.traits:
        return sense
    if sense is not Polarity.NEUTRAL:
        return sense.opposite
    # 聞こえない, 通れない: what can't be done; 必要ない is a stance; of an adjective (新しくない) nothing follows.
    return Polarity.NEUTRAL if said.base.endswith("い") or said.base in {"いる", "要る"} else Polarity.NEGATIVE


def _sense(topic: str, base: str) -> Polarity:
    words = lexicon()
    if base in words.little:
        return Polarity.POSITIVE if words.is_nuisance(topic) else Polarity.NEGATIVE
    if base in words.much:
        return Polarity.NEGATIVE if words.is_nuisance(topic) else Polarity.NEUTRAL
    if base in words.dear:
        return Polarity.NEGATIVE if topic.endswith(words.prices) or words.is_nuisance(topic) else Polarity.NEUTRAL
    if base in words.cheap:
        return _when_low(topic)
    return words.of(base)


def _when_low(topic: str) -> Polarity:
    if topic.endswith(lexicon().earnings):
        return Polarity.NEGATIVE
    return Polarity.POSITIVE if topic.endswith(lexicon().prices) else Polarity.NEUTRAL


def _wish(said: Predicate) -> Polarity:
    words = lexicon()
    verb = said.base if said.base in words.support_verbs | words.oppose_verbs else f"{said.base}する"
    if verb in words.oppose_verbs:
        sense = Polarity.NEGATIVE
    elif verb in words.support_verbs:
        sense = Polarity.POSITIVE
    else:
        return Polarity.NEUTRAL
    return sense.opposite if Trait.NEGATED in said.traits else sense
