"""Measures on answers that are known beforehand: facets, letters, departments, masks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import Settings
from nlp import evaluate, gold, taxonomy
from nlp.annotate import Annotator
from nlp.annotation import Annotation, Label, PiiSpan, Segment
from nlp.evaluate import FacetScore, MaskScore, Outcome, same_boundaries, score_masking, score_segments, window_diff
from nlp.gold import GoldSegment, GoldVoice, MaskedText
from nlp.quality import calibration_error, precision_by_coverage, reliability

TEXTS = 24


def annotation(*stretches: tuple[int, int, str], department: str = "", related: tuple[str, ...] = ()) -> Annotation:
    """An answer of which only segments and departments matter."""
    none = Label("", 0.0)
    segments = tuple(Segment(start, end, start, end, theme, "", "", 1.0) for start, end, theme in stretches)
    return Annotation(
        masked="", pii=(), theme=none, subtheme=none, kind=none, urgency=none, department=Label(department, 1.0), related=related,
        segments=segments, reidentifying=(), terms=(), model="",
    )  # fmt: skip


def letter(*stretches: tuple[int, int, str]) -> GoldVoice:
    segments = tuple(GoldSegment(start, end, (theme, "")) for start, end, theme in stretches)
    return GoldVoice("あ" * stretches[-1][1], topics=tuple((theme, "") for *_, theme in stretches), segments=segments)


def test_a_facet_counts_the_main_label_and_any_listed_one() -> None:
    labels = [Label("a", 0.9), Label("b", 0.8), Label("c", 0.6), Label("a", 0.3, held=True)]
    score = FacetScore.of(Outcome.of([["a"], ["a", "b"], ["a", "b"], ["b"]], labels))
    assert (score.strict, score.lenient, score.held_back) == (0.25, 0.5, 0.25)
    assert (score.decided_strict, score.decided_lenient) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert (score.coverage, score.coverage_lenient) == (0.25, 0.5)


def test_a_facet_of_which_all_is_held_back() -> None:
    score = FacetScore.of(Outcome.of([["a"]], [Label("a", 0.1, held=True)]))
    assert (score.strict, score.held_back, score.decided_strict) == (1, 1, 0)


def test_a_letter_read_as_it_was_written() -> None:
    stretches = ((0, 40, "道路"), (40, 100, "公園"))
    score = score_segments([(letter(*stretches), annotation(*stretches))])
    assert score is not None
    assert (score.letters, score.topics, score.recall, score.precision) == (1, 2, 1, 1)
    assert (score.in_place, score.boundary_f1, score.window_diff) == (1, 1, 0)


def test_a_letter_read_as_one_topic_and_one_read_as_too_many() -> None:
    wanted = letter((0, 40, "道路"), (40, 100, "公園"))
    one = score_segments([(wanted, annotation((0, 100, "公園")))])
    many = score_segments([(wanted, annotation((0, 40, "道路"), (40, 70, "公園"), (70, 100, "福祉")))])
    assert one is not None
    assert many is not None
    assert (one.recall, one.precision, one.in_place, one.boundary_f1) == (0.5, 1, 0.6, 0)
    assert (many.recall, many.precision, many.in_place) == (1, pytest.approx(2 / 3), 0.7)
    assert many.boundary_f1 == pytest.approx(2 / 3)
    assert 0 < many.window_diff < 1


def test_short_voices_have_no_segments() -> None:
    assert score_segments([(GoldVoice("坂", topics=(("道路", ""),)), annotation((0, 1, "道路")))]) is None


def test_boundaries_may_be_off_by_a_space() -> None:
    assert same_boundaries([40, 80], [41, 78]) == 2
    assert same_boundaries([40], [39, 41]) == 1
    assert same_boundaries([40], [50]) == 0


@given(st.integers(2, 200).flatmap(lambda n: st.tuples(st.just(n), *[st.sets(st.integers(1, n - 1), max_size=5)] * 2)))
def test_window_diff_of_any_boundaries(drawn: tuple[int, set[int], set[int]]) -> None:
    length, wanted, said = drawn
    assert 0 <= window_diff(sorted(wanted), sorted(said), length=length) <= 1
    assert window_diff(sorted(wanted), sorted(wanted), length=length) == 0


def test_masks_by_type() -> None:
    text = MaskedText("山田太郎 090-1234-5678", (PiiSpan(0, 4, "NAME"), PiiSpan(5, 18, "PHONE")))
    clean = MaskedText("きれいな川", ())
    report = score_masking(
        [
            # Half of the name stays; the number is masked whole, by two spans of which one has its type.
            (text, [PiiSpan(0, 2, "NAME"), PiiSpan(5, 9, "OTHER_ID"), PiiSpan(9, 18, "PHONE")]),
            (clean, [PiiSpan(0, 1, "NAME")]),
        ]
    )
    assert report.types["NAME"] == MaskScore(marked=1, masked=0, found=2, rightly=1)
    assert report.types["PHONE"] == MaskScore(marked=1, masked=1, found=1, rightly=1)
    assert report.types["OTHER_ID"] == MaskScore(marked=0, masked=0, found=1, rightly=0)
    assert (report.total.recall, report.total.precision) == (0.5, 0.5)
    assert (report.clean_texts, report.clean_masked) == (1, 0.2)


def test_a_type_found_under_another_name_is_not_recalled() -> None:
    report = score_masking([(MaskedText("0123", (PiiSpan(0, 4, "ACCOUNT"),)), [PiiSpan(0, 4, "PHONE")])])
    assert report.types["ACCOUNT"].recall == 0
    assert report.types["PHONE"].precision == 0


def test_bins_are_what_the_calibration_error_sums_up() -> None:
    rng = np.random.default_rng(1)
    confidence = rng.random(300, dtype=np.float32)
    right = rng.random(300) < confidence
    bins = reliability(confidence, right)
    assert sum(one.texts for one in bins) == 300
    gap = sum(one.texts * abs(one.confidence - one.accuracy) for one in bins) / 300
    assert calibration_error(confidence, right) == pytest.approx(gap, abs=1e-6)
    assert reliability(confidence[:0], right[:0]) == []


def test_precision_by_coverage_ends_at_the_hit_rate() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6], dtype=np.float32)
    curve = precision_by_coverage(confidence, np.array([True, True, False, False]), steps=4)
    assert [(share, precision) for share, precision, _ in curve] == [(0.25, 1), (0.5, 1), (0.75, pytest.approx(2 / 3)), (1, 0.5)]
    assert precision_by_coverage(confidence[:0], np.array([], dtype=bool)) == []


def test_the_report_of_real_models(annotator: Annotator, trained_settings: Settings) -> None:
    given_voices = gold.load(trained_settings.data / "gold").voices
    voices = [*given_voices[:TEXTS], *(voice for voice in given_voices if voice.segments)][: 2 * TEXTS]
    masking = [MaskedText("電話は090-1234-5678です", (PiiSpan(3, 16, "PHONE"),)), MaskedText("坂が急だ", ())]
    words = taxonomy.load(trained_settings.taxonomy_dir)
    report = evaluate.evaluate(annotator, voices, masking=masking, words=words)
    assert set(report.facets) == {"theme", "subtheme", "kind", "urgency", "department"}
    for score in report.facets.values():
        assert score.texts == len(voices)
        assert score.strict <= score.lenient
    said = json.loads(json.dumps(report.as_dict()))
    assert set(said) == {"texts", *report.facets, "related", "segments", "masking"}
    assert said["masking"]["types"]["PHONE"]["recall"] == 1
    assert said["masking"]["clean_masked"] == 0
    assert report.related is not None
    text = report.as_text()
    for part in (
        "所管課: 正解率",
        "関係課: 再現率",
        "長い手紙の区切り",
        "マスキング: 2 件で測定",
        "PHONE: 再現率 1.000（1/1）",
        "判断保留",
    ):
        assert part in text


def test_masking_alone(annotator: Annotator) -> None:
    report = evaluate.evaluate(annotator, [], masking=[MaskedText("坂", ())])
    assert set(report.as_dict()) == {"texts", "masking"}
    assert report.as_text().startswith("マスキング: 1 件で測定")


def test_without_a_subtheme_no_department_is_held_against_the_models(annotator: Annotator) -> None:
    words = taxonomy.load(annotator.taxonomy)
    theme = words.themes[0]
    voices = [
        GoldVoice("歩道の段差が危ない", ((theme.name, ""),)),
        GoldVoice("バスが少ない", ((theme.name, ""), (words.themes[1].name, ""))),
    ]
    report = evaluate.evaluate(annotator, voices, words=words)
    assert "theme" in report.facets
    assert "department" not in report.facets
    assert report.related is None
