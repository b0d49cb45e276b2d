"""How long topics take over many voices, and how much memory: a fit, a second one, and an update with a month's voices.

Usage: python bench/topic_scale.py [--voices N …] [--postgres | --only-postgres] [--first] [--peer N]

The voices are those of bench/intake.py, written into a fresh database without being read; timed are `koe topics fit` and `update` as
commands of their own, start-up included. CPU seconds are those of all processes: what it would take alone on one core. With --peer N
BERTopic's default way, UMAP and then HDBSCAN (scikit-learn's: docs/adr/0014), is timed on the same N vectors, beside what this program
does from there: discovery on the sample and the assignment of all.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import document
import intake
import numpy as np
from sqlalchemy import Engine

from core import db, facts
from core.bulk import Same, insert_columns
from core.clock import utc_now
from core.models import Batch, Voice
from core.settings import get_settings

VOICES = (20_000, 100_000)
MONTH = 12
PEER = 100_000
THEMES = ("道路・交通", "公園・緑地", "ごみ・環境", "子育て・保育", "市政運営・職員")
_CHUNK = 20_000


def texts(count: int) -> Iterator[tuple[int, str]]:
    """The first so many texts, numbered from 1; always the same ones."""
    rng = random.Random(intake.SEED)  # noqa: S311
    for number in range(1, count + 1):
        yield number, intake.call(rng, number)[4]


def fill(database: Engine, rows: list[tuple[int, str]], total: int) -> None:
    """Writes voices whose attributes follow from their numbers."""
    with db.writing(database) as session:
        db.expect_much(session)
        batch = Batch(source_name="bench", source_sha256=f"{rows[0][0]:064x}", mapping="auto", encoding="utf-8", started_at=utc_now())
        session.add(batch)
        session.flush()
        columns: dict[str, Any] = {
            "id": [number for number, _ in rows],
            "receipt_number": [f"R07-{number:07d}" for number, _ in rows],
            "external_id": [f"C{number:07d}" for number, _ in rows],
            "row": [number for number, _ in rows],
            "content_hash": [f"{number:064x}" for number, _ in rows],
            "received_on": [date(2025, 4, 1) + timedelta(days=number * 365 // total) for number, _ in rows],
            "text": [text for _, text in rows],
            "district": [intake.DISTRICTS[number % len(intake.DISTRICTS)] for number, _ in rows],
            "theme": [THEMES[number % len(THEMES)] for number, _ in rows],
            "batch_id": Same(batch.id), "channel": Same("電話"), "kind": Same("要望"), "urgency": Same("通常"), "confidence": Same(0.5),
            "received_at": Same(None), "due_on": Same(None), "created_at": Same(utc_now()),
        }  # fmt: skip
        insert_columns(session, Voice.__table__, columns, count=len(rows))


@dataclass(frozen=True, slots=True)
class Run:
    """One command: its seconds and most memory over all processes, and what it said."""

    database: str
    name: str
    voices: int
    seconds: float
    cpu: float
    megabytes: float
    said: dict[str, Any]

    def __str__(self) -> str:
        return (
            f"{self.database:<11} {self.name:<16} {self.voices:>8,} voices  {self.seconds:>7.1f} s  CPU {self.cpu:>7.1f} s  "
            f"{self.megabytes:>6,.0f} MB  "
            f"topics {self.said['topics']}  placed {self.said['placed']:,}  kept {self.said['kept']}  born {self.said['born']}  "
            f"split {self.said['split']}  merged {self.said['merged']}  ended {self.said['ended']}"
        )


def koe(url: str, *command: str) -> tuple[float, float, float, str]:
    """Seconds, CPU seconds, peak MB and the output of a command."""
    environment = {**os.environ, "KOE_DATABASE_URL": url, "KOE_HOME": str(get_settings().home)}
    began, before = time.perf_counter(), os.times()
    process = subprocess.Popen(
        [sys.executable, "-c", "from api.cli import app; app()", *command],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    peak = intake.Peak(process)
    said, _ = process.communicate()
    after, seconds, megabytes = os.times(), time.perf_counter() - began, peak.stop()
    if process.returncode:
        raise SystemExit(f"koe {' '.join(command)} failed")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, cpu, megabytes, said


def topics_of(url: str, folder: Path) -> dict[str, int]:
    """Each voice's topic."""
    path = folder / "topics.jsonl"
    koe(url, "topics", "export", str(path))
    return {line["external_id"]: line["topic_id"] for line in map(json.loads, path.read_text("utf-8").splitlines())}


def share_kept(before: dict[str, int], after: dict[str, int]) -> float:
    """The share of the voices there before and after whose topic has the same id."""
    both = before.keys() & after.keys()
    return sum(before[voice] == after[voice] for voice in both) / max(len(both), 1)


def measure(count: int, given: argparse.Namespace) -> list[Run]:
    """All but the last twelfth of the voices are fitted twice, that twelfth comes as a month, and all are fitted again."""
    runs = []
    with tempfile.TemporaryDirectory(prefix="koebench", dir=given.folder) as name, intake.databases(Path(name), given) as addresses:
        for kind, url in addresses.items():
            database = db.connect(url)
            db.upgrade(database)
            rows = list(texts(count))
            month = count // MONTH
            for start in range(0, count - month, _CHUNK):
                fill(database, rows[start : min(start + _CHUNK, count - month)], count)
            facts.rebuild(database)
            kept: list[dict[str, int]] = []
            for title, mode in (("fit", "fit"), ("fit again", "fit"), ("update", "update"), ("fit after month", "fit")):
                if mode == "update":
                    fill(database, rows[count - month :], count)
                    facts.rebuild(database)
                seconds, cpu, memory, said = koe(url, "topics", mode, "--json")
                report = json.loads(said.splitlines()[-1])
                runs.append(Run(kind, title, report["voices"], seconds, cpu, memory, report))
                kept.append(topics_of(url, Path(name)))
                told = f"  kept by id {share_kept(kept[-2], kept[-1]):.4f}" if len(kept) > 1 else ""
                print(f"{runs[-1]}{told}", flush=True)
                if given.first:
                    break
            database.dispose()
    return runs


def peer(count: int) -> tuple[float, float]:
    """Seconds from the same vectors to topics: this program's and BERTopic's default."""
    from core import engine
    from nlp.topics.discovery import discover, wanted_topics
    from nlp.topics.grouping import assign, place
    from nlp.topics.reading import SAMPLE, spread
    from nlp.topics.space import Reader, Space
    from nlp.topics.words import Words, words_of
    from nlp.train import ready_lexicon

    settings, rows = get_settings(), list(texts(count))
    chunks = [rows[start : start + 2000] for start in range(0, count, 2000)]
    words = Words.join(engine.map(words_of, chunks, settings=settings))
    sample = spread(words, np.zeros(count, dtype=np.int64), SAMPLE)
    lexicon = ready_lexicon(settings)
    vectors = Reader(Space.fit(words.take(sample), lexicon), words, lexicon).every()
    discover(vectors[:2000])  # compiled
    began = time.perf_counter()
    found = assign(vectors[sample], discover(vectors[sample], wanted=wanted_topics(count)))
    place(vectors, found.centroids)
    ours = time.perf_counter() - began
    print(f"ours on {count:,} vectors: {ours:.1f} s, {len(found.centroids)} topics", flush=True)
    import umap
    from sklearn.cluster import HDBSCAN

    umap.UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", low_memory=False).fit_transform(vectors[:5000])  # compiled
    began = time.perf_counter()
    reduced = umap.UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", low_memory=False).fit_transform(vectors)
    print(f"UMAP: {time.perf_counter() - began:.1f} s", flush=True)
    labels = HDBSCAN(min_cluster_size=10, metric="euclidean", cluster_selection_method="eom").fit_predict(reduced)
    theirs = time.perf_counter() - began
    print(
        f"UMAP and HDBSCAN: {theirs:.1f} s, {labels.max() + 1} topics, {(labels < 0).mean():.1%} unassigned; {theirs / ours:.1f} times ours"
    )
    return ours, theirs


def main() -> None:
    """Measures each size and leaves nothing behind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--voices", type=int, nargs="+", default=list(VOICES))
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--only-postgres", action="store_true")
    parser.add_argument("--first", action="store_true", help="the first fit alone")
    parser.add_argument("--peer", type=int, default=0, help="so many vectors for BERTopic's default way too")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    print(document.processor())
    for count in given.voices:
        measure(count, given)
    if given.peer:
        peer(given.peer)


if __name__ == "__main__":
    main()
