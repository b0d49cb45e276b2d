"""Surges in words and as records: what the page, the JSON API, the feed and the command say alike."""

from __future__ import annotations

from datetime import date
from typing import Any

from api.desk.view import DeskQuery
from loop.surge_queries import SurgeLine

_FEW, _MANY = 5, 10  # fewer expected voices than this have a decimal, and so have factors below the other
FACET = {"topic": "話題", "theme": "分野", "district": "地区", "channel": "受付媒体"}


def title(line: SurgeLine) -> str:
    """What rose, and where it rose there alone: 歩道の段差（港地区）."""
    name = line.name or "名前のない話題"
    return f"{name}（{line.surge.by_value}）" if line.surge.by_value else name


def sentence(line: SurgeLine) -> str:
    """Since when and by how much: 6月3日から、予想8件のところ19件（2.4倍）."""
    surge = line.surge
    since = f"{surge.since.month}月{surge.since.day}日"
    if surge.since.year != surge.until.year:
        since = f"{surge.since.year}年{since}"
    if line.factor is None:
        return f"{since}から、予想1件未満のところ{surge.observed:,}件"
    expected = f"{surge.expected:.1f}" if surge.expected < _FEW else f"{surge.expected:,.0f}"
    return f"{since}から、予想{expected}件のところ{surge.observed:,}件（{line.factor:.{1 if line.factor < _MANY else 0}f}倍）"


def places(line: SurgeLine) -> dict[str, list[dict[str, Any]]]:
    """Where it rose, under the Japanese name of each attribute."""
    found: dict[str, list[dict[str, Any]]] = {}
    for place in line.where:
        found.setdefault(FACET[place["facet"]], []).append(place)
    return found


def desk(line: SurgeLine, **more: Any) -> str:
    """The desk's list of the voices of these days."""
    return "/desk" + DeskQuery().query(tab="all", **line.filters(), **more)


def record(line: SurgeLine) -> dict[str, Any]:
    """A surge as programs read it."""
    surge = line.surge
    return {
        "facet": surge.facet, "value": surge.value, "name": line.name, "by_facet": surge.by_facet, "by_value": surge.by_value,
        "since": surge.since.isoformat(), "until": surge.until.isoformat(), "observed": surge.observed, "expected": surge.expected,
        "upper": surge.upper, "factor": None if line.factor is None else round(line.factor, 2), "p": surge.p, "q": surge.q,
        "where": line.where, "weeks": surge.weeks, "voices": [example.receipt_number for example in line.examples],
        "is_campaign": surge.is_campaign, "campaign_id": surge.campaign_id,
    }  # fmt: skip


def too_little(past: int, needed: int) -> str:
    """Why nothing was looked at."""
    return f"急増を調べるには {needed} 日分の声が要ります。いまあるのは {past} 日分です。"


def day_in_words(day: date) -> str:
    """A day as 2026年6月3日."""
    return f"{day.year}年{day.month}月{day.day}日"


def voice(line: SurgeLine, receipt_number: str) -> str:
    """A voice's page that remembers the list of these days."""
    return f"/desk/{receipt_number}" + DeskQuery().query(tab="all", **line.filters())
