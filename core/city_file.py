"""city.yaml as it is written: its content, and where in it something stands, so that an error can name the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import yaml

from core.errors import InputError

NAME = "city.yaml"
Place = tuple[str | int, ...]
"""Keys and positions in lists (from 0) that lead to a value."""


def read(folder: Path) -> dict[str, Any]:
    """The file's content; empty without a file.

    Raises:
        InputError: it isn't YAML with keys.
    """
    path = folder / NAME
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise InputError(f"市の設定 {NAME} が YAML として読めません。", hint="字下げと記号を確かめてください。")
    return content


def refuse(folder: Path, place: Place, problem: str, *, hint: str) -> NoReturn:
    """Says what is wrong with the value at a place, naming its line and its keys.

    Raises:
        InputError: always.
    """
    line = _line(folder / NAME, place)
    keys = "の".join(f" {part + 1} 番目" if isinstance(part, int) else f"「{part}」" for part in place)
    raise InputError(f"市の設定 {NAME}{f' の {line} 行目' if line else ''}、{keys}{problem}", hint=hint)


def _line(path: Path, place: Place) -> int:
    """The line of the value, or of the nearest thing around it; 0 if the file can't be read."""
    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return 0
    for part in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode) and (found := [value for key, value in node.value if key.value == part]):
            node = found[-1]
        else:
            break
    return 0 if node is None else int(node.start_mark.line) + 1
