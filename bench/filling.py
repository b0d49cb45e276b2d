"""A city of many voices for the benches of pages: rows written without any language work.

The voices lie over 24 months, with labels, topics in two levels, readings of opinions and the search index.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import db, facts
from core.bulk import RawJson, Same, insert_columns
from core.clock import utc_now
from core.models import (
    Batch,
    BatchContent,
    BatchStatus,
    Channel,
    FaqCount,
    FaqEntry,
    Kind,
    Opinion,
    Status,
    Topic,
    TopicMembership,
    TopicRun,
    Urgency,
    Voice,
)
from nlp import postings
from nlp.opinions import Polarity, Side, version
from nlp.similar import terms

SEED = 20261122
CHUNK = 20_000
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


def fill(engine: Engine, count: int, *, departments: Sequence[str] = DEPARTMENTS) -> None:
    """Writes topics, voices and what hangs on them, and counts them. The ids of the voices are 1 to ``count``, the oldest first."""
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
            _write(session, ids, count, batch_id, run_id, rng, departments)
    with db.writing(engine) as session:
        sizes = dict(session.execute(select(TopicMembership.topic_id, func.count()).group_by(TopicMembership.topic_id)).all())
        for topic in session.scalars(select(Topic)):
            topic.size = sizes.get(topic.id, 0)
        for topic in session.scalars(select(Topic).where(Topic.parent_id.is_not(None))):
            session.get_one(Topic, topic.parent_id).size += topic.size
    began = time.perf_counter()
    facts.rebuild(engine)
    print(f"all counts made anew in {time.perf_counter() - began:,.1f} s", flush=True)


def _write(
    session: Session, ids: Sequence[int], count: int, batch_id: int, run_id: int, rng: np.random.Generator, departments: Sequence[str]
) -> None:
    number = len(ids)
    now = utc_now()
    theme, kind = drawn(rng, THEMES, number), drawn(rng, list(Kind), number)
    days = [FIRST + timedelta(days=DAYS * (voice - 1) // count) for voice in ids]
    # A topic has most of its voices in one theme; one in ten voices is in その他の声, one in fifty in none yet.
    place = rng.integers(0, 4, number)
    topic = [1 + (THEMES.index(theme[row]) * 4 + int(place[row])) % LEAVES for row in range(number)]
    rest, none = rng.random(number) < 0.1, rng.random(number) < 0.02
    voices: dict[str, Any] = {
        "id": ids, "receipt_number": [f"R08-{voice:08d}" for voice in ids], "external_id": [str(voice) for voice in ids],
        "batch_id": Same(batch_id), "row": ids, "content_hash": [f"{voice:064x}" for voice in ids],
        "channel": drawn(rng, list(Channel), number), "received_on": days,
        "text": ["".join(_sentences(voice)) for voice in ids],
        "district": drawn(rng, DISTRICTS, number), "theme": theme, "kind": kind, "urgency": Same(Urgency.NORMAL),
        "department": [_department(own, departments, rng) for own in theme], "confidence": Same(0.8),
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
    postings.write_new(
        session, ids, [" ".join(dict.fromkeys(term for sentence in _sentences(voice) for term in terms(sentence))) for voice in ids]
    )


def _sentences(voice: int) -> list[str]:
    return [SENTENCES[(voice + more) % 4] for more in range(1 + voice % 4)]


def _department(theme: str, departments: Sequence[str], rng: np.random.Generator) -> str:
    first = THEMES.index(theme) * len(departments) // len(THEMES)
    return departments[(first + int(rng.integers(0, 3))) % len(departments)]


def drawn(rng: np.random.Generator, values: Sequence[Any], number: int) -> list[Any]:
    """Values of which the first are the commonest (Zipf)."""
    weights = 1 / np.arange(1, len(values) + 1)
    return [values[place] for place in rng.choice(len(values), number, p=weights / weights.sum())]


def _said(topic: int, predicate: int) -> str:
    spans = {"topic_span": [0, 2], "predicate_span": [3, 5]}
    said = {"topic": PAIRS[0][topic], "predicate": PAIRS[1][predicate], "polarity": Polarity.NEGATIVE, **spans}
    return json.dumps([said], ensure_ascii=False)
