"""koe answers check: the city's lists, and an answer checked by them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT
from tests.api.conftest import Koe, json_lines, refused

VOICE = "歩道の段差をなくしてください。街灯はいつ付きますか。"


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_the_lists_are_checked_and_counted(koe: Koe) -> None:
    assert "誤りはありません" in koe("answers", "check").stdout


def test_an_answer_is_checked_and_a_stop_is_an_error(koe: Koe, tmp_path: Path) -> None:
    voice = write(tmp_path / "voice.txt", VOICE)
    good = write(tmp_path / "good.txt", "歩道の段差は8月3日に直しました。街灯は8月9日に付けました。")
    assert "直すところはありません" in koe("answers", "check", good, "--voice", voice).stdout
    promising = write(tmp_path / "answer.txt", "歩道の段差は直しました。街灯を付けることを検討します。")
    result = koe("answers", "check", promising, "--voice", voice, "--json")
    assert ("commitment", "stop") in [(one["code"], one["severity"]) for one in json_lines(result.stdout)]
    assert result.exit_code == 1
    assert "見直し日" not in koe("answers", "check", promising, "--voice", voice, "--review-on", "2099-04-01").stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kinds: [感謝]", "kinds: [お礼]", "ひな形「感謝へのお礼」の種別「お礼」がありません"),
        ("  - name: その他のお答え\n", "  - name: その他のお答え\n    kinds: [その他]\n", "限らないひな形がありません"),
    ],
)
def test_what_a_city_wrote_wrongly_is_named(koe: Koe, tmp_path: Path, old: str, new: str, said: str) -> None:
    result = koe("answers", "check", KOE_DATA=str(_changed(tmp_path, old, new)))
    assert said in result.stdout
    assert result.exit_code == 1


def test_a_file_that_cannot_be_read_is_named(koe: Koe, tmp_path: Path) -> None:
    assert "templates.yaml の" in refused(koe("answers", "check", KOE_DATA=str(_changed(tmp_path, "templates:\n", "templates: [\n"))))
    assert "none.txt" in refused(koe("answers", "check", tmp_path / "none.txt", KOE_DATA=str(PROJECT_ROOT / "data")))


def _changed(folder: Path, old: str, new: str) -> Path:
    """A city's own data, with a change in its templates."""
    data = Path(shutil.copytree(PROJECT_ROOT / "data", folder / "data", ignore=shutil.ignore_patterns("corpus", "sample", "gold")))
    path = data / "answers/templates.yaml"
    written = path.read_text("utf-8")
    assert old in written
    path.write_text(written.replace(old, new, 1), "utf-8")
    return data
