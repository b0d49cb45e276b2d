"""A city's own words: themes with their 中分類, kinds, urgencies and departments, read from its YAML files."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class Theme:
    """A 分野: 大分類 with its 中分類, and words that help when there are few examples."""

    name: str
    slug: str
    description: str = ""
    words: tuple[str, ...] = ()
    subthemes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Department:
    """A 所管課 and the (theme, subtheme) pairs that it answers for."""

    name: str
    code: str = ""
    description: str = ""
    words: tuple[str, ...] = ()
    themes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    mail: str = ""
    """The department's own mailbox, for the morning digest."""
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Everything that a city may replace by file."""

    themes: tuple[Theme, ...]
    kinds: tuple[str, ...]
    urgencies: tuple[str, ...]
    departments: tuple[Department, ...] = ()
    _desk: dict[tuple[str, str], str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def theme_names(self) -> tuple[str, ...]:
        return tuple(theme.name for theme in self.themes)

    def department_of(self, theme: str, subtheme: str = "") -> str:
        """The department that answers for a theme and its 中分類; the theme's first one when the pair isn't listed; "" when none is."""
        return self._desk.get((theme, subtheme)) or self._desk.get((theme, ""), "")


@lru_cache(maxsize=4)
def load(folder: Path) -> Taxonomy:
    """Reads themes.yaml and kinds.yaml, and departments.yaml where there is one.

    Raises:
        InputError: a file is missing, is not YAML, or lacks a part; says which and where.
    """
    themes = tuple(
        Theme(
            name=_text(item, "name", folder / "themes.yaml"),
            slug=_text(item, "slug", folder / "themes.yaml"),
            description=str(item.get("description", "")),
            words=_words(item, "words", folder / "themes.yaml"),
            subthemes=_words(item, "subthemes", folder / "themes.yaml"),
        )
        for item in _items(folder / "themes.yaml", "themes")
    )
    kinds = tuple(_text(item, "name", folder / "kinds.yaml") for item in _items(folder / "kinds.yaml", "kinds"))
    urgencies = tuple(_text(item, "name", folder / "kinds.yaml") for item in _items(folder / "kinds.yaml", "urgencies"))
    departments = _departments(folder / "departments.yaml")
    desk: dict[tuple[str, str], str] = {}
    for department in departments:
        for theme, subthemes in department.themes:
            desk.setdefault((theme, ""), department.name)
            for subtheme in subthemes:
                desk.setdefault((theme, subtheme), department.name)
    return Taxonomy(themes, kinds, urgencies, departments, desk)


def _departments(path: Path) -> tuple[Department, ...]:
    if not path.exists():
        return ()
    return tuple(
        Department(
            name=_text(item, "name", path),
            code=str(item.get("code", "")),
            description=str(item.get("description", "")),
            words=_words(item, "words", path),
            mail=str(item.get("mail") or "").strip(),
            extension=str(item.get("phone_ext") or "").strip(),
            themes=tuple((_text(pair, "theme", path), _words(pair, "subthemes", path)) for pair in _list(item, "themes", path, of=dict)),
        )
        for item in _items(path, "departments")
    )


def _items(path: Path, key: str) -> list[dict[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError:
        raise InputError(f"分類ファイル {path} が読めません。", hint="KOE_TAXONOMY のフォルダを確かめてください。") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = f"{mark.line + 1} 行目" if (mark := getattr(error, "problem_mark", None)) else "文字コード"
        raise InputError(f"分類ファイル {path} の{where}が YAML として読めません。", hint="字下げと記号を確かめてください。") from None
    items = content.get(key) if isinstance(content, dict) else None
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise InputError(f"分類ファイル {path} に「{key}:」の一覧がありません。", hint="見本の市のファイルと同じ形にしてください。")
    return items


def _text(item: dict[str, Any], key: str, path: Path) -> str:
    value = item.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"分類ファイル {path} に「{key}」のない項目があります。", hint="各項目に文字で書いてください。")
    return value.strip()


def _words(item: dict[str, Any], key: str, path: Path) -> tuple[str, ...]:
    return tuple(map(str, _list(item, key, path, of=(str, int, float))))


def _list(item: dict[str, Any], key: str, path: Path, *, of: type | tuple[type, ...]) -> list[Any]:
    """A list that may be left out; a lone word would be taken apart into its letters."""
    values = item.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, of) for value in values):
        raise InputError(f"分類ファイル {path} の「{key}」が一覧になっていません。", hint="見本の市のファイルと同じ形にしてください。")
    return values
