"""The sample city (潮見市) for the notebooks: in a folder and a database of its own, so that no notebook touches a city's real voices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine

from core import db, facts
from core.crypto import load_keyring
from core.errors import InputError
from core.settings import PROJECT_ROOT, Settings, get_settings
from ingest.pipeline import import_file
from ingest.reports import ImportReport
from nlp import annotate, artifacts
from nlp.annotate import Masker
from nlp.likeness import update_campaigns

# Said of every notebook without moving progress bars, by a library that would draw some.
warnings.filterwarnings("ignore", message="IProgress not found")
FILES = ("call_log_cp932.csv", "voices_utf8bom.csv", "survey_wide_utf8.csv")


def settings(name: str = "koenowa", *, own: Settings | None = None) -> Settings:
    """Settings for the sample city: the folder ``notebooks`` of KOE_HOME, an SQLite database of this name there, keys of its own.

    Models that KOE_HOME has for the sample's taxonomy are read where they are; otherwise the notebooks get models of their own.

    Args:
        name: of the database.
        own: the settings of this installation; this process's where none are given.

    Raises:
        InputError: KOE_DATA has no sample city.
    """
    own = own or get_settings()
    if not (own.data / "sample" / FILES[0]).exists():
        raise InputError(f"見本の市のファイルが {own.data / 'sample'} にありません。", hint="KOE_DATA を空にして、開きなおしてください。")
    home = PROJECT_ROOT / own.home / "notebooks"  # a home that isn't absolute is the project's, wherever the notebook was opened
    home.mkdir(parents=True, exist_ok=True)
    city = own.model_copy(update={"home": home, "database_url": f"sqlite:///{home / name}.db", "keys": "", "taxonomy": None})
    _share_models(city, PROJECT_ROOT / own.home)
    return city


def _share_models(city: Settings, home: Path) -> None:
    link = city.models_dir
    fits = artifacts.current_folder(city.model_copy(update={"home": home})) is not None
    if link.is_symlink() and not fits:
        link.unlink()  # else the notebooks' training would replace the city's models
    elif fits and not link.exists():
        link.symlink_to((home / "models").resolve(), target_is_directory=True)


def empty(city: Settings) -> Engine:
    """An empty database in place of what an earlier run left."""
    path = Path(city.url.removeprefix("sqlite:///"))
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return opened(city)


def opened(city: Settings) -> Engine:
    """The database as an earlier run left it, in the shape that this program needs."""
    engine = db.connect(city.url)
    db.upgrade(engine)
    return engine


def take_in(engine: Engine, path: Path, city: Settings) -> ImportReport:
    """Takes in one file as ``koe import`` does."""
    return import_file(
        engine, path, settings=city, keyring=load_keyring(city), annotate=annotate.ready(city), mask=Masker(city.taxonomy_dir),
        actor="notebook",
    )  # fmt: skip


def imported(city: Settings) -> Engine:
    """The database with all files of ``FILES``; they are taken in where it is empty."""
    engine = opened(city)
    with db.reading(engine) as session:
        span = facts.span(session)
    if span is None:
        for path in files(city):
            take_in(engine, path, city)
    update_campaigns(engine, city)
    return engine


def files(city: Settings) -> Iterator[Path]:
    """The sample's files."""
    return (city.data / "sample" / name for name in FILES)
