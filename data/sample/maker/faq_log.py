"""「よくある質問」の参照回数の一覧の書きだし。"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .settings import END, FAQ_FILE
from .tables import csv_bytes
from .workshop import Workshop

_MONTHS = 12


def write_faq(shop: Workshop, out: Path) -> None:
    """faq_log.csv を書く。1行が1問で、見本の終わりまでの12か月が1列ずつ並ぶ。"""
    last = 12 * END.year + END.month - 1
    months = [(index // 12, index % 12 + 1) for index in range(last - _MONTHS + 1, last + 1)]
    head = ["FAQ番号", "質問", "回答", "所管課", *(f"{year}年{month}月" for year, month in months), "合計"]
    rows: list[list[Any]] = [head]
    for turn, entry in enumerate(shop.material.faq, start=1):
        counts = [_views(shop, entry, month) for _, month in months]
        rows.append([f"F-{turn:03d}", entry["question"], entry["answer"], entry["department"], *counts, sum(counts)])
    (out / FAQ_FILE).write_bytes(csv_bytes(rows, "utf-8-sig", "\r\n"))


def _views(shop: Workshop, entry: dict[str, Any], month: int) -> int:
    """その月の回数。多くなる月は2倍半で、あとは1割ほどゆれる。"""
    expected = entry["base"] * (2.5 if month in entry["months"] else 1.0)
    return max(0, round(shop.rng.gauss(expected, expected / 10)))
