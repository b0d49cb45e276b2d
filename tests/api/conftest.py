"""The command ``koe``, run in this process with a home of its own and the models that are trained once."""

from __future__ import annotations

import gc
import json
import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakeredis import TcpFakeServer
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from api.cli import app
from core import db
from core.settings import get_settings

Koe = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, trained_home: Path, sqlite_template: Path) -> Path:
    """A ``KOE_HOME`` with an empty, migrated database and the shared models."""
    home = tmp_path / "var"
    home.mkdir()
    (home / "models").symlink_to(trained_home / "models", target_is_directory=True)
    shutil.copy(sqlite_template, home / "koenowa.db")
    return home


@pytest.fixture
def database(home: Path) -> Iterator[Engine]:
    """An engine on the database in ``home``."""
    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def koe(home: Path, trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Koe]:
    """``koe("db", "check")`` gives the result; other settings as keywords, standard input as ``stdin``."""
    monkeypatch.setenv("KOE_HOME", str(home))
    monkeypatch.setenv("KOE_DATA", str(trained_home / "data"))
    monkeypatch.setenv("KOE_ENGINE", "serial")

    def run(*arguments: str | Path, stdin: str | bytes | None = None, **settings: str) -> Result:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
        # A command leaves its connections to the end of its process, which this stands for.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    yield run
    get_settings.cache_clear()


def refused(result: Result) -> str:
    """What a refused command told: a Japanese sentence and what to do, no traceback."""
    assert result.exit_code == 1, result.output
    assert "エラー: " in result.stderr
    assert "対処: " in result.stderr
    assert "Traceback" not in result.output
    return result.stderr


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def redis() -> Iterator[str]:
    """The address of a server of this test's own."""
    server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"redis://127.0.0.1:{server.server_address[1]}/0"
    server.shutdown()
    server.server_close()
    thread.join()
