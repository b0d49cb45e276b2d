"""The test voices: enough of each sort, labels as the taxonomy spells them, segments over the whole text, nothing of the corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from core.settings import PROJECT_ROOT
from nlp import corpus, gold, taxonomy, transfer

GOLD = gold.load(PROJECT_ROOT / "data/gold")
OTHER_CITY = PROJECT_ROOT / "data/gold/other_city"
WORDS = taxonomy.load(PROJECT_ROOT / "data/taxonomy")
PAIRS = {(theme.name, subtheme) for theme in WORDS.themes for subtheme in theme.subthemes}
GRAM = 5


def grams(text: str) -> set[str]:
    return {text[start : start + GRAM] for start in range(max(1, len(text) - GRAM + 1))}


def test_there_are_enough_voices() -> None:
    assert len(GOLD.voices) >= 300
    themes = Counter(voice.topics[0][0] for voice in GOLD.voices)
    kinds = Counter(voice.kind for voice in GOLD.voices)
    assert {theme: themes[theme] for theme in WORDS.theme_names if themes[theme] < 15} == {}
    assert {kind: kinds[kind] for kind in WORDS.kinds if kinds[kind] < 20} == {}


def test_every_text_has_its_own_id() -> None:
    names = [item.id for item in (*GOLD.voices, *GOLD.masking)]
    assert [name for name, count in Counter(names).items() if count > 1 or not name] == []


def test_labels_are_the_taxonomys() -> None:
    for voice in GOLD.voices:
        assert voice.topics, voice.id
        assert {*voice.topics, *(segment.topic for segment in voice.segments)} <= PAIRS, voice.id
        assert voice.kind in WORDS.kinds, voice.id
        assert voice.urgency in WORDS.urgencies, voice.id


def test_segments_cover_the_text_and_name_the_topics() -> None:
    for voice in GOLD.voices:
        if voice.segments:
            ends = [0, *(segment.end for segment in voice.segments)]
            assert [segment.start for segment in voice.segments] == ends[:-1], voice.id
            assert ends[-1] == len(voice.text), voice.id
            assert {segment.topic for segment in voice.segments} == set(voice.topics), voice.id
    assert sum(bool(voice.segments) for voice in GOLD.voices) >= 50


def test_marks_do_not_overlap() -> None:
    for text in GOLD.masking:
        ends = [0, *(span.end for span in text.pii)]
        assert all(end <= span.start for end, span in zip(ends, text.pii, strict=False)), text.id


def test_no_gold_text_shares_half_of_its_words_with_the_corpus() -> None:
    """Of the gold text's character 5-grams less than half are in any one text of the corpus."""
    holders: dict[str, list[str]] = {}
    for example in corpus.load(PROJECT_ROOT / "data/corpus"):
        for gram in grams(example.text):
            holders.setdefault(gram, []).append(example.id)
    assert list(alike(holders)) == []


def alike(holders: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    for voice in GOLD.voices:
        own = grams(voice.text)
        shared = Counter(name for gram in own for name in holders.get(gram, ()))
        yield from ((voice.id, name) for name, count in shared.items() if 2 * count >= len(own))


def test_the_other_city_is_another() -> None:
    there = taxonomy.load(OTHER_CITY)
    assert 10 <= len(there.themes) <= 12
    assert set(there.theme_names).isdisjoint(WORDS.theme_names)
    assert (there.kinds, there.urgencies) == (WORDS.kinds, WORDS.urgencies)
    for theme in there.themes:
        assert theme.description, theme.name
        assert len(theme.words) >= 10, theme.name
        assert 2 <= len(theme.subthemes) <= 3, theme.name
        assert all(there.department_of(theme.name, subtheme) for subtheme in theme.subthemes), theme.name


def test_every_voice_reads_in_the_other_city() -> None:
    there = taxonomy.load(OTHER_CITY)
    pairs = {(theme.name, subtheme) for theme in there.themes for subtheme in theme.subthemes}
    reading = transfer.load_reading(OTHER_CITY / "mapping.yaml")
    assert set(reading.pairs) == PAIRS
    assert {*reading.pairs.values(), *reading.voices.values()} <= pairs
    assert set(reading.voices) <= {voice.id for voice in GOLD.voices}
    themes = Counter(reading.of(voice)[0] for voice in GOLD.voices)
    assert {theme: themes[theme] for theme in there.theme_names if themes[theme] < 10} == {}
    # It cuts across ours: no theme of ours stays whole everywhere.
    targets = {theme.name: {to for (own, _), (to, _) in reading.pairs.items() if own == theme.name} for theme in WORDS.themes}
    assert sum(len(found) > 1 for found in targets.values()) >= 8


def test_an_exception_changes_something() -> None:
    reading = transfer.load_reading(OTHER_CITY / "mapping.yaml")
    same = [voice.id for voice in GOLD.voices if reading.voices.get(voice.id) == reading.pairs[voice.topics[0]]]
    assert same == []
