"""The parse as the rules of opinions see it: plain words with their grammar, so that no rule needs spaCy."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

_BATCH = 64
_one_at_a_time = threading.Lock()


class Word(NamedTuple):
    """A morpheme in its sentence. ``start`` is a code-point offset in the sentence, ``head`` the index of the word it hangs on."""

    text: str
    lemma: str
    tag: str
    dep: str
    head: int
    start: int
    inflection: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_noun(self) -> bool:
        return self.tag.startswith(("名詞", "接尾辞-名詞的", "記号", "代名詞"))

    @property
    def is_adjective(self) -> bool:
        return self.tag.startswith(("形容詞", "形状詞", "接尾辞-形容詞的")) or "形状詞可能" in self.tag


class Sentence(tuple[Word, ...]):
    """The words of one sentence, in order."""

    __slots__ = ()


def parse(sentences: Iterable[str]) -> Iterator[Sentence]:
    """The words of each sentence, in order. Give sentences of a few hundred characters at most: the parser's memory grows with them."""
    waiting = iter(sentences)
    while batch := [_plain(sentence) for sentence in islice(waiting, _BATCH)]:
        # The tokenizer serves one thread at a time, and a web process has several.
        with _one_at_a_time:
            documents = list(_parser().pipe(batch, batch_size=_BATCH))
        for document in documents:
            yield _sentence(document)


def _sentence(document: Any) -> Sentence:
    return Sentence(
        Word(
            token.text,
            token.lemma_ or token.text,
            token.tag_,
            token.dep_.removesuffix("_bunsetu"),
            token.head.i,
            token.idx,
            next(iter(token.morph.get("Inflection")), ""),
        )
        for token in document
    )


def load() -> None:
    """Loads the parser now (2 to 4 s, 300 MB) rather than at the first text."""
    with _one_at_a_time:
        _parser()


@lru_cache(maxsize=1)
def version() -> str:
    """The parser's version, for the rows that keep what it read."""
    from importlib.metadata import version as installed

    return f"ja_ginza-{installed('ja_ginza')}"


# What the tokenizer can't encode, and pictures and control characters that would break a clause; one stays one character.
_UNREADABLE = re.compile(r"[\ud800-\udfff\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028\u2029\ufe00-\ufe0f\ufeff\u2600-\u27bf\U0001f000-\U0001faff]")


def _plain(text: str) -> str:
    return _UNREADABLE.sub("　", text)


@lru_cache(maxsize=1)
def _parser() -> Any:
    import spacy

    return spacy.load("ja_ginza", exclude=["ner", "morphologizer", "compound_splitter", "bunsetu_recognizer"])
