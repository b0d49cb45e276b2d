"""Whatever a file holds: it is taken in or refused in Japanese, never with a traceback, and every record of it is accounted for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from core import db
from core.errors import KoeError
from core.models import Batch, Reject, Voice
from core.settings import PROJECT_ROOT
from ingest.pipeline import ImportReport
from nlp.annotate import Masker
from nlp.annotation import Annotation, Label
from nlp.similar import terms
from tests.ingest import broken_files as files
from tests.ingest.conftest import Take, Write

# 1 in an ordinary run; `pytest --hypothesis-profile=long` looks at a hundred times as many files.
SCALE = hypothesis_settings().max_examples / 100
JAPANESE = re.compile("[ぁ-んァ-ヶ一-龠]")
MASKER = Masker(PROJECT_ROOT / "data/taxonomy")


def examples(count: int) -> hypothesis_settings:
    slack = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return hypothesis_settings(max_examples=int(count * SCALE), suppress_health_check=slack)


def annotate_lightly(texts: Sequence[str]) -> list[Annotation]:
    """Masks as ever, and labels all alike: reading a file doesn't depend on what its voices are about."""
    label = Label("その他", 1.0)
    return [
        Annotation(masked, pii, label, label, Label("要望", 1.0), Label("通常", 1.0), label, (), (), (), terms(masked), "light")
        for masked, pii in MASKER(texts)
    ]


Check = Callable[..., ImportReport | None]


@pytest.fixture
def check(take: Take, write: Write, sqlite_engine: Engine) -> Check:
    """Takes a file in twice, into an empty database, and looks at what came of it."""

    def _check(content: bytes, name: str, **options: object) -> ImportReport | None:
        given = {"annotate": annotate_lightly, "mask": MASKER} | options
        empty(sqlite_engine)
        path = write(content, name)
        try:
            report = take(sqlite_engine, path, **given)
        except KoeError as error:
            assert JAPANESE.search(error.message)
            assert JAPANESE.search(error.hint)
            event("refused")
            return None
        event("taken in" if report.imported else "all rejected" if report.rejected else "blank")
        accounted(sqlite_engine, report)
        again = take(sqlite_engine, path, **given)
        assert (again.read, again.imported, again.rejected) == (report.read, 0, report.rejected)
        return report

    return _check


def empty(engine: Engine) -> None:
    with db.writing(engine) as session:
        for table in ("voice_search", "search_terms", "daily_counts", "voices", "rejects", "batches"):
            session.execute(text(f"DELETE FROM {table}"))  # noqa: S608


def accounted(engine: Engine, report: ImportReport) -> None:
    assert report.read == report.imported + report.duplicates + report.rejected
    with db.reading(engine) as session:
        batch = session.get_one(Batch, report.batch)
        assert (batch.rows_read, batch.imported, batch.duplicates) == (report.read, report.imported, report.duplicates)
        texts = session.scalars(select(Voice.text).where(Voice.batch_id == report.batch)).all()
        rejects = session.execute(select(Reject.code, Reject.reason).where(Reject.batch_id == report.batch)).all()
    assert (len(texts), len(rejects)) == (report.imported, report.rejected)
    assert all(masked.strip() for masked in texts)
    assert all(code and JAPANESE.search(reason) for code, reason in rejects)


@examples(700)
@given(content=files.broken(files.tables(), others=files.mails()))
def test_any_table(check: Check, content: bytes) -> None:
    check(content, "voices_202504.csv")


@examples(700)
@given(content=files.broken_books())
def test_any_workbook(check: Check, content: bytes) -> None:
    check(content, "voices.xlsx")


@examples(700)
@given(content=files.broken(files.mails(), others=files.tables()))
def test_any_mail(check: Check, content: bytes) -> None:
    check(content, "letters.eml")


@examples(500)
@given(content=files.broken(files.json_lines(), others=files.tables()))
def test_any_json_lines(check: Check, content: bytes) -> None:
    check(content, "voices.jsonl")


@examples(200)
@given(content=st.binary(max_size=400))
def test_any_bytes(check: Check, content: bytes) -> None:
    check(content, "voices.dat")
