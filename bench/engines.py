"""What a Dask cluster brings: `koe import` of the same calls with one worker process, with two, and over loky's processes without Dask.

Usage: python bench/engines.py [--records N] [--folder DIR]

Scheduler, workers and the importing process all run on this machine and share its cores; on several machines each worker would have its
own. The workers have their models loaded when the clock starts, as they would in a cluster that is up; everything else of `koe import`
counts. The databases (SQLite) are made in a folder that is gone afterwards.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

from distributed import Client
from intake import import_once, write

from core.settings import get_settings
from nlp import annotate

RECORDS = 20_000
WARM_UP = 4_000
DASK = Path(sys.executable).with_name("dask")


@contextmanager
def running(*arguments: str) -> Iterator[None]:
    """A Dask program, as long as the block lasts. One thread for linear algebra, as loky's processes have it where each core has one."""
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    process = subprocess.Popen([DASK, *arguments], env={**os.environ, **limits}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[str]:
    """The address of a scheduler with so many worker processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    with ExitStack() as stack:
        stack.enter_context(running("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"))
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder))
        for _ in range(workers):
            stack.enter_context(running("worker", address, *options))
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
        yield address.replace("tcp://", "dask://")


def rate(path: Path, folder: Path, name: str) -> float:
    """Voices a second of one import into a database of its own."""
    home = folder / name
    home.mkdir()
    (home / "models").symlink_to(get_settings().models_dir.resolve())
    seconds, _, imported = import_once(path, f"sqlite:///{home / 'koenowa.db'}", home)
    return imported / seconds


def on_cluster(workers: int, path: Path, warm: Path, folder: Path) -> float:
    """The rate on a cluster that is up."""
    with cluster(workers, folder) as address:
        os.environ["KOE_ENGINE"] = address
        rate(warm, folder, f"warm{workers}")
        return rate(path, folder, f"dask{workers}")


def main() -> None:
    """Measures each engine once and leaves nothing behind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    annotate.ready(get_settings())
    with tempfile.TemporaryDirectory(prefix="koebench", dir=given.folder) as name:
        folder = Path(name)
        path, warm = folder / "calls.csv", folder / "warm.csv"
        write(path, given.records)
        write(warm, WARM_UP)
        print(f"{date.today().isoformat()}  {given.records:,} records, {os.cpu_count()} cores")  # noqa: DTZ011
        one = on_cluster(1, path, warm, folder)
        print(f"Dask, one worker     {one:>8,.0f}/s", flush=True)
        two = on_cluster(2, path, warm, folder)
        print(f"Dask, two workers    {two:>8,.0f}/s  {two / one:.2f} times one worker", flush=True)
        os.environ["KOE_ENGINE"], os.environ["KOE_WORKERS"] = "loky", "2"
        print(f"loky, two processes  {rate(path, folder, 'loky'):>8,.0f}/s", flush=True)


if __name__ == "__main__":
    main()
