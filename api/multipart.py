"""Forms with files, read as they come in: no spool file in a temporary folder, nothing taken without the token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from api.auth import SignedIn
from api.deps import check_token
from core.errors import InputError, KoeError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

LARGEST_STREAM = 1 << 40  # for the routes: the limit in force is a setting, and is kept here
_LONGEST_FIELD = 4096
_MOST_FIELDS = 20
_CSRF_FIELD = "csrf_token"

Taken = TypeVar("Taken")
Taken_co = TypeVar("Taken_co", covariant=True)


class Sink(Protocol[Taken_co]):
    """Takes one file in, piece by piece. ``finish`` or ``abandon`` ends it; ``abandon`` also undoes ``finish``."""

    name: str

    def write(self, data: bytes) -> None: ...

    def finish(self) -> Taken_co: ...

    def abandon(self) -> None: ...


@dataclass
class Sent(Generic[Taken]):
    """What a form brought: files that were taken in, what was wrong with the others, and the form's other fields."""

    files: list[Taken] = field(default_factory=list)
    refused: list[KoeError] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    done: bool = False
    """Whether all of it came in."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many files a form may bring, how many bytes all of them together, and what a person is told of more."""

    files: int
    size: int
    too_large: Callable[[str], InputError]


async def read_form(request: Request, form: Form[Taken]) -> None:
    """Reads a request's form to its end.

    Raises:
        ForbiddenError: the token is missing, another session's, or stands after a file.
        InputError: not a form, or one that breaks off.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        form.check_token()  # refuses: what is no form has brought no token
    try:
        parser = MultipartParser(options[b"boundary"], form.callbacks())
        async for chunk in request.stream():
            parser.write(chunk)
            await run_in_threadpool(form.work)
        parser.finalize()
    except FormParserError:
        raise unreadable() from None
    await run_in_threadpool(form.work)
    form.check_token()


class Form(Generic[Taken]):
    """Notes what the parser finds, and does the slow part of it (sealing, writing) when ``work`` is called, out of the event loop."""

    def __init__(self, new_sink: Callable[[str], Sink[Taken]], *, limits: Limits, signed_in: SignedIn) -> None:
        self.sent: Sent[Taken] = Sent()
        self._new_sink, self._limits, self._signed_in = new_sink, limits, signed_in
        self._total = self._count = 0
        self._todo: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._header, self._value = b"", b""
        self._disposition = b""
        self._name, self._text = "", bytearray()
        self._sink: Sink[Taken] | None = None
        self._sinks: list[tuple[Sink[Taken], Taken]] = []
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
        check_token(self.sent.fields.get(_CSRF_FIELD, ""), self._signed_in)

    def abandon(self) -> None:
        """Removes what nobody has kept: who keeps a file takes it out of ``sent.files``."""
        unused = {id(taken) for taken in self.sent.files}
        if self._sink is not None:
            self._sink.abandon()
        for sink, taken in self._sinks:
            if id(taken) in unused:
                sink.abandon()

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
        self._count += 1
        if self._count > self._limits.files:
            self.sent.refused.append(
                InputError(
                    f"1度に送れるのは {self._limits.files} 個までです。「{name[:80]}」は受け取っていません。",
                    hint="残りは、分けて送ってください。",
                )
            )
            return
        self._sink = self._new_sink(name)

    def _data(self, data: bytes) -> None:
        if not self._in_file:
            self._text += data
            if len(self._text) > _LONGEST_FIELD:
                raise unreadable()
            return
        self._total += len(data)
        if self._total > 2 * self._limits.size:
            # What is too much is read and forgotten, so that the browser comes to see the answer; but not without end.
            raise self._limits.too_large("送られたファイル")
        if self._sink is None:
            return
        if self._total > self._limits.size:
            self._sink.abandon()
            self.sent.refused.append(self._limits.too_large(f"「{self._sink.name}」"))
            self._sink = None
            return
        self._sink.write(data)

    def _end(self) -> None:
        if self._sink is not None:
            taken = self._sink.finish()
            self._sinks.append((self._sink, taken))
            self.sent.files.append(taken)
            self._sink = None
        elif not self._in_file:
            if len(self.sent.fields) >= _MOST_FIELDS:
                raise unreadable()
            self.sent.fields[self._name] = self._text.decode("utf-8", "replace")


def unreadable() -> InputError:
    """What is told of a form that can't be read."""
    return InputError("送られた内容を読み取れません。", hint="画面を開きなおして、もう一度送ってください。")
