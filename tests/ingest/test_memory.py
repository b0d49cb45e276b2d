"""However long a file is, an import holds no more of it than a few chunks."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from nlp.annotation import Annotation, Label
from tests.ingest.conftest import LIST_HEADINGS, Take, list_row, table_bytes
from tests.ingest.mails import MBOX_LINE, mail

RECORDS = 1_000  # more than the 1 MiB that is read at a time
CHUNK = 200
TEXT = "架空町の前の街灯が切れていて、夜は道が暗く、子どもの帰りが心配です。早めに直してください。" * 14


def annotate_lightly(texts: Sequence[str]) -> list[Annotation]:
    """Nothing is looked for: what annotating needs doesn't grow with the file."""
    label = Label("その他", 1.0)
    return [Annotation(text, (), label, label, label, label, label, (), (), (), ("街灯",), "light") for text in texts]


def mask_lightly(texts: Sequence[str]) -> list[tuple[str, tuple[Any, ...]]]:
    return [(text, ()) for text in texts]


def table(records: range) -> Iterator[bytes]:
    yield table_bytes([LIST_HEADINGS], encoding="cp932")
    for number in records:
        row = list_row(str(number), f"{number}番。{TEXT}", 電話番号=f"045-000-{number:04d}") if number % 50 else list_row(str(number), "")
        yield table_bytes([row], encoding="cp932")


def json_lines(records: range) -> Iterator[bytes]:
    for number in records:
        yield json.dumps({"番号": number, "受付日": "2025-04-01", "内容": f"{number}番。{TEXT}"}, ensure_ascii=False).encode() + b"\n"


def box(records: range) -> Iterator[bytes]:
    for number in records:
        yield MBOX_LINE + mail(f"{number}番。{TEXT}").replace(b"\r\n", b"\n").replace(b"<1@", f"<{number}@".encode()) + b"\n\n"


@pytest.mark.parametrize(("name", "write_records"), [("voices.csv", table), ("voices.jsonl", json_lines), ("letters.mbox", box)])
def test_a_file_four_times_as_long_needs_no_more_memory(
    sqlite_engine: Engine, take: Take, tmp_path: Path, name: str, write_records: Callable[[range], Iterator[bytes]]
) -> None:
    def collect(*_: object) -> None:
        """After each chunk: when Python searches for cycles by itself is no matter of the file's length."""
        gc.collect()

    def peak(records: range) -> int:
        path = tmp_path / name
        with path.open("wb") as file:
            file.writelines(write_records(records))
        gc.collect()
        gc.freeze()  # what was there before needn't be searched again and again
        tracemalloc.start()
        try:
            report = take(sqlite_engine, path, annotate=annotate_lightly, mask=mask_lightly, chunk_voices=CHUNK, progress=collect)
            assert report.read == len(records)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            gc.unfreeze()

    peak(range(2 * CHUNK))  # what is made once for a process isn't the file's
    short, long = peak(range(RECORDS, 2 * RECORDS)), peak(range(2 * RECORDS, 6 * RECORDS))
    assert long < 1.15 * short, (short, long)
