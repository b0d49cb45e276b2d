"""Files for an import out of a form or a program's request: sealed as they come in, none in memory, nothing kept without the token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.concurrency import run_in_threadpool

from api import multipart
from api.auth import SignedIn
from api.deps import MAY_OPERATE, KeyringOf, SettingsOf, header_token
from api.multipart import LARGEST_STREAM, Form, Limits
from core.errors import InputError
from core.settings import Settings
from ingest.uploads import Received, Receiver

__all__ = ["LARGEST_STREAM", "MOST_FILES", "Sent", "sent_body", "sent_files"]
MOST_FILES = 20
Sent = multipart.Sent[Received]


async def sent_files(
    request: Request, signed_in: Annotated[SignedIn, Depends(MAY_OPERATE)], settings: SettingsOf, keyring: KeyringOf
) -> AsyncIterator[Sent]:
    """The files of a multipart form whose first field is the token of this session; those that the route didn't keep are gone after it.

    Raises:
        ForbiddenError: the token is missing, another session's, or stands after a file.
        InputError: not a form, or one that breaks off.
    """
    limits = Limits(MOST_FILES, settings.max_upload_mb << 20, partial(_too_large, settings=settings))
    form = Form(lambda name: Receiver(settings, keyring, name=name), limits=limits, signed_in=signed_in)
    try:
        await multipart.read_form(request, form)
        yield form.sent
    finally:
        await run_in_threadpool(form.abandon)


async def sent_body(
    request: Request,
    _token: Annotated[None, Depends(header_token)],
    settings: SettingsOf,
    keyring: KeyringOf,
    name: Annotated[str, Query(min_length=1, max_length=255)],
) -> AsyncIterator[Sent]:
    """The same for a program, whose request's body is the file itself.

    Raises:
        InputError: the file is larger than is allowed.
    """
    receiver = Receiver(settings, keyring, name=name)
    sent = Sent()
    try:
        async for chunk in request.stream():
            if receiver.size + len(chunk) > settings.max_upload_mb << 20:
                raise _too_large(f"「{receiver.name}」", settings=settings)
            await run_in_threadpool(receiver.write, chunk)
        sent.files.append(await run_in_threadpool(receiver.finish))
        sent.done = True
        yield sent
    finally:
        if sent.files or not sent.done:
            await run_in_threadpool(receiver.abandon)


def _too_large(what: str, *, settings: Settings) -> InputError:
    error = InputError(
        f"{what}を受け取れません。1度に送れるのは合わせて {settings.max_upload_mb:,} MB までです。",
        hint="いくつかのファイルに分けて送るか、koe import で取り込んでください。",
    )
    error.status = 413
    return error
