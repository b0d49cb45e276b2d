"""What kind of file some bytes are, told by themselves and never by a name, and what no file from a browser may be."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import InputError

# Windows (and only with a NUL: a heading may begin with MZ), Linux, macOS in its four spellings, Java, scripts.
_WINDOWS = b"MZ"
_PROGRAMS = (
    b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!/",
)  # fmt: skip
_HEAD = 64
# The record at the end of a zip, and the one that stands before it in a zip of 64 bits [APPNOTE.TXT, 4.3.15 and 4.3.16].
_END, _END_MARK, _LONGEST_COMMENT = struct.Struct("<4s4H2LH"), b"PK\x05\x06", 1 << 16
_LOCATOR_MARK, _LOCATOR_SIZE = b"PK\x06\x07", 20
TAIL = _END.size + _LONGEST_COMMENT + _LOCATOR_SIZE
"""As many bytes at a zip's end as tell of its list of parts."""
_LONGEST_LIST = 2 << 20  # bytes: ten thousand parts with long names
_MACROS = ("vbaproject", "xl/macrosheets/", "/activex/", "xl/dialogsheets/")
_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"

_BOM = b"\xef\xbb\xbf"
_MAIL_HEAD = 1 << 16
MAIL_HEADER = re.compile(rb"([A-Za-z][A-Za-z0-9_\-]{0,75})[ \t]?:")
_KNOWN = frozenset((b"from", b"date", b"subject", b"message-id", b"received", b"mime-version"))
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")  # of the controls, Escape begins ISO-2022-JP and ^Z ends DOS files


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that can be attached: what people call it, its media type, and how its name may end (the first is the usual one)."""

    name: str
    media: str
    endings: tuple[str, ...]


PDF = FileKind("PDF", "application/pdf", (".pdf",))
PNG = FileKind("画像（PNG）", "image/png", (".png",))
JPEG = FileKind("画像（JPEG）", "image/jpeg", (".jpg", ".jpeg"))
WEBP = FileKind("画像（WebP）", "image/webp", (".webp",))
WORKBOOK = FileKind("Excel ブック", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (".xlsx",))
DOCUMENT = FileKind("Word 文書", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", (".docx",))
MAIL = FileKind("電子メール", "message/rfc822", (".eml",))
TEXT = FileKind("テキスト・CSV", "text/plain", (".txt", ".csv", ".tsv"))
KINDS = (PDF, PNG, JPEG, WEBP, WORKBOOK, DOCUMENT, MAIL, TEXT)
_OFFICE = {"xl/workbook.xml": WORKBOOK, "word/document.xml": DOCUMENT}
_ACCEPTED = "PDF、画像（PNG・JPEG・WebP）、Excel（.xlsx）、Word（.docx）、テキスト、CSV、メール（.eml）を添付できます。"


def kind_of(content: bytes) -> FileKind:
    """The kind of a file that may be attached.

    Raises:
        InputError: it is empty, a program, has macros, is locked or damaged, or is of no kind that is taken; says which, and what to do.
    """
    if not content:
        raise InputError("空のファイルです。", hint="中身のあるファイルを選んでください。")
    if is_program(content[:_HEAD]):
        raise InputError("プログラムのファイルは添付できません。", hint=_ACCEPTED)
    if content.startswith(_ZIP):
        return _office(content)
    if content.startswith(_OLD_OFFICE):
        raise InputError(
            "古い形式か、パスワードの付いた Office ファイルです。",
            hint="パスワードを外し、.xlsx か .docx として保存しなおしてください。",
        )
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return WEBP
    if _is_text(content):
        return MAIL if is_mail(content[:_MAIL_HEAD]) else TEXT
    raise InputError("添付できない種類のファイルです。", hint=_ACCEPTED)


def is_program(head: bytes) -> bool:
    """Whether a file's first bytes are a program's or a script's."""
    return head.startswith(_PROGRAMS) or (head.startswith(_WINDOWS) and b"\0" in head)


def has_macros(parts: Iterable[str]) -> bool:
    """Whether one of an Office file's parts can hold a program."""
    names = [name.lower() for name in parts]
    return any(mark in name for name in names for mark in _MACROS)


def is_crowded(tail: bytes) -> bool:
    """Whether a zip, of which the last ``TAIL`` bytes are given, lists more parts than a document has.

    A list of millions would fill the memory as soon as a library opens the file: its length stands at the very end.
    """
    at = len(tail) - _END.size
    if at < 0 or not (tail[at:].startswith(_END_MARK) and tail.endswith(b"\0\0")):
        at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END.size:
        return False  # no zip at all, which whoever opens it will say
    length = _END.unpack_from(tail, at)[5]
    large = tail[max(0, at - _LOCATOR_SIZE) : at].startswith(_LOCATOR_MARK)  # of 64 bits: for more than a document has
    return large or length > _LONGEST_LIST


def mail_start(head: bytes) -> bytes:
    """A mail's bytes from its first header on."""
    return head.removeprefix(_BOM).lstrip(b"\r\n")


def is_mail(head: bytes) -> bool:
    """Whether the bytes begin like a mail (two of the usual headers) or like an mbox (a ``From`` line and a header)."""
    lines = re.split(rb"\r\n|\n|\r", mail_start(head))
    if lines[0].startswith(b"From "):
        return len(lines) > 1 and MAIL_HEADER.match(lines[1].removeprefix(b">")) is not None
    found = set()
    for line in lines:
        header = MAIL_HEADER.match(line)
        if header:
            found.add(header[1].lower())
        elif not line or line[:1] not in (b" ", b"\t"):
            break
    return len(found & _KNOWN) >= 2


def _office(content: bytes) -> FileKind:
    if is_crowded(content[-TAIL:]):
        raise InputError("部品の多すぎるファイルです。安全のため受け取りません。", hint=_ACCEPTED)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
    except Exception:  # noqa: BLE001  (zipfile raises almost anything over a damaged file)
        raise InputError("壊れていて読めないファイルです。", hint="もとのソフトで開き、保存しなおしてください。") from None
    names = [part.filename for part in parts]
    if has_macros(names):
        raise InputError("マクロの入ったファイルは添付できません。", hint="マクロのない形で保存しなおしてください。")
    kinds = [kind for name, kind in _OFFICE.items() if name in names]
    if "[Content_Types].xml" not in names or len(kinds) != 1 or any(part.flag_bits & 1 for part in parts):
        raise InputError("ZIP などのまとめたファイルは添付できません。", hint=f"中のファイルを1つずつ添付してください。{_ACCEPTED}")
    return kinds[0]


def _is_text(content: bytes) -> bool:
    for encoding in ("utf-16", "utf-8") if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8", "cp932", "euc_jp"):
        try:
            return not _NO_TEXT.search(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    # A mail may hold parts in any encoding, each of which says its own.
    return is_mail(content[:_MAIL_HEAD]) and b"\0" not in content
