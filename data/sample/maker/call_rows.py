"""1件の電話が何行かに分かれた受付簿の書きだし。"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from .answers import call_reply
from .models import Record, by_time
from .settings import CALL_ROWS_FILE, N_CALL_ROWS
from .tables import csv_bytes
from .timeline import fiscal, slashed
from .workshop import Workshop

HEADINGS = ["受付番号", "枝番", "受付日時", "受付方法", "区", "発話者", "発話内容", "所管課"]


def write_call_rows(shop: Workshop, weights: list[float], out: Path) -> None:
    """calls_by_row.csv を書く。ほかのファイルのあとに呼べば、ほかのファイルは変わらない。"""
    serial: Counter[int] = Counter()
    rows = [HEADINGS]
    for record in by_time(shop.everyday_records("call", N_CALL_ROWS, weights)):
        year = fiscal(record.day)
        serial[year] += 1
        record.external_id = f"T{year}-{serial[year]:04d}"
        rows += _rows(shop, record)
    (out / CALL_ROWS_FILE).write_bytes(csv_bytes(rows, "cp932", "\r\n"))


def _rows(shop: Workshop, record: Record) -> list[list[str]]:
    asked = re.findall(r"[^。]+。?", record.text.replace("\n", ""))
    said = [*(("市民", piece) for piece in asked), *(("対応者", piece) for piece in call_reply(shop, record).split("\n"))]
    head = [slashed(record.day, record.clock), record.channel, record.district]
    department = shop.department(record.core)["name"]
    return [
        [record.external_id, str(turn), *(head if turn == 1 else ["", "", ""]), who, words, department if turn == 1 else ""]
        for turn, (who, words) in enumerate(said, start=1)
    ]
