"""A city's own words are read from its files, and what is wrong with them is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.settings import PROJECT_ROOT
from nlp import taxonomy

THEMES = "themes:\n  - {name: 道路, slug: roads, subthemes: [歩道, 橋]}\n  - {name: 公園, slug: parks, description: 遊具, words: [砂場]}\n"
KINDS = "kinds:\n  - {name: 要望}\n  - {name: 苦情}\nurgencies:\n  - {name: 急ぐ}\n  - {name: 通常}\n"
DEPARTMENTS = """departments:
  - {name: 道路課, code: D1, themes: [{theme: 道路, subthemes: [歩道]}]}
  - {name: 橋りょう課, themes: [{theme: 道路, subthemes: [橋]}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "themes.yaml").write_text(THEMES, "utf-8")
    (tmp_path / "kinds.yaml").write_text(KINDS, "utf-8")
    (tmp_path / "departments.yaml").write_text(DEPARTMENTS, "utf-8")
    return tmp_path


def test_a_citys_own_files(folder: Path) -> None:
    words = taxonomy.load(folder)
    assert words.theme_names == ("道路", "公園")
    assert words.themes[0].subthemes == ("歩道", "橋")
    assert words.themes[1].words == ("砂場",)
    assert words.kinds == ("要望", "苦情")
    assert words.urgencies == ("急ぐ", "通常")


@pytest.mark.parametrize(
    ("theme", "subtheme", "department"),
    [
        ("道路", "歩道", "道路課"),
        ("道路", "橋", "橋りょう課"),
        ("道路", "", "道路課"),
        ("道路", "信号", "道路課"),
        ("公園", "遊具", ""),
        ("空", "", ""),
    ],
)
def test_department_of_a_pair(folder: Path, theme: str, subtheme: str, department: str) -> None:
    assert taxonomy.load(folder).department_of(theme, subtheme) == department


def test_departments_may_be_left_out(folder: Path) -> None:
    (folder / "departments.yaml").unlink()
    words = taxonomy.load(folder)
    assert words.departments == ()
    assert words.department_of("道路", "歩道") == ""


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("themes.yaml", "themes:\n  - name: [道路\nx: 1\n", "3 行目が YAML として読めません"),
        ("themes.yaml", b"\x93\xb9\x98H", "文字コードが YAML として読めません"),
        ("themes.yaml", "", "「themes:」の一覧がありません"),
        ("themes.yaml", "- 道路\n", "「themes:」の一覧がありません"),
        ("themes.yaml", "themes: []\n", "「themes:」の一覧がありません"),
        ("themes.yaml", "themes: [道路]\n", "「themes:」の一覧がありません"),
        ("themes.yaml", "themes:\n  - {name: 道路}\n", "「slug」のない項目があります"),
        ("themes.yaml", "themes:\n  - {name: 12, slug: a}\n", "「name」のない項目があります"),
        ("themes.yaml", "themes:\n  - {name: ' ', slug: a}\n", "「name」のない項目があります"),
        ("kinds.yaml", "kinds:\n  - {name: 要望}\n", "「urgencies:」の一覧がありません"),
        ("departments.yaml", "departments:\n  - {code: D1}\n", "「name」のない項目があります"),
        ("departments.yaml", "departments:\n  - {name: 課, themes: [{subthemes: [a]}]}\n", "「theme」のない項目があります"),
        ("themes.yaml", "themes:\n  - {name: 道路, slug: a, words: 3}\n", "「words」が一覧になっていません"),
        ("themes.yaml", "themes:\n  - {name: 道路, slug: a, subthemes: 歩道}\n", "「subthemes」が一覧になっていません"),
        ("departments.yaml", "departments:\n  - {name: 課, themes: [道路]}\n", "「themes」が一覧になっていません"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, file: str, content: str | bytes, said: str) -> None:
    (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        taxonomy.load(folder)
    assert said in str(caught.value)
    assert file in str(caught.value)
    assert caught.value.hint


def test_a_missing_file(folder: Path) -> None:
    (folder / "kinds.yaml").unlink()
    with pytest.raises(InputError, match=r"kinds\.yaml が読めません"):
        taxonomy.load(folder)


def test_every_subtheme_of_the_sample_city_has_one_department() -> None:
    words = taxonomy.load(PROJECT_ROOT / "data/taxonomy")
    pairs = [(theme, subtheme) for department in words.departments for theme, subthemes in department.themes for subtheme in subthemes]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == {(theme.name, subtheme) for theme in words.themes for subtheme in theme.subthemes}
    assert len({theme.slug for theme in words.themes}) == len(words.themes)
