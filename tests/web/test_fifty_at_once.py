"""Fifty people act at the same moment on the same twenty cases, over HTTP on a real server, on both kinds of database."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import httpx
from sqlalchemy import func, select

from core import audit, db, facts
from core.models import Case, CaseEvent, Role, User, Voice
from core.settings import Settings
from tests import factories
from tests.e2e.conftest import serving

CLIENTS, CASES, ACTS = 50, 20, 6
DEPARTMENTS = ("道路維持課", "公園緑地課", "ごみ減量課")


@dataclass(frozen=True)
class Told:
    """What one request was answered: the cases it named with the versions that were seen, and the status."""

    act: str
    seen: tuple[tuple[str, int], ...]
    status: int


def body_of(act: str, chance: random.Random) -> dict[str, Any]:
    details: dict[str, dict[str, Any]] = {
        "assign": {"department": chance.choice(DEPARTMENTS)},
        "close": {"reason": chance.choice(("noted", "unclear"))},
        "reopen": {"reason": "mistake"},
        "relabel": {"facet": "kind", "value": chance.choice(("要望", "苦情", "提案"))},
    }
    return {"act": act, **details.get(act, {})}


def work(address: str, token: str, numbers: list[str], seed: int, start: Barrier) -> list[Told]:
    """Looks at a few cases, then acts on what was seen: as people do who haven't noticed each other."""
    chance = random.Random(seed)  # noqa: S311
    told = []
    with httpx.Client(base_url=address, cookies={"koe_session": token}, timeout=120) as client:
        headers = {"X-CSRF-Token": client.get("/api/v1/session").json()["csrf_token"]}
        start.wait()
        for _ in range(ACTS):
            chosen = chance.sample(numbers, chance.choice((1, 1, 1, 3)))
            seen = tuple((number, client.get(f"/api/v1/cases/{number}").json()["version"]) for number in chosen)
            act = chance.choice(("assign", "close", "reopen", "relabel", "take", "accept"))
            targets = [{"receipt_number": number, "version": version} for number, version in seen]
            answer = client.post("/api/v1/acts", json={**body_of(act, chance), "targets": targets}, headers=headers)
            told.append(Told(act, seen, answer.status_code))
    return told


def test_no_act_is_lost_and_none_is_done_twice(database_url: str, settings: Settings) -> None:
    mine = settings.model_copy(update={"database_url": database_url})
    engine = db.connect(database_url)
    with db.writing(engine) as session:
        numbers = [factories.create_voice(session).receipt_number for _ in range(CASES)]
        users: list[User] = [factories.create_user(session, role=Role.KOCHO) for _ in range(CLIENTS)]
        tokens = [factories.create_token(session, user) for user in users]
    start = Barrier(CLIENTS)
    with serving(mine) as address, ThreadPoolExecutor(CLIENTS) as clients:
        jobs = [clients.submit(work, address, token, numbers, seed, start) for seed, token in enumerate(tokens)]
        told = [one for job in jobs for one in job.result()]
    assert {one.status for one in told} <= {200, 409}
    done = [one for one in told if one.status == 200]
    refused = Counter(one.status for one in told)[409]
    assert len(done) > CASES, "enough that was done"
    assert refused > CASES, "enough that came too late"
    # Nobody changed what somebody else had changed in the meantime: of all who saw a case at one version, one may act on it.
    claims = Counter(claim for one in done for claim in one.seen)
    assert set(claims.values()) == {1}
    acts: dict[str, int] = defaultdict(int)
    for number, _ in claims:
        acts[number] += 1
    with db.reading(engine) as session:
        rows = session.execute(
            select(Voice.receipt_number, Case.version, Voice.status, Case.status).join(Case, Case.id == Voice.case_id)
        ).all()
        assert {number: version for number, version, *_ in rows} == {number: acts[number] for number in acts}
        assert all(of_voice == of_case for *_, of_voice, of_case in rows)
        assert session.scalar(select(func.count(CaseEvent.id))) == sum(acts.values())
        assert audit.verify(session).broken_at is None
        assert not facts.differences(session)
    engine.dispose()
