"""Errors as people and programs meet them: a page in Japanese for a browser, problem JSON under /api, never a traceback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.deps import pages_of
from api.security import HEADERS
from core.errors import (
    InputError,
    KoeError,
    NotFoundError,
    PasswordChangeRequiredError,
    SignInRequiredError,
    TooManyRequestsError,
)

TO_BE_CHANGED = "/account/password"

TITLES = {
    400: "入力を読み取れませんでした",
    401: "ログインが必要です",
    403: "この操作はできません",
    404: "ページが見つかりません",
    405: "この操作はできません",
    409: "先に変更がありました",
    413: "送られた内容が大きすぎます",
    422: "入力に誤りがあります",
    429: "回数が多すぎます",
    500: "処理中に問題が起きました",
    503: "いま使えません",
}
# The body of every error under /api (RFC 9457), as the OpenAPI document describes it.
PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "何が起きたか"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "プログラムのための短い名前"},
        "detail": {"type": "string", "description": "どうすればよいか"},
        "errors": {
            "type": "array",
            "description": "読み取れなかった項目",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "type": {"type": "string"}},
                "required": ["field", "type"],
            },
        },
    },
}
FIELDS = {
    "batch_id": "取込の番号",
    "cell": "行の欄",
    "column": "列の対応",
    "encoding": "文字コード",
    "job_id": "処理の番号",
    "mapping": "対応表",
    "name": "名前",
    "reason": "理由",
    "received_on": "受付日",
    "reject_id": "取り込めなかった行の番号",
    "upload_id": "送ったファイル",
    "voice_id": "声の番号",
    "acknowledged": "確認した印",
    "act": "操作",
    "approval_id": "決裁の番号",
    "comment": "意見",
    "delivery": "送り方",
    "deputy": "代決する人",
    "dispatch": "選んだ手紙やメール",
    "dispatches": "選んだ手紙やメール",
    "disposition": "対応区分",
    "review_on": "見直す日",
    "source": "もとにしたもの",
    "sources": "もとにしたもの",
    "text": "回答文",
    "version": "版",
    "after": "一覧の続きの位置",
    "before": "一覧の前の位置",
    "department": "所管課",
    "district": "地区",
    "q": "ことば",
    "receipt_number": "受付番号",
    "theme": "分野",
    "x-csrf-token": "書きこみの印（/api/v1/session の csrf_token）",
    "base_since": "くらべる期間の始まり",
    "base_until": "くらべる期間の終わり",
    "by": "くらべる項目",
    "channel": "受付媒体",
    "columns": "列の項目",
    "everything": "すべて出す",
    "again": "新しいパスワード（もう一度）",
    "display_name": "画面に出る名前",
    "email": "メールアドレス",
    "new": "新しいパスワード",
    "old": "いまのパスワード",
    "position": "職位",
    "role": "役割",
    "sign_in_by": "ログインのしかた",
    "user_id": "利用者",
    "username": "利用者名",
    "facet": "分類の項目",
    "format": "書き出す形",
    "kind": "種別",
    "labels": "取り消す変更",
    "limit": "件数",
    "month": "月",
    "order": "並び順",
    "page": "ページ",
    "pair": "くらべる期間",
    "parts": "分ける数",
    "period": "期間",
    "rows": "行の項目",
    "seen": "画面の版",
    "show": "出す数字",
    "since": "期間の始まり",
    "sort": "並び順",
    "tab": "一覧の種類",
    "to": "移す先の話題",
    "topic": "話題",
    "topic_id": "話題",
    "topics": "話題",
    "until": "期間の終わり",
    "urgency": "緊急度",
    "value": "分類",
    "voice": "声",
    "words": "ことば",
    "valued": "値のないものを除く",
}


def register(app: FastAPI) -> None:
    """Gives every kind of error its page."""
    app.add_exception_handler(KoeError, _koe_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


async def _koe_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, KoeError)  # noqa: S101  (what it was registered for)
    if isinstance(error, SignInRequiredError) and not _is_api(request):
        return _to_sign_in(request)
    if isinstance(error, PasswordChangeRequiredError) and not _is_api(request):
        return _to_password(request)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyRequestsError) else None
    return _answer(request, error, headers=headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 404:
        return _answer(request, NotFoundError("お探しのページはありません。", hint="アドレスを確かめてください。"))
    problem = KoeError(TITLES.get(error.status_code, TITLES[500]) + "。", code="http")
    problem.status = error.status_code
    return _answer(request, problem, headers=dict(error.headers or {}))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    named = [FIELDS.get(str(item["loc"][-1]), str(item["loc"][-1])) for item in error.errors()]
    problem = InputError(f"「{'」「'.join(dict.fromkeys(named))}」を読み取れません。", hint="値を確かめて、もう一度送ってください。")
    problem.status = 422
    fields = [{"field": ".".join(map(str, item["loc"][1:])), "type": item["type"]} for item in error.errors()]
    return _answer(request, problem, fields=fields)


async def _unexpected(request: Request, _error: Exception) -> Response:
    problem = KoeError("処理中に問題が起きました。", hint="時間をおいて、もう一度お試しください。続くときは管理者に知らせてください。")
    # Starlette answers from outside every middleware here, so the headers are put on by hand.
    return _answer(request, problem, headers={**HEADERS, "Cache-Control": "no-store"})


def _answer(request: Request, error: KoeError, *, headers: dict[str, str] | None = None, fields: Sequence[dict[str, Any]] = ()) -> Response:
    if _is_api(request):
        body: dict[str, Any] = {"type": "about:blank", "title": error.message, "status": error.status, "code": error.code}
        body |= {"detail": error.hint} if error.hint else {}
        body |= {"errors": fields} if fields else {}
        return JSONResponse(body, error.status, headers=headers, media_type="application/problem+json")
    context = {"heading": TITLES.get(error.status, TITLES[500]), "error": error, "staff": _is_staff(request), "back": _came_from(request)}
    return pages_of(request).page(request, "errors/error.html", context, status=error.status, headers=headers)


def _came_from(request: Request) -> str:
    """The page whose form was sent, where the browser names one of this site: errors ask to open it again."""
    if request.method != "POST":
        return ""
    try:
        page = urlsplit(request.headers.get("referer", ""))
    except ValueError:  # whoever sends it may write anything there
        return ""
    is_here = page.netloc == request.headers.get("host") and page.path.startswith("/") and not page.path.startswith("//")
    return page.path + (f"?{page.query}" if page.query else "") if is_here else ""


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    address = "/sign-in" if request.method != "GET" else f"/sign-in?next={quote(wanted)}"
    if request.headers.get("HX-Request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse(address, status_code=302 if request.method == "GET" else 303)


def _to_password(request: Request) -> Response:
    if request.headers.get("HX-Request") == "true":
        return Response(status_code=403, headers={"HX-Redirect": TO_BE_CHANGED})
    return RedirectResponse(TO_BE_CHANGED, status_code=302 if request.method == "GET" else 303)


def _is_api(request: Request) -> bool:
    path = request.url.path
    return path == "/healthz" or (path.startswith("/api/") and path != "/api/docs")


def _is_staff(request: Request) -> bool:
    return request.url.path.startswith(("/desk", "/trends", "/policy", "/admin"))
