"""Voices in columns of numbers, the sample that topics are made from, the space that is stored, and the map."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import Settings
from nlp import artifacts
from nlp.japanese import tokenize
from nlp.topics import Document, Term, Words, document
from nlp.topics.layout import Landmarks, lay_out
from nlp.topics.reading import chances, spread
from nlp.topics.space import Reader, Space, words_vector
from nlp.vectors import Lexicon
from tests.nlp.test_topics import clouds

TEXTS = [
    f"{place}の{matter}"
    for place in ("歩道", "公園", "駅前", "学校", "病院")
    for matter in ("段差が危ない", "街灯が暗い", "騒音で眠れない", "除雪が遅い", "草が伸びている")
]
DOCUMENTS = st.lists(st.lists(st.sampled_from("雪道車水木"), max_size=4).map(tuple), max_size=12)


def read_back(words: Words) -> list[Document]:
    found = []
    for row in range(len(words)):
        numbers, _ = words.words.span(row, row + 1)
        terms, _ = words.terms.span(row, row + 1)
        own = tuple(words.vocabulary[number] for number in numbers), tuple(words.term_list[number] for number in terms)
        found.append(Document(int(words.ids[row]), *own, int(words.lengths[row])))
    return found


@given(DOCUMENTS, st.integers(1, 5), st.randoms(use_true_random=False))
def test_columns_hold_what_the_documents_say_however_they_were_cut(texts: list[tuple[str, ...]], size: int, random) -> None:
    documents = [
        Document(number, text, tuple(Term(word, word, is_noun=True) for word in text[1:]), len(text)) for number, text in enumerate(texts)
    ]
    joined = Words.join(Words.of(documents[start : start + size]) for start in range(0, len(documents), size))
    assert read_back(joined) == documents
    rows = [random.randrange(len(texts)) for _ in range(size)] if texts else []
    assert read_back(joined.take(np.array(rows, dtype=np.int64))) == [documents[row] for row in rows]


def test_a_sample_takes_each_stratum_in_proportion_and_stays_much_the_same() -> None:
    strata = np.repeat([0, 1, 2], [6000, 3000, 1000])
    words = Words.of([Document(number, (), (), 0) for number in range(10_000)])
    rows = spread(words, strata, 1000)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert np.bincount(strata[rows]).tolist() == pytest.approx([600, 300, 100], abs=3)
    stay = np.random.default_rng(1).random(10_000) > 0.05
    again = np.flatnonzero(stay)[spread(words.take(np.flatnonzero(stay)), strata[stay], 1000)]
    assert len(np.intersect1d(rows, again)) > 900
    assert spread(words, strata, 10_000).tolist() == list(range(10_000))


def test_chances_are_even() -> None:
    found = chances(np.arange(10_000))
    assert np.histogram(found, bins=10, range=(0, 1))[0].tolist() == pytest.approx([1000] * 10, rel=0.15)
    assert chances(np.array([7, 8])).tolist() == chances(np.array([6, 7, 8]))[1:].tolist()


def test_a_stored_space_gives_the_same_vectors(trained_settings: Settings) -> None:
    lexicon = Lexicon(artifacts.lexicon_folder(trained_settings))
    words = Words.of([document(number, tokenize(text)) for number, text in enumerate(TEXTS)])
    space = Space.fit(words, lexicon)
    file = io.BytesIO()
    np.savez(file, **space.arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        again = Space.from_arrays(arrays)
    vectors = Reader(space, words, lexicon).every()
    assert Reader(again, words, lexicon).every().tolist() == vectors.tolist()
    other = Words.of([document(0, tokenize(TEXTS[7])), document(1, tokenize("まったく知らない語彙"))])
    assert Reader(again, other, lexicon).every()[0] == pytest.approx(vectors[7], abs=1e-5)
    lights = words_vector(again, ["街灯"], lexicon)
    nearest = {TEXTS[row][-6:] for row in np.argsort(-(vectors @ lights))[:5]}
    assert nearest == {"の街灯が暗い"}


def test_a_space_of_nothing(trained_settings: Settings) -> None:
    lexicon = Lexicon(artifacts.lexicon_folder(trained_settings))
    words = Words.of([document(0, tokenize("…"))])
    assert not Reader(Space.fit(words, lexicon), words, lexicon).every().any()


def test_on_the_map_near_voices_are_near() -> None:
    vectors, truth = clouds(5, 80)
    places = lay_out(vectors)
    assert lay_out(vectors).tolist() == places.tolist()
    assert ((places >= 0) & (places <= 1)).all()
    distances = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(400)
    nearest = np.argsort(distances, axis=1)[:, :10]
    assert (truth[nearest] == truth[:, None]).mean() > 0.9
    assert lay_out(vectors[:1]).tolist() == [[0.5, 0.5]]
    assert lay_out(vectors[:0]).shape == (0, 2)


def test_a_new_map_lies_as_the_one_before() -> None:
    vectors, _ = clouds(5, 80)
    places = lay_out(vectors)
    mirrored = 1 - places
    mirrored[::7] = np.nan
    assert np.abs(lay_out(vectors, before=mirrored) - (1 - places)).max() < 0.1


def test_a_voice_is_placed_amid_the_nearest_of_its_topic() -> None:
    vectors, truth = clouds(2, 20)
    places = np.where(truth[:, None] == 0, 0.2, 0.8).repeat(2, axis=1).astype(np.float32)
    landmarks = Landmarks(vectors, truth, places)
    assert landmarks.place(vectors[:1], np.array([0])) == pytest.approx(np.array([[0.2, 0.2]]))
    assert landmarks.place(vectors[:1], np.array([1])) == pytest.approx(np.array([[0.8, 0.8]]))
    assert landmarks.place(vectors[:1], np.array([9])) == pytest.approx(np.array([[0.2, 0.2]])), "a topic without landmarks: of all"
    empty = Landmarks(vectors[:0], truth[:0], places[:0])
    assert empty.place(vectors[:1], np.array([0])).tolist() == [[0.5, 0.5]]
