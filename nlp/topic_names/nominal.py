"""A predicate as a noun: 狭い → 狭さ, 遅れる → 遅れ, 足りない → 不足, 使いにくい → 使いにくさ, 設置してほしい → 設置."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from nlp.opinions.forms import Predicate, Trait
from nlp.opinions.words import Word

WORDS = Path(__file__).resolve().parents[2] / "data" / "topics" / "names.yaml"
_HARD, _EASY = ("にくい", "づらい", "がたい"), ("やすい",)
_FAVOUR = re.compile("て(?:もら|いただ|頂|ほし|欲し|くれ)")
GOOD = {"良い", "いい", "よい", "好い"}
_I_ROW = dict(zip("うくぐすつぬぶむる", "いきぎしちにびみり", strict=True))


@dataclass(frozen=True, slots=True)
class Lists:
    """The words of data/topics/names.yaml."""

    empty: frozenset[str]
    feelings: frozenset[str]
    plain: frozenset[str]
    abstract: frozenset[str]
    dangling: frozenset[str]
    stems: frozenset[str]
    unfit: frozenset[str]
    towards: frozenset[str]
    motions: frozenset[str]
    toilsome: frozenset[str]
    easy: frozenset[str]
    nouns: Mapping[str, str]
    lacking: Mapping[str, str]
    wished: Mapping[str, str]
    alike: tuple[frozenset[str], ...]


@lru_cache(maxsize=1)
def lists() -> Lists:
    """The word lists, read once."""
    said = yaml.safe_load(WORDS.read_text("utf-8"))
    sets = {
        name: frozenset(said[name])
        for name in ("empty", "feelings", "plain", "abstract", "dangling", "stems", "unfit", "towards", "motions", "toilsome", "easy")
    }
    return Lists(
        **sets,
        nouns=said["nouns"],
        lacking=said["lacking"],
        wished=said["wished"],
        alike=tuple(frozenset(group) for group in said["alike"]),
    )


def nominal(words: Sequence[Word], said: Predicate) -> str | None:
    """The noun for what a predicate says; ``None`` where it has none that would tell anything (行く, 嬉しい, 高くない)."""
    known, content = lists(), words[said.first]
    base = said.base.removesuffix("する") if len(said.base) > 2 else said.base
    if Trait.HARD in said.traits or Trait.EASY in said.traits:
        return _ease(said)
    if Trait.NEGATED in said.traits or base in {"ない", "無い"}:
        return None if Trait.CONDITION in said.traits else _lack(base, content)
    if base in known.wished and _is_wished(base, said):
        return known.wished[base]
    if not known.feelings.isdisjoint((base, said.base)) or said.base in known.plain:
        return None
    return known.nouns.get(base) or _by_kind(base, said.base, content)


def _is_wished(base: str, said: Predicate) -> bool:
    return base in {"ほしい", "欲しい"} or bool(said.traits & (Trait.REQUEST | Trait.SHOULD)) or bool(_FAVOUR.search(said.form))


def _by_kind(base: str, whole: str, content: Word) -> str | None:
    if content.tag.startswith("形容詞"):
        return "良さ" if base in GOOD else f"{base[:-1]}さ" if base.endswith("い") else None
    if "サ変" in content.tag:
        return base if len(base) > 1 else None
    if content.tag.startswith("形状詞") or "形状詞可能" in content.tag:
        return None if base in lists().unfit or base.endswith(("的", "そう", "よう", "みたい")) else f"{base}さ"
    return _by_stem(whole, content) if content.tag.startswith("動詞") else None


def of_doing(verb: Word, judged: str) -> str | None:
    """行くのが不便 → 行きにくさ, 使うのが楽 → 使いやすさ: how easily a thing is done, of a verb and what is said of it."""
    stem = _stem(verb)
    if stem is None or "サ変" in verb.tag:
        return None
    if judged in lists().toilsome:
        return f"{stem}にくさ"
    return f"{stem}やすさ" if judged in lists().easy else None


def _ease(said: Predicate) -> str | None:
    for endings, opposite in ((_HARD, "やすさ"), (_EASY, "にくさ")):
        for ending in endings:
            at = said.form.find(ending[:-1])
            if at > 0:
                stem = said.form[:at]
                return stem + (opposite if Trait.NEGATED in said.traits else f"{ending[:-1]}さ")
    return None


def _lack(base: str, content: Word) -> str | None:
    if base in {"ない", "無い"}:
        return "不足"
    if base in lists().abstract:
        return f"{base}のなさ"
    if noun := lists().lacking.get(base):
        return noun
    return base if "サ変" in content.tag and len(base) > 1 else None


def _by_stem(base: str, verb: Word) -> str | None:
    """A verb's 連用形 where people use it as a noun: 遅れ, 揺れ, 汚れ; not 引き or 並べ, which the dictionary has too."""
    stem = _stem(verb) if verb.lemma == base else None
    return stem if stem in lists().stems else None


def _stem(verb: Word) -> str | None:
    kind, lemma = verb.inflection, verb.lemma
    if kind.startswith("五段"):
        return lemma[:-1] + _I_ROW[lemma[-1]] if lemma[-1:] in _I_ROW else None
    if kind.startswith(("上一段", "下一段")):
        return lemma.removesuffix("る")
    return None
