"""One mail becomes one row: sender, day, subject, the letter itself, and what hangs on it, by name only."""

from __future__ import annotations

import binascii
import email.message
import email.parser
import email.utils
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from typing import cast

from core.clock import TOKYO
from core.settings import Settings
from ingest.dates import DateError, parse_moment
from ingest.incoming import RejectedRow, Row
from ingest.mail_charset import decode, decode_base64, decode_header
from ingest.mail_html import html_to_text
from ingest.mail_quotes import own_words

HEADINGS = ("番号", "受付日", "件名", "本文", "氏名", "メール", "受付媒体", "添付", "原文")

LARGEST = 50 << 20
"""Bytes of one message that are read; a larger one is rejected."""

_MOST_PARTS = 1000
_DEEPEST = 20
_LARGEST_TEXT = 20 << 20  # bytes of one part; HTML may carry its pictures
_LONGEST_HEADER = 20_000
_LONGEST_ID = 100
_KEPT_OF_REJECT = 200_000
_BY_HAND = "元のメールを開いて、手で登録してください。"
_CHECK = "元のメールを開いて確かめてください。"
_UUENCODED = frozenset(("x-uuencode", "uuencode", "x-uue", "uue"))
_META_CHARSET = re.compile(rb"<meta[^<>]{0,200}charset\s*=\s*[\"']?([\w\-]{2,40})", re.IGNORECASE)
_ZONE_UNKNOWN = re.compile(r"-0000\b")
_ADDRESS = re.compile(r"[^\s<>()\",;:@]+@[^\s<>()\",;:@]+")


class _UnfitError(Exception):
    """Why a message can't be taken: column, code, reason (Japanese)."""

    def __init__(self, column: str, code: str, reason: str) -> None:
        super().__init__(code)
        self.column, self.code, self.reason = column, code, reason


class _Readable(policy.Compat32):
    """Gives raw 8-bit headers as text, so that file names and content types in them can be read."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        if value.isascii():
            return value
        raw = value.encode("utf-8", "surrogateescape")
        return decode(raw) or raw.decode("ascii", "replace")


class _Part(email.message.Message):
    """A part as the parser found it. ``get_payload`` would replace what it can't decode, without a word."""

    depth = 0
    _payload: object

    def children(self) -> list[_Part]:
        return [child for child in self._payload if isinstance(child, _Part)] if isinstance(self._payload, list) else []

    def content(self) -> bytes:
        """The bytes as they stand in the mail, still in their transfer encoding."""
        return self._payload.encode("utf-8", "surrogateescape") if isinstance(self._payload, str) else b""

    def attach(self, payload: _Part) -> None:  # type: ignore[override]
        payload.depth = self.depth + 1
        if payload.depth > _DEEPEST:
            raise _UnfitError("", "mail", f"メールの入れ子が {_DEEPEST} 段を超えています。{_BY_HAND}")
        super().attach(payload)


def read_message(data: bytes, number: int, *, settings: Settings) -> Row | RejectedRow:
    """A message's bytes as a row with a cell for each of ``HEADINGS``, or why it can't be one.

    Reject codes: ``encoding`` (a subject, name or text that no charset makes readable), ``empty`` (no text, perhaps only
    attachments), ``nul``, ``too_long`` (a cell above ``settings.max_cell_chars``), ``mail`` (too large, too many or too deeply
    nested parts, or damaged beyond reading). A reject's cells hold the beginning of the message.
    """
    try:
        if len(data) > LARGEST:
            raise _UnfitError("", "mail", f"1通で {LARGEST >> 20} MB を超えています。{_BY_HAND}")
        cells = _cells(_parse(data))
        _check(cells, limit=settings.max_cell_chars)
        return Row(number, cells)
    except _UnfitError as unfit:
        found = unfit
    except Exception:  # noqa: BLE001  (on damaged mail the standard parser raises whatever it stumbles over; the next mail is fine)
        found = _UnfitError("", "mail", f"メールの形がこわれていて読めません。{_BY_HAND}")
    return RejectedRow(number, found.column, found.code, found.reason, (data[:_KEPT_OF_REJECT].decode("ascii", "surrogateescape"),))


def _parse(data: bytes) -> _Part:
    count, readable = 0, _Readable()

    def part(*, policy: policy.Policy | None = None) -> _Part:
        nonlocal count
        count += 1
        if count > _MOST_PARTS + 1:  # the parser makes one to see how it is done
            raise _UnfitError("", "mail", f"メールの部分が {_MOST_PARTS:,} 個を超えています。{_BY_HAND}")
        return _Part(policy=policy or readable)

    parser = email.parser.BytesFeedParser(part, policy=readable)
    parser.feed(data)
    return cast("_Part", parser.close())


def _cells(root: _Part) -> tuple[str, ...]:
    subject = _header(root, "Subject", "件名")
    name, address = _sender(root)
    body = _Body()
    whole = body.text(root).strip("\n")
    if not whole.strip():
        hanging = list(_attachments(root, body.used))
        there = f"（添付が {len(hanging)} 個あります）" if hanging else ""
        raise _UnfitError("本文", "empty", f"本文がありません{there}。{_BY_HAND}")
    letter = own_words(body.letter.strip("\n"), subject=subject, sender=name) if body.letter.strip() else ""
    text = "\n\n".join(piece for piece in (letter, *body.forwarded) if piece)
    listed = "\n".join(_attachments(root, body.used))
    return (
        _number(root, whole),
        _received(root),
        subject,
        text,
        name,
        address,
        "電子メール",
        listed,
        f"{whole}\n\n添付:\n{listed}" if listed else whole,
    )


def _check(cells: tuple[str, ...], *, limit: int) -> None:
    for heading, cell in zip(HEADINGS, cells, strict=True):
        if "\0" in cell:
            raise _UnfitError(heading, "nul", "文字ではないもの（NUL）が入っています。取りのぞいてください。")
        if len(cell) > limit:
            reason = f"1つの欄に {len(cell):,} 文字あります（上限は {limit:,} 文字）。分けるか、短くしてください。"
            raise _UnfitError(heading, "too_long", reason)


def _raw(part: _Part, name: str) -> str:
    """A header as the parser found it, the first of that name."""
    wanted = name.lower()
    return next((str(value) for key, value in part.raw_items() if key.lower() == wanted), "")[:_LONGEST_HEADER]


def _header(part: _Part, name: str, column: str) -> str:
    text = decode_header(_raw(part, name))
    if text is None:
        raise _UnfitError(column, "encoding", f"{column}の文字コードが分からず、読めない文字があります。{_CHECK}")
    return text


def _sender(part: _Part) -> tuple[str, str]:
    """Name and address. A name that only repeats the address is none."""
    raw = _raw(part, "From")
    if not raw.isascii() or "\x1b" in raw:  # brackets and quotes would be found inside its characters
        raw = _header(part, "From", "氏名")
    name, address = email.utils.parseaddr(raw)
    if "@" not in address:
        whole = decode_header(raw) or ""
        name, address = email.utils.parseaddr(whole)
        if "@" not in address:
            found = _ADDRESS.search(whole)
            name, address = ("", found[0]) if found else (whole, "")
    decoded = decode_header(name)
    if decoded is None:
        raise _UnfitError("氏名", "encoding", f"差出人の文字コードが分からず、読めない文字があります。{_CHECK}")
    name = decoded.strip("\"' ")
    return ("" if name.lower() == address.lower() else name), address


def _number(part: _Part, text: str) -> str:
    """The Message-ID; a digest in its place where there is none, or one that is too long for a number."""
    given = "".join((decode_header(_raw(part, "Message-ID")) or "").split())
    if given and len(given) <= _LONGEST_ID:
        return given
    known = given or "\0".join((_raw(part, "Date"), _raw(part, "From"), _raw(part, "Subject"), text))
    return f"mail-{hashlib.sha256(known.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"


def _received(part: _Part) -> str:
    """When it was sent, in Japanese time; when it arrived, where the sender doesn't say or the sender's clock is ahead."""
    sent = _moment(_raw(part, "Date"))
    arrived = _moment(_raw(part, "Received").rpartition(";")[2])
    if arrived and (not sent or sent > arrived + timedelta(days=1)):
        sent = arrived
    return sent.strftime("%Y-%m-%d %H:%M:%S") if sent else ""


def _moment(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        at = email.utils.parsedate_to_datetime(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC if _ZONE_UNKNOWN.search(text) else TOKYO)
        return at.astimezone(TOKYO)
    except (ValueError, TypeError, IndexError, OverflowError):
        pass
    try:
        moment = parse_moment(decode_header(text) or "")
    except DateError:
        return None
    return moment.at or datetime(moment.day.year, moment.day.month, moment.day.day, tzinfo=TOKYO)


class _Body:
    """Gathers a message's text: the writer's own, and that of messages inside it."""

    def __init__(self) -> None:
        self.letter = ""
        self.forwarded: list[str] = []
        self.used: set[int] = set()

    def text(self, root: _Part) -> str:
        self.letter = self._of(root, top=True)
        return "\n\n".join(piece for piece in (self.letter, *self.forwarded) if piece.strip())

    def _of(self, part: _Part, *, top: bool = False) -> str:
        kind = part.get_content_type()
        children = part.children()
        if not children:
            return self._leaf(part, kind) if self._is_text(part, kind, alone=top) else ""
        if kind == "message/rfc822" and not _is_sealed(part):
            self.forwarded.append(self._message(children[0]))
            return ""
        if kind == "multipart/alternative":
            return self._alternative(children)
        if kind == "multipart/report":
            children = children[:1]
        elif not kind.startswith("multipart/"):
            return ""
        texts: list[str] = []
        for child in children:
            texts.append(self._of(child, top=top and not any(texts)))
        return "\n".join(text for text in texts if text.strip())

    def _alternative(self, children: list[_Part]) -> str:
        """The first one that can be read and says something: plain text before the rest."""
        unfit: _UnfitError | None = None
        for child in sorted(children, key=lambda child: child.get_content_type() != "text/plain"):
            try:
                text = self._of(child, top=True)
            except _UnfitError as error:
                unfit = unfit or error
                continue
            if text.strip():
                return text
        if unfit:
            raise unfit
        return ""

    def _message(self, message: _Part) -> str:
        """A forwarded message with its own head, as a clerk would read it."""
        inner = _Body()
        text = inner.text(message).strip("\n")
        self.used |= inner.used
        name, address = _sender(message)
        head = (
            ("差出人", f"{name} <{address}>" if name and address else name or address),
            ("日時", _received(message)),
            ("件名", _header(message, "Subject", "件名")),
        )
        return "\n".join(["----- 転送されたメール -----", *(f"{label}: {value}" for label, value in head if value), "", text])

    def _is_text(self, part: _Part, kind: str, *, alone: bool) -> bool:
        if kind.startswith("multipart/"):
            return True  # says so, but no boundary was found in it
        if kind not in ("text/plain", "text/html") or part.get_content_disposition() == "attachment":
            return False
        return alone or not part.get_filename()

    def _leaf(self, part: _Part, kind: str) -> str:
        self.used.add(id(part))
        data = _content(part)
        label = _label(part)
        if data and len(data) > _LARGEST_TEXT:
            raise _UnfitError("本文", "too_long", f"本文が {_LARGEST_TEXT >> 20} MB を超えています。{_BY_HAND}")
        if kind.startswith("multipart/") and re.search(rb"^content-type:", data or b"", re.IGNORECASE | re.MULTILINE):
            raise _UnfitError("", "mail", f"メールの部分の区切りがこわれています。{_BY_HAND}")
        if data is not None and kind == "text/html" and not label:
            found = _META_CHARSET.search(data[:4096])
            label = found[1].decode("ascii") if found else ""
        text = None if data is None else decode(data, label)
        if text is None:
            raise _UnfitError("本文", "encoding", f"本文の文字コードが分からず、読めない文字があります。{_CHECK}")
        if kind == "text/html":
            return html_to_text(text)
        return text.replace("\r\n", "\n").replace("\r", "\n")


def _content(part: _Part) -> bytes | None:
    """A text part without its transfer encoding, ``None`` if that is damaged."""
    data, coding = part.content(), _coding(part)
    if coding == "base64":
        return decode_base64(data)
    if coding in _UUENCODED:
        return None
    return binascii.a2b_qp(data) if coding == "quoted-printable" else data


def _coding(part: _Part) -> str:
    return str(part.get("content-transfer-encoding", "")).partition(";")[0].strip().lower()


def _label(part: _Part) -> str:
    value = part.get_param("charset", "")
    return email.utils.collapse_rfc2231_value(value) if isinstance(value, str | tuple) else ""


def _attachments(root: _Part, used: set[int]) -> Iterator[str]:
    """Name, type and size of each part that isn't the letter. Nothing is opened."""
    for part in root.walk():
        if not isinstance(part, _Part) or (part.is_multipart() and not _is_sealed(part)) or id(part) in used:
            continue
        kind = part.get_content_type()
        name = _file_name(part)
        if name or part.get_content_disposition() == "attachment" or kind not in ("text/plain", "text/html"):
            data = part.content()
            size = len(data.translate(None, b"=\r\n\t ")) * 3 // 4 if _coding(part) == "base64" else len(data)
            yield f"{name or '名前なし'}（{kind}、{size:,} バイト）"


def _is_sealed(part: _Part) -> bool:
    """A message inside this one that is encoded against the rules, so that the parser saw no message in it."""
    return part.get_content_type() == "message/rfc822" and _coding(part) == "base64"


def _file_name(part: _Part) -> str:
    given = part.get_filename()
    name = (decode_header(given) or given) if given else ""
    return " ".join(name.split())[:200]
