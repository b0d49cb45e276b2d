"""The labelled voices that models learn from: enough of each sort, all different, labels as the taxonomy spells them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest

from core.settings import PROJECT_ROOT
from nlp import taxonomy
from nlp.corpus import URGENCY_NAMES

CORPUS = PROJECT_ROOT / "data/corpus"
VOICES = [json.loads(line) for path in sorted(CORPUS.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
WORDS = taxonomy.load(PROJECT_ROOT / "data/taxonomy")
GRAM = 5


def grams(text: str) -> set[str]:
    return {text[start : start + GRAM] for start in range(max(1, len(text) - GRAM + 1))}


def test_there_are_enough_voices() -> None:
    themes = Counter(theme for voice in VOICES for theme in {topic["theme"] for topic in voice["topics"]})
    kinds = Counter(voice["kind"] for voice in VOICES)
    assert len(VOICES) >= 9000
    assert {theme: themes[theme] for theme in WORDS.theme_names if themes[theme] < 250} == {}
    assert {kind: kinds[kind] for kind in WORDS.kinds if kinds[kind] < 300} == {}
    assert sum("segments" in voice for voice in VOICES) >= 300


def test_labels_are_the_taxonomys() -> None:
    pairs = {(theme.name, subtheme) for theme in WORDS.themes for subtheme in theme.subthemes}
    for voice in VOICES:
        assert voice["topics"], voice["id"]
        assert {(topic["theme"], topic["subtheme"]) for topic in voice["topics"]} <= pairs, voice["id"]
        assert voice["kind"] in WORDS.kinds, voice["id"]
        assert URGENCY_NAMES[voice.get("urgency", "normal")] in WORDS.urgencies, voice["id"]


def test_every_voice_has_its_own_id_and_a_sensible_length() -> None:
    assert [name for name, count in Counter(voice["id"] for voice in VOICES).items() if count > 1] == []
    assert [voice["id"] for voice in VOICES if not 4 <= len(voice["text"]) <= 600] == []
    assert [voice["id"] for voice in VOICES if voice["text"] != voice["text"].strip()] == []


def test_no_two_voices_share_half_of_their_words() -> None:
    """Of the shorter one's character 5-grams less than half are in the other."""
    sets = [grams(voice["text"]) for voice in VOICES]
    holders: dict[str, list[int]] = defaultdict(list)
    alike = []
    for index, own in enumerate(sets):
        shared = Counter(earlier for gram in own for earlier in holders[gram])
        alike += [
            (VOICES[earlier]["id"], VOICES[index]["id"])
            for earlier, count in shared.items()
            if 2 * count >= min(len(own), len(sets[earlier]))
        ]
        for gram in own:
            holders[gram].append(index)
    assert alike == []


def test_segments_cover_their_letter_and_are_about_its_topics() -> None:
    for voice in VOICES:
        if segments := voice.get("segments"):
            assert "".join(voice["text"][part["start"] : part["end"]] for part in segments) == voice["text"], voice["id"]
            assert {(part["theme"], part["subtheme"]) for part in segments} == {
                (topic["theme"], topic["subtheme"]) for topic in voice["topics"]
            }, voice["id"]


@pytest.mark.parametrize("field", ["id", "text", "topics", "kind"])
def test_no_field_is_empty(field: str) -> None:
    assert [voice["id"] for voice in VOICES if not voice.get(field)] == []
