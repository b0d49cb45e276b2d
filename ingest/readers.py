"""CSV and TSV, record by record, in flat memory: every record comes out once, as a row or as a reject that says why."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import InputError
from core.settings import Settings
from ingest.encoding import MARK, UNDECODABLE, Examined, examine
from ingest.incoming import RejectedRow, Row

_LONGEST_RECORD = 16 << 20  # characters; what doesn't close by then is an unclosed quote
_DOS_END = "\x1a"

ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8（BOM 付き）",
    "cp932": "CP932（Shift_JIS）",
    "utf-16": "UTF-16",
    "euc_jp": "EUC-JP",
    "mail": "電子メール（文字コードは1通ごと）",
    "xlsx": "Excel ブック",
}
"""What a source is written in, as people call it; the keys are what ``batches.encoding`` holds."""

TEXT_ENCODINGS = ("utf-8", "utf-8-sig", "cp932", "utf-16", "euc_jp")
"""Those that a CSV or TSV may be in."""


@dataclass(frozen=True, slots=True)
class Delimited(Examined):
    """A CSV or TSV found readable: its bytes' facts, its delimiter and its headings (unnamed ones are ``""``)."""

    delimiter: str
    headings: tuple[str, ...]

    def rows(self, *, needed: int, settings: Settings) -> Generator[Row | RejectedRow, None, None]:
        """Every record after the headings, in order. Blank lines are passed over.

        A record is rejected for what ``fitted`` tells, or for quotes that don't match (``quote``).
        """
        encoding = self.encoding if self.facts.undecodable else ""
        with _records(self.path, self.encoding, self.delimiter) as records:
            next(records)
            for record in records:
                if isinstance(record, RejectedRow):
                    yield record
                else:
                    yield fitted(record, self.headings, needed=needed, settings=settings, encoding=encoding, nul=self.facts.has_nul)


class _RunawayError(Exception):
    """A quoted cell that goes on and on."""


class _Lines:
    """Hands lines to csv.reader, knows which ones the present record took, and can take back all but the first."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self._again: deque[str] = deque()
        self._size = 0
        self.held: list[str] = []
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._size > _LONGEST_RECORD:
            raise _RunawayError
        line = self._again.popleft() if self._again else next(self._stream)
        self.number += 1
        self._size += len(line)
        self.held.append(line)
        return line

    def begin(self) -> None:
        self.held.clear()
        self._size = 0

    def give_back(self) -> None:
        """The lines after the record's first one will be read again, as records of their own."""
        self._again.extendleft(reversed(self.held[1:]))
        self.number -= max(len(self.held) - 1, 0)
        del self.held[1:]


def open_delimited(path: Path, *, encoding: str | None = None) -> Delimited:
    """Finds out encoding (unless one is given), delimiter and headings, and that at least one record follows.

    Raises:
        InputError: not a readable CSV or TSV; says what it is, where it fails, and what to do.
    """
    if encoding is not None and encoding not in TEXT_ENCODINGS:
        known = "、".join(TEXT_ENCODINGS)
        raise InputError(f"文字コード「{encoding}」がわかりません。", hint=f"{known} から選んでください。")
    facts = examine(path, encoding=encoding)
    headings: dict[str, tuple[str, ...]] = {}
    for delimiter in (",", "\t"):
        with _records(path, facts.encoding, delimiter) as records:
            first = next(records, None)
            if first is None:
                raise InputError(
                    f"「{path.name}」には空の行しかありません。", hint="見出し行と1件以上の記録があるファイルを選んでください。"
                )
            if isinstance(first, Row):
                headings[delimiter] = tuple(UNDECODABLE.sub("�", cell).strip() for cell in first.cells)
    if not headings or (len(headings) == 1 and max(map(len, headings.values())) == 1):
        raise InputError(f'「{path.name}」の見出し行の引用符「"」が閉じていません。', hint="1行目を直してください。")
    delimiter = max(headings, key=lambda sign: sum(map(bool, headings[sign])))
    with _records(path, facts.encoding, delimiter) as records:
        next(records)
        if next(records, None) is None:
            raise InputError(f"「{path.name}」は見出し行だけで、記録がありません。", hint="記録のあるファイルを選んでください。")
    return Delimited(path, facts, delimiter, headings[delimiter])


def fitted(
    row: Row, headings: tuple[str, ...], *, needed: int, settings: Settings, encoding: str = "", nul: bool = True
) -> Row | RejectedRow:  # fmt: skip
    """The row with as many cells as there are headings, or why it can't be taken. All kinds of sources go through here.

    ``needed`` is how many cells, from the left, the mapping uses: a row may be shorter than the headings as long as it has
    those, and longer as long as the extra cells are empty. ``encoding`` (a key of ``ENCODING_NAMES``) and ``nul`` say whether
    to look for undecodable bytes and for NUL.
    Codes: ``encoding``, ``nul``, ``too_long`` (a cell above ``settings.max_cell_chars``), ``ragged`` (a wrong number of cells).
    """
    problem = _problem(row.cells, headings, needed=needed, limit=settings.max_cell_chars, encoding=encoding, nul=nul)
    if problem:
        column, code, reason = problem
        return RejectedRow(row.number, column, code, reason, row.cells)
    width = len(headings)
    return row if len(row.cells) == width else replace(row, cells=(row.cells + ("",) * width)[:width])


def _problem(
    cells: tuple[str, ...], headings: tuple[str, ...], *, needed: int, limit: int, encoding: str, nul: bool
) -> tuple[str, str, str] | None:  # fmt: skip
    if encoding or nul:
        for position, cell in enumerate(cells):
            if encoding and UNDECODABLE.search(cell):
                reason = f"{ENCODING_NAMES[encoding]} として読めないバイトがあります。元のファイルの文字を直してください。"
                return _heading(headings, position), "encoding", reason
            if nul and "\0" in cell:
                return _heading(headings, position), "nul", "文字ではないもの（NUL）が入っています。取りのぞいてください。"
    if max(map(len, cells), default=0) > limit:
        position = next(position for position, cell in enumerate(cells) if len(cell) > limit)
        reason = f"1つの欄に {len(cells[position]):,} 文字あります（上限は {limit:,} 文字）。分けるか、短くしてください。"
        return _heading(headings, position), "too_long", reason
    if len(cells) < needed or any(cell.strip() for cell in cells[len(headings) :]):
        reason = f"列が {len(cells)} 個あります（見出しは {len(headings)} 個）。区切りと引用符を直してください。"
        return "", "ragged", reason
    return None


def _heading(headings: tuple[str, ...], position: int) -> str:
    name = headings[position] if position < len(headings) else ""
    return name[:255] or f"{position + 1} 列目"


@contextmanager
def _records(path: Path, encoding: str, delimiter: str) -> Iterator[Iterator[Row | RejectedRow]]:
    # The limit is one for all threads of the process, so it only ever goes up, to a value that doesn't depend on the call.
    csv.field_size_limit(max(csv.field_size_limit(), 2 * _LONGEST_RECORD))
    try:
        with path.open(encoding=encoding, errors=MARK, newline="") as stream:
            yield _parse(_Lines(stream), delimiter)
    except OSError as error:
        reason = error.strerror or "入出力の誤り"
        raise InputError(f"ファイル「{path.name}」が読めません（{reason}）。", hint="ファイルを置きなおしてください。") from None


def _parse(lines: _Lines, delimiter: str) -> Iterator[Row | RejectedRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        start = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _RunawayError):
            # An open quote takes in the records after it; only the line where it stands is lost, the rest is read anew.
            lines.give_back()
            reason = '引用符「"」が閉じていないか、欄の途中にあります。欄を「"」で囲み、中の「"」は2つ重ねてください。'
            yield RejectedRow(start, "", "quote", reason, (lines.held[0].rstrip("\r\n"),) if lines.held else ())
            continue
        if any(cell.strip().strip(_DOS_END) for cell in cells):
            yield Row(start, tuple(cells))
