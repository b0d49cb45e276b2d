"""Engine and sessions for SQLite and PostgreSQL, the migration chain, and the check that both agree with the models."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from core.errors import DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"
# How the two databases say that a table or a column isn't there.
_LACKING_SQLITE = ("no such table", "no such column")
_LACKING_POSTGRESQL = ("42P01", "42703")
# So many requests are worked on at a time (anyio's limit). On SQLite, where a connection costs little, each may hold a second one while
# it waits for its turn to write.
_THREADS = 40


def connect(url: str) -> Engine:
    """An engine set up for its database: WAL, foreign keys and a busy timeout on SQLite; a pinged pool on PostgreSQL.

    Raises:
        DatabaseError: the address can't be read or names a database that isn't supported.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseError("KOE_DATABASE_URL が読めません。", hint="docs/settings.md の例に合わせてください。") from None
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=10, max_overflow=_THREADS - 10)
    if parsed.get_backend_name() != "sqlite":
        raise DatabaseError("このデータベースには対応していません。", hint="sqlite:/// か postgresql:// を指定してください。")
    if parsed.database and parsed.database != ":memory:":
        _make_folder(Path(parsed.database).parent)
    of_a_file = {"pool_size": 10, "max_overflow": 2 * _THREADS - 10, "pool_recycle": _RECYCLE}
    pool = of_a_file if parsed.database not in (None, "", ":memory:") else {}
    engine = create_engine(parsed, connect_args={"timeout": 30}, **pool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise DatabaseError(
            f"データベースを置くフォルダ {folder} が作れません。", hint="KOE_HOME か KOE_DATABASE_URL と、権限を確かめてください。"
        ) from None


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not open transactions by itself; _begin_sqlite does
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader can't wait for the lock later (SQLITE_BUSY at once), so it says so at the start.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_PRAGMAS = (
    "journal_mode=WAL", "foreign_keys=ON", "busy_timeout=30000", "synchronous=NORMAL", "cache_size=-65536",
)  # fmt: skip


# Seconds. A connection to SQLite reads what the database knows of its tables (``learn``) once, when it begins.
_RECYCLE = 900
_GROWN = 1.5

# An import writes the same pages of the indexes chunk after chunk: they go to the file once in 512 MB of the log.
_MUCH = "PRAGMA wal_autocheckpoint=131072"


def expect_much(session: Session) -> None:
    """Says that much is to be written over this session's connection, chunk after chunk, as by an import."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql(_MUCH)


def learn(engine: Engine) -> bool:
    """Lets SQLite count what lies in its tables and indexes when there has come half as much again, and says whether it did.

    Without it SQLite guesses which index leaves the fewest rows, and guesses badly among ours. PostgreSQL does this of itself. Where
    somebody else writes for long, it is left to the next time.
    """
    if engine.dialect.name != "sqlite":
        return False
    with reading(engine) as session:
        known = 0
        if session.scalar(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")):
            stat = session.scalar(text("SELECT stat FROM sqlite_stat1 WHERE tbl = 'voices' AND idx = 'ix_voices_external_id'"))
            known = int(stat.split()[0]) if stat else 0
        if (session.scalar(text("SELECT count(*) FROM voices")) or 0) < max(1, known * _GROWN):
            return False
    try:
        with writing(engine) as session:
            session.execute(text("ANALYZE"))
    except DatabaseError:  # somebody writes for long: the next import has the time
        return False
    return True


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session for reading. Nothing is committed."""
    with Session(engine) as session, _reachable():
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session whose work is committed at the end of the block, all or nothing: the edge's transaction."""
    with Session(engine.execution_options(writes=True), expire_on_commit=False) as session, _reachable(), session.begin():
        yield session


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError:
        hint = "少し待って、もう一度送信してください。"
        raise DatabaseError("いま込みあっていて、処理できませんでした。", hint=hint, code="busy") from None
    except DBAPIError as error:
        explained = _explained(error)
        if explained is None:
            raise
        raise explained from error


def _explained(error: DBAPIError) -> DatabaseError | None:
    """What an operator can do something about, ``None`` for a fault in our own statements."""
    said = str(error.orig)
    if any(words in said for words in _LACKING_SQLITE) or getattr(error.orig, "sqlstate", None) in _LACKING_POSTGRESQL:
        return DatabaseError("データベースの準備がまだです。", hint="koe db upgrade を実行してください。")
    if "file is not a database" in said:
        return DatabaseError(
            "データベースのファイルが壊れているか、別の種類のファイルです。", hint="KOE_DATABASE_URL と控えを確かめてください。"
        )
    if isinstance(error, OperationalError):
        return DatabaseError(
            "データベースに接続できないか、応答がありません。", hint="KOE_DATABASE_URL と、データベースが動いているかを確かめてください。"
        )
    return None


def upgrade(engine: Engine, *, revision: str = "head") -> None:
    """Brings the schema to ``revision`` by the migration chain.

    Raises:
        DatabaseError: the database doesn't answer, or is of a newer version than this program.
    """
    from alembic import command
    from alembic.util import CommandError

    ping(engine)
    with engine.begin() as connection:
        try:
            command.upgrade(_alembic_config(connection), revision)
        except CommandError as error:
            raise DatabaseError(
                "データベースの版を、このプログラムは知りません。", hint="データベースより古いプログラムを使っていないか確かめてください。"
            ) from error


def drift(engine: Engine) -> list[str]:
    """What differs between the models and the database; empty when they agree (``koe db check``)."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from core.models import Base

    with _reachable(), engine.connect() as connection:
        opts: dict[str, Any] = {"compare_type": True, "render_as_batch": True}
        if engine.dialect.name == "sqlite":
            opts |= {"include_name": _is_ours, "include_object": _is_told_by_sqlite}
        context = MigrationContext.configure(connection, opts=opts)
        with warnings.catch_warnings():
            # SQLite's indexes over expressions are only looked for by their names.
            warnings.filterwarnings("ignore", message=".*expression-based index")
            found = [repr(difference) for difference in compare_metadata(context, Base.metadata)]
        return found + _without_expression_indexes(connection) + _without_triggers(connection)


def _without_triggers(connection: Connection) -> list[str]:
    """What is missing of the triggers that the migrations made: they keep the audit trail whole and voices in departments' lists."""
    sqlite = connection.dialect.name == "sqlite"
    own = [f"audit_entries_no_{act}" for act in ("UPDATE", "DELETE", "REPLACE")] if sqlite else ["audit_entries_append_only"]
    names = "SELECT name FROM sqlite_master WHERE type = 'trigger'" if sqlite else "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
    there = set(connection.scalars(text(names)))
    return [f"no trigger {name}" for name in (*own, "voices_concern_new", "voices_concern_changed") if name not in there]


def _without_expression_indexes(connection: Connection) -> list[str]:
    """What is missing of the indexes that SQLAlchemy can't read back from SQLite."""
    from core.models import Base

    if connection.dialect.name != "sqlite":
        return []
    there = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'index'")))
    every = [index for table in Base.metadata.tables.values() for index in table.indexes if len(index.columns) < len(index.expressions)]
    return [f"no index {index.name}" for index in every if index.name not in there]


# SQLite keeps a full-text index in tables of its own beside it, and tells nothing of its columns.
_FULL_TEXT = "voice_search"


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not (name or "").startswith(f"{_FULL_TEXT}_")


def _is_told_by_sqlite(item: Any, _name: str | None, kind: str, _reflected: bool, _other: object) -> bool:  # noqa: FBT001
    if kind == "table":
        return bool(item.info.get("only", "sqlite") == "sqlite")
    return bool(item.table.name != _FULL_TEXT)


def revision(engine: Engine) -> str | None:
    """The migration that the database stands at."""
    from alembic.migration import MigrationContext

    with _reachable(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def ping(engine: Engine) -> None:
    """Raises ``DatabaseError`` when the database doesn't answer."""
    with _reachable(), engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def _alembic_config(connection: Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
