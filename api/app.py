"""The web application: composed here, decided elsewhere."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import PathLike
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api import oidc, problems, rights, system
from api.account import city as city_sign_in
from api.account import password, sign_in
from api.admin import audit as audit_routes
from api.admin import audit_endpoints, batch_routes, import_endpoints, import_jobs, import_routes, jobs_routes, keys, users
from api.answers import approval_routes
from api.answers import endpoints as answers_json
from api.answers import routes as answer_routes
from api.desk import (
    act_endpoints,
    act_routes,
    beside,
    course_routes,
    files_routes,
    label_routes,
    outlook,
    part_endpoints,
    part_routes,
    record_endpoints,
    views,
)
from api.desk import endpoints as desk_json
from api.desk import routes as desk_routes
from api.limits import Limits
from api.public import endpoints as public_json
from api.public import routes as public_routes
from api.rendering import STATIC, Pages
from api.security import SecurityHeaders
from api.trends import edit_routes as topic_edit_routes
from api.trends import edits as topic_edits_json
from api.trends import endpoints as trends_json
from api.trends import feed as surges_feed
from api.trends import map_endpoints, map_routes, report_routes, table_endpoints, table_routes, topic_routes
from api.trends import routes as trends_routes
from api.turns import Turns
from core import city, db, deadline_file
from core.crypto import load_keyring
from core.settings import Settings, get_settings
from ingest import uploads
from loop import chains
from nlp import routing_file, taxonomy

ROUTERS = (
    sign_in.router,
    city_sign_in.router,
    password.router,
    act_routes.router,
    approval_routes.router,  # before the voices' pages: /desk/approvals is no receipt number
    outlook.pages,
    desk_routes.router,
    label_routes.router,
    course_routes.router,
    part_routes.router,
    answer_routes.router,
    files_routes.router,
    beside.pages,
    views.pages,
    trends_routes.router,
    topic_routes.router,
    topic_edit_routes.router,
    surges_feed.router,
    table_routes.router,
    map_routes.router,
    report_routes.router,
    import_routes.router,
    import_jobs.router,
    batch_routes.router,
    jobs_routes.router,
    users.router,
    audit_routes.router,
    keys.router,
    public_routes.router,
    system.router,
    desk_json.router,
    outlook.json,
    answers_json.router,
    act_endpoints.router,
    part_endpoints.router,
    record_endpoints.router,
    beside.json,
    views.json,
    import_endpoints.router,
    audit_endpoints.router,
    trends_json.router,
    topic_edits_json.router,
    table_endpoints.router,
    map_endpoints.router,
    public_json.router,
)
_LARGEST_BODY = 1_000_000  # bytes; a route that takes files says so itself (api.admin.receiving)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application with its own engine and keyring on ``app.state``.

    Raises:
        KoeError: a setting, a key or the taxonomy can't be used.
        UnstatedRightError: a route doesn't say who may use it.
    """
    settings = settings or get_settings()
    app = FastAPI(
        title="声環 Koenowa",
        version="1",
        description="市民の声と話題を読み、分類を直すための API。",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        max_body_size=_LARGEST_BODY,
    )
    app.state.settings = settings
    app.state.engine = db.connect(settings.url)
    app.state.turns = Turns(app.state.engine.dialect.name)
    app.state.keyring = load_keyring(settings)
    app.state.taxonomy = taxonomy.load(settings.taxonomy_dir)
    app.state.routing = routing_file.load(settings.taxonomy_dir)
    app.state.city = city.load(settings.taxonomy_dir)
    app.state.rules = deadline_file.load(settings.taxonomy_dir)
    chains.load(settings.taxonomy_dir)  # what is wrong with the file is said now, not when the first draft is put forward
    app.state.provider = oidc.load(settings)
    app.state.limits = Limits(settings)
    app.state.pages = Pages(city=app.state.city)
    app.add_middleware(SecurityHeaders, https=settings.secure_cookies)
    problems.register(app)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", _Static(directory=STATIC), name="static")
    rights.stated(app.routes)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await run_in_threadpool(uploads.sweep_copies, app.state.settings)
    # What is there by now stays until the end: looking through all of it again held up one request in some dozens by a tenth of a second.
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    app.state.engine.dispose()


class _Static(StaticFiles):
    """Files whose address carries a hash of their content never change under it."""

    def file_response(self, full_path: str | PathLike[str], stat_result: Any, scope: Scope, status_code: int = 200) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "public, max-age=300"
        return response
