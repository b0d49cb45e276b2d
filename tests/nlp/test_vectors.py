"""Word vectors are found or missed, and texts become unit vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ModelError
from core.settings import Settings
from nlp import artifacts
from nlp.japanese import tokenize
from nlp.vectors import DIMENSIONS, Lexicon, Sif, content_words, distinct, unit, word_frequencies, word_hash

WORDS = ("除雪", "歩道", "保育園", "図書館")


@pytest.fixture
def small(tmp_path: Path) -> Lexicon:
    """A lexicon of four words on orthogonal axes."""
    order = sorted(range(len(WORDS)), key=lambda index: word_hash(WORDS[index]))
    np.save(tmp_path / "vectors.npy", np.eye(DIMENSIONS, dtype=np.float32)[: len(WORDS)])
    np.save(tmp_path / "hashes.npy", np.array([word_hash(WORDS[index]) for index in order], dtype=np.uint64))
    np.save(tmp_path / "rows.npy", np.array(order, dtype=np.int32))
    return Lexicon(tmp_path)


def test_words_are_found_and_missed(small: Lexicon) -> None:
    assert [small.row(word) for word in WORDS] == [0, 1, 2, 3]
    assert {small.row(word) for word in ("ない語", "", "\ud800", "zzz" * 100)} == {-1}
    assert small.row("除雪") == 0
    assert small.vectors([2, 0])[:, :3].tolist() == [[0, 0, 1], [1, 0, 0]]


@given(st.lists(st.integers(0, 50)))
def test_distinct_rows_and_where_they_stand(rows: list[int]) -> None:
    needed, places = distinct(np.array(rows, dtype=np.int64))
    assert needed.tolist() == sorted(set(rows))
    assert needed[places].tolist() == rows


def test_texts_are_of_unit_length_or_all_zeros(small: Lexicon) -> None:
    sif = Sif(small, frequencies={"除雪": 0.5})
    vectors = sif.encode([["除雪", "歩道"], ["ない語"], [], ["歩道"] * 50])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 0, 0, 1], abs=1e-5)
    assert vectors[0, 1] > vectors[0, 0] > 0, "the rare word weighs more"
    assert vectors.shape == (4, DIMENSIONS)
    assert not sif.encode([["ない語"], []]).any()
    assert sif.encode([]).shape == (0, DIMENSIONS)


def test_the_common_direction_is_removed(small: Lexicon) -> None:
    texts = [["除雪", word] for word in WORDS[1:] * 5]
    sif = Sif.fit(small, texts)
    assert sif.common is not None
    assert abs(sif.encode(texts) @ sif.common).max() < 1e-5
    assert sif.frequencies["除雪"] == pytest.approx(0.5)


def test_frequencies_add_up() -> None:
    assert word_frequencies([["a", "b"], ["a"]]) == pytest.approx({"a": 2 / 3, "b": 1 / 3})
    assert word_frequencies([]) == {}


def test_content_words_leave_out_particles_and_numbers() -> None:
    assert content_words(tokenize("3人が歩道の穴を直した")) == ["歩道", "穴", "直す"]


def test_a_zero_row_stays_zero() -> None:
    assert unit(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]


@pytest.mark.parametrize("damage", ["missing", "text", "cut"])
def test_a_damaged_file(small: Lexicon, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "hashes.npy"
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(b"hashes" if damage == "text" else content[:-8])
    with pytest.raises(ModelError, match="単語ベクトルのファイルが読めません"):
        Lexicon(tmp_path)


def test_the_real_lexicon_knows_likeness(trained_settings: Settings) -> None:
    lexicon = Lexicon(artifacts.lexicon_folder(trained_settings))
    snow, ice, nursery = lexicon.vectors([lexicon.row(word) for word in ("除雪", "積雪", "保育園")])
    assert snow @ ice > snow @ nursery
    assert np.linalg.norm(snow) == pytest.approx(1, abs=1e-4)
