"""JSON Lines, one object a line: every line comes out once, as a row with a cell for each key, or as a reject that says why."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.settings import Settings
from ingest.encoding import MARK, UNDECODABLE, Examined, examine
from ingest.incoming import RejectedRow, Row
from ingest.readers import ENCODING_NAMES, fitted

_LINES_FOR_KEYS = 1000
_MOST_KEYS = 10_000
_LONGEST_FIRST = 32 << 20
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class JsonLines(Examined):
    """A JSON Lines file found readable: its bytes' facts and its keys, in the order in which they first appear."""

    keys: tuple[str, ...]

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(UNDECODABLE.sub("�", key).strip() for key in self.keys)

    def rows(self, *, needed: int, settings: Settings) -> Generator[Row | RejectedRow, None, None]:
        """Every line with an object that says something, in order.

        A line is rejected for what ``readers.fitted`` tells, for being no object (``json``), or for a value under a key that
        the file's beginning doesn't have (``ragged``).
        """
        known, headings = frozenset(self.keys), self.headings
        for number, line in _lines(self.path, self.encoding):
            record = _record(line)
            if record is None:
                reason = "JSON のオブジェクト（{ } で囲んだもの）として読めません。1行に1件、同じ項目名は1度だけ書いてください。"
                yield RejectedRow(number, "", "json", reason, (line,))
                continue
            extra = next((key for key, value in record.items() if key not in known and value.strip()), None)
            if extra is not None:
                reason = f"はじめの {_LINES_FOR_KEYS:,} 行にない項目があります。項目名を直すか、その項目のある行を前に移してください。"
                yield RejectedRow(number, UNDECODABLE.sub("�", extra)[:255], "ragged", reason, (line,))
                continue
            cells = tuple(record.get(key, "") for key in self.keys)
            if any(cell.strip() for cell in cells):
                yield fitted(Row(number, cells), headings, needed=needed, settings=settings, encoding=self.encoding)


def is_json_lines(path: Path) -> bool:
    """Whether the first line that isn't blank is a JSON object, in whatever encoding, whatever the file's name."""
    try:
        with path.open("rb") as file:
            head = file.read(2)
            encoding = "utf-16" if head in _UTF16 else ""
            file.seek(0)
            line = file.readline(_LONGEST_FIRST)
            while line and not line.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
                line = file.readline(_LONGEST_FIRST)
    except (OSError, ValueError):
        return False
    if encoding:
        mark = b"" if line.startswith(_UTF16) else head
        return _record((mark + line).decode(encoding, "ignore").strip("\0 \t\r\n")) is not None
    first = line.removeprefix(b"\xef\xbb\xbf").strip().partition(b"\r")[0]
    # The quick look keeps a CSV's long first line from being parsed.
    return first.startswith(b"{") and any(_record(first.decode(name, MARK)) is not None for name in ("utf-8", "cp932", "euc_jp"))


def open_json_lines(path: Path) -> JsonLines:
    """Finds out the encoding and the keys.

    Raises:
        InputError: not in UTF-8, or without keys or records; says what to do.
    """
    facts = examine(path)
    if facts.encoding not in ("utf-8", "utf-8-sig"):
        raise InputError(
            f"JSON Lines のファイル「{path.name}」が {ENCODING_NAMES[facts.encoding]} で書かれています。",
            hint="JSON は UTF-8 と決まっています。UTF-8 で保存しなおしてください。",
        )
    keys: dict[str, None] = {}
    for _, line in islice(_lines(path, facts.encoding), _LINES_FOR_KEYS):
        keys.update(dict.fromkeys(_record(line) or ()))
        if len(keys) > _MOST_KEYS:
            raise InputError(
                f"「{path.name}」の項目が {_MOST_KEYS:,} 個を超えています。", hint="1行に1件の記録かどうかを確かめてください。"
            )
    source = JsonLines(path, facts, tuple(keys))
    if not keys or not any(_said(line) for _, line in _lines(path, facts.encoding)):
        raise InputError(f"「{path.name}」に記録がありません。", hint="項目に値のある行が1行以上あるファイルを選んでください。")
    return source


def _said(line: str) -> bool:
    """Whether something comes out of the line: a row or a reject."""
    record = _record(line)
    return record is None or any(value.strip() for value in record.values())


def _lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines that aren't blank, with their numbers."""
    with _reading(path), path.open(encoding=encoding, errors=MARK) as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield number, line.rstrip("\n")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or "入出力の誤り"
        raise InputError(f"ファイル「{path.name}」が読めません（{reason}）。", hint="ファイルを置きなおしてください。") from None


def _record(line: str) -> dict[str, str] | None:
    """The line's object with its values as text; ``None`` when it is none. Numbers are as they are written."""
    found = _parsed(line, str)
    if not isinstance(found, dict):
        return None
    if any(isinstance(value, dict | list) for value in found.values()):
        exact = _parsed(line, None)
        if not isinstance(exact, dict):
            return None
        found |= {key: value for key, value in exact.items() if isinstance(value, dict | list)}
    try:
        return {key: _text(value) for key, value in found.items()}
    except RecursionError:
        return None


def _parsed(line: str, number: Callable[[str], str] | None) -> Any:
    try:
        return json.loads(line, parse_int=number, parse_float=number, parse_constant=number, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice: one of the values would be lost")
    return found


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str(text):
            return text
        case bool(flag):
            return "true" if flag else "false"
        case _:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
