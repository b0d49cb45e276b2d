"""How long the trends pages and their JSON take with a million voices: on SQLite, with --postgres on PostgreSQL too.

Usage: python bench/trends.py [--voices N] [--requests N] [--postgres | --only-postgres] [--document] [--folder DIR]

The voices are rows over 24 months with labels, topics in two levels and readings of opinions, written without any language work. Every
GET address under /trends and of the JSON API over topics, surges and FAQ is asked for by a member of staff who is signed in, over all
periods and many topics, in the application itself; nothing is kept between two requests but what the databases keep. A page waits for its
figures, so 95 of 100 requests must be answered in LIMIT_MS; those that aren't are marked. Addresses that want more than a period or a
topic, and that ASKED doesn't know, are told and left out.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import timing
from fastapi.routing import APIRoute
from filling import LEAVES, PARENTS, SEED, fill
from timing import Row

from api.app import ROUTERS
from core import db, facts
from core.clock import utc_now
from core.models import Role, User

LIMIT_MS = 300
PERIODS = ("4w", "3m", "12m", "all")
# What an address wants beside the period; FAQ pages have other periods by name.
ASKED = {"/trends/topics/{topic_id}/opinions": "&stance=どちらでもない"}
OWN_PERIODS = {"/trends/faq": ("newest", "3m", "12m", "all"), "/api/v1/faq": ("newest", "3m", "12m", "all")}
UNDER = re.compile(r"/trends(/|$)|/api/v1/(topics|trends|surges|faq)(/|$)")


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
    timing.settle(engine)
    database = engine.dialect.name
    print(f"\n{database}: {voices:,} voices; their topics counted anew in {recounted:,.1f} s", flush=True)
    with db.writing(engine) as session:
        user = User(username="bench", display_name="計測", role=Role.KOCHO, department="広聴課", password_hash="", created_at=utc_now())
        session.add(user)
    warm = len(PERIODS)  # the first of each period
    with timing.application(url, folder) as sign_in:
        client = sign_in(user)
        rows = [
            timing.asked(
                client, [*requests(address, warm), *requests(address, count)], warm=warm, database=database, address=address, limit=LIMIT_MS
            )
            for address in addresses()
        ]
    engine.dispose()
    return [row for row in rows if row]


def table(rows: Sequence[Row], voices: int) -> str:
    """The figures for the document."""
    head = ["| データベース | 画面・API | 中央値 | 95 % | 最大 |", "|---|---|--:|--:|--:|"]
    return "\n".join([f"声 {voices:,} 件。95 % の要求が {LIMIT_MS} ms に収まることを求める。", "", *head, *(row.line() for row in rows)])


if __name__ == "__main__":
    timing.run("trends", measure, table, requests=100)
