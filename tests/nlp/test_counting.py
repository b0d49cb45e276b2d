"""Our counting gives what scikit-learn's vectorizers give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from nlp.counting import CharacterCounts, Vocabulary, WordCounts
from nlp.features import Prepared, word_features
from nlp.japanese import tokenize
from nlp.line import WordBook
from nlp.vectors import Lexicon, Sif

TEXTS = ["歩道の段差が大きい", "歩道に  穴がある\n\n早く", "Bus と BUS と bus", "😀😀道", "", "未知"]
CHARACTERS = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=1, dtype=np.float32).fit(TEXTS[:4])
KNOWN = ["歩道の段差が大きい。直してほしい", "3人で 歩道に立つ", "$ と ^ と ␣ の市", "バス"]


def test_characters() -> None:
    ours, theirs = CharacterCounts(Vocabulary.of(CHARACTERS)).transform(TEXTS), CHARACTERS.transform(TEXTS)
    assert ours.shape == theirs.shape
    assert ours.toarray() == pytest.approx(theirs.toarray(), abs=1e-6)


@given(st.lists(st.text(st.characters(codec=None, categories=None), max_size=20), min_size=1, max_size=6))
def test_characters_of_any_texts(texts: list[str]) -> None:
    ours = CharacterCounts(Vocabulary.of(CHARACTERS)).transform(texts)
    assert ours.toarray() == pytest.approx(CHARACTERS.transform(texts).toarray(), abs=1e-6)


@pytest.fixture(scope="module")
def words() -> TfidfVectorizer:
    return TfidfVectorizer(token_pattern=r"\S+", lowercase=False, sublinear_tf=True, min_df=1, dtype=np.float32).fit(
        map(features_of, KNOWN)
    )


@pytest.fixture(scope="module")
def book(words: TfidfVectorizer, tmp_path_factory: pytest.TempPathFactory) -> WordBook:
    folder = tmp_path_factory.mktemp("lexicon")
    for name, kind in (("vectors", np.float32), ("hashes", np.uint64), ("rows", np.int32)):
        np.save(folder / f"{name}.npy", np.zeros((0, 300) if name == "vectors" else 0, dtype=kind))
    return WordBook(Vocabulary.of(words).features, Sif(Lexicon(folder), frequencies={}))


def prepared(text: str) -> Prepared:
    return Prepared(text, tuple(tokenize(text)))


def features_of(text: str) -> str:
    return " ".join(word_features(tokenize(text)))


def test_words(words: TfidfVectorizer, book: WordBook) -> None:
    texts = [*KNOWN, "歩道", "歩道と段差の歩道", "", "未知の 語 2つ", "\n\n", "直してほしい" * 30]
    ours, theirs = (
        WordCounts(Vocabulary.of(words), book).transform(book.line([prepared(text) for text in texts])),
        words.transform(map(features_of, texts)),
    )
    assert ours.toarray() == pytest.approx(theirs.toarray(), abs=1e-6)
    assert theirs[0].nnz > 10


@given(
    st.lists(
        st.lists(st.sampled_from([*"歩道の段差3 ␣$^_市\n", "バス", "ABC DEF", "直して", "\u3000"]), max_size=12).map("".join), max_size=6
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_words_of_any_texts(words: TfidfVectorizer, book: WordBook, texts: list[str]) -> None:
    ours = WordCounts(Vocabulary.of(words), book).transform(book.line([prepared(text) for text in texts]))
    expected = words.transform(map(features_of, texts)).toarray() if texts else np.zeros((0, len(words.vocabulary_)))
    assert ours.toarray() == pytest.approx(expected, abs=1e-6)


def test_strangers_are_forgotten_and_numbered_anew(words: TfidfVectorizer, book: WordBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlp.line._MOST_STRANGERS", 5)
    texts = [prepared(text) for text in ("猫と犬と鳥と魚と馬と牛と豚と羊", KNOWN[0], "猫")]
    once = WordCounts(Vocabulary.of(words), book).transform(book.line(texts)).toarray()
    again = [WordCounts(Vocabulary.of(words), book).transform(book.line([text])).toarray()[0] for text in texts]
    assert np.array(again) == pytest.approx(once, abs=1e-6)


def test_no_texts(words: TfidfVectorizer, book: WordBook) -> None:
    assert CharacterCounts(Vocabulary.of(CHARACTERS)).transform([]).shape[0] == 0
    assert WordCounts(Vocabulary.of(words), book).transform(book.line([])).shape[0] == 0
