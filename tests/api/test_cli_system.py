from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, select, text

from core import audit, db
from core.crypto import Keyring, load_keyring
from core.models import AuditEntry, Secret, User
from core.settings import PROJECT_ROOT, Settings
from tests.api.conftest import Koe, json_lines, refused
from tests.factories import create_secret, create_topic, create_voice

PASSWORD = "しおみの海は青い-2026"
HEAVY = ("numpy", "sklearn", "spacy", "sqlalchemy", "sudachipy", "fastapi", "alembic")


def add_user(koe: Koe, name: str = "hanako", role: str = "kocho", password: str = PASSWORD, *options: str):
    return koe("user", "add", name, "--role", role, *options, KOE_NEW_PASSWORD=password)


@pytest.mark.parametrize("arguments", [["--help"], ["annotate", "--help"], ["topics", "--help"], ["db", "--help"]])
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    program = f"""
import sys
from api.cli import app
try:
    app({arguments!r})
except SystemExit:
    pass
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stderr.strip() == "[]"
    assert "Usage" in done.stdout


def test_db_check_and_upgrade(koe: Koe, home: Path) -> None:
    assert "合っています" in koe("db", "check").stdout
    engine = create_engine(f"sqlite:///{home / 'koenowa.db'}")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE users ADD COLUMN memo VARCHAR(9)"))
    engine.dispose()
    result = koe("db", "check")
    assert result.exit_code == 1
    assert "memo" in result.stderr
    assert "koe db upgrade" in result.stdout
    assert koe("db", "upgrade").exit_code == 0


def test_commands_on_both_databases(koe: Koe, engine: Engine, database_url: str) -> None:
    assert koe("db", "check", KOE_DATABASE_URL=database_url).exit_code == 0
    assert add_user(koe).exit_code == 0
    assert "1 件はすべて" in koe("audit", "verify").stdout
    with db.reading(engine) as session:
        assert session.scalars(select(User.username)).all() == ["hanako"]


@pytest.mark.parametrize("url", ["", "mysql://localhost/koe", "postgresql://127.0.0.1:1/koe", "nonsense", "sqlite:////dev/null/koe.db"])
def test_an_address_of_no_database(koe: Koe, home: Path, url: str) -> None:
    if not url:
        (home / "koenowa.db").write_bytes(b"no database" * 200)
    for command in (("db", "check"), ("topics", "list"), ("audit", "verify"), ("keys", "rotate")):
        refused(koe(*command, KOE_DATABASE_URL=url))
    refused(add_user(koe))


def test_a_setting_that_cannot_be_used(koe: Koe) -> None:
    assert "KOE_PORT" in refused(koe("db", "check", KOE_PORT="http"))


def test_a_user_is_added_and_written_down(koe: Koe, home: Path) -> None:
    assert "hanako" in add_user(koe).stdout
    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    with db.reading(engine) as session:
        user = session.scalars(select(User)).one()
        assert (user.username, user.role.value, user.display_name) == ("hanako", "kocho", "hanako")
        assert PASSWORD not in user.password_hash
        assert audit.verify(session).checked == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("name", "role", "password", "told"),
    [
        ("hanako", "kocho", "short", "12 文字"),
        ("hanako", "mayor", PASSWORD, "mayor"),
        ("花子", "kocho", PASSWORD, "花子"),
        ("h", "kocho", PASSWORD, "利用者名"),
        ("hanako", "department", PASSWORD, "課"),
    ],
)
def test_a_user_that_cannot_be_added(koe: Koe, name: str, role: str, password: str, told: str) -> None:
    said = refused(add_user(koe, name, role, password))
    assert told in said
    assert PASSWORD not in said


def test_accounts_are_looked_after(koe: Koe, home: Path) -> None:
    assert add_user(koe, "root01", "admin").exit_code == 0
    assert (
        add_user(koe, "hanako", "department", PASSWORD, "--department", "道路維持課", "--position", "係長", "--keep-password").exit_code
        == 0
    )
    assert "hanako           department 利用中　hanako　道路維持課　係長" in koe("user", "list").stdout
    assert koe("user", "close", "hanako").exit_code == 0
    assert "停止　hanako" in koe("user", "list").stdout
    for command in ("reopen", "unlock"):
        assert "hanako" in koe("user", command, "hanako").stdout
    assert "設定されていません" in refused(koe("user", "city", "hanako"))
    assert "市の認証でログインします" in koe("user", "city", "hanako", KOE_OIDC_ISSUER="https://sso.city.example").stdout
    assert "hanako　道路維持課　係長　市の認証" in koe("user", "list").stdout
    assert koe("user", "password", "hanako", KOE_NEW_PASSWORD=f"{PASSWORD}!").exit_code == 0
    assert "市の認証" not in koe("user", "list").stdout
    assert "最後の管理者" in refused(koe("user", "close", "root01"))
    assert "いません" in refused(koe("user", "unlock", "nobody"))
    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    with db.reading(engine) as session:
        found = session.execute(select(User.username, User.must_change_password, User.active).order_by(User.id)).all()
        assert [tuple(row) for row in found] == [("root01", True, True), ("hanako", True, True)]
        actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert actions == ["user.add", "user.add", "user.close", "user.reopen", "user.unlock", "user.city", "user.password"]
    engine.dispose()


def test_keys_for_programs(koe: Koe) -> None:
    token = koe("key", "add", "line", "--scope", "voices:read", "--scope", "trends:read", "--expires", "2099-03-31").stdout.strip()
    assert token.startswith("koe_")
    listed = koe("key", "list").stdout
    assert "line                 使用中　期限 2099-03-31　最後に使った日 まだ　trends:read voices:read" in listed
    assert token not in listed
    assert koe("key", "revoke", "line").exit_code == 0
    assert "停止" in koe("key", "list").stdout
    assert "mayor" in refused(koe("key", "add", "other", "--scope", "mayor"))
    assert "ありません" in refused(koe("key", "revoke", "nobody"))
    assert "期限が過ぎています" in refused(koe("key", "add", "other", "--scope", "voices:read", "--expires", "2020-01-01"))


def test_a_name_that_is_taken(koe: Koe) -> None:
    assert add_user(koe).exit_code == 0
    assert "すでにいます" in refused(add_user(koe))


def test_keys_are_rotated_and_the_old_one_is_not_needed(koe: Koe, home: Path) -> None:
    old = load_keyring(Settings(home=home))
    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    with db.writing(engine) as session:
        create_secret(session, create_voice(session), old, text="港町一郎と申します。")
    assert "1 件を包み直しました" in koe("keys", "rotate").stdout
    stored = json.loads((home / "keys.json").read_text())
    assert stored["current"] == "k2"
    new = load_keyring(Settings(home=home / "elsewhere", keys=f"k2:{stored['keys']['k2']}"))
    with db.reading(engine) as session:
        secret = session.scalars(select(Secret)).one()
        assert Keyring.key_id(secret.sealed) == "k2"
        assert "港町一郎" in new.open(secret.sealed, place=secret.place)
    engine.dispose()


def test_a_broken_audit_trail_is_told(koe: Koe, home: Path) -> None:
    assert "0 件はすべて" in koe("audit", "verify").stdout
    for name in ("hanako", "jiro"):
        assert add_user(koe, name).exit_code == 0
    engine = create_engine(f"sqlite:///{home / 'koenowa.db'}")
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_entries_no_UPDATE"))
        connection.execute(text("UPDATE audit_entries SET actor = 'nobody' WHERE id = 2"))
    engine.dispose()
    assert "監査記録 2 番" in refused(koe("audit", "verify"))


def test_serving_on_a_port_that_is_taken(koe: Koe) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in refused(koe("serve", "--port", port))


def test_topics_of_an_empty_database(koe: Koe, tmp_path: Path) -> None:
    listed = koe("topics", "list")
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert "koe topics fit" in listed.stderr
    exported = koe("topics", "export", tmp_path / "topics.jsonl")
    assert exported.exit_code == 0
    assert (tmp_path / "topics.jsonl").read_text() == ""
    for mode in ("fit", "update"):
        result = koe("topics", mode)
        assert result.exit_code == 0 or refused(result)
        assert "Traceback" not in result.output


def test_topics_are_listed_and_exported(koe: Koe, home: Path, tmp_path: Path) -> None:
    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    with db.writing(engine) as session:
        create_topic(session, voices=[create_voice(session) for _ in range(3)], name="歩道の段差")
    engine.dispose()
    assert "歩道の段差" in koe("topics", "list").stdout
    (line,) = json_lines(koe("topics", "list", "--json").stdout)
    assert (line["topic"], line["size"]) == ("歩道の段差", 3)
    target = tmp_path / "topics.jsonl"
    assert "3 件" in koe("topics", "export", target).stdout
    assert len(json_lines(target.read_text("utf-8"))) == 3
    refused(koe("topics", "export", tmp_path / "no/topics.jsonl"))


def test_the_history_of_topics(koe: Koe, home: Path) -> None:
    assert "まだありません" in koe("topics", "history").stderr
    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    with db.writing(engine) as session:
        for number in range(12):
            create_voice(session, text=f"歩道の段差が{number}か所あります")
    engine.dispose()
    assert koe("topics", "fit").exit_code == 0
    assert koe("topics", "update").exit_code == 0
    events = json_lines(koe("topics", "history", "--json").stdout)
    assert [event["event"] for event in events if event["topic_id"] == 1] == ["born", "kept"]
    assert sum(event["after"] for event in events if event["run"] == 1 and event["topic"] == events[0]["topic"]) == 12
    first, second = koe("topics", "history", "1").stdout.splitlines()
    assert ("誕生（0 → 12 件" in first, "継続（12 → 12 件" in second) == (True, True)
    assert "koe topics list" in refused(koe("topics", "history", "99"))


def test_evaluate_refuses_what_it_cannot_measure(koe: Koe, tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    refused(koe("evaluate", "--gold", gold))
    gold.write_text("", "utf-8")
    assert "gold.jsonl" in refused(koe("evaluate", "--gold", gold))
    gold.write_text('{"id": 1, "text": "歩道の段差", "theme": "道路・交通"}\n{"id": 2}\n', "utf-8")
    assert "2 行目" in refused(koe("evaluate", "--gold", gold))
    gold.write_bytes(b"\xff\xfe\x00")
    refused(koe("evaluate", "--gold", gold))


def test_evaluate_counts_a_second_defensible_theme(koe: Koe, tmp_path: Path) -> None:
    said = json_lines(koe("annotate", stdin='{"id": 1, "text": "歩道の段差が大きく危ない。"}\n').stdout)[0]["theme"]["label"]
    gold = tmp_path / "gold.jsonl"
    record = {"id": 1, "text": "歩道の段差が大きく危ない。", "theme": "ごみ・環境", "theme_alt": said}
    gold.write_text(json.dumps(record, ensure_ascii=False), "utf-8")
    (report,) = json_lines(koe("evaluate", "--gold", gold, "--json").stdout)
    assert (report["texts"], report["theme"]["strict"], report["theme"]["lenient"]) == (1, 0.0, 1.0)
    assert "1 件で測定" in koe("evaluate", "--gold", gold).stdout


def test_evaluate_measures_masking_and_writes_a_report(koe: Koe, tmp_path: Path) -> None:
    voices, masking = tmp_path / "voices.jsonl", tmp_path / "pii.jsonl"
    voices.write_text('{"id": 1, "text": "歩道の段差が大きく危ない。", "theme": "道路・交通"}', "utf-8")
    masking.write_text('{"id": 2, "text": "電話は090-1234-5678", "pii": [{"start": 3, "end": 16, "type": "PHONE"}]}', "utf-8")
    result = koe("evaluate", "--gold", voices, "--gold", masking, "--json", "--report", tmp_path / "report")
    (said,) = json_lines(result.stdout)
    assert said["masking"]["types"]["PHONE"]["recall"] == 1.0
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.json", "report.md", "report.html"}
    assert str(tmp_path / "report" / "report.html") in result.stderr
    refused(koe("evaluate", "--gold", voices, "--report", voices))


def test_evaluate_without_a_file_takes_the_gold_of_the_data_folder(koe: Koe, trained_home: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(trained_home / "data", data, ignore=shutil.ignore_patterns("gold"))
    (data / "gold").mkdir()
    refused(koe("evaluate", KOE_DATA=str(data)))
    (data / "gold/voices.jsonl").write_text('{"id": 1, "text": "歩道の段差が大きく危ない。", "theme": "道路・交通"}', "utf-8")
    (data / "gold/other.jsonl").write_text('{"id": 1, "text": "歩道", "pairs": []}', "utf-8")
    result = koe("evaluate")
    assert "1 件で測定" in result.stdout
    assert "other.jsonl は別の測定" in result.stderr
