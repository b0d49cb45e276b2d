"""Topics: vectors, groups, names and typical voices."""

from __future__ import annotations

import numpy as np
import pytest

from core.settings import Settings
from nlp import artifacts, topics
from nlp.japanese import tokenize
from nlp.topics import REST, Document, Term, describe, document, middles, parents
from nlp.topics.description import name_of
from nlp.topics.discovery import MOST_LOOKED_AT, some
from nlp.topics.grouping import UNSEEN, Hold, place, pulled
from nlp.vectors import Floats, Lexicon, unit


def clouds(count: int, each: int, *, dimensions: int = 24, spread: float = 0.1, seed: int = 1) -> tuple[Floats, np.ndarray]:
    """Unit vectors around ``count`` axes, and which axis each belongs to."""
    generator = np.random.default_rng(seed)
    truth = np.repeat(np.arange(count), each)
    noise = generator.normal(scale=spread, size=(len(truth), dimensions))
    return unit((np.eye(dimensions)[truth] + noise).astype(np.float32)), truth


def documents_of(*texts: str) -> list[Document]:
    return [document(index, tokenize(text)) for index, text in enumerate(texts)]


def test_terms_are_shown_as_written() -> None:
    terms = document(7, tokenize("窓口の受付が長く、きれいで困った")).terms
    assert Term("受け付け", "受付", is_noun=True) in terms
    assert Term("奇麗", "きれい", is_noun=False) in terms
    assert not {term.surface for term in terms} & {"が", "の", "で", "た"}


def test_a_verb_is_shown_in_its_dictionary_form() -> None:
    surfaces = {term.surface for term in document(1, tokenize("道が曲がりくねり、雨で滑った")).terms if not term.is_noun}
    assert "滑る" in surfaces


def test_neighbouring_nouns_are_a_term_of_their_own() -> None:
    surfaces = [term.surface for term in document(1, tokenize("高齢者施設の防犯灯")).terms]
    assert any(len(surface) > 3 and "施設" in surface for surface in surfaces)


def test_an_empty_voice() -> None:
    assert document(1, []) == Document(1, (), (), 0)


def test_discover_finds_clouds() -> None:
    vectors, truth = clouds(6, 60)
    found = topics.assign(vectors, topics.discover(vectors, wanted=6))
    for own in range(6):
        labels = found.labels[truth == own]
        assert (labels == np.bincount(labels[labels >= 0]).argmax()).mean() > 0.9
    assert len(found.centroids) >= 6


def test_few_voices_are_one_topic_and_none_are_none() -> None:
    vectors, _ = clouds(2, 10)
    assert topics.discover(vectors).shape == (1, 24)
    assert topics.discover(vectors[:0]).shape == (0, 24)


def test_always_the_same_voice_is_one_topic() -> None:
    same = np.repeat(clouds(1, 1)[0], 50, axis=0)
    assert topics.discover(same) == pytest.approx(same[:1], abs=1e-5)
    assert topics.discover(np.zeros((50, 24), dtype=np.float32)).shape == (0, 24)


def test_assign_gives_the_nearest_or_the_rest() -> None:
    vectors, truth = clouds(3, 20)
    far = np.zeros((2, 24), dtype=np.float32)
    far[0, 20] = 1
    grouping = topics.assign(np.vstack([vectors, far]), np.eye(24, dtype=np.float32)[:3])
    assert grouping.labels[:60].tolist() == truth.tolist()
    assert grouping.labels[60:].tolist() == [REST, REST]
    assert ((grouping.probabilities >= 0) & (grouping.probabilities <= 1)).all()
    assert np.linalg.norm(grouping.centroids, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)


def test_a_middle_without_voices_stays_where_it_was() -> None:
    vectors, _ = clouds(2, 20)
    start = np.eye(24, dtype=np.float32)[[0, 1, 23]]
    grouping = topics.assign(vectors, start)
    assert grouping.centroids[2].tolist() == start[2].tolist()
    assert topics.assign(vectors, start, move=False).centroids.tolist() == start.tolist()


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_middles_come_to_rest_where_looking_at_every_voice_each_time_brings_them(seed: int, *, held: bool) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit((rng.normal(size=(12, 40))[rng.integers(0, 12, 700)] + rng.normal(size=(700, 40))).astype(np.float32))
    start = unit(rng.normal(size=(9, 40)).astype(np.float32))
    hold = None
    if held:
        decided = np.where(rng.random(700) < 0.05, rng.integers(REST, 9, 700), UNSEEN)
        pulls = np.zeros((9, 40), dtype=np.float32)
        pulls[3] = vectors[5]
        hold = Hold(decided, rng.integers(UNSEEN, 9, 700), pulls)
    plain = start.copy()
    labels = place(vectors, plain, hold=hold).labels
    for _ in range(200):
        moved = pulled(middles(vectors, labels, 9), hold.pulls if hold else np.zeros_like(plain))
        filled = np.linalg.norm(moved, axis=1) > 0
        plain[filled] = moved[filled]
        again = place(vectors, plain, hold=hold).labels
        if (again == labels).all():
            break
        labels = again
    found = topics.assign(vectors, start, hold=hold)
    assert found.labels.tolist() == labels.tolist()
    assert np.abs(found.centroids - plain).max() < 1e-5
    assert len(set(labels.tolist())) > 5


def test_topics_of_many_voices_are_those_of_some_of_them() -> None:
    rng = np.random.default_rng(1)
    clouds = unit(rng.normal(size=(6, 40)).astype(np.float32))
    own = np.arange(MOST_LOOKED_AT + 3000) % 6
    vectors = unit((clouds[own] + 0.05 * rng.normal(size=(len(own), 40))).astype(np.float32))
    assert len(some(vectors)) == MOST_LOOKED_AT
    assert some(vectors[:50]).tolist() == vectors[:50].tolist()
    labels = topics.assign(vectors, topics.discover(vectors, wanted=6)).labels
    assert len(set(zip(own.tolist(), labels.tolist(), strict=True))) == 6


def test_middles_leave_out_the_rest() -> None:
    vectors = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float32)
    assert middles(vectors, np.array([0, REST, REST]), 2).tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize(("count", "most"), [(1, 1), (5, 1), (6, 4), (50, 10)])
def test_parents_are_few_and_numbered_without_gaps(count: int, most: int) -> None:
    groups = parents(unit(np.random.default_rng(2).normal(size=(count, 12)).astype(np.float32)))
    assert len(groups) == count
    assert sorted(set(groups.tolist())) == list(range(groups.max() + 1))
    assert groups.max() + 1 <= most


def test_names_are_of_nouns_that_tell_the_topics_apart() -> None:
    snow = [f"除雪車が来なくて歩道の雪が{number}日も残った" for number in range(12)]
    nursery = [f"保育園の入園を{number}回も申し込んだが待機児童のまま" for number in range(12)]
    documents = documents_of(*snow, *nursery, "さあ")
    vectors = np.repeat(np.eye(2, dtype=np.float32), 12, axis=0)
    vectors = np.vstack([vectors, np.array([[0, 0]], dtype=np.float32)])
    labels = np.array([0] * 12 + [1] * 12 + [REST])
    first, second = describe(documents, labels, vectors, np.eye(2, dtype=np.float32))
    assert "除雪" in first.name
    assert "保育園" in second.name
    assert not {"除雪", "雪"} & {word for word, _ in second.keywords}
    for described, ids in ((first, range(12)), (second, range(12, 24))):
        assert 1 <= len(described.name.split("・")) <= 3
        assert set(described.examples) <= set(ids)
        assert len(described.examples) == 5
        weights = [weight for _, weight in described.keywords]
        assert weights == sorted(weights, reverse=True)


def test_a_topic_nobody_is_in_has_no_words() -> None:
    documents = documents_of("除雪が遅い", "除雪が早い", "雪が多い")
    vectors = np.ones((3, 2), dtype=np.float32)
    described = describe(documents, np.zeros(3, dtype=np.int64), vectors, np.ones((2, 2), dtype=np.float32))
    assert (described[1].name, described[1].keywords, described[1].examples) == ("名前のない話題", (), ())


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([("除雪", 0.9), ("歩道", 0.8), ("通学路", 0.7), ("坂", 0.6)], "除雪・歩道・通学路"),
        ([("社会", 0.9), ("車社会", 0.85), ("免許", 0.5)], "車社会・免許"),
        ([("自然", 0.9), ("自然災害", 0.3), ("山", 0.2)], "自然・山"),
        ([("車社会", 0.9), ("社会", 0.8)], "車社会"),
        ([], "名前のない話題"),
    ],
)
def test_a_name_says_nothing_twice(words: list[tuple[str, float]], name: str) -> None:
    assert name_of([(Term(word, word, is_noun=True), weight) for word, weight in words]) == name


def test_verbs_help_only_where_nouns_are_lacking() -> None:
    verb = (Term("困る", "困る", is_noun=False), 0.9)
    nouns = [(Term(word, word, is_noun=True), 0.5) for word in ("雪", "道")]
    assert name_of([verb, *nouns]) == "雪・道"
    assert name_of([verb, nouns[0]]) == "雪・困る"


def test_typical_voices_say_something() -> None:
    documents = documents_of("雪", "雪が多くて歩道がまったく歩けません", "雪。", "雪が積もって玄関から出られず困っています")
    vectors = unit(np.array([[1, 0], [1, 0.2], [1, 0.1], [1, 0.3]], dtype=np.float32))
    (described,) = describe(documents, np.zeros(4, dtype=np.int64), vectors, np.array([[1, 0]], dtype=np.float32))
    assert described.examples == (1, 3, 0, 2)


def test_embed_is_of_unit_length(trained_settings: Settings) -> None:
    lexicon = Lexicon(artifacts.lexicon_folder(trained_settings))
    texts = [
        f"{place}の{matter}" for place in ("歩道", "公園", "駅前", "学校", "病院") for matter in ("段差", "街灯", "騒音", "除雪", "草刈り")
    ]
    vectors = topics.embed(documents_of(*texts), lexicon)
    assert vectors.shape[1] > 300
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(25), abs=1e-4)
    assert topics.embed(documents_of("歩道の段差", "街灯"), lexicon).shape == (2, 300), "too few voices for LSA"
