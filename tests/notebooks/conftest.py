"""A part of the sample city, taken in once, of which each notebook gets a copy."""

from __future__ import annotations

import csv
import fcntl
import importlib
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from core.settings import PROJECT_ROOT, Settings
from tests.notebooks.running import FOLDER

KEPT = {"call_log_cp932.csv": "cp932", "voices_utf8bom.csv": "utf-8-sig", "survey_wide_utf8.csv": "utf-8"}
EVERY = 4  # of the sample's records: all 24 months, the three surges and the campaign are still there


@dataclass(frozen=True)
class Prepared:
    """A home whose notebooks have their voices, and the data folder that goes with it."""

    home: Path
    data: Path

    def copied(self, folder: Path) -> Path:
        """A home of its own for one notebook."""
        (folder / "notebooks").mkdir(parents=True)
        (folder / "models").symlink_to((self.home / "models").resolve())
        for name in ("koenowa.db", "keys.json"):
            shutil.copy(self.home / "notebooks" / name, folder / "notebooks" / name)
        return folder


@pytest.fixture(scope="session")
def shiomi() -> Iterator[ModuleType]:
    """The module that notebooks get the sample city from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield importlib.import_module("shiomi")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, worker_id: str, trained_home: Path, shiomi: ModuleType) -> Prepared:
    """Made once for all workers. The models are those of ``trained_home``."""
    base = tmp_path_factory.getbasetemp()
    home = (base if worker_id == "master" else base.parent) / "notebooks"
    home.mkdir(exist_ok=True)
    found = Prepared(home, home / "data")
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            (home / "models").symlink_to(trained_home / "models")
            _thinned_data(trained_home / "data", found.data)
            city = shiomi.settings(own=Settings(home=home, data=found.data, engine="serial"))
            shiomi.imported(city).dispose()
            (home / "done").touch()
    return found


def _thinned_data(data: Path, folder: Path) -> None:
    shutil.copytree(data, folder)
    shutil.copytree(PROJECT_ROOT / "data/sample", folder / "sample", ignore=shutil.ignore_patterns(*KEPT, "mail", "maker", "material"))
    for name, encoding in KEPT.items():
        content = (PROJECT_ROOT / "data/sample" / name).read_bytes().decode(encoding, "surrogateescape")
        heading, *rows = csv.reader(io.StringIO(content, newline=""))
        out = io.StringIO(newline="")
        csv.writer(out).writerows([heading, *rows[::EVERY]])
        (folder / "sample" / name).write_bytes(out.getvalue().encode(encoding, "surrogateescape"))
