"""What the address of a trends page says: a named period or one from day to day, ending on the newest day of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from api.desk.view import DeskQuery
from api.fields import Address, Day, Place
from core.errors import InputError
from core.months import shifted
from loop.periods import Period, Preset, named

PRESETS = {Preset.FOUR_WEEKS: "直近4週", Preset.THREE_MONTHS: "直近3か月", Preset.YEAR: "直近12か月", Preset.ALL: "全期間"}


class TrendsQuery(Address):
    """``since`` or ``until``, when given, win over the named period."""

    period: Preset = Preset.THREE_MONTHS
    since: Day = None
    until: Day = None
    after: Place = ""
    before: Place = ""


@dataclass(frozen=True, slots=True)
class TrendsView:
    """A period in force. ``whole`` is that of the data; ``compare``: whether a period before it can be told."""

    query: TrendsQuery
    whole: Period
    period: Period

    @classmethod
    def of(cls, query: TrendsQuery, *, whole: Period) -> TrendsView:
        """The view that an address means for data of a span.

        Raises:
            InputError: the period ends before it begins.
        """
        if query.since is None and query.until is None:
            return cls(query, whole, named(query.period, first=whole.since, last=whole.until))
        since, until = query.since or whole.since, query.until or whole.until
        if since > until:
            raise InputError("期間の終わりが、始まりより前です。", hint="「から」と「まで」の日付を入れかえてください。")
        # Beyond the data there is nothing to count, and a chart of empty centuries helps nobody.
        since = min(max(since, whole.since), whole.until)
        return cls(query, whole, Period(since, max(min(until, whole.until), since)))

    @property
    def custom(self) -> bool:
        return self.query.since is not None or self.query.until is not None

    @property
    def compare(self) -> bool:
        """Whether the period before lies within the data; else a change would only say that the data began."""
        return self.period.before().since >= self.whole.since

    @property
    def period_query(self) -> str:
        """The query string that carries this period to another page."""
        return TrendsQuery(period=self.query.period, since=self.query.since, until=self.query.until).query()

    def address(self, path: str, **changes: Any) -> str:
        """A trends page with this period, some fields changed."""
        return path + self.query.query(**{"after": "", "before": "", **changes})

    def desk(self, **filters: Any) -> str:
        """The desk's list of the voices behind a number of this period."""
        return "/desk" + DeskQuery().query(tab="all", since=self.period.since, until=self.period.until, **filters)

    def step_name(self, step: date) -> str:
        """A step of the chart in words; a month that the period cuts says so."""
        if self.period.weekly:
            return f"{step.month}/{step.day}の週"
        whole = self.period.since <= step and shifted(step, 1) <= self.period.until + timedelta(days=1)
        return f"{step.year}年{step.month}月" + ("" if whole else "（途中）")


def steps_table(view: TrendsView, columns: Mapping[str, Mapping[date, int]]) -> dict[str, Any]:
    """A chart's table: the counts of each column by the steps of the period."""
    steps = view.period.steps()
    return {
        "unit": "週" if view.period.weekly else "月",
        "columns": list(columns),
        "rows": [(view.step_name(step), [counts.get(step, 0) for counts in columns.values()]) for step in steps],
    }
