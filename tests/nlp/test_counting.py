"""Our counting gives what scikit-learn's vectorizers give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from nlp.counting import CharacterCounts, WordCounts

TEXTS = ["歩道の段差が大きい", "歩道に  穴がある\n\n早く", "Bus と BUS と bus", "😀😀道", "", "未知"]
CHARACTERS = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=1, dtype=np.float32).fit(TEXTS[:4])
WORDS = TfidfVectorizer(token_pattern=r"\S+", lowercase=False, sublinear_tf=True, min_df=1, dtype=np.float32).fit(["a b b", "b c", "$␣d a"])


def test_characters() -> None:
    ours, theirs = CharacterCounts(CHARACTERS).transform(TEXTS), CHARACTERS.transform(TEXTS)
    assert ours.shape == theirs.shape
    assert ours.toarray() == pytest.approx(theirs.toarray(), abs=1e-6)


@given(st.lists(st.text(st.characters(codec=None, categories=None), max_size=20), min_size=1, max_size=6))
def test_characters_of_any_texts(texts: list[str]) -> None:
    ours = CharacterCounts(CHARACTERS).transform(texts)
    assert ours.toarray() == pytest.approx(CHARACTERS.transform(texts).toarray(), abs=1e-6)


def test_words() -> None:
    texts = [["a", "b", "b"], [], ["x"], ["$␣d", "c", "c", "c"]]
    ours = WordCounts(WORDS).transform(texts)
    assert ours.toarray() == pytest.approx(WORDS.transform([" ".join(text) for text in texts]).toarray(), abs=1e-6)


def test_no_texts() -> None:
    assert CharacterCounts(CHARACTERS).transform([]).shape[0] == 0
    assert WordCounts(WORDS).transform([]).shape[0] == 0
