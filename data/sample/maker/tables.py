"""CSV の書きだし: 電話の受付簿と、市民の声。"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .answers import answer, call_reply, subject_of
from .models import Record, by_time
from .settings import CALL_FILE, END, N_DUPLICATES, VOICE_FILE
from .timeline import fiscal, slashed, wareki
from .truth import Line, truth_line
from .workshop import Workshop

CALL_HEADINGS = ["受付番号", "受付日時", "受付方法", "区", "問合せ内容", "応答内容", "所管課", "種別"]
VOICE_HEADINGS = [
    *["管理番号", "受付日", "受付媒体", "件名", "ご意見", "回答", "回答日", "所管課"],
    *["地区", "氏名", "電話番号", "メール", "住所", "年代", "性別", "公開"],
]
BROKEN = b"\x81\x30"
"""CP932 では文字にならない2バイト。"""


def csv_bytes(rows: Sequence[Sequence[Any]], encoding: str, newline: str) -> bytes:
    """CSV の中身をバイト列にする。"""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=newline).writerows(rows)
    return buffer.getvalue().encode(encoding)


# 電話の受付簿 ------------------------------------------------------------------------------


def write_calls(shop: Workshop, records: list[Record], out: Path) -> tuple[list[Line], list[Line]]:
    """call_log_cp932.csv を書く。読めない行を6つまぜる。返り値は (正解, 読めない行)。"""
    serial: Counter[int] = Counter()
    rows: list[tuple[Record, list[str]]] = []
    for record in by_time(records):
        year = fiscal(record.day)
        serial[year] += 1
        record.external_id = f"C{year}-{serial[year]:05d}"
        rows.append((record, _call_row(shop, record)))
    specs = shop.material.bad_rows
    spots = sorted(shop.rng.sample(range(200, len(rows) - 200), len(specs)))
    broken = {spot: (f"X-{n:02d}", spec) for n, (spot, spec) in enumerate(zip(spots, specs, strict=True), start=1)}
    table: list[bytes] = [csv_bytes([CALL_HEADINGS], "cp932", "\r\n")]
    truth: list[Line] = []
    bad: list[Line] = []
    for i, (record, cells) in enumerate(rows):
        if i in broken:
            number, spec = broken[i]
            filled = [str(cell).replace("{id}", number) for cell in spec["cells"]]
            table.append(csv_bytes([filled], "cp932", "\r\n").replace(b"@@", BROKEN))
            bad.append({"file": CALL_FILE, "row": len(table), "external_id": number, "reason": spec["reason"]})
        table.append(csv_bytes([cells], "cp932", "\r\n"))
        record.row = len(table)
        truth.append(truth_line(shop, record, CALL_FILE))
    (out / CALL_FILE).write_bytes(b"".join(table))
    return truth, bad


def _call_row(shop: Workshop, record: Record) -> list[str]:
    rng = shop.rng
    reply = call_reply(shop, record)
    return [
        record.external_id,
        slashed(record.day, record.clock),
        record.channel,
        record.district if rng.random() < 0.88 else "",
        record.text,
        reply,
        shop.department(record.core)["name"] if rng.random() < 0.97 else "",
        record.core.kind,
    ]


# 市民の声 ----------------------------------------------------------------------------------


def write_voices(shop: Workshop, records: list[Record], out: Path) -> tuple[list[Line], list[Line]]:
    """voices_utf8bom.csv を書く。まったく同じ行を12まぜる。返り値は (正解, 重なり)。"""
    serial: Counter[int] = Counter()
    rows: list[tuple[Record, list[str]]] = []
    for record in by_time(records):
        year = fiscal(record.day)
        serial[year] += 1
        record.external_id = f"R{year - 2018}-{serial[year]:04d}"
        rows.append((record, _voice_row(shop, record)))
    plain = [i for i, (r, _) in enumerate(rows) if not r.campaign and not r.surge]
    for i in sorted(shop.rng.sample(plain, N_DUPLICATES), reverse=True):
        rows.insert(i + shop.rng.randint(1, 4), rows[i])
    truth: list[Line] = []
    duplicates: list[Line] = []
    first: dict[str, int] = {}
    for row, (record, _) in enumerate(rows, start=2):
        record.row = row
        truth.append(truth_line(shop, record, VOICE_FILE))
        if record.external_id in first:
            duplicates.append({"file": VOICE_FILE, "external_id": record.external_id, "rows": [first[record.external_id], row]})
            shop.seen[record.text] += 1
        first.setdefault(record.external_id, row)
    table = [VOICE_HEADINGS, *(cells for _, cells in rows)]
    (out / VOICE_FILE).write_bytes(csv_bytes(table, "utf-8-sig", "\r\n"))
    return truth, duplicates


def _voice_row(shop: Workshop, record: Record) -> list[str]:
    rng, person = shop.rng, record.person
    reply = reply_day = ""
    if rng.random() < 0.63:
        done = shop.timeline.answer_day(record.day)
        if done <= END:
            reply, reply_day = answer(shop, record), wareki(done, rng)
    known = record.campaign or bool(record.pii) or rng.random() < 0.6
    contact = _contact(shop, record) if known else ["", "", "", ""]
    return [
        record.external_id,
        wareki(record.day, rng),
        record.channel,
        subject_of(shop, record),
        record.text,
        reply,
        reply_day,
        shop.department(record.core)["name"],
        record.district if known or rng.random() < 0.7 else "",
        *contact,
        person.age if rng.random() < 0.8 else "",
        person.sex if rng.random() < 0.75 else "",
        "可" if rng.random() < 0.72 else "不可",
    ]


def _contact(shop: Workshop, record: Record) -> list[str]:
    """名乗った人の氏名、電話番号、メール、住所。"""
    rng, person = shop.rng, record.person
    by_mail = record.channel in ("Webフォーム", "電子メール")
    return [
        person.full,
        person.phone if rng.random() < 0.6 else "",
        person.email if record.campaign or (by_mail and rng.random() < 0.8) else "",
        person.address if rng.random() < 0.55 else "",
    ]
