"""Pages and answers about the application itself."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from api.deps import EngineOf, PagesOf, public
from api.problems import FIELDS
from core import db

router = APIRouter(include_in_schema=False)


@router.get("/healthz", dependencies=[Depends(public)])
def health(engine: EngineOf) -> dict[str, str]:
    """Answers when the application and its database do."""
    db.ping(engine)
    return {"status": "ok"}


@router.get("/api/openapi.json", dependencies=[Depends(public)])
def openapi_document(request: Request) -> Response:
    """The description of the JSON API for programs."""
    return JSONResponse(openapi(request.app))


@router.get("/api/docs", dependencies=[Depends(public)])
def api_docs(request: Request, pages: PagesOf) -> Response:
    """The description of the JSON API for people."""
    document = openapi(request.app)
    operations = [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return pages.page(request, "system/api_docs.html", {"operations": operations, "about": document["info"], "fields": FIELDS})


def openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    return app.openapi_schema
