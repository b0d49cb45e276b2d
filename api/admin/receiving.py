"""Files out of a form, read as they come in: no spool file in a temporary folder, no file in memory, nothing kept without the token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Query, Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from api.auth import SignedIn
from api.deps import MAY_OPERATE, KeyringOf, SettingsOf, check_token, header_token
from core.crypto import Keyring
from core.errors import InputError, KoeError
from core.settings import Settings
from ingest.uploads import Received, Receiver

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_FILES = 20
LARGEST_STREAM = 1 << 40  # for the routes: the limit in force is a setting, and is kept here
_LONGEST_FIELD = 4096
_TOKEN = "csrf_token"  # noqa: S105  (a field's name)


@dataclass
class Sent:
    """What a form brought: files that lie sealed and wait to be looked at, what was wrong with the others, and the form's other fields."""

    files: list[Received] = field(default_factory=list)
    refused: list[KoeError] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    done: bool = False
    """Whether all of it came in."""


async def sent_files(
    request: Request, signed_in: Annotated[SignedIn, Depends(MAY_OPERATE)], settings: SettingsOf, keyring: KeyringOf
) -> AsyncIterator[Sent]:
    """The files of a multipart form whose first field is the token of this session; those that the route didn't keep are gone after it.

    Raises:
        ForbiddenError: the token is missing, another session's, or stands after a file.
        InputError: not a form, or one that breaks off.
    """
    form = _Form(settings, keyring, signed_in=signed_in)
    try:
        await _read(request, form)
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
                raise _too_large(f"「{receiver.name}」", settings)
            await run_in_threadpool(receiver.write, chunk)
        sent.files.append(await run_in_threadpool(receiver.finish))
        sent.done = True
        yield sent
    finally:
        if sent.files or not sent.done:
            await run_in_threadpool(receiver.abandon)


async def _read(request: Request, form: _Form) -> None:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        form.check_token()
    try:
        parser = MultipartParser(options[b"boundary"], form.callbacks())
        async for chunk in request.stream():
            parser.write(chunk)
            await run_in_threadpool(form.work)
        parser.finalize()
    except MultipartParseError:
        raise InputError("送られた内容を読み取れません。", hint="画面を開きなおして、もう一度送ってください。") from None
    await run_in_threadpool(form.work)
    form.check_token()


class _Form:
    """Notes what the parser finds, and does the slow part of it (sealing, writing) when ``work`` is called, out of the event loop."""

    def __init__(self, settings: Settings, keyring: Keyring, *, signed_in: SignedIn) -> None:
        self.sent = Sent()
        self._settings, self._keyring, self._signed_in = settings, keyring, signed_in
        self._limit = settings.max_upload_mb << 20
        self._total = 0
        self._todo: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._header, self._value = b"", b""
        self._disposition = b""
        self._name, self._text = "", bytearray()
        self._receiver: Receiver | None = None
        self._receivers: list[Receiver] = []
        self._in_file = False

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": lambda: self._note(self._begin),
            "on_header_field": lambda data, start, end: self._note(self._header_field, data[start:end]),
            "on_header_value": lambda data, start, end: self._note(self._header_value, data[start:end]),
            "on_header_end": lambda: self._note(self._header_end),
            "on_headers_finished": lambda: self._note(self._headers_finished),
            "on_part_data": lambda data, start, end: self._note(self._data, data[start:end]),
            "on_part_end": lambda: self._note(self._end),
        }

    def work(self) -> None:
        todo, self._todo = self._todo, []
        for step, values in todo:
            step(*values)

    def check_token(self) -> None:
        check_token(self.sent.fields.get(_TOKEN, ""), self._signed_in)

    def abandon(self) -> None:
        """Removes what nobody has kept. A file that was kept has its row, and ``ingest.uploads.keep`` has taken it out of ``files``."""
        unused = {received.id for received in self.sent.files}
        for receiver in self._receivers:
            if receiver.id in unused or receiver is self._receiver:
                receiver.abandon()

    def _note(self, step: Callable[..., None], *values: Any) -> None:
        self._todo.append((step, values))

    def _begin(self) -> None:
        self._disposition, self._header, self._value = b"", b"", b""
        self._name, self._text, self._in_file = "", bytearray(), False

    def _header_field(self, data: bytes) -> None:
        self._header += data

    def _header_value(self, data: bytes) -> None:
        self._value += data

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""

    def _headers_finished(self) -> None:
        options = parse_options_header(self._disposition)[1]
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            return
        self.check_token()
        self._in_file = True
        name = options[b"filename"].decode("utf-8", "replace")
        if not name:
            return  # nobody chose a file
        if len(self._receivers) >= MOST_FILES:
            self._refuse(
                InputError(
                    f"1度に送れるのは {MOST_FILES} 個までです。「{name[:80]}」は受け取っていません。", hint="残りは、分けて送ってください。"
                )
            )
            return
        self._receiver = Receiver(self._settings, self._keyring, name=name)
        self._receivers.append(self._receiver)

    def _data(self, data: bytes) -> None:
        if not self._in_file:
            self._text += data
            if len(self._text) > _LONGEST_FIELD:
                raise InputError("送られた内容を読み取れません。", hint="画面を開きなおして、もう一度送ってください。")
            return
        self._total += len(data)
        if self._total > 2 * self._limit:
            # What is too much is read and forgotten, so that the browser comes to see the answer; but not without end.
            raise _too_large("送られたファイル", self._settings)
        if self._receiver is None:
            return
        if self._total > self._limit:
            self._receiver.abandon()
            self._refuse(_too_large(f"「{self._receiver.name}」", self._settings))
            self._receiver = None
            return
        self._receiver.write(data)

    def _end(self) -> None:
        if self._receiver is not None:
            self.sent.files.append(self._receiver.finish())
            self._receiver = None
        elif not self._in_file:
            self.sent.fields[self._name] = self._text.decode("utf-8", "replace")

    def _refuse(self, error: KoeError) -> None:
        self.sent.refused.append(error)


def _too_large(what: str, settings: Settings) -> InputError:
    error = InputError(
        f"{what}を受け取れません。1度に送れるのは合わせて {settings.max_upload_mb:,} MB までです。",
        hint="いくつかのファイルに分けて送るか、koe import で取り込んでください。",
    )
    error.status = 413
    return error
