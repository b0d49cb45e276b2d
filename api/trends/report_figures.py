"""Pictures of the monthly report, made on the server: on paper there is no script."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from loop.monthly_report import MonthCount

_WIDE, _HIGH = 720, 220
_TOP, _BOTTOM, _LEFT = 24, 40, 8


def months_chart(months: Sequence[MonthCount], *, running: bool) -> Markup:
    """A bar for each month, the last one marked, and a line across it at the same month of the year before. The table says the same."""
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
        if month.count is not None:
            tall = month.count * scale
            css = "months-bar" + (" months-now" if last else "") + (" months-part" if last and running else "")
            parts.append(
                f'<rect class="{css}" x="{x + step * 0.18:.1f}" y="{ground - tall:.1f}" width="{step * 0.64:.1f}" height="{tall:.1f}"/>'
            )
            numbers.append(_text(middle, ground - tall - 5, f"{month.count:,}", "months-number months-detail"))
        if month.last_year is not None:
            y = ground - month.last_year * scale
            parts.append(f'<line class="months-year-ago" x1="{x + step * 0.06:.1f}" x2="{x + step * 0.94:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        # On a phone there is room for every second name alone.
        between = " months-detail" if (len(months) - place) % 2 == 0 else ""
        parts.append(_text(middle, ground + 16, f"{month.month.month}月", f"months-name{between}"))
        if place == 0 or month.month.month == 1:
            parts.append(_text(middle, ground + 32, f"{month.month.year}年", "months-name months-detail"))
    name = "月ごとの声の数。数は、つづく表にあります。"
    # Every part is a number, a name of ours or escaped.
    return Markup(  # noqa: S704
        f'<svg class="months-chart" viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(name)}" focusable="false">'
        f"<title>{escape(name)}</title>{''.join([*parts, *numbers])}</svg>"
    )


def _text(x: float, y: float, text: str, css: str) -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'
