"""Small pictures made on the server: sparklines and bars as inline SVG, which needs neither script nor inline style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from api.words import KIND_TONE
from core.models import Kind


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


def _svg(css_class: str, width: int, height: int, content: str, *, name: str = "") -> Markup:
    named = f'role="img" aria-label="{escape(name)}"' if name else 'aria-hidden="true"'
    title = f"<title>{escape(name)}</title>" if name else ""
    # Every part is a number, a name of ours or escaped above.
    return Markup(  # noqa: S704
        f'<svg class="{css_class}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'preserveAspectRatio="none" focusable="false" {named}>{title}{content}</svg>'
    )
