"""The real annotator, and a shortcut that writes a file and takes it in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from core.crypto import Keyring
from core.settings import PROJECT_ROOT, Settings
from ingest.chunks import Annotate, Mask
from ingest.incoming import RejectedRow, Row
from ingest.mail import open_mail
from ingest.options import FileOptions
from ingest.pipeline import import_file
from ingest.reports import ImportReport
from ingest.retry import Tools
from nlp.annotate import Annotator, Masker


@pytest.fixture(scope="session")
def annotate(annotator: Annotator) -> Annotate:
    return annotator


@pytest.fixture
def mask() -> Mask:
    return Masker(PROJECT_ROOT / "data/taxonomy")


Take = Callable[..., ImportReport]


@pytest.fixture
def take(annotate: Annotate, mask: Mask, settings: Settings, keyring: Keyring) -> Take:
    def _take(engine: Engine, path: Path, **given: Any) -> ImportReport:
        """What is said of the file, and what else ``import_file`` is told."""
        said = {name: given.pop(name) for name in FileOptions.__dataclass_fields__ if name in given}
        work = {"settings": settings, "keyring": keyring, "annotate": annotate, "mask": mask, "options": FileOptions(**said)}
        return import_file(engine, path, **(work | given))

    return _take


@pytest.fixture
def tools(annotate: Annotate, mask: Mask, settings: Settings, keyring: Keyring) -> Tools:
    """What mended rows are taken in with."""
    return Tools(settings, keyring, annotate, mask)


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes rows (or bytes) as a file of the test's folder."""

    def _write(rows: Sequence[Sequence[str]] | bytes, name: str = "voices.csv", *, encoding: str = "utf-8", delimiter: str = ",") -> Path:
        path = tmp_path / name
        path.write_bytes(rows if isinstance(rows, bytes) else table_bytes(rows, encoding=encoding, delimiter=delimiter))
        return path

    return _write


@pytest.fixture
def mail_rows(write: Write, settings: Settings):
    def _rows(content: bytes, name: str = "a.eml") -> list[Row | RejectedRow]:
        return list(open_mail(write(content, name)).rows(needed=1, settings=settings))

    return _rows


def table_bytes(rows: Sequence[Sequence[str]], *, encoding: str = "utf-8", delimiter: str = ",", line_end: str = "\r\n") -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return file.getvalue().encode(encoding)


LIST_HEADINGS = ["管理番号", "受付日", "受付媒体", "件名", "ご意見", "回答", "回答日", "所管課", "地区", "氏名", "電話番号", "年代", "公開"]
REASON = "上記回答の理由をお書きください（任意）"
SURVEY_HEADINGS = [
    "【問１】お住まいの地区",
    "【問２】住みやすいと思いますか。",
    REASON,
    "【問３】住みつづけたいですか。",
    REASON,
    "年代",
    "性別",
    "",
    "",
]


def list_row(number: str, text: str, **cells: str) -> list[str]:
    """A row for ``LIST_HEADINGS``; other cells by heading."""
    given = {"管理番号": number, "受付日": "令和7年4月1日", "受付媒体": "電話", "ご意見": text} | cells
    return [given.get(heading, "") for heading in LIST_HEADINGS]
