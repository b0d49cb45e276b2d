"""A home with trained models, and a file taken in through the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from core import db
from core.models import Batch
from core.settings import Settings
from tests.web.browser import Browser
from tests.web.imports.pages import CSV, choices, sent, work


@pytest.fixture
def settings(tmp_path: Path, trained_home: Path) -> Settings:
    """A home of the test's own that finds the trained models."""
    home = tmp_path / "var"
    home.mkdir()
    (home / "models").symlink_to(trained_home / "models")
    return Settings(home=home, data=trained_home / "data", engine="serial")


Take = Callable[..., int]


@pytest.fixture
def take(app: FastAPI, staff: Browser) -> Take:
    """Takes a file in through the page and gives the batch's number."""

    def take(content: bytes = CSV, name: str = "記録.csv") -> int:
        address = sent(staff, content, name)
        staff.post(f"{address}/start", choices(staff.get(address)))
        work(app)
        with db.reading(app.state.engine) as session:
            return int(session.scalar(select(func.max(Batch.id))) or 0)

    return take
