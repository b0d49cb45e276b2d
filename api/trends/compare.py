"""Two periods side by side: the address, which periods it means, the changes in words, and the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.desk.view import DeskQuery
from api.exports import PERCENT, Export, Format, Sheet, Value
from api.fields import Address, AnyChannel, AnyKind, AnyUrgency, Day, Name, Number
from api.trends.attributes import NAMES, Attribute, Values
from core import facts, memberships
from core.clock import to_tokyo, utc_now
from core.errors import InputError
from core.models import Topic, TopicStatus
from loop import comparisons
from loop.comparisons import Change, Pair
from loop.filters import WITHOUT
from loop.periods import Period

PAIRS = {
    Pair.FISCAL_YEAR: "今年度と前年度",
    Pair.LAST_FISCAL_YEAR: "前年度と前々年度",
    Pair.MONTH: "今月と前年の同じ月",
    Pair.QUARTER: "直近3か月とその前",
}
DRAWN = 12  # values that are drawn: more bars can't be read
TOP = 5
_FILTERS = (
    Attribute.THEME,
    Attribute.KIND,
    Attribute.DEPARTMENT,
    Attribute.DISTRICT,
    Attribute.CHANNEL,
    Attribute.URGENCY,
    Attribute.TOPIC,
)


class ComparePeriods(Address):
    """An attribute over two periods: a named pair, or four days of one's own. At most one of the other attributes narrows it."""

    by: Attribute = Attribute.THEME
    pair: Pair = Pair.FISCAL_YEAR
    since: Day = None
    until: Day = None
    base_since: Day = None
    base_until: Day = None
    theme: Name = ""
    kind: AnyKind = None
    department: Name = ""
    district: Name = ""
    channel: AnyChannel = None
    urgency: AnyUrgency = None
    topic: Number = None


class CompareQuery(ComparePeriods):
    """The page's whole address."""

    format: Format | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two periods and every value's change from ``before`` to ``after``.

    ``before`` is ``None`` where the data begins later; ``cut``: it begins within, so that only a part of the earlier period is counted.
    """

    query: ComparePeriods
    whole: Period
    after: Period
    before: Period | None
    cut: bool
    changes: list[Change]
    values: Values
    ended: frozenset[str]

    @property
    def custom(self) -> bool:
        return any((self.query.since, self.query.until, self.query.base_since, self.query.base_until))

    @property
    def by(self) -> Attribute:
        return self.query.by

    @property
    def same_length(self) -> bool:
        return self.before is not None and self.before.days == self.after.days

    @property
    def total(self) -> Change | None:
        """All voices; ``None`` where there is nothing to compare with."""
        if self.before is None:
            return None
        sums = {"": sum(change.before for change in self.changes)}, {"": sum(change.after for change in self.changes)}
        found = comparisons.compare(*sums, days_before=self.before.days, days_after=self.after.days)
        return found[0] if found else None

    @property
    def grown(self) -> list[Change]:
        """What grew most by the number of voices, as far as chance doesn't explain it."""
        told = [change for change in self.changes if change.told and change.difference > 0]
        return sorted(told, key=lambda change: -change.difference)[:TOP]

    @property
    def fallen(self) -> list[Change]:
        """What fell most, likewise."""
        told = [change for change in self.changes if change.told and change.difference < 0]
        return sorted(told, key=lambda change: change.difference)[:TOP]

    @property
    def new(self) -> list[Change]:
        return [change for change in self.changes if change.is_new and change.value]

    @property
    def gone(self) -> list[Change]:
        return [change for change in self.changes if change.is_gone and change.value]

    def name(self, change: Change) -> str:
        """What a value is called."""
        return self.values.name(self.by, change.value)

    def filters(self) -> dict[str, Any]:
        """The desk's filters that narrow the comparison."""
        return {name: value for name, value in _narrowing(self.query).items() if value is not None}

    def desk(self, period: Period, change: Change | None = None) -> str:
        """The voices behind a number of one of the periods; "" where the desk can't tell them."""
        own = self.values.filter(self.by, change.value) if change is not None else {}
        if own is None:
            return ""
        filters = self.filters() | own
        return "/desk" + DeskQuery().query(tab="all", since=period.since, until=period.until, **filters)

    def address(self, **changes: Any) -> str:
        """This page with some fields changed."""
        return "/trends/compare" + self.query.query(**changes)


def compared(session: Session, query: ComparePeriods, *, whole: Period) -> Compared:
    """The comparison that an address means, for data of a span.

    Raises:
        InputError: a period ends before it begins, or it is narrowed by what isn't counted together.
    """
    narrowing = _narrowing(query)
    _check(query.by, narrowing)
    after, wanted = periods(query, last=whole.until)
    after, before = _within(after, whole) or after, _within(wanted, whole)
    counts = [_counts(session, query.by, narrowing, period) if period else {} for period in (before, after)]
    changes = comparisons.compare(*counts, days_before=before.days, days_after=after.days) if before else []
    ended: Iterable[int] = ()
    if query.by is Attribute.TOPIC:
        ended = session.scalars(select(Topic.id).where(Topic.status == TopicStatus.ENDED))
    return Compared(
        query=query,
        whole=whole,
        after=after,
        before=before,
        cut=before is not None and before != wanted,
        changes=changes,
        values=Values.of(session, [query.by, *(Attribute(name) for name in narrowing)]),
        ended=frozenset(map(str, ended)),
    )


def periods(query: ComparePeriods, *, last: date) -> tuple[Period, Period]:
    """The later and the earlier period of an address; days that are given win over the named pair.

    Raises:
        InputError: one of them ends before it begins.
    """
    after, before = comparisons.named(query.pair, last=last)
    after = _chosen(query.since, query.until, after, "期間")
    if (query.since or query.until) and not (query.base_since or query.base_until):
        before = after.before()
    return after, _chosen(query.base_since, query.base_until, before, "くらべる期間")


def export_of(found: Compared) -> Export:
    """The comparison's file."""
    columns = [
        "項目",
        "件数",
        "くらべる期間の件数",
        "30日あたり",
        "くらべる期間の30日あたり",
        "増減率",
        "比",
        "比の下限",
        "比の上限",
        "p",
        "判定",
    ]
    columns = [
        "項目", "件数", "くらべる期間の件数", "30日あたり", "くらべる期間の30日あたり", "増減率", "比", "比の下限", "比の上限", "p", "判定",
    ]  # fmt: skip
    rows: list[list[Value]] = [
        [
            found.name(change), change.after, change.before, change.after_rate, change.before_rate, change.growth,
            change.ratio.value, change.ratio.low, change.ratio.high, change.ratio.p, verdict(change),
        ]
        for change in found.changes
    ]  # fmt: skip
    moment = to_tokyo(utc_now())
    before = found.before
    conditions: list[tuple[str, Value]] = [
        ("くらべたもの", NAMES[found.by]),
        ("期間の始まり", found.after.since),
        ("期間の終わり", found.after.until),
        ("くらべる期間の始まり", before.since if before else None),
        ("くらべる期間の終わり", before.until if before else None),
        *(
            (NAMES[Attribute(name)], found.values.name(Attribute(name), "" if value == WITHOUT else str(value or "")))
            for name, value in found.filters().items()
        ),
        ("データの最新日", found.whole.until),
        ("件数", sum(change.after for change in found.changes)),
        ("くらべる期間の件数", sum(change.before for change in found.changes)),
        ("書き出した日時", f"{moment:%Y-%m-%d %H:%M}"),
    ]
    shapes = {"増減率": PERCENT, "p": "0.0000", "30日あたり": "0.0", "くらべる期間の30日あたり": "0.0"}
    return Export("trends.compare", f"期間の比較_{NAMES[found.by]}", conditions, [Sheet("比較", columns, rows, shapes)])


def chart_of(found: Compared) -> dict[str, Any]:
    """The largest values of either period, as a table that is drawn."""
    largest = sorted(found.changes, key=lambda change: -max(change.after_rate, change.before_rate))[:DRAWN]
    rates = not found.same_length
    rows = [
        (found.name(each), [round(each.after_rate, 1), round(each.before_rate, 1)] if rates else [each.after, each.before])
        for each in largest
    ]
    unit = "（30日あたり）" if rates else ""
    return {"unit": NAMES[found.by], "columns": [f"この期間{unit}", f"くらべる期間{unit}"], "rows": rows}


def verdict(change: Change) -> str:
    """A change in a word."""
    if change.is_new or change.is_gone:
        word = "新しく出てきた" if change.is_new else "なくなった"
        return word if change.told else f"{word}（偶然の範囲）"
    if not change.told:
        return "偶然の範囲"
    return "増えた" if change.difference > 0 else "減った"


def _narrowing(query: ComparePeriods) -> dict[str, Any]:
    chosen = {attribute.value: getattr(query, attribute.value) for attribute in Attribute}
    return {name: value for name, value in chosen.items() if value not in (None, "")}


def _check(by: Attribute, narrowing: Mapping[str, Any]) -> None:
    if len(narrowing) > 1:
        names = "」「".join(NAMES[Attribute(name)] for name in narrowing)
        raise InputError(f"「{names}」で同時にしぼることはできません。", hint="しぼる項目を一つにしてください。")
    if by.value in narrowing:
        raise InputError(f"「{NAMES[by]}」でくらべながら「{NAMES[by]}」でしぼることはできません。", hint="ちがう項目をえらんでください。")
    if not facts.is_counted([by.value, *narrowing]):
        names = "」と「".join(NAMES[Attribute(name)] for name in (by.value, *narrowing))
        raise InputError(f"「{names}」は、いっしょに数えていません。", hint="ほかの項目をえらんでください。")


def _chosen(since: date | None, until: date | None, otherwise: Period, name: str) -> Period:
    since, until = since or otherwise.since, until or otherwise.until
    if since > until:
        raise InputError(f"「{name}」の終わりが、始まりより前です。", hint="「から」と「まで」の日付を入れかえてください。")
    return Period(since, until)


def _within(period: Period, whole: Period) -> Period | None:
    since, until = max(period.since, whole.since), min(period.until, whole.until)
    return Period(since, until) if since <= until else None


def _counts(session: Session, by: Attribute, narrowing: Mapping[str, Any], period: Period) -> dict[str, int]:
    if not narrowing:
        return facts.totals(session, by.value, since=period.since, until=period.until)
    ((name, value),) = narrowing.items()
    wanted = {"" if value in (0, WITHOUT) else str(value)}
    if name == Attribute.TOPIC and value:
        wanted = {str(number) for number in session.scalars(memberships.family(value))}
    sums: Counter[str] = Counter()
    for (mine, other), number in facts.cross(session, by.value, name, since=period.since, until=period.until).items():
        if other in wanted:
            sums[mine] += number
    return sums
