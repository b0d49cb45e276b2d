"""Pictures made on the server, as inline SVG, which needs neither script nor inline style: sparklines, bars, and the report's months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from api.words import KIND_TONE
from core.models import Kind
from loop.monthly_report import MonthCount

# The months' chart, and the room around its bars for numbers and names.
_WIDE, _HIGH = 720, 220
_TOP, _BOTTOM, _LEFT = 24, 40, 8
_NUMBER = 18  # as high as a number above its bar: a line in it would strike it out


def sparkline(values: Sequence[int], *, width: int = 120, height: int = 28) -> Markup:
    """A line of values from left to right, its last point marked; hidden from readers, since the numbers stand beside it."""
    if len(values) < 2:
        return Markup("")
    top = max(*values, 1)
    step = (width - 8) / (len(values) - 1)
    points = [(4 + index * step, height - 4 - value / top * (height - 8)) for index, value in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    area = f"{points[0][0]:.1f},{height - 3} {line} {points[-1][0]:.1f},{height - 3}"
    return _svg(
        "sparkline",
        width,
        height,
        f'<polygon class="sparkline-area" points="{area}"/><polyline class="sparkline-line" points="{line}"/>'
        f'<circle class="sparkline-end" cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="2.5"/>',
    )


def bar(share: float, *, width: int = 100, height: int = 8) -> Markup:
    """A bar filled to a share of 1."""
    filled = max(0.0, min(share, 1.0)) * width
    return _svg(
        "bar",
        width,
        height,
        f'<rect class="bar-ground" width="{width}" height="{height}" rx="2"/>'
        f'<rect class="bar-filled" width="{filled:.1f}" height="{height}" rx="2"/>',
    )


def weeks_chart(weeks: Sequence[Mapping[str, Any]], *, width: int = 260, height: int = 64) -> Markup:
    """Bars of weeks under a line of the most that chance explains, those above it in another colour; hidden as sparklines are."""
    if not weeks:
        return Markup("")
    scale = (height - 6) / max(*(max(week["observed"], week["upper"]) for week in weeks), 1)
    step = width / len(weeks)
    bars, bound = [], []
    for place, week in enumerate(weeks):
        tall, x = week["observed"] * scale, place * step
        high = " week-high" if week["observed"] > week["upper"] else ""
        bars.append(f'<rect class="week-bar{high}" x="{x + 1:.1f}" y="{height - tall:.1f}" width="{step - 2:.1f}" height="{tall:.1f}"/>')
        y = height - week["upper"] * scale
        bound += [f"{x:.1f},{y:.1f}", f"{x + step:.1f},{y:.1f}"]
    return _svg("weeks-chart", width, height, f'{"".join(bars)}<polyline class="week-bound" points="{" ".join(bound)}"/>')


def kinds_bar(counts: Mapping[str, int], *, width: int = 120, height: int = 12) -> Markup:
    """A bar cut by 種別, in the order of the enum; with a name that gives the numbers, since colour alone tells nothing."""
    total = sum(counts.values())
    if not total:
        return Markup("")
    parts, x = [], 0.0
    for kind in Kind:
        if share := counts.get(kind.value, 0) / total * width:
            parts.append(f'<rect class="tone-{KIND_TONE[kind]}" x="{x:.1f}" width="{share:.1f}" height="{height}"/>')
            x += share
    said = "、".join(f"{kind.value} {counts[kind.value]:,}件" for kind in Kind if counts.get(kind.value))
    return _svg("kinds-bar", width, height, "".join(parts), name=said)


def months_chart(months: Sequence[MonthCount], *, running: bool) -> Markup:
    """A bar for each month, the last one marked, and a line across it at the same month of the year before; on paper there is no script.

    The table says the same.
    """
    largest = max((count for month in months for count in (month.count, month.last_year) if count is not None), default=0)
    if not largest:
        return Markup("")
    scale = (_HIGH - _TOP - _BOTTOM) / largest
    step = (_WIDE - 2 * _LEFT) / len(months)
    ground = _HIGH - _BOTTOM
    parts = [f'<line class="months-ground" x1="{_LEFT}" x2="{_WIDE - _LEFT}" y1="{ground}" y2="{ground}"/>']
    numbers = []  # above what they would lie under
    for place, month in enumerate(months):
        x, middle = _LEFT + place * step, _LEFT + (place + 0.5) * step
        last = place == len(months) - 1
        year_ago = None if month.last_year is None else ground - month.last_year * scale
        if month.count is not None:
            tall = month.count * scale
            top = ground - tall
            css = "months-bar" + (" months-now" if last else "") + (" months-part" if last and running else "")
            parts.append(f'<rect class="{css}" x="{x + step * 0.18:.1f}" y="{top:.1f}" width="{step * 0.64:.1f}" height="{tall:.1f}"/>')
            foot = year_ago if year_ago is not None and 0 <= top - year_ago < _NUMBER else top
            numbers.append(_text(middle, foot - 5, f"{month.count:,}", "months-number months-detail"))
        if year_ago is not None:
            across = f'x1="{x + step * 0.06:.1f}" x2="{x + step * 0.94:.1f}" y1="{year_ago:.1f}" y2="{year_ago:.1f}"'
            parts.append(f'<line class="months-year-ago" {across}/>')
        # On a phone there is room for every second name alone.
        between = " months-detail" if (len(months) - place) % 2 == 0 else ""
        parts.append(_text(middle, ground + 16, f"{month.month.month}月", f"months-name{between}"))
        if place == 0 or month.month.month == 1:
            parts.append(_text(middle, ground + 32, f"{month.month.year}年", "months-name months-detail"))
    name = "月ごとの声の数。数は、つづく表にあります。"
    return _svg("months-chart", _WIDE, _HIGH, "".join([*parts, *numbers]), name=name, stretched=False)


def _text(x: float, y: float, text: str, css: str) -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'


def _svg(css_class: str, width: int, height: int, content: str, *, name: str = "", stretched: bool = True) -> Markup:
    """``stretched``: the picture fills whatever box the page gives it; without it letters and lines keep their shape."""
    named = f'role="img" aria-label="{escape(name)}"' if name else 'aria-hidden="true"'
    title = f"<title>{escape(name)}</title>" if name else ""
    fit = 'preserveAspectRatio="none" ' if stretched else ""
    # Every part is a number, a name of ours or escaped above.
    return Markup(  # noqa: S704
        f'<svg class="{css_class}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'{fit}focusable="false" {named}>{title}{content}</svg>'
    )
