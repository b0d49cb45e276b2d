"""The terms of a whole batch are those of each text."""

from __future__ import annotations

from itertools import chain

import numpy as np

from nlp.japanese import tokenize
from nlp.line import Line
from nlp.similar import terms, terms_of_line


def test_terms_of_many_texts_are_those_of_each() -> None:
    texts = ["除雪が遅い。除雪をお願いします。", "", "3回も電話した", "公園の遊具が壊れている"]
    tokens = [tokenize(text) for text in texts]
    every = tuple(chain.from_iterable(tokens))
    parts, text_of = np.array([token.part for token in every]), np.repeat(np.arange(len(texts)), [len(own) for own in tokens])
    line = Line(tuple(texts), every, np.zeros(len(every), dtype=np.int64), parts, text_of)
    assert terms_of_line(line) == [terms(text) for text in texts]
