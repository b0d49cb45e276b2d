"""What somebody says of a file, kept with a job until a worker reads the file."""

from __future__ import annotations

import json
from datetime import date

import pytest

from core.errors import InputError
from core.models import Channel
from core.settings import Settings
from ingest.mapping import resolve_mapping
from ingest.options import NOTHING_SAID, FileOptions


def test_a_job_keeps_all_that_was_said(settings: Settings) -> None:
    corrected = resolve_mapping("auto", ["番号", "ご意見"], settings=settings)
    whole = FileOptions("call-log", "cp932", Channel.LETTER, date(2026, 4, 1), "2026年度", "記録.csv")
    for said in (NOTHING_SAID, whole, FileOptions(corrected)):
        arguments = json.loads(json.dumps({"upload": "a", **said.as_dict()}))
        assert FileOptions.from_dict(arguments) == said


def test_a_job_of_which_nothing_was_said_leaves_all_to_the_file() -> None:
    assert FileOptions.from_dict({"path": "記録.csv", "encoding": ""}) == NOTHING_SAID


def test_a_mapping_that_is_none_is_refused() -> None:
    with pytest.raises(InputError):
        FileOptions.from_dict({"mapping": {"fields": {"本文": 1}}})
