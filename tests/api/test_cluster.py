"""``koe`` on a Dask cluster of real processes: the same rows and topics as in one process, also when a worker is killed in the middle."""

from __future__ import annotations

import operator
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import Result

from api.campaigns import update_campaigns
from core import db, engine
from core.crypto import load_keyring
from core.models import Batch
from core.settings import Settings
from ingest.pipeline import import_file
from nlp.annotate import Masker, ready
from tests.api.conftest import Koe, json_lines, refused
from tests.api.processes import Started, free_port, wait_until
from tests.ingest.rows import Rows, all_rows, difference

ROWS = 5000  # three chunks, so that the first is saved while the others are worked on
FEW = 2200  # two chunks of what topics are made from
WORDS = ("歩道の段差が大きく、車いすで通れません", "公園のブランコがさびています", "ごみの収集が遅れています", "街灯が切れていて夜は暗い",
         "保育園の入園の案内が分かりにくい", "道路に穴があり自転車で転びました", "図書館の開館時間を延ばしてほしい")  # fmt: skip


def raising_a_timeout(_: int) -> None:
    raise TimeoutError


CAMPAIGN = (
    "市立図書館の分館を閉じる計画に反対します。子どもも高齢者も歩いて通える大切な場所です。"
    "計画を取りやめ、開館時間を今のまま続けてください。"
)


class Cluster:
    """A scheduler, and workers that are started and killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        port = free_port()
        self.address = f"dask://127.0.0.1:{port}"
        self.scheduler = Started(
            "dask", "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", log=folder / "scheduler.log"
        )  # fmt: skip
        self.workers: list[Started] = []

    def add_worker(self) -> None:
        log = self.folder / f"worker{len(self.workers)}.log"
        address = self.address.replace("dask://", "tcp://")
        # Without a nanny, which would start a killed worker again.
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder))
        self.workers.append(Started("dask", "worker", address, *options, log=log))

    def wait_for(self, count: int) -> None:
        wait_until(lambda: self.scheduler.said.count("Register worker") >= count, alive=self.scheduler)

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    cluster.add_worker()
    cluster.add_worker()
    cluster.wait_for(2)
    yield cluster
    cluster.end()


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calls with names, numbers, near-copies, doubles and rows that can't be taken."""
    lines = ["管理番号,受付日,受付媒体,ご意見,氏名,電話番号"]
    for number in range(ROWS):
        words = f"架空{number // 3 * 7919 % 60000}番地の前です。{WORDS[number % len(WORDS)]}。山田太郎、090-1234-{number:04d}です。"
        words = f"{CAMPAIGN}山田{number}" if number % 40 == 3 else words
        day = "いつか" if number % 997 == 5 else f"2026/10/{number % 28 + 1}"
        lines.append(f"C-{number // 2 * 2 if number % 501 == 1 else number},{day},電話,{words},山田太郎,090-1234-{number:04d}")
    file = tmp_path_factory.mktemp("calls") / "calls.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def rows_of(home: Path) -> Rows:
    database = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    rows = all_rows(database, load_keyring(Settings(home=home)))
    database.dispose()
    return rows


def killer(home: Path, *workers: Started) -> threading.Thread:
    """Kills workers as soon as the first chunk is saved."""

    def kill() -> None:
        database = db.connect(f"sqlite:///{home / 'koenowa.db'}")
        wait_until(lambda: _checkpoint(database) > 0)
        for worker in workers:
            worker.kill()
        database.dispose()

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def _checkpoint(database: Engine) -> int:
    with db.reading(database) as session:
        return session.scalar(select(func.max(Batch.checkpoint))) or 0


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, trained_settings: Settings, calls: Path) -> Path:
    """A home in which the calls were taken in by one process."""
    home = tmp_path_factory.mktemp("alone")
    shutil.copy(sqlite_template, home / "koenowa.db")
    settings = trained_settings.model_copy(update={"database_url": f"sqlite:///{home / 'koenowa.db'}"})
    database = db.connect(settings.url)
    import_file(
        database,
        calls,
        settings=settings,
        keyring=load_keyring(Settings(home=home)),
        annotate=ready(trained_settings),
        mask=Masker(trained_settings.taxonomy_dir),
    )
    update_campaigns(database, settings)
    database.dispose()
    return home


@pytest.fixture
def expected(home: Path, alone: Path) -> Rows:
    """The rows of that import. ``home`` gets its keys: who sent a voice is kept as a number that hangs on them."""
    shutil.copy(alone / "keys.json", home / "keys.json")
    return rows_of(alone)


def succeeded(result: Result) -> bool:
    assert result.exit_code == 0, result.output
    return True


def test_results_come_in_the_order_of_the_items_and_few_are_read_ahead(cluster: Cluster) -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(40):
            taken.append(number)
            yield number

    results = engine.map(operator.neg, items(), settings=Settings(engine=cluster.address))
    assert next(results) == 0
    assert len(taken) == 4  # two for each of the two
    assert list(results) == [-number for number in range(1, 40)]


@pytest.mark.parametrize(("function", "items", "error"), [(operator.index, [1, "x"], TypeError), (raising_a_timeout, [1], TimeoutError)])
def test_an_error_of_an_item_reaches_the_caller(cluster: Cluster, function: Any, items: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        list(engine.map(function, items, settings=Settings(engine=cluster.address)))


def test_an_import_gives_the_same_rows(koe: Koe, home: Path, expected: Rows, cluster: Cluster, calls: Path) -> None:
    assert succeeded(koe("import", calls, KOE_ENGINE=cluster.address))
    found = rows_of(home)
    assert found["voices"]
    assert found["rejects"]
    assert found["campaign_members"]
    assert difference(found, expected) == ""


def test_topics_are_the_same(koe: Koe, home: Path, cluster: Cluster, calls: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    few.write_text("\n".join(calls.read_text("utf-8").splitlines()[: FEW + 1]), "utf-8")
    assert succeeded(koe("import", few))
    shutil.copy(home / "koenowa.db", tmp_path / "imported.db")
    exported = []
    for name in ("serial", cluster.address):
        shutil.copy(tmp_path / "imported.db", home / "koenowa.db")
        assert succeeded(koe("topics", "fit", KOE_ENGINE=name))
        assert succeeded(koe("topics", "export", tmp_path / "topics.jsonl"))
        exported.append((tmp_path / "topics.jsonl").read_text("utf-8"))
    assert exported[0] == exported[1]
    assert len({line["topic_id"] for line in json_lines(exported[0])}) > 1


def test_a_worker_that_is_killed_costs_nothing(koe: Koe, home: Path, expected: Rows, cluster: Cluster, calls: Path) -> None:
    thread = killer(home, cluster.workers[0])
    assert succeeded(koe("import", calls, KOE_ENGINE=cluster.address))
    thread.join()
    assert difference(rows_of(home), expected) == ""


def test_without_any_worker_the_import_stops_and_goes_on_later(koe: Koe, home: Path, expected: Rows, cluster: Cluster, calls: Path) -> None:
    thread = killer(home, *cluster.workers)
    said = refused(koe("import", calls, KOE_ENGINE=cluster.address, KOE_ENGINE_WAIT="2"))
    thread.join()
    assert "Dask のワーカーが1つもないまま 2 秒たちました" in said
    cluster.add_worker()
    cluster.wait_for(len(cluster.workers))
    assert succeeded(koe("import", calls))
    assert difference(rows_of(home), expected) == ""


def test_no_scheduler_at_the_address(koe: Koe, calls: Path) -> None:
    said = refused(koe("import", calls, KOE_ENGINE=f"dask://127.0.0.1:{free_port()}", KOE_ENGINE_WAIT="1"))
    assert "スケジューラ" in said
