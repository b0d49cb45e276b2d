"""How long the desk takes with a million voices of which 50,000 are open: on SQLite, with --postgres on PostgreSQL too.

Usage: python bench/desk.py [--voices N] [--requests N] [--postgres | --only-postgres] [--document] [--folder DIR]

One voice in twenty is open. A third of the open ones are in cases with up to three departments and somebody who has them in hand; some of
these are campaigns, folded to one line each. One voice in twenty concerns a second department. 40 departments, 200 members of staff. The
list is asked for through each tab and filter by somebody of 広聴課 and by somebody of a department, then single voices, then the next one
by the link of the page before. At last Chromium presses j on a server of its own process. 95 of 100 requests must be answered in the limit
of their sort; those that aren't are marked.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import keyboard
import timing
from filling import DISTRICTS, SEED, THEMES, drawn, fill
from numpy.random import Generator, default_rng
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient
from timing import Row

from core import db
from core.bulk import RawJson, Same, insert_columns
from core.clock import today, utc_now
from core.models import Case, CasePart, Facet, HumanLabel, Kind, Look, MachineReading, Role, Status, User, Voice

LIST_MS, PAGE_MS, NEXT_MS = 100, 150, 100
OPEN_SHARE, IN_CASES, CAMPAIGNS = 20, 3, 300  # one voice in so many, one open one in so many, groups among a thousand thousand voices
DEPARTMENTS = [f"第{number}課" for number in range(40)]
STAFF = 200
WARM = 3
WORDS = ("段差", "保育園", "収集", "街灯")  # each in a quarter of the texts or more
RARE = ("噴水", "第3橋", "R08-00000077")
CHUNK = 20_000
STATES = (Status.RECEIVED, Status.TRIAGED, Status.ASSIGNED, Status.DRAFTING, Status.IN_APPROVAL)
LINK = re.compile(r'rel="next" href="([^"]+)"')


@dataclass(slots=True)
class Opened:
    """The open work while it is made up: what each voice is, and the rows of cases and parts."""

    voices: dict[int, dict[str, object]] = field(default_factory=dict)
    cases: list[dict[str, object]] = field(default_factory=list)
    parts: list[dict[str, object]] = field(default_factory=list)


def open_work(engine: Engine, count: int, staff: Sequence[int]) -> None:
    """Makes one voice in ``OPEN_SHARE`` open, most of them new ones, with cases, campaigns, parts, readings and what people said."""
    rng = default_rng(SEED)
    wanted = count // OPEN_SHARE
    new = rng.choice(range(count - 2 * wanted + 1, count + 1), wanted * 9 // 10, replace=False)
    old = rng.choice(range(1, count - 2 * wanted + 1), wanted - len(new), replace=False)
    opened = _made_up(sorted({*new.tolist(), *old.tolist()}), count, staff, rng)
    with db.writing(engine) as session:
        insert_columns(session, Case.__table__, _columns(opened.cases), count=len(opened.cases))
        insert_columns(session, CasePart.__table__, _columns(opened.parts), count=len(opened.parts))
        rows = [{"id": number, **values} for number, values in opened.voices.items()]
        for start in range(0, len(rows), CHUNK):
            session.execute(update(Voice), rows[start : start + CHUNK])
        if engine.dialect.name == "postgresql":
            for table in (Case, CasePart):
                session.execute(select(func.setval(func.pg_get_serial_sequence(table.__tablename__, "id"), len(opened.parts) + 1)))
    for start in range(1, count + 1, CHUNK):
        ids = list(range(start, min(start + CHUNK, count + 1)))
        with db.writing(engine) as session:
            _said(session, ids, opened, staff, rng)


def _made_up(numbers: Sequence[int], count: int, staff: Sequence[int], rng: Generator) -> Opened:
    opened = Opened()
    for number in numbers:
        late = timedelta(days=int(rng.integers(-20, 15)))
        state = STATES[int(rng.choice(len(STATES), p=(0.4, 0.3, 0.15, 0.1, 0.05)))]
        opened.voices[number] = {"status": state, "is_open": True, "folded": False, "due_on": today() + late, "case_id": None}
    in_cases = list(rng.permutation(numbers)[: len(numbers) // IN_CASES])
    campaigns = max(1, CAMPAIGNS * count // 1_000_000)
    sizes = [2 + int(size) for size in rng.exponential(18, campaigns)]
    while in_cases:
        size = sizes.pop() if sizes else 1 + int(rng.random() < 0.1)
        _begin(opened, [int(number) for number in in_cases[:size]], staff, rng)
        del in_cases[:size]
    return opened


def _begin(opened: Opened, members: Sequence[int], staff: Sequence[int], rng: Generator) -> None:
    case_id, now = len(opened.cases) + 1, utc_now()
    lead = min(members, key=lambda number: (opened.voices[number]["due_on"], number))
    status = opened.voices[lead]["status"]
    departments = [DEPARTMENTS[int(place)] for place in rng.choice(len(DEPARTMENTS), 1 + int(rng.integers(0, 3)), replace=False)]
    for number in members:
        opened.voices[number] |= {"case_id": case_id, "status": status, "folded": number != lead}
        opened.voices[number] |= {"department": departments[0], "related": departments[1:]}
    opened.cases.append(
        {"id": case_id, "version": 1, "lead_id": lead, "status": status, "opened_at": now, "changed_at": now, "forwarded_to": ""}
    )
    for place, department in enumerate(departments):
        person = staff[int(rng.integers(0, len(staff)))] if status is not Status.RECEIVED else None
        part = {"case_id": case_id, "department": department, "is_lead": place == 0, "assignee_id": person, "added_at": now}
        asked = {"asked_at": now if place else None, "due_on": opened.voices[lead]["due_on"] if place else None}
        empty = {"version": 1, "passages": [], "asked": "", "reply": "", "return_reason": ""}
        opened.parts.append({"id": len(opened.parts) + 1, **part, **asked, **empty})


def _said(session: Session, ids: Sequence[int], opened: Opened, staff: Sequence[int], rng: Generator) -> None:
    """What the machine said of voices, whom else they concern, and for those that are in hand what people said and who looked."""
    label = RawJson('["x",0.8,[["y",0.1]],[["歩道",0.6,0,2]]]')
    said = {facet.value: Same(label) for facet in Facet}
    insert_columns(
        session, MachineReading.__table__, {"voice_id": ids, **said, "model": Same("bench"), "created_at": Same(utc_now())}, count=len(ids)
    )
    concerned = [number for number in ids if number % 20 == 0 and "related" not in opened.voices.get(number, {})]
    session.execute(
        update(Voice),
        [{"id": number, "related": [name]} for number, name in zip(concerned, drawn(rng, DEPARTMENTS, len(concerned)), strict=True)],
    )
    decided = [number for number in ids if number not in opened.voices or opened.voices[number]["status"] is not Status.RECEIVED]
    columns = {"voice_id": [number for number in decided for _ in Facet], "facet": [facet for _ in decided for facet in Facet]}
    common = {"value": Same("x"), "machine_value": Same("x"), "user_id": Same(staff[0]), "created_at": Same(utc_now())}
    insert_columns(session, HumanLabel.__table__, {**columns, **common}, count=len(columns["voice_id"]))
    looked = [number for number in ids if number in opened.voices]
    persons = [staff[number % len(staff)] for number in looked]
    insert_columns(session, Look.__table__, {"user_id": persons, "voice_id": looked, "seen_at": Same(utc_now())}, count=len(looked))


def _columns(rows: Sequence[dict[str, object]]) -> dict[str, list[object]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def staff_of(engine: Engine) -> list[User]:
    """The members of staff: the first of 広聴課, the others of a department each in turn."""
    with db.writing(engine) as session:
        common = {"password_hash": "", "created_at": utc_now()}
        people = [User(username="kocho", display_name="計測", role=Role.KOCHO, department="広聴課", **common)]
        people += [
            User(
                username=f"bench{number}", display_name=f"計測{number}", role=Role.DEPARTMENT, department=DEPARTMENTS[number % 40], **common
            )
            for number in range(1, STAFF)
        ]
        session.add_all(people)
    return people


def _period(rng: random.Random) -> str:
    since = date(2026, 9, 30) - timedelta(days=rng.randrange(60))
    return f"since={since - timedelta(days=rng.randrange(30))}&until={since}"


LISTS: dict[str, Callable[[random.Random], str]] = {
    "/desk": lambda _: "",
    "/desk?tab=mine": lambda _: "tab=mine",
    "/desk?tab=department": lambda _: "tab=department",
    "/desk?tab=asked": lambda _: "tab=asked",
    "/desk?tab=due": lambda _: "tab=due",
    "/desk?tab=all": lambda _: "tab=all",
    "/desk?order=due": lambda _: "order=due",
    "/desk?theme=": lambda rng: f"theme={quote(rng.choice(THEMES))}",
    "/desk?tab=all&theme=": lambda rng: f"tab=all&theme={quote(rng.choice(THEMES))}",
    "/desk?kind=": lambda rng: f"kind={quote(rng.choice(list(Kind)))}",
    "/desk?department=": lambda rng: f"department={quote(rng.choice(DEPARTMENTS))}",
    "/desk?tab=all&department=": lambda rng: f"tab=all&department={quote(rng.choice(DEPARTMENTS))}",
    "/desk?tab=due&department=": lambda rng: f"tab=due&department={quote(rng.choice(DEPARTMENTS))}",
    "/desk?district=": lambda rng: f"district={quote(rng.choice(DISTRICTS))}",
    "/desk?tab=all&district=": lambda rng: f"tab=all&district={quote(rng.choice(DISTRICTS))}",
    "/desk?since=&until=": _period,
    "/desk?tab=all&since=&until=": lambda rng: f"tab=all&{_period(rng)}",
    "/desk?q= (often)": lambda rng: f"q={quote(rng.choice(WORDS))}",
    "/desk?tab=all&q= (often)": lambda rng: f"tab=all&q={quote(rng.choice(WORDS))}",
    "/desk?q= (never)": lambda rng: f"q={quote(rng.choice(RARE))}",
    "/desk?tab=all&q= (never)": lambda rng: f"tab=all&q={quote(rng.choice(RARE))}",
    "/desk?theme=&district=&q=": lambda rng: (
        f"theme={quote(rng.choice(THEMES))}&district={quote(rng.choice(DISTRICTS))}&q={quote(WORDS[0])}"
    ),
}


def measure(url: str, folder: Path, *, voices: int, count: int) -> list[Row]:
    """Fills a database with voices and open work, and asks for lists, for single voices and for the next one."""
    engine = db.connect(url)
    db.upgrade(engine)
    fill(engine, voices, departments=DEPARTMENTS)
    people = staff_of(engine)
    began = time.perf_counter()
    open_work(engine, voices, [person.id for person in people])
    timing.settle(engine)
    with db.reading(engine) as session:
        lines = session.scalar(select(func.count()).select_from(Voice).where(Voice.is_open, ~Voice.folded)) or 0
        cases = session.scalar(select(func.count()).select_from(Case)) or 0
        numbers = session.scalars(select(Voice.receipt_number).where(Voice.is_open).order_by(Voice.content_hash)).all()
        own = session.scalars(
            select(Voice.receipt_number).where(Voice.is_open, Voice.department == people[3].department).order_by(Voice.content_hash)
        ).all()
    spent = time.perf_counter() - began
    print(f"\n{engine.dialect.name}: {voices:,} voices, {len(numbers):,} open in {lines:,} lines, {cases:,} cases, made in {spent:,.1f} s")
    found: list[Row | None] = []
    with timing.application(url, folder) as sign_in:
        for who, person, seen in (("広聴課", people[0], numbers), ("所管課", people[3], own)):
            print(f"-- {who}", flush=True)
            client = sign_in(person)
            database = f"{engine.dialect.name}、{who}"

            def ask(address: str, requests: Sequence[str], limit: int, client: TestClient = client, database: str = database) -> None:
                found.append(timing.asked(client, requests, warm=WARM, database=database, address=address, limit=limit))

            for address, query in LISTS.items():
                rng = random.Random(SEED)  # noqa: S311
                ask(address, [f"/desk?{query(rng)}" for _ in range(WARM + count)], LIST_MS)
            ask("/desk/{receipt_number}", [f"/desk/{number}" for number in _some(seen, WARM + count)], PAGE_MS)
            ask("/desk/{receipt_number} (all)", [f"/desk/{number}?tab=all" for number in _some(seen, WARM + count)], PAGE_MS)
            for name, start in (("next voice", "/desk"), ("next voice (due)", "/desk?tab=due")):
                ask(name, list(_following(client, start, WARM + count)), NEXT_MS)
    engine.dispose()
    database = f"{engine.dialect.name}、Chromium"
    found += keyboard.next_voices(url, folder, people[0], count=count, warm=WARM, database=database, limit=NEXT_MS)
    return [row for row in found if row]


def _some(numbers: Sequence[str], count: int) -> list[str]:
    return random.Random(SEED).choices(numbers, k=count)  # noqa: S311


def _following(client: TestClient, start: str, count: int) -> Iterator[str]:
    """The addresses of the voices of a list, from its first one on, each by the link of the page before."""
    found = re.search(r'href="(/desk/R08-[^"]+)"', client.get(start).text)
    for _ in range(count):
        if found is None:
            return
        address = found[1].replace("&amp;", "&")
        yield address
        found = LINK.search(client.get(address).text)


def table(rows: Sequence[Row], voices: int) -> str:
    """The figures for the document."""
    text = f"声 {voices:,} 件、うち未対応 {voices // OPEN_SHARE:,} 件。95 % の要求が、一覧は {LIST_MS} ms、声の画面は {PAGE_MS} ms、"
    text += f"次の声は {NEXT_MS} ms に収まることを求める。"
    head = ["| データベース、だれ | 画面 | 中央値 | 95 % | 最大 |", "|---|---|--:|--:|--:|"]
    return "\n".join([text, "", *head, *(row.line() for row in rows)])


if __name__ == "__main__":
    timing.run("desk", measure, table, requests=60)
