"""メール(*.eml)の書きだし。符号化は ISO-2022-JP、UTF-8、Shift_JIS をまぜる。"""

from __future__ import annotations

import base64
from pathlib import Path

from .answers import subject_of
from .models import Record, by_time, kept
from .truth import Line, truth_line
from .workshop import Workshop

CHARSETS = ["iso-2022-jp", "utf-8", "iso-2022-jp", "utf-8", "shift_jis"]
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def write_mail(shop: Workshop, records: list[Record], out: Path) -> list[Line]:
    """mail/*.eml を書く。"""
    folder = out / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    truth: list[Line] = []
    for n, record in enumerate(by_time(records), start=1):
        charset = CHARSETS[n % 5]
        body, subject = _body(shop, record, n), subject_of(shop, record)
        if n % 4 == 0:
            subject = "Re: " + subject
        if charset == "iso-2022-jp":
            body, subject = body.replace("～", "〜"), subject.replace("～", "〜")
        record.external_id = f"<{record.day:%Y%m%d}.{n:04d}@{record.person.email.split('@')[1]}>"
        record.row = 1
        record.pii = kept(body, record.pii)
        head = _head(record, subject, charset)
        kind, payload = _payload(body, charset, n)
        (folder / f"{n:04d}.eml").write_bytes("\r\n".join(head + kind).encode("ascii") + b"\r\n\r\n" + payload)
        truth.append(truth_line(shop, record, f"mail/{n:04d}.eml"))
    return truth


def _body(shop: Workshop, record: Record, n: int) -> str:
    """あいさつ、本文、引用、署名。出した個人情報は記録に足す。"""
    frames, texts = shop.material.frames["mail"], shop.texts
    draft = shop.draft_about(record)
    draft.pii = record.pii = list(record.pii)
    body = texts.one_of(frames["greetings"], draft) + record.text + "\n"
    if n % 4 == 0:
        body += "\n" + texts.one_of(frames["quotes"], draft)
    if n % 3 != 0:
        body += "\n" + texts.one_of(frames["signatures"], draft)
    return body


def _head(record: Record, subject: str, charset: str) -> list[str]:
    day, person = record.day, record.person
    stamp = f"{WEEKDAYS[day.weekday()]}, {day.day:02d} {MONTHS[day.month - 1]} {day.year} {record.clock:%H:%M}:00 +0900"
    return [
        f"From: {encoded_word(person.full, charset)} <{person.email}>",
        "To: koe@city-shiomi.example.jp",
        f"Subject: {encoded_word(subject, charset)}",
        f"Date: {stamp}",
        f"Message-ID: {record.external_id}",
        "MIME-Version: 1.0",
    ]


def _payload(body: str, charset: str, n: int) -> tuple[list[str], bytes]:
    """本文の見出しと中身。7通に1通は HTML つき。"""
    crlf = body.replace("\n", "\r\n")
    if charset == "iso-2022-jp":
        head = ["Content-Type: text/plain; charset=ISO-2022-JP", "Content-Transfer-Encoding: 7bit"]
        return head, crlf.encode("iso-2022-jp")
    if n % 7 == 0:
        boundary = f"=_shiomi_{n:04d}"
        page = "<html><body><p>" + body.replace("\n", "<br>\r\n") + "</p></body></html>"
        parts = [_part(boundary, kind, text, charset) for kind, text in (("text/plain", crlf), ("text/html", page))]
        return [f'Content-Type: multipart/alternative; boundary="{boundary}"'], b"".join(parts) + f"--{boundary}--\r\n".encode("ascii")
    return [f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: base64"], wrapped(crlf.encode(charset))


def _part(boundary: str, kind: str, text: str, charset: str) -> bytes:
    head = f"--{boundary}\r\nContent-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode("ascii") + wrapped(text.encode(charset))


def encoded_word(text: str, charset: str) -> str:
    """メールの見出しに使う符号化語。長いものは折る。"""
    chunks = [text[i : i + 14] for i in range(0, len(text), 14)]
    words = [f"=?{charset}?B?{base64.b64encode(c.encode(charset)).decode('ascii')}?=" for c in chunks]
    return "\r\n ".join(words)


def wrapped(data: bytes) -> bytes:
    """76字で折った base64。"""
    text = base64.b64encode(data).decode("ascii")
    lines = [text[i : i + 76] for i in range(0, len(text), 76)]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")
