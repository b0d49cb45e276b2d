"""The report's plots as plain plotly figures (data and layout); plotly.js in the page draws them. Each has a table of the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Figure = dict[str, Any]

# Colours of デジタル庁デザインシステム that stay apart for the colour-blind; marks differ in shape too.
COLOURS = ("#0017c1", "#c74700", "#197a4b", "#8b1cba", "#626264")
_SHAPES = ("circle", "square", "diamond", "triangle-up", "x")
_FONT = '"Noto Sans JP", "Noto Sans CJK JP", "Hiragino Sans", "BIZ UDPGothic", Meiryo, sans-serif'
_GRID = "#d8d8db"


def _layout(*, height: int = 380, **parts: Any) -> Figure:
    axis = {"gridcolor": _GRID, "zerolinecolor": _GRID, "linecolor": "#626264", "automargin": True}
    layout: Figure = {
        "font": {"family": _FONT, "size": 13, "color": "#1a1a1c"},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "margin": {"l": 48, "r": 12, "t": 12, "b": 44},
        "height": height,
        "legend": {"orientation": "h", "y": -0.24, "x": 0},
        "hovermode": "closest",
    }
    for name in ("xaxis", "yaxis"):
        layout[name] = axis | parts.pop(name, {})
    return layout | parts


def _percent(title: str, **parts: Any) -> Figure:
    return {"title": {"text": title}, "tickformat": ".0%"} | parts


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    x: str,
    y: str,
    percent_x: bool = False,
    level: float | None = None,
    spread: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Curves with marks, one colour and shape each; ``level`` draws a dotted line across, ``spread`` bars up and down."""
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": [point[0] for point in points],
            "y": [point[1] for point in points],
            "line": {"color": COLOURS[place % len(COLOURS)], "width": 2},
            "marker": {"symbol": _SHAPES[place % len(_SHAPES)], "size": 8},
            "cliponaxis": False,
            **({"error_y": {"type": "data", "array": list(spread[name]), "thickness": 1}} if spread and name in spread else {}),
        }
        for place, (name, points) in enumerate(series.items())
    ]
    across = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level, "line": {"dash": "dot", "color": "#626264"}}
    xaxis = _percent(x, range=[0, 1.03]) if percent_x else {"title": {"text": x}, "rangemode": "tozero"}
    return {
        "data": data,
        "layout": _layout(xaxis=xaxis, yaxis=_percent(y, range=[0, 1.03]), shapes=[] if level is None else [across]),
    }


def reliability(series: Mapping[str, Sequence[tuple[float, float, int]]]) -> Figure:
    """Confidence against hit rate, the marks as large as their bins; the diagonal is what confidence promises."""
    data: list[Figure] = [
        {"type": "scatter", "mode": "lines", "name": "確信度どおり", "x": [0, 1], "y": [0, 1], "line": {"dash": "dot", "color": "#626264"}}
    ]
    for place, (name, points) in enumerate(series.items()):
        most = max(count for *_, count in points)
        sizes = [8 + 16 * (count / most) ** 0.5 for *_, count in points]
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": [confidence for confidence, *_ in points],
                "y": [accuracy for _, accuracy, _ in points],
                "text": [f"{count} 件" for *_, count in points],
                "line": {"color": COLOURS[place], "width": 2},
                "marker": {"symbol": _SHAPES[place], "size": sizes},
            }
        )
    return {"data": data, "layout": _layout(xaxis=_percent("確信度", range=[0, 1.03]), yaxis=_percent("正解率", range=[0, 1.05]))}


def bars(names: Sequence[str], series: Mapping[str, Sequence[float]]) -> Figure:
    """Lying bars of shares between 0 and 1, grouped; the first name on top."""
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": list(names),
            "x": list(values),
            "marker": {"color": COLOURS[place % len(COLOURS)]},
        }
        for place, (name, values) in enumerate(series.items())
    ]
    height = 110 + len(names) * (14 + 18 * len(series))
    # The legend stands above: below, it would stray with the height.
    legend = {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0}
    yaxis = {"autorange": "reversed", "gridcolor": "#ffffff"}
    margin = {"l": 48, "r": 12, "t": 40, "b": 44}
    layout = _layout(height=height, barmode="group", xaxis=_percent("", range=[0, 1.02]), yaxis=yaxis, legend=legend, margin=margin)
    return {"data": data, "layout": layout}


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Figure:
    """Given labels downwards, said ones across; the shade is the share of the row, the number the count."""
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    return {
        "data": [
            {
                "type": "heatmap",
                "x": list(labels),
                "y": list(labels),
                "z": shares,
                "text": [[str(count) if count else "" for count in row] for row in counts],
                "texttemplate": "%{text}",
                "zmin": 0,
                "zmax": 1,
                "colorscale": [[0, "#ffffff"], [0.15, "#d9e6ff"], [1, "#0017c1"]],
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
                "hovertemplate": "正解 %{y}<br>判定 %{x}<br>%{text} 件（%{z:.0%}）<extra></extra>",
            }
        ],
        "layout": _layout(
            height=150 + 30 * len(labels),
            xaxis={"side": "bottom", "tickangle": -90, "type": "category"},
            yaxis={"autorange": "reversed", "type": "category"},
        ),
    }
