"""Drafting on the sample city, from its files to the figure that we promise."""

from __future__ import annotations

import pytest

from api import sample_city
from core.settings import PROJECT_ROOT, Settings
from nlp.annotate import Annotator

PROMISED = 0.7


@pytest.mark.slow
def test_the_right_past_answer_is_among_the_first_three(annotator: Annotator, trained_settings: Settings) -> None:
    settings = trained_settings.model_copy(update={"data": PROJECT_ROOT / "data"})
    recall = sample_city.measure_answering(settings, annotator, most=60).recall
    assert recall is not None
    assert (recall.voices, recall.of > 2000) == (60, True)
    assert recall.ways["sources"].at_3 >= PROMISED


def test_without_the_sample_nothing_is_measured(annotator: Annotator, trained_settings: Settings) -> None:
    assert sample_city.measure_answering(trained_settings, annotator).recall is None
