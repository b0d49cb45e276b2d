"""Call logs in which one call takes several rows: the rows of a call become one record before anything is read from them."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice

from core.cleaning import clean_line
from core.settings import Settings
from ingest.headings import heading_key
from ingest.incoming import RejectedRow, Row
from ingest.jsonlines import JsonLines
from ingest.mail import ENCODING as MAIL
from ingest.mapping import ColumnMapping, Grouping, resolve_mapping, with_group
from ingest.mapping_files import AUTO
from ingest.normalize import folded, is_nothing
from ingest.sources import Source
from ingest.workbook import SheetRow

_LOOKED_AT = 2000  # rows that tell whether a file is written so
_MOST_ROWS = 10_000  # of one call
# Calls that must go on in further rows without a number before a file is taken for one of that kind: so many, and such a share.
_FEWEST_LONGER, _LEAST_LONGER = 2, 0.05
_UNKNOWN = frozenset(("quote", "json", "sheet"))  # codes of rejects of which nobody knows whose row it was
_ORDER = re.compile(r"枝番(号)?|(行|明細|発話|発言|応答)(番号|no\.?)|連番|順番|順序|行|sub-?no\.?|seq\.?")
_CALLERS = frozenset(
    ("市民", "お客様", "顧客", "相談者", "入電者", "発信者", "申出者", "通報者", "利用者", "質問", "問合せ", "問", "q")
)  # fmt: skip
_ANSWERERS = frozenset(
    ("対応者", "応対者", "回答者", "担当者", "オペレーター", "オペレータ", "op", "職員", "市", "センター", "回答", "応答", "答", "a")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CallLog:
    """A source whose mapping says that calls take several rows, as a source with one row a call."""

    source: Source
    mapping: ColumnMapping

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def encoding(self) -> str:
        return self.source.encoding

    @property
    def sha256(self) -> str:
        return self.source.sha256

    @property
    def lines(self) -> int:
        return self.source.lines

    @property
    def headings(self) -> tuple[str, ...]:
        return self.mapping.headings

    def rows(self, *, needed: int, settings: Settings) -> Generator[Row | RejectedRow, None, None]:
        """Each call once."""
        with closing(self.source.rows(needed=needed, settings=settings)) as rows:
            yield from grouped(rows, self.mapping, settings=settings)


def by_call(source: Source, mapping: ColumnMapping) -> Source:
    """The source with one row a call where the mapping says how calls are told apart; else the source itself."""
    return CallLog(source, mapping) if mapping.group else source


def grouped(rows: Iterable[Row | RejectedRow], mapping: ColumnMapping, *, settings: Settings) -> Generator[Row | RejectedRow, None, None]:
    """Each call once, as one row, where the mapping says how calls are told apart; else the rows as they are.

    The rows of a call follow each other; of its other columns the first value that is given holds. A number that comes back later
    in the file begins a record of its own: nobody knows how far below the rest of a call might stand, and a file isn't kept in memory.

    A call is rejected whole for what is wrong with one of its rows, or for its size (``too_long``: a text above
    ``settings.max_cell_chars``, or more than 10,000 rows), then in parts of about that size, so that nothing is lost and memory stays
    flat. A row without a number below one that nobody can tell the number of is rejected too (``call``).
    """
    group = mapping.group
    if group is None:
        yield from rows
        return
    call: _Call | None = None
    lost = False  # whether the row before was one of unknown number
    for row in rows:
        if isinstance(row, RejectedRow) and (row.code in _UNKNOWN or len(row.cells) <= group.number):
            lost = True
            yield row
            continue
        stray = lost and group.blank_continues and _number(row, group) == "" and _says_no_more(row, group)
        if call and not stray and call.takes(row):
            lost = lost and not _number(row, group)
            yield from call.add(row)
            continue
        if call:
            yield from call.rest()
            call = None
        if stray and isinstance(row, Row):
            reason = "前の行が読めないので、どの通話の続きか分かりません。前の行と合わせて直してください。"
            yield RejectedRow(row.number, mapping.headings[group.number], "call", reason, row.cells)
            continue
        lost = False
        call = _Call(row, group, limit=settings.max_cell_chars)
    if call:
        yield from call.rest()


class _Call:
    """The rows of one call, gathered as they come; what is over the limit is given out as rejects on the way."""

    def __init__(self, row: Row | RejectedRow, group: Grouping, *, limit: int) -> None:
        self.group, self.limit = group, limit
        self.number = _number(row, group)
        self.head = row
        self.orders: set[str] = set()
        self.last = ""
        self.wrong: tuple[str, str, str] | None = None
        self.too_long = False
        self._begin(row)
        self._take(row)

    def takes(self, row: Row | RejectedRow) -> bool:
        """Whether the row goes on with this call."""
        if not self.number or (isinstance(row, Row) and isinstance(self.head, Row) and _sheet(row) != _sheet(self.head)):
            return False
        group, number, order = self.group, _number(row, self.group), _cell(row, self.group.order)
        if not number:
            return group.blank_continues and _says_no_more(row, group)
        if not group.same_number or number != self.number:
            return False
        if group.order is None:
            return True
        return _follows(order, self.last) and self._agrees(row) if group.guessed else not order or order not in self.orders

    def _agrees(self, row: Row | RejectedRow) -> bool:
        """Whether a row says nothing else than the call's first one of what a call has once: its day, its department …"""
        pairs = zip(row.cells, self.head.cells, strict=False)
        return all(at in self.group.free or not cell.strip() or folded(cell) == folded(first) for at, (cell, first) in enumerate(pairs))

    def add(self, row: Row | RejectedRow) -> Iterator[RejectedRow]:
        """Takes a row in. Gives out what was gathered before where the call grows too long with it."""
        sizes = [self.sizes[answers] + len(said) + 1 for answers, said in self._said(row)]
        if self.count >= _MOST_ROWS or max(sizes, default=0) > self.limit:
            self.too_long = True
            yield self._rejected()
            self._begin(row)
        self._take(row)

    def rest(self) -> Iterator[Row | RejectedRow]:
        """The call, or its last part."""
        if self.too_long or self.wrong:
            yield self._rejected()
        elif isinstance(self.head, Row):
            yield replace(self.head, cells=self._cells())

    def _begin(self, row: Row | RejectedRow) -> None:
        self.starts_at = row.number if isinstance(row, Row) else row.row
        self.cells: list[str] = []
        self.pieces: list[tuple[str, bool, str]] = []
        self.sizes = [0, 0]
        self.count = 0

    def _take(self, row: Row | RejectedRow) -> None:
        if isinstance(row, RejectedRow):
            self.wrong = self.wrong or (row.column, row.code, row.reason)
        order = _cell(row, self.group.order)
        if order:
            self.orders.add(order)
            self.last = order
        self.cells += [""] * (len(row.cells) - len(self.cells))
        for at, cell in enumerate(row.cells):
            if not self.cells[at].strip():
                self.cells[at] = cell
        self.count += 1
        for answers, said in self._said(row):
            self.pieces.append((order, answers, said))
            self.sizes[answers] += len(said) + 1

    def _said(self, row: Row | RejectedRow) -> list[tuple[bool, str]]:
        """What a row adds to the call: whether it belongs to the answer, and the words."""
        group, cells = self.group, row.cells
        told = group.answer is not None and group.speaker is not None and group.speaker < len(cells)
        answers = told and folded(cells[group.speaker or 0]) in group.answers
        said = [(answers, cells[group.text] if group.text < len(cells) else "")]
        if group.answer is not None and group.answer < len(cells):
            said.append((True, cells[group.answer]))
        return said

    def _rejected(self) -> RejectedRow:
        column, code, reason = self.wrong or ("", "", "")
        if self.too_long:
            limits = f"{self.limit:,} 文字、{_MOST_ROWS:,} 行まで"
            column, code = "", "too_long"
            reason = f"1つの通話が長すぎます（{limits}）。受付番号を確かめるか、通話を分けてください。"
        return RejectedRow(self.starts_at, column, code, reason, self._cells())

    def _cells(self) -> tuple[str, ...]:
        group, pieces, cells = self.group, self.pieces, list(self.cells)
        if all(order.isdecimal() for order, _, _ in pieces):
            pieces = sorted(pieces, key=lambda piece: int(piece[0]))
        joined = ["\n".join(said for _, of_answer, said in pieces if of_answer is answers and said.strip()) for answers in (False, True)]
        for at, text in ((group.text, joined[False]), (group.answer, joined[True])):
            if at is not None:
                cells += [""] * (at + 1 - len(cells))
                cells[at] = text
        return tuple(cells)


def resolve_calls(name: str, source: Source, *, settings: Settings) -> ColumnMapping:
    """The mapping of this name for a source (``mapping.resolve_mapping``); a guessed one with how calls are told apart.

    Raises:
        InputError: no such mapping, a mistake in it, or no column for the body.
    """
    mapping = resolve_mapping(name, source.headings, settings=settings)
    return guess_calls(mapping, source, settings=settings) if mapping.name == AUTO else mapping


def guess_calls(mapping: ColumnMapping, source: Source, *, settings: Settings) -> ColumnMapping:
    """The mapping, with how calls are told apart if the file's first rows leave no doubt that one call takes several of them.

    That is so where rows in a row bear the same number, each with the next 枝番 and with nothing in which they differ but what was
    said; or where rows have neither a number nor a day, and nothing else but words, below rows that have both, in several calls
    and in more than one of twenty: one such row alone may as well be a voice of which the rest was forgotten.
    """
    fields = mapping.fields
    if (
        mapping.group
        or mapping.is_survey
        or isinstance(source, JsonLines)
        or source.encoding == MAIL
        or not {"external_id", "text"} <= fields.keys()
    ):
        return mapping
    unused = [at for at in range(len(mapping.headings)) if at not in mapping.used]
    order = next((at for at in unused if _ORDER.fullmatch(heading_key(mapping.headings[at]))), None)
    if order is None and "received_on" not in fields:
        return mapping
    with closing(source.rows(needed=mapping.needed, settings=settings)) as rows:
        seen = [row for row in islice(rows, _LOOKED_AT) if isinstance(row, Row)]
    speaker, answers = _speaker(seen, unused)
    group = Grouping(
        number=fields["external_id"], text=fields["text"], answer=fields.get("answer"), speaker=speaker, answers=answers, guessed=True,
        free=frozenset(unused) | {fields[name] for name in ("external_id", "text", "answer") if name in fields},
    )  # fmt: skip
    ways = []
    if order is not None and _steps(seen, group, order):
        ways.append(replace(group, order=order, same_number=True))
    if "received_on" in fields and _gaps(seen, group, day=fields["received_on"]):
        ways.append(replace(ways[0] if ways else group, blank_continues=True))
    found = with_group(mapping, ways[-1]) if ways else mapping
    return found if sum(1 for _ in grouped(seen, found, settings=settings)) < len(seen) else mapping


def _speaker(rows: Sequence[Row], columns: Sequence[int]) -> tuple[int | None, frozenset[str]]:
    """The column that says who speaks, told by its words alone, and which of them mean the city."""
    for at in columns:
        words = {folded(row.cells[at]) for row in rows} - {""}
        if words & _CALLERS and words & _ANSWERERS and words <= _CALLERS | _ANSWERERS:
            return at, frozenset(words & _ANSWERERS)
    return None, frozenset()


def _steps(rows: Sequence[Row], group: Grouping, order: int) -> bool:
    """Whether rows that share a number always count on from the row before, and every number begins with the first."""
    number = last = ""
    for row in rows:
        given, at = _number(row, group), _cell(row, order)
        if given and not (_follows(at, last) if given == number else at in ("", "0", "1", "00", "01", "000", "001")):
            return False
        last = at or (last if given in ("", number) else "")
        number = given or number
    return True


def _gaps(rows: Sequence[Row], group: Grouping, *, day: int) -> bool:
    """Whether many calls go on in rows without a number, of which each holds words and nothing else, below a row with number and day."""
    calls = longer = 0
    headed = alone = False
    for row in rows:
        if _number(row, group):
            headed, alone = bool(row.cells[day].strip()), True
            calls += 1
        elif not headed or not _says_no_more(row, group):
            return False
        else:
            longer += alone
            alone = False
    return longer >= max(_FEWEST_LONGER, calls * _LEAST_LONGER)


def _says_no_more(row: Row | RejectedRow, group: Grouping) -> bool:
    """Whether a row without a number can be nothing but a part of a call. A mapping file says so of all of them."""
    return not group.guessed or not any(cell.strip() for at, cell in enumerate(row.cells) if at not in group.free)


def _follows(order: str, last: str) -> bool:
    return order.isdecimal() and (int(order) == int(last) + 1 if last.isdecimal() else not last and int(order) == 1)


def _number(row: Row | RejectedRow, group: Grouping) -> str:
    given = _cell(row, group.number)
    return "" if is_nothing(given) else given


def _cell(row: Row | RejectedRow, at: int | None) -> str:
    return "" if at is None or at >= len(row.cells) else clean_line(row.cells[at])


def _sheet(row: Row) -> str:
    return row.sheet if isinstance(row, SheetRow) else ""
