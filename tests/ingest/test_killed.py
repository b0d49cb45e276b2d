"""A killed import loses nothing and doubles nothing: wherever SIGKILL meets it, the same command again leaves the same rows."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from core import audit, db
from core.crypto import Keyring, load_keyring
from core.models import Batch, BatchStatus
from core.settings import PROJECT_ROOT, Settings
from tests.conftest import new_database
from tests.ingest.conftest import table_bytes
from tests.ingest.processes import KILLED, Koe, Step, Stop, environment, warm_up
from tests.ingest.rows import Rows, all_rows, difference

SAMPLE = PROJECT_ROOT / "data/sample"
KEY = "test:" + "QUJD" * 10 + "QUI="
SEED = 4
# How many of the 20 points lie where: before the first chunk, between the statements of chunks, at a commit, after one,
# between the last chunk and the end of the batch, while campaigns are grouped.
POINTS = {"before": 2, "chunk": 7, "commit": 4, "committed": 3, "finish": 1, "campaigns": 3}
ON_PROCESSES = (4, 9)  # the points that meet an import which annotates over other processes
_OF_CAMPAIGNS = ("reading_marks", "campaigns", "campaign_members")
PETITION = "市営プールを廃止しないでください。市営プールは子どもから高齢者まで、年間四万人が利用している大切な施設です。"


@dataclass(frozen=True)
class Town:
    """What is taken in, and how."""

    folder: Path
    home: Path
    files: tuple[Path, ...]

    def commands(self, first: int = 0) -> list[list[str]]:
        return [["import", str(path)] for path in self.files[first:]]

    def environment(self, url: str, engine: str = "serial") -> dict[str, str]:
        return environment(self.home, url=url, key=KEY, engine=engine)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory, trained_home: Path) -> Town:
    """A call log in CP932 with doubles, near-copies and rows that can't be taken, a wide survey, and a box of mails."""
    warm_up(trained_home)
    folder = tmp_path_factory.mktemp("town")
    with (SAMPLE / "call_log_cp932.csv").open(encoding="cp932", errors="ignore", newline="") as file:
        headings, *calls = list(csv.reader(file))[:121]
    petitions = [
        [f"P-{number}", "2024/11/20 10:00", "電話", "港地区", f"{PETITION}{'どうか' * number}お願いします。", "", "", ""]
        for number in range(12)
    ]
    broken = [["X-1", "いつか", "電話", "", "街灯が切れている。", "", "", ""], ["X-2", "2024/11/20", "電話", "", "", "", "", ""], ["X-3"]]
    rows = [headings, *calls[:60], *calls[20:40], *petitions[:6], broken[0], *calls[60:], broken[1], *petitions[6:], broken[2], *calls[:5]]
    log = table_bytes(rows, encoding="cp932") + b"X-4,2024/11/20,\x93d\x98b,,\x81\x30\x82\xa0,,,\r\n"
    survey = "\n".join((SAMPLE / "survey_wide_utf8.csv").read_text("utf-8").splitlines()[:31])
    mails = sorted((SAMPLE / "mail").iterdir())[:14]
    box = b"".join(b"From sender@mail.example Wed Apr  1 10:00:00 2026\n" + mail.read_bytes().rstrip() + b"\n\n" for mail in mails)
    files = {"calls_202411.csv": log, "survey_202501.csv": survey.encode(), "letters.mbox": box}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Town(folder, trained_home, tuple(folder / name for name in files))


@pytest.fixture(scope="session")
def keyring(town: Town) -> Keyring:
    return load_keyring(Settings(home=town.home, keys=KEY))


@dataclass(frozen=True)
class Uninterrupted:
    """A run that nobody disturbed: each of its steps, and the rows at its end."""

    steps: list[Step]
    rows: Rows


Run = Callable[[str, int | None], Uninterrupted]


@pytest.fixture(scope="session")
def uninterrupted(request: pytest.FixtureRequest, town: Town, keyring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The undisturbed run on a kind of database, with one of the commands given twice if it is named."""
    known: dict[tuple[str, int | None], Uninterrupted] = {}

    def run(kind: str, twice: int | None) -> Uninterrupted:
        if (kind, twice) not in known:
            folder = tmp_path_factory.mktemp("uninterrupted")
            commands = town.commands()
            if twice is not None:
                commands.insert(twice, commands[twice])
            with new_database(kind, request, folder) as url:
                koe = Koe(folder / "run", commands, town.environment(url))
                assert koe.wait() == 0, koe.said
                with connected(url) as engine:
                    known[kind, twice] = Uninterrupted(koe.steps, all_rows(engine, keyring))
        return known[kind, twice]

    return run


@contextmanager
def connected(url: str) -> Iterator[Engine]:
    engine = db.connect(url)
    yield engine
    engine.dispose()


def points(steps: Sequence[Step]) -> list[Step]:
    """20 steps at which to kill, drawn from all phases of a run; the same ones every time."""
    phases: dict[str, list[Step]] = {name: [] for name in POINTS}
    for command in sorted({step.command for step in steps}):
        phase = "before"
        for step in (step for step in steps if step.command == command):
            table = step.what.partition(" ")[2]
            if step.what == "INSERT voices":
                phase = "chunk"
            elif phase == "chunk" and step.what == "INSERT audit_entries":
                phases["finish"].append(step)
            elif table in _OF_CAMPAIGNS:
                phase = "campaigns"
            place = step.what if step.what in phases and phase != "before" else phase
            phases[place].append(step)
    drawn = random.Random(SEED)  # noqa: S311
    return [step for phase, count in POINTS.items() for step in drawn.sample(phases[phase], count)]


def test_the_run_has_all_that_an_import_can_meet(town: Town, uninterrupted: Run) -> None:
    rows = uninterrupted("sqlite", None).rows
    sums = {batch["source_name"]: (batch["imported"], batch["duplicates"], batch["rejected"]) for batch in rows["batches"]}
    assert all(imported for imported, _, _ in sums.values())
    assert sums["calls_202411.csv"][1:] == (25, 4)
    assert len(rows["campaign_members"]) >= 12
    assert len(rows["answers"]) > 50
    assert len(rows["senders"]) >= 10
    assert all(rows[name] for name in ("secrets", "machine_readings", "search_terms", "voice_search", "receipt_counters", "rejects"))


@pytest.mark.parametrize("number", range(sum(POINTS.values())))
def test_killed_anywhere_it_goes_on_to_the_same_rows(
    number: int, database_url: str, town: Town, uninterrupted: Run, keyring: Keyring, tmp_path: Path
) -> None:
    point = points(uninterrupted(kind_of(database_url), None).steps)[number]
    engine = "loky" if number in ON_PROCESSES else "serial"
    koe = Koe(tmp_path / "killed", town.commands(), town.environment(database_url, engine), stop=Stop(point.number))
    assert koe.wait() == KILLED, f"{point}: {koe.said}"
    goes_on_to_the_same_rows(koe, database_url, town, uninterrupted, keyring, tmp_path)


@pytest.mark.parametrize("chunks", [2, 5])
def test_all_its_processes_killed_between_two_chunks(
    chunks: int, database_url: str, town: Town, uninterrupted: Run, keyring: Keyring, tmp_path: Path
) -> None:
    koe = Koe(tmp_path / "killed", town.commands(), town.environment(database_url, "loky"), stop=Stop(chunks=chunks, told=True))
    koe.wait_until_it_stops()
    koe.kill_group()
    assert koe.wait() == KILLED
    goes_on_to_the_same_rows(koe, database_url, town, uninterrupted, keyring, tmp_path)


def goes_on_to_the_same_rows(koe: Koe, url: str, town: Town, uninterrupted: Run, keyring: Keyring, folder: Path) -> None:
    twice = None
    with connected(url) as engine:
        with db.reading(engine) as session:
            statuses = session.scalars(select(Batch.status).order_by(Batch.id)).all()
        if len(statuses) > koe.under_way and statuses[-1] is BatchStatus.DONE:
            # The file was in, only its grouping wasn't: the command takes the file again, and finds nothing new in it.
            twice = koe.under_way
        again = Koe(folder / "again", town.commands(koe.under_way), town.environment(url))
        assert again.wait() == 0, again.said
        with db.reading(engine) as session:
            assert audit.verify(session).broken_at is None
        found, expected = all_rows(engine, keyring), uninterrupted(kind_of(url), twice).rows
        assert found == expected, difference(found, expected)


def kind_of(url: str) -> str:
    return url.partition(":")[0].partition("+")[0]
