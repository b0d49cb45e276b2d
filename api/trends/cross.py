"""A cross table of two attributes: its address, its cells in words, and its file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from api.exports import PERCENT, Export, Format, Sheet, Value
from api.trends.attributes import NAMES, Attribute, Values
from api.trends.view import TrendsQuery, TrendsView
from core import facts
from core.clock import to_tokyo, utc_now
from core.errors import InputError
from loop.cross_tables import CERTAIN, LIKELY, CrossTable, Line, Strength

MOST_ROWS, MOST_COLUMNS = 30, 12
REST = "そのほか"
STRENGTH = {
    Strength.NONE: "ほとんど関係がありません",
    Strength.WEAK: "弱い関係があります",
    Strength.MIDDLING: "中くらいの関係があります",
    Strength.STRONG: "強い関係があります",
}


class Show(StrEnum):
    """What stands in the cells. The value stands in the address."""

    COUNT = "count"
    ROW = "row"
    COLUMN = "column"
    RESIDUAL = "residual"


SHOWN = {Show.COUNT: "件数", Show.ROW: "行の割合", Show.COLUMN: "列の割合", Show.RESIDUAL: "期待からのずれ"}


class CrossPeriod(TrendsQuery):
    """Two attributes over a period. ``everything``: no line is folded; ``valued``: voices without a value are left out."""

    rows: Attribute = Attribute.THEME
    columns: Attribute = Attribute.KIND
    everything: bool = False
    valued: bool = False


class CrossQuery(CrossPeriod):
    """The page's whole address."""

    show: Show = Show.COUNT
    format: Format | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """How a cell differs from what would be expected: a sign for the eye, a word for the ear."""

    sign: str
    word: str
    css: str


_MARKS = (
    (CERTAIN, Mark("▲▲", "期待よりずっと多い", "more-2")),
    (LIKELY, Mark("▲", "期待より多い", "more-1")),
)
_FEWER = (
    (CERTAIN, Mark("▽▽", "期待よりずっと少ない", "fewer-2")),
    (LIKELY, Mark("▽", "期待より少ない", "fewer-1")),
)


def mark_of(residual: float) -> Mark | None:
    """The mark of an adjusted residual; ``None`` within what chance gives, and where there is none."""
    if math.isnan(residual):
        return None
    ladder = _MARKS if residual > 0 else _FEWER
    return next((mark for limit, mark in ladder if abs(residual) > limit), None)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell. ``address`` is that of its voices on the desk, "" where it has none or is of folded lines; ``shown`` what it says."""

    count: int
    shown: str
    mark: Mark | None
    address: str


@dataclass(frozen=True, slots=True)
class Cross:
    """A cross table as a page and a file show it."""

    view: TrendsView
    query: CrossPeriod
    table: CrossTable
    values: Values

    @property
    def marked(self) -> int:
        """How many cells are beyond chance."""
        return int((np.abs(np.nan_to_num(self.table.residuals)) > LIKELY).sum())

    @property
    def cells(self) -> int:
        return int((~np.isnan(self.table.residuals)).sum())

    @property
    def folded(self) -> int:
        """How many lines beyond the largest are folded."""
        return sum(len(line.values) for line in (*self.table.rows, *self.table.columns) if line.folded)

    @property
    def kept(self) -> dict[str, str]:
        """What the address says beside the period."""
        said = self.query.model_dump(mode="json", exclude_defaults=True, exclude={"period", "since", "until", "format"})
        return {name: "true" if value is True else str(value) for name, value in said.items()}

    def name(self, line: Line, attribute: Attribute) -> str:
        """What a line is called."""
        return f"{REST}（{len(line.values):,}）" if line.folded else self.values.name(attribute, line.value)

    def row_names(self) -> list[str]:
        return [self.name(line, self.query.rows) for line in self.table.rows]

    def column_names(self) -> list[str]:
        return [self.name(line, self.query.columns) for line in self.table.columns]

    def address(self, row: Line | None, column: Line | None) -> str:
        """The voices of a cell, a row or a column on the desk; "" where the desk can't tell them, as of folded lines."""
        filters: dict[str, Any] = {}
        for line, by in ((row, self.query.rows), (column, self.query.columns)):
            if line is None:
                continue
            own = None if line.folded else self.values.filter(by, line.value)
            if own is None:
                return ""
            filters |= own
        return self.view.desk(**filters)

    def grid(self, show: Show) -> list[list[Cell]]:
        """The cells, row by row, in the words of what is shown."""
        return [
            [self._cell(row, column, figure, show) for column, figure in enumerate(figures)]
            for row, figures in enumerate(self.figures(show).tolist())
        ]

    def figures(self, show: Show) -> NDArray[Any]:
        """What is shown, as numbers: counts, shares of the row or the column (0 to 1), or residuals."""
        counts = self.table.counts
        if show is Show.COUNT:
            return counts
        if show is Show.RESIDUAL:
            return self.table.residuals
        return np.asarray(counts / np.maximum(counts.sum(axis=1 if show is Show.ROW else 0, keepdims=True), 1))

    def _cell(self, row: int, column: int, figure: float, show: Show) -> Cell:
        count = int(self.table.counts[row, column])
        address = self.address(self.table.rows[row], self.table.columns[column]) if count else ""
        return Cell(count, _written(figure, show), mark_of(float(self.table.residuals[row, column])), address)


def _written(figure: float, show: Show) -> str:
    if show is Show.COUNT:
        return f"{int(figure):,}"
    if show is Show.RESIDUAL:
        return "－" if math.isnan(figure) else f"{figure:+.1f}"
    return f"{figure * 100:.1f}%"


def cross_of(session: Session, query: CrossPeriod, view: TrendsView) -> Cross:
    """The table that an address means.

    Raises:
        InputError: an attribute against itself, or two that aren't counted together.
    """
    if query.rows is query.columns:
        raise InputError("行と列に、同じ項目がえらばれています。", hint="行と列に、ちがう項目をえらんでください。")
    if not facts.is_counted([query.rows.value, query.columns.value]):
        names = f"「{NAMES[query.rows]}」と「{NAMES[query.columns]}」"
        raise InputError(f"{names}は、いっしょに数えていません。", hint="ほかの項目をえらんでください。")
    counts = facts.cross(session, query.rows.value, query.columns.value, since=view.period.since, until=view.period.until)
    if query.valued:
        counts = {pair: number for pair, number in counts.items() if all(pair)}
    most = (1_000_000, 1_000_000) if query.everything else (MOST_ROWS, MOST_COLUMNS)
    table = CrossTable.of(counts, most_rows=most[0], most_columns=most[1])
    return Cross(view, query, table, Values.of(session, (query.rows, query.columns)))


def export_of(cross: Cross, show: Show) -> Export:
    """The table's file: what is shown comes first."""
    view, query, table = cross.view, cross.query, cross.table
    rows_name, columns_name = NAMES[query.rows], NAMES[query.columns]
    sheets = {each: _sheet(cross, each) for each in Show}
    conditions: list[tuple[str, Value]] = [
        ("表", f"{rows_name} × {columns_name}"),
        *period_conditions(view),
        ("値のないもの", "除く" if query.valued else "含む"),
        ("件数", table.total),
    ]
    if (whole := table.association) is not None:
        conditions += [("カイ二乗", whole.chi_square), ("自由度", whole.degrees), ("p", whole.p), ("クラメールの V", whole.cramers_v)]
    ordered = [sheets[show], *(sheet for name, sheet in sheets.items() if name is not show)]
    return Export("trends.cross", f"クロス集計_{rows_name}×{columns_name}", conditions, ordered)


def period_conditions(view: TrendsView) -> list[tuple[str, Value]]:
    """The conditions that every file of a period tells."""
    moment = to_tokyo(utc_now())
    return [
        ("期間の始まり", view.period.since),
        ("期間の終わり", view.period.until),
        ("データの最新日", view.whole.until),
        ("書き出した日時", f"{moment:%Y-%m-%d %H:%M}"),
    ]


def _sheet(cross: Cross, show: Show) -> Sheet:
    names = cross.column_names()
    columns = [f"{NAMES[cross.query.rows]}＼{NAMES[cross.query.columns]}", *names]
    figures = [[None if math.isnan(figure) else figure for figure in row] for row in cross.figures(show).tolist()]
    rows: list[list[Value]] = [[name, *row] for name, row in zip(cross.row_names(), figures, strict=True)]
    if show is Show.COUNT:
        columns.append("合計")
        rows = [[*row, line.count] for row, line in zip(rows, cross.table.rows, strict=True)]
        rows.append(["合計", *(line.count for line in cross.table.columns), cross.table.total])
    shape = dict.fromkeys(names, PERCENT) if show in (Show.ROW, Show.COLUMN) else {}
    return Sheet(SHOWN[show], columns, rows, shape)
