"""Several imports at once, in processes of their own: each voice comes in once, and nobody is told of anything but the same file."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from core import audit, db
from core.crypto import Keyring, load_keyring
from core.models import Batch, BatchStatus, CampaignMember, Reject, SearchTerm, Secret, Voice
from core.settings import PROJECT_ROOT, Settings
from ingest.receipts import is_receipt_number
from nlp import likeness, postings
from tests.conftest import new_database
from tests.ingest.conftest import Write
from tests.ingest.processes import Koe, Stop, environment, warm_up
from tests.ingest.rows import Rows, all_rows

KEY = "test:" + "QUJD" * 10 + "QUI="
SAMPLE = PROJECT_ROOT / "data/sample/call_log_cp932.csv"
PETITION = "図書館の分館を閉めないでください。歩いて行ける本のある場所は、子どもにも高齢者にも、なくてはならない大切なものです。"
Calls = tuple[list[str], list[list[str]]]
Start = Callable[..., Koe]
SAME_FILE = "同じファイルの取込が、ほかで進んでいます。"


@pytest.fixture
def calls() -> Calls:
    """Headings, and calls of two fiscal years with near-copies among them."""
    with SAMPLE.open(encoding="cp932", errors="ignore", newline="") as file:
        headings, *rows = list(csv.reader(file))
    rows = [row for row in rows if len(row) == len(headings) and row[4]]
    petitions = [[f"P-{n}", f"202{4 + n % 2}/1/1{n % 7} 9:00", "電話", "", f"{PETITION}{'ぜひ' * n}", "", "", ""] for n in range(10)]
    return headings, [*rows[:110], *rows[-30:], *petitions]


@pytest.fixture
def start(database_url: str, trained_home: Path, tmp_path: Path) -> Start:
    """Starts ``koe import`` of a file in a process of its own."""
    warm_up(trained_home)

    def _start(path: Path, name: str, *, url: str = database_url, stop: Stop | None = None, held: bool = False) -> Koe:
        variables = environment(trained_home, url=url, key=KEY)
        return Koe(tmp_path / name, [["import", "--json", str(path)]], variables, stop=stop, held=held)

    return _start


@pytest.fixture
def own_keyring(trained_home: Path) -> Keyring:
    return load_keyring(Settings(home=trained_home, keys=KEY))


def overlapping(rows: Sequence[list[str]], headings: list[str], write: Write) -> list[Path]:
    """Three files: each has most of the rows, in an order of its own, and one that nobody can take."""
    files = []
    for number in range(3):
        drawn = random.Random(number)  # noqa: S311
        own = drawn.sample(rows, 2 * len(rows) // 3)
        own.insert(30, [f"X-{number}", "いつか", "電話", "", "街灯が切れている。", "", "", ""])
        files.append(write([headings, *own], f"calls_{number}.csv", encoding="cp932"))
    return files


def test_four_imports_at_once_bring_in_each_voice_once(
    engine: Engine, start: Start, calls: Calls, write: Write, own_keyring: Keyring
) -> None:
    headings, rows = calls
    files = overlapping(rows, headings, write)
    running = [start(path, f"koe_{turn}", held=True) for turn, path in enumerate([*files, files[0]])]
    for koe in running:
        koe.wait_until_it_stops()
    for koe in running:
        koe.send_on()
    codes = [koe.wait() for koe in running]
    assert codes[1:3] == [0, 0], running[1].said + running[2].said
    assert 0 in (codes[0], codes[3]), running[0].said + running[3].said
    for koe, code in zip(running, codes, strict=True):
        assert "Traceback" not in koe.said
        assert code == 0 or SAME_FILE in koe.said, koe.said
    check_what_came_in(engine, files, own_keyring)


def check_what_came_in(engine: Engine, files: Sequence[Path], keyring: Keyring) -> None:
    expected: dict[str, str] = {}
    for path in files:
        with path.open(encoding="cp932", newline="") as file:
            expected.update({row["受付番号"]: row["問合せ内容"] for row in csv.DictReader(file) if row["受付日時"] != "いつか"})
    with db.reading(engine) as session:
        voices = session.scalars(select(Voice)).all()
        assert Counter(voice.external_id for voice in voices) == Counter(expected.keys())
        assert all(is_receipt_number(voice.receipt_number) for voice in voices)
        serials = Counter(voice.receipt_number.rpartition("-")[0] for voice in voices)
        assert max(serials.values()) == 1
        batches = session.scalars(select(Batch)).all()
        assert {batch.status for batch in batches} == {BatchStatus.DONE}
        assert sum(batch.imported for batch in batches) == len(voices)
        by_batch = dict(session.execute(select(Reject.batch_id, func.count()).group_by(Reject.batch_id)).all())
        assert {batch.id: batch.rejected for batch in batches} == by_batch
        for secret in session.scalars(select(Secret).where(Secret.field == "original")):
            voice = next(voice for voice in voices if voice.id == secret.voice_id)
            assert json.loads(keyring.open(secret.sealed, place=secret.place))["text"] == expected[voice.external_id]
        indexed = postings.read(session, [voice.id for voice in voices])
        counted = Counter(term for terms in indexed.values() for term in terms)
        counted[postings.VOICES] = len(voices)
        found = dict(session.execute(select(SearchTerm.term, SearchTerm.documents).where(SearchTerm.documents > 0)).all())
        assert (len(indexed), found) == (len(voices), dict(counted))
        assert audit.verify(session).broken_at is None


def test_at_once_and_one_after_another_give_the_same_but_for_the_order(
    engine: Engine, start: Start, calls: Calls, write: Write, own_keyring: Keyring, request: pytest.FixtureRequest, tmp_path: Path
) -> None:  # fmt: skip
    headings, rows = calls
    files = overlapping(rows, headings, write)
    running = [start(path, f"koe_{turn}", held=True) for turn, path in enumerate(files)]
    for koe in running:
        koe.wait_until_it_stops()
        koe.send_on()
    assert [koe.wait() for koe in running] == [0, 0, 0], [koe.said for koe in running]
    with new_database(engine.dialect.name, request, tmp_path) as url:
        for turn, path in enumerate(files):
            alone = start(path, f"alone_{turn}", url=url)
            assert alone.wait() == 0, alone.said
        other = db.connect(url)
        assert in_no_order(all_rows(engine, own_keyring)) == in_no_order(all_rows(other, own_keyring))
        assert groups(engine) == groups(other)
        other.dispose()
    assert [len(group) >= 8 for group in groups(engine)] == [True]


def in_no_order(rows: Rows) -> dict[str, list[object]]:
    """What doesn't depend on which of several imports was the first: voices without number, file and row, what hangs on them, sums."""
    names = {voice["id"]: voice["external_id"] for voice in rows["voices"]}
    free = ("id", "receipt_number", "batch_id", "row")
    voices = [{key: value for key, value in voice.items() if key not in free} for voice in rows["voices"]]
    hanging = ("secrets", "machine_readings", "answers", "senders", "voice_search")
    sums = [{key: batch[key] for key in ("source_name", "rows_read", "rejected", "checkpoint")} for batch in rows["batches"]]
    rejects = [{key: value for key, value in reject.items() if key not in ("id", "batch_id")} for reject in rows["rejects"]]
    found: dict[str, list[object]] = {
        "voices": [*voices],
        "batches": [*sums],
        "rejects": [*rejects],
        "search_terms": [*rows["search_terms"]],
        "daily_counts": [*rows["daily_counts"]],
        "receipt_counters": [*rows["receipt_counters"]],
    }
    for name in hanging:
        found[name] = [{**row, "voice_id": names[row["voice_id"]], "id": 0} for row in rows[name]]
    return {name: sorted(values, key=str) for name, values in found.items()}


def groups(engine: Engine) -> set[frozenset[str]]:
    with db.reading(engine) as session:
        members: dict[int, set[str]] = {}
        named = select(CampaignMember.campaign_id, Voice.external_id).join(Voice, Voice.id == CampaignMember.voice_id)
        for group, voice in session.execute(named):
            members.setdefault(group, set()).add(voice)
    return set(map(frozenset, members.values()))


def test_who_takes_in_the_same_file_meanwhile_is_told(engine: Engine, start: Start, calls: Calls, write: Write) -> None:
    headings, rows = calls
    path = write([headings, *rows], encoding="cp932")
    first = start(path, "first", stop=Stop(chunks=1, told=True))
    first.wait_until_it_stops()
    second = start(path, "second")
    assert second.wait() == 0, second.said
    first.send_on()
    assert first.wait() == 1
    assert SAME_FILE in first.said
    with db.reading(engine) as session:
        batches = session.scalars(select(Batch).where(Batch.source_name == path.name)).all()
        assert [(batch.status, batch.imported) for batch in batches] == [(BatchStatus.DONE, len(rows))]


def test_two_that_begin_with_the_same_file_at_once_make_one_batch(engine: Engine, start: Start, calls: Calls, write: Write) -> None:
    headings, rows = calls
    path = write([headings, *rows], encoding="cp932")
    running = start(path, "first", stop=Stop(what="INSERT batches", told=True)), start(path, "second", held=True)
    for koe in running:
        koe.wait_until_it_stops()
    running[1].send_on()
    while not {"SELECT batches", "SELECT pg_advisory_xact_lock", "BEGIN"} & {step.what for step in running[1].steps}:
        running[1].process.join(0.02)
        assert running[1].process.is_alive(), running[1].said
    running[0].send_on()
    assert sorted(koe.wait() for koe in running) == [0, 1]
    assert sum(SAME_FILE in koe.said for koe in running) == 1
    with db.reading(engine) as session:
        assert session.scalars(select(Batch.imported)).all() == [len(rows)]


def test_a_page_is_read_while_files_come_in(engine: Engine, start: Start, calls: Calls, write: Write) -> None:
    headings, rows = calls
    files = overlapping(rows, headings, write)
    running = [start(path, f"koe_{turn}", held=True) for turn, path in enumerate(files[:2])]
    for koe in running:
        koe.wait_until_it_stops()
        koe.send_on()
    agreeing = select(Batch.imported, select(func.count()).where(Voice.batch_id == Batch.id).correlate(Batch).scalar_subquery())
    reads = 0
    while any(koe.process.is_alive() for koe in running) or not reads:
        with db.reading(engine) as session:
            for told, counted in session.execute(agreeing):
                assert told == counted
            likeness.similar(session, "街灯が切れていて暗い。", limit=3)
            likeness.campaigns(session)
            indexed = session.scalar(select(SearchTerm.documents).where(SearchTerm.term == postings.VOICES)) or 0
            assert indexed <= (session.scalar(select(func.count(Voice.id))) or 0)
        reads += 1
    assert [koe.wait() for koe in running] == [0, 0], [koe.said for koe in running]
