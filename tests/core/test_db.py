from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from core import audit, db
from core.errors import DatabaseError
from core.models import Answer, AuditEntry, Base, MachineReading, User, Voice
from tests.factories import create_user, create_voice


def test_models_and_migrations_agree(engine: Engine) -> None:
    assert db.drift(engine) == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    before = db.revision(engine)
    with db.writing(engine) as session:
        create_voice(session)
    db.upgrade(engine)
    assert db.revision(engine) == before is not None
    with db.reading(engine) as session:
        assert session.scalar(select(func.count(Voice.id))) == 1


def test_a_column_that_a_person_added_is_found(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE voices ADD COLUMN memo VARCHAR(20)"))
    assert any("memo" in difference for difference in db.drift(engine))


def test_a_table_that_is_gone_is_found(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE receipt_counters"))
    assert any("receipt_counters" in difference for difference in db.drift(engine))


@pytest.mark.parametrize("index", ["ix_voices_open_due", "ix_voices_open_newest"])
def test_an_index_that_is_gone_is_found(engine: Engine, index: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"DROP INDEX {index}"))
    assert any(index in difference for difference in db.drift(engine))


@pytest.mark.parametrize("trigger", ["voices_concern_new", "voices_concern_changed"])
def test_a_trigger_that_is_gone_is_found(engine: Engine, trigger: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {trigger}" + (" ON voices" if engine.dialect.name == "postgresql" else "")))
    assert any(trigger in difference for difference in db.drift(engine))


def test_the_chain_goes_down_to_the_start_and_up_again(engine: Engine) -> None:
    with engine.begin() as connection:
        command.downgrade(db._alembic_config(connection), "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    assert db.revision(engine) is None
    db.upgrade(engine)
    kind = engine.dialect.name
    wanted = {name for name, table in Base.metadata.tables.items() if table.info.get("only", kind) == kind}
    assert wanted <= set(inspect(engine).get_table_names())
    assert db.drift(engine) == []
    with db.writing(engine) as session:
        audit.record(session, actor="test", action="a", subject="b")


def test_what_hangs_on_a_voice_survives_every_migration(engine: Engine) -> None:
    with db.writing(engine) as session:
        voice = create_voice(session)
        session.add(Answer(voice_id=voice.id, text="道路を直しました"))
        said = session.get_one(MachineReading, voice.id).labels()
    with engine.begin() as connection:
        command.downgrade(db._alembic_config(connection), "0001")
    db.upgrade(engine)
    with db.reading(engine) as session:
        assert session.scalar(select(func.count(Voice.id))) == 1
        assert session.scalar(select(Answer.text)) == "道路を直しました"
        assert session.get_one(MachineReading, voice.id).labels() == said
        assert {len(label.alternatives) for label in said.values()} == {0, 1, 2}, "something to lose"
        assert any(label.evidence for label in said.values())


def test_a_block_is_saved_whole_or_not_at_all(engine: Engine) -> None:
    def add_twice() -> None:
        with db.writing(engine) as session:
            create_user(session, username="hanako")
            create_user(session, username="hanako")

    with pytest.raises(IntegrityError):
        add_twice()
    with db.reading(engine) as session:
        assert session.scalars(select(User)).all() == []


def test_reading_saves_nothing(engine: Engine) -> None:
    with db.reading(engine) as session:
        create_user(session)
    with db.reading(engine) as session:
        assert session.scalars(select(User)).all() == []


def test_writers_wait_for_each_other(engine: Engine) -> None:
    def write(number: int) -> None:
        for _ in range(5):
            with db.writing(engine) as session:
                audit.record(session, actor=f"writer {number}", action="a", subject="b")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.reading(engine) as session:
        assert audit.verify(session) == audit.Verdict(checked=20, broken_at=None)
        assert session.scalar(select(func.count(AuditEntry.id))) == 20


def test_a_database_that_nobody_prepared_says_what_to_run(tmp_path: Path) -> None:
    engine = db.connect(f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(DatabaseError) as caught, db.reading(engine) as session:
        session.scalars(select(Voice)).all()
    engine.dispose()
    assert "koe db upgrade" in caught.value.hint


def test_a_postgresql_that_nobody_prepared_says_what_to_run(postgresql_server: str) -> None:
    engine = db.connect(postgresql_server)
    with pytest.raises(DatabaseError) as caught, db.reading(engine) as session:
        session.scalars(select(Voice)).all()
    engine.dispose()
    assert "koe db upgrade" in caught.value.hint


def test_a_database_of_a_newer_program_is_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="このプログラムは知りません"):
        db.upgrade(engine)
    assert db.drift(engine) == []


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    engine = db.connect(f"postgresql://koe:himitsu@127.0.0.1:{port}/koe")
    for work in (db.ping, db.upgrade, db.drift, db.revision):
        with pytest.raises(DatabaseError, match="接続できない") as caught:
            work(engine)
        assert "himitsu" not in str(caught.value)
    engine.dispose()


def test_sqlite_learns_what_lies_in_its_tables_when_much_has_come(engine: Engine) -> None:
    on_sqlite = engine.dialect.name == "sqlite"
    assert not db.learn(engine)
    for number, learns in ((2, True), (0, False), (1, True), (1, False)):
        with db.writing(engine) as session:
            for _ in range(number):
                create_voice(session)
        assert db.learn(engine) is (learns and on_sqlite)
    if on_sqlite:
        with db.reading(engine) as session:
            assert session.scalar(text("SELECT stat FROM sqlite_stat1 WHERE idx = 'ix_voices_external_id'")) == "3 1"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "koenowa.db"
    path.write_bytes(b"this is not a database" * 100)
    engine = db.connect(f"sqlite:///{path}")
    for work in (db.ping, db.upgrade, db.drift, db.revision):
        with pytest.raises(DatabaseError):
            work(engine)
    engine.dispose()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError):
        db.connect(f"sqlite:///{tmp_path / 'file' / 'deeper' / 'koenowa.db'}")


@pytest.mark.parametrize(
    "url", ["", "koenowa.db", "mysql://localhost/koe", "postgres://h/d", "sqlite//x", "postgresql://localhost:port/koe", "未知://x"]
)
def test_an_address_that_cannot_be_used(url: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        db.connect(url)
    assert caught.value.hint


@pytest.mark.parametrize("url", ["postgresql://h/d", "postgresql+psycopg://h/d"])
def test_every_way_to_write_a_postgresql_address(url: str) -> None:
    assert db.connect(url).dialect.driver == "psycopg"


def test_the_folder_of_a_sqlite_file_is_made_and_memory_needs_none(tmp_path: Path) -> None:
    engine = db.connect(f"sqlite:///{tmp_path / 'a/b/koenowa.db'}")
    db.ping(engine)
    engine.dispose()
    assert (tmp_path / "a/b/koenowa.db").exists()
    memory = db.connect("sqlite://")
    db.ping(memory)
    memory.dispose()
