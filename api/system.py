"""Pages and answers about the application itself."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from api import rights
from api.deps import EngineOf, PagesOf, public
from api.problems import FIELDS, PROBLEM, TITLES
from core import db
from core.errors import TooManyRequestsError

router = APIRouter(include_in_schema=False)
_SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": "koe_session", "description": "職員のログイン。書きこみには X-CSRF-Token も要る"},
    "key": {"type": "http", "scheme": "bearer", "description": "API キー（Authorization: Bearer）。できることはキーごとに決まる"},
}


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
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        document.setdefault("components", {})["securitySchemes"] = _SCHEMES
        document["components"].setdefault("schemas", {})["Problem"] = PROBLEM
        used: dict[str, Any] = document["components"].setdefault("responses", {})
        for right in rights.stated(app.routes):
            operation = document["paths"].get(right.path, {}).get(right.method.lower())
            if operation is None:
                continue
            if right.roles is not None:
                # A key's scopes stand in its requirement, as OpenAPI 3.1 lets them for every kind of scheme.
                operation["security"] = [{"session": []}, *([{"key": [right.scope]}] if right.scope else [])]
            # What FastAPI says of 422 by itself is another's body than ours.
            answers = {str(status): f"Problem{status}" for status in _statuses(right)}
            operation["responses"] |= {status: {"$ref": f"#/components/responses/{name}"} for status, name in answers.items()}
            used |= {name: _problem(int(status)) for status, name in answers.items()}
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema


def _statuses(right: rights.StatedRight) -> list[int]:
    """How a request may fail, by what the route states."""
    kept = right.roles is not None
    takes_files = right.method == "POST" and right.path.endswith(("/files", "/uploads"))
    when = {400: True, 401: kept, 403: kept, 404: "{" in right.path, 409: right.method != "GET", 413: takes_files}
    when |= dict.fromkeys((422, 429, 503), True)
    return [status for status, may_be in when.items() if may_be]


def _problem(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": TITLES[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == TooManyRequestsError.status:
        answer["headers"] = {"Retry-After": {"description": "待つ秒数", "schema": {"type": "integer"}}}
    return answer
