"""Mails as a table: an ``.eml`` file is one row, an ``.mbox`` file one for each message, read one after another in flat memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import InputError
from core.file_kinds import MAIL_HEADER, is_mail, mail_start
from core.settings import Settings
from ingest.encoding import opened
from ingest.incoming import RejectedRow, Row
from ingest.mail_message import HEADINGS, LARGEST, read_message

ENCODING = "mail"
"""Stands for the encoding of a file in which each message has its own."""


_HEAD = 1 << 16
_LINE = 1 << 20
_BOM = 3  # bytes that may stand before the first header
_ENVELOPE = re.compile(rb"From \S.{0,300}\d\d?:\d\d")
_ESCAPED = re.compile(rb">+From ")
_HINT = "メールソフトから .eml か .mbox の形で保存しなおしてください。"


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file of mails found readable. Row numbers are the messages' turns in it, from 1; ``lines`` is how many there are."""

    path: Path
    sha256: str
    lines: int
    is_mbox: bool
    headings: tuple[str, ...] = HEADINGS
    encoding: str = ENCODING

    @property
    def name(self) -> str:
        return self.path.name

    def rows(self, *, needed: int, settings: Settings) -> Generator[Row | RejectedRow, None, None]:
        """Every message once, in order, as a row or as a reject that says why (codes: ``mail_message.read_message``).

        Raises:
            InputError: the file turned out unreadable further on.
        """
        with opened(self.path) as file:
            for number, data in enumerate(_messages(file, is_mbox=self.is_mbox), start=1):
                yield read_message(data, number, settings=settings)


def sniff(path: Path) -> bool:
    """Whether the bytes begin like a mail (two of the usual headers) or like an mbox (a ``From`` line and a header)."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError):
        return False
    return is_mail(head)


def open_mail(path: Path) -> MailFile:
    """Counts the messages and takes the digest of the file.

    Raises:
        InputError: missing, not readable, empty, or no mail; says what to do.
    """
    sha256, size, head = hashlib.sha256(), 0, b""
    with opened(path) as file:
        while piece := file.read(_LINE):
            head = head or piece[:_HEAD]
            size += len(piece)
            sha256.update(piece)
    if not size:
        raise InputError(f"「{path.name}」は空のファイルです。", hint=_HINT)
    if not is_mail(head):
        message = f"「{path.name}」はメールのファイルではありません（差出人や日付の見出しがありません）。"
        raise InputError(message, hint=_HINT)
    is_mbox = mail_start(head).startswith(b"From ")
    count = 1
    if is_mbox:
        with opened(path) as file:
            count = sum(1 for _ in _messages(file, is_mbox=True))
    return MailFile(path, sha256.hexdigest(), count, is_mbox)


def _messages(file: BinaryIO, *, is_mbox: bool) -> Iterator[bytes]:
    """The messages' bytes, one after another; of one that is too large, a little more than the limit."""
    if not is_mbox:
        yield mail_start(file.read(LARGEST + _BOM + 1))
        return
    parts: list[bytes] = []
    size, begun, blank, whole = 0, False, True, True
    waiting = b""  # a From line, until the next line shows whether a message begins there
    for line in iter(lambda: file.readline(_LINE), b""):
        at_start, whole = whole, line.endswith(b"\n")
        if waiting:
            if MAIL_HEADER.match(line.removeprefix(b">")):
                if begun:
                    yield b"".join(parts)
                parts, size, begun = [], 0, True
            elif size <= LARGEST:
                parts.append(waiting)
                size += len(waiting)
            waiting = b""
        bare = line if begun else mail_start(line)
        if at_start and blank and bare.startswith(b"From ") and (not begun or _ENVELOPE.match(bare)):
            waiting, blank = bare, False
            continue
        blank = at_start and not line.strip(b"\r\n")
        if begun and size <= LARGEST:
            parts.append(line[1:] if at_start and _ESCAPED.match(line) else line)
            size += len(line)
    if waiting and begun:
        parts.append(waiting)
    if begun:
        yield b"".join(parts)
