"""The lists of data/answers as a city may edit them: YAML in which every entry knows its line, so that an error can name it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import InputError

FOLDER = Path(__file__).resolve().parents[2] / "data" / "answers"
_LINE = "__line__"


def folder_of(data: Path) -> Path:
    """Where the lists of a city's data are (KOE_DATA/answers); those of the program where it has none of its own."""
    own = data / "answers"
    return own if own.is_dir() else FOLDER


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list, with the file and the line that it begins in."""

    values: dict[str, Any]
    path: Path
    line: int

    def text(self, key: str, default: str | None = None) -> str:
        """A value of letters.

        Raises:
            InputError: it is missing (and there is no default) or something else.
        """
        value = self.values.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.error(f"「{key}」がないか、文字ではありません", hint=f"{key}: のあとに文字を書いてください。")
        return value.strip()

    def words(self, key: str) -> tuple[str, ...]:
        """A list of words; none where it is left out.

        Raises:
            InputError: it is no list of words.
        """
        values = self.values.get(key) or []
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            raise self.error(f"「{key}」が言葉の一覧ではありません", hint=f"{key}: [言葉, 言葉] の形にしてください。")
        return tuple(value.strip() for value in values)

    def number(self, key: str) -> float:
        """A number from 0 on.

        Raises:
            InputError: it is none.
        """
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise self.error(f"「{key}」が 0 以上の数ではありません", hint=f"{key}: 60 のように数を書いてください。")
        return float(value)

    def pattern(self, key: str) -> re.Pattern[str]:
        """A regular expression.

        Raises:
            InputError: it can't be read as one.
        """
        try:
            return re.compile(self.text(key))
        except re.error:
            raise self.error(f"「{key}」が正規表現として読めません", hint="かっこの数と記号を確かめてください。") from None

    def error(self, what: str, *, hint: str) -> InputError:
        """What is wrong with this entry, with file and line."""
        return InputError(f"{self.path.name} の {self.line} 行目からの項目の{what}。", hint=hint)


def entries(path: Path, key: str) -> list[Entry]:
    """The list below a key of a file.

    Raises:
        InputError: the file can't be read or isn't YAML, or has no such list; says which and where.
    """
    found = _content(path).get(key)
    if not isinstance(found, list) or not found:
        raise InputError(f"{path.name} に「{key}:」の一覧がありません。", hint="付属のファイルと同じ形にしてください。")
    return list(_entries(path, key, found))


def section(path: Path, key: str) -> Entry:
    """The values below a key of a file.

    Raises:
        InputError: as ``entries``.
    """
    found = _content(path).get(key)
    if not isinstance(found, dict):
        raise InputError(f"{path.name} に「{key}:」がありません。", hint="付属のファイルと同じ形にしてください。")
    return Entry(found, path, found.pop(_LINE))


def _entries(path: Path, key: str, found: list[Any]) -> Iterator[Entry]:
    for number, item in enumerate(found, start=1):
        if not isinstance(item, dict):
            raise InputError(
                f"{path.name} の「{key}」の {number} 番目が「名前: 値」の形ではありません。", hint="付属のファイルと同じ形にしてください。"
            )
        yield Entry(item, path, item.pop(_LINE))


def _content(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text("utf-8-sig"), _Loader)  # noqa: S506  (a SafeLoader)
    except OSError:
        raise InputError(f"{path} が読めません。", hint="KOE_DATA のフォルダの answers を確かめてください。") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = f"{mark.line + 1} 行目" if (mark := getattr(error, "problem_mark", None)) else "文字コード"
        raise InputError(f"{path.name} の{where}が YAML として読めません。", hint="字下げと記号を確かめてください。") from None
    if not isinstance(content, dict):
        raise InputError(f"{path.name} が「名前: 値」の形の YAML ではありません。", hint="付属のファイルと同じ形にしてください。")
    return content


class _Loader(yaml.SafeLoader):
    """A mapping gets the line that it begins in."""

    def mapping(self, node: yaml.MappingNode) -> dict[Any, Any]:
        return {**self.construct_mapping(node, deep=True), _LINE: node.start_mark.line + 1}


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _Loader.mapping)
