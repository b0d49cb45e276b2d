from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest

from core import engine
from core.errors import EngineError, SettingsError
from core.settings import Settings


@pytest.mark.parametrize("kind", ["serial", "loky"])
def test_results_come_in_the_order_of_the_items(kind: str) -> None:
    given = Settings(engine=kind, workers=2)
    assert list(engine.map(divmod_by_seven, range(40), settings=given)) == [divmod(number, 7) for number in range(40)]


def test_loky_works_in_other_processes_and_serial_in_this_one() -> None:
    here = os.getpid()
    assert set(engine.map(process_of, range(3), settings=Settings(engine="serial", workers=2))) == {here}
    assert set(engine.map(process_of, range(3), settings=Settings(engine="loky", workers=1))) == {here}
    assert here not in set(engine.map(process_of, range(3), settings=Settings(engine="loky", workers=2)))


@pytest.mark.parametrize("kind", ["serial", "loky"])
def test_an_error_of_an_item_reaches_the_caller(kind: str) -> None:
    results = engine.map(reciprocal, [1, 2, 0, 4], settings=Settings(engine=kind, workers=2))
    with pytest.raises(ZeroDivisionError):
        list(results)


@pytest.mark.parametrize("kind", ["serial", "loky"])
def test_the_items_are_read_only_a_little_ahead(kind: str) -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = engine.map(divmod_by_seven, items(), settings=Settings(engine=kind, workers=2))
    assert next(results) == (0, 0)
    results.close()
    assert len(taken) < 200


def test_no_items_no_results() -> None:
    assert list(engine.map(divmod_by_seven, [], settings=Settings(engine="loky", workers=2))) == []


def test_the_number_of_workers() -> None:
    assert engine.workers(Settings(workers=3)) == 3
    assert engine.workers(Settings(workers=0)) == os.cpu_count()


def test_the_collector_is_left_as_it_was() -> None:
    before = gc.get_threshold()
    results = engine.map(collector_of, range(8), settings=Settings(engine="loky", workers=2))
    assert next(results)[0] > before[0]
    assert gc.get_threshold() > before
    results.close()
    assert gc.get_threshold() == before


def test_a_process_that_dies_is_told_in_japanese_and_the_next_call_works() -> None:
    given = Settings(engine="loky", workers=2)
    with pytest.raises(EngineError, match="プロセスが途中で止まりました"):
        list(engine.map(end_the_process, range(4), settings=given))
    assert list(engine.map(divmod_by_seven, range(4), settings=given)) == [(0, 0), (0, 1), (0, 2), (0, 3)]


def test_dask_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match="dask と distributed がありません") as caught:
        list(engine.map(divmod_by_seven, range(4), settings=Settings(engine="dask://127.0.0.1:1")))
    assert "koenowa[dask]" in caught.value.hint


def end_the_process(_: int) -> None:
    os._exit(1)


def collector_of(_: int) -> tuple[int, int, int]:
    return gc.get_threshold()


def divmod_by_seven(number: int) -> tuple[int, int]:
    return divmod(number, 7)


def process_of(_: int) -> int:
    return os.getpid()


def reciprocal(number: int) -> float:
    return 1 / number
