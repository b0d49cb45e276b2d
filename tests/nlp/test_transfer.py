"""Reading one city's labels into another's, and drawing decisions fairly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.settings import Settings
from nlp import artifacts, taxonomy, transfer
from nlp.annotate import ready
from nlp.gold import GoldVoice
from nlp.transfer import Point, Reading, Transfer


def test_a_voice_of_its_own_reading_goes_before_its_pair() -> None:
    reading = Reading({("道路", "穴"): ("施設", "道")}, {"g-2": ("安全", "事故")})
    assert reading.of(GoldVoice("", (("道路", "穴"),), id="g-1")) == ("施設", "道")
    assert reading.of(GoldVoice("", (("道路", "穴"),), id="g-2")) == ("安全", "事故")
    with pytest.raises(InputError, match="公園 > 草"):
        reading.of(GoldVoice("", (("公園", "草"),), id="g-3"))


def test_a_table_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text("pairs:\n  道路:\n    穴: 施設 > 道\nvoices:\n  g-2: 安全 > 事故\n", "utf-8")
    assert transfer.load_reading(path) == Reading({("道路", "穴"): ("施設", "道")}, {"g-2": ("安全", "事故")})


@pytest.mark.parametrize("content", [None, "", "pairs: 3", "pairs:\n  道路:\n    穴: 施設", "a: ["])
def test_a_damaged_table(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "mapping.yaml"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(InputError, match="読みかえ表"):
        transfer.load_reading(path)


def test_the_lead_is_over_the_best_other() -> None:
    curves = {"ours": (Point(10, (0.5, 0.7)),), "tfidf": (Point(10, (0.4, 0.4)),), "words": (Point(0, (0.3, 0.3)),)}
    moved = Transfer(3, 5, (0, 1), curves)
    assert moved.lead == pytest.approx(0.2)
    assert curves["ours"][0].spread == pytest.approx(np.std([0.5, 0.7]))


def test_a_city_of_its_own_themes_may_begin_without_a_decision(trained_settings: Settings, tmp_path: Path) -> None:
    there = trained_settings.data / "gold/other_city"
    (tmp_path / "models").mkdir()
    (tmp_path / "models/lexicon").symlink_to(artifacts.lexicon_folder(trained_settings), target_is_directory=True)
    annotator = ready(trained_settings.model_copy(update={"home": tmp_path, "taxonomy": there}))
    card = artifacts.card(annotator.models)
    assert card["transfer"]
    assert set(card["metrics"]) == {"kind", "urgency"}, "nobody can say yet how good the themes are"
    (said,) = annotator(["バスが減って病院に行けない"])
    assert said.theme.label in taxonomy.load(there).theme_names
    assert said.theme.confidence < trained_settings.low_confidence
