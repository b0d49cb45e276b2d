"""The application on a database of its own, and people who use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from api.app import create_app
from core import db
from core.models import Role, User
from core.settings import Settings
from tests import factories
from tests.web.browser import Browser, TestClient


@pytest.fixture
def app(database_url: str, settings: Settings) -> Iterator[FastAPI]:
    """The application; its tests run on both kinds of database."""
    app = create_app(settings.model_copy(update={"database_url": database_url}))
    yield app
    app.state.engine.dispose()


@pytest.fixture
def sqlite_app(sqlite_engine: Engine, settings: Settings) -> Iterator[FastAPI]:
    """The application on SQLite alone, for what the kind of database makes no difference to."""
    app = create_app(settings.model_copy(update={"database_url": sqlite_engine.url.render_as_string(hide_password=False)}))
    yield app
    app.state.engine.dispose()


@pytest.fixture
def save(app: FastAPI) -> Iterator[Session]:
    """A session for a test's objects; ``commit`` it before a page is fetched."""
    with Session(app.state.engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def reader(app: FastAPI) -> Browser:
    """Somebody who isn't signed in."""
    return Browser(TestClient(app))


SignIn = Callable[..., Browser]


@pytest.fixture
def sign_in(app: FastAPI) -> SignIn:
    """Gives a browser in which a member of staff of some role is signed in."""

    def sign_in(role: Role = Role.KOCHO, **values: object) -> Browser:
        with db.writing(app.state.engine) as session:
            user: User = factories.create_user(session, role=role, **values)
            token = factories.create_token(session, user)
        client = TestClient(app)
        client.cookies.set("koe_session", token)
        return Browser(client)

    return sign_in


@pytest.fixture
def staff(sign_in: SignIn) -> Browser:
    """A member of 広聴課."""
    return sign_in()


def renew(session: Session) -> None:
    """Forgets what a session read, so that the next look sees what a page has written."""
    session.rollback()
    session.expire_all()


@contextmanager
def queries_of(engine: Engine) -> Iterator[list[str]]:
    """Collects the statements that the block sends."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
