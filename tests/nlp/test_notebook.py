"""Figures are drawn in a font that has Japanese letters, or not at all."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from core.errors import SettingsError
from nlp.notebook import FONTS, LETTERS, japanese_figures, japanese_font
from tests.fonts import need_japanese_font

WESTERN = [entry for entry in font_manager.fontManager.ttflist if entry.name == "DejaVu Sans"]


def test_the_font_has_our_letters() -> None:
    need_japanese_font()
    with mpl.rc_context():
        name = japanese_figures()
        assert mpl.rcParams["font.family"] == [name]
        path = font_manager.findfont(name, fallback_to_default=False)
    assert set(map(ord, LETTERS)) <= set(FT2Font(path).get_charmap())


def test_without_a_japanese_font_there_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(font_manager.fontManager, "ttflist", WESTERN)
    with pytest.raises(SettingsError, match=r"日本語の書体が.*Noto Sans CJK"):
        japanese_figures()


def test_a_font_of_a_good_name_without_the_letters_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    need_japanese_font()
    found = font_manager.findfont(japanese_font(), fallback_to_default=False)
    false = font_manager.FontEntry(fname=WESTERN[0].fname, name=FONTS[0])
    damaged = font_manager.FontEntry(fname=__file__, name=FONTS[1])
    other = font_manager.FontEntry(fname=found, name="Unknown Gothic")
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [*WESTERN, false, damaged, other])
    assert japanese_font() == "Unknown Gothic"
