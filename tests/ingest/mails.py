"""Mails, their parts and mailboxes, made for tests."""

from __future__ import annotations

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

LETTER = "公園の街灯が消えていて、夜は道が暗いです。\n直していただけないでしょうか。"
HEAD = b"From: sender@mail.example\r\nSubject: test\r\nDate: Wed, 01 Apr 2026 10:00:00 +0900\r\nMessage-ID: <1@mail.example>\r\n"
MBOX_LINE = b"From sender@mail.example Wed Apr  1 10:00:00 2026\n"
SLACK = hypothesis_settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def mail(body: bytes | str = LETTER, content_type: str = "text/plain; charset=utf-8", *, head: bytes = HEAD, coding: str = "8bit") -> bytes:
    lines = f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n".encode()
    return head + lines + (body.encode() if isinstance(body, str) else body)


def part(body: bytes | str, content_type: str = "text/plain; charset=utf-8", *more: str) -> bytes:
    head = "\r\n".join([f"Content-Type: {content_type}", *more])
    return head.encode() + b"\r\n\r\n" + (body.encode() if isinstance(body, str) else body)


def multi(kind: str, *parts: bytes, boundary: str = "=_b1") -> bytes:
    inner = b"".join(b"--" + boundary.encode() + b"\r\n" + piece + b"\r\n" for piece in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode() + inner + b"--" + boundary.encode() + b"--\r\n"
