"""Files that were sent are sealed piece by piece, plain only while they are read, and looked at before they stay."""

from __future__ import annotations

import hashlib
import os
import stat
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import Engine, select, update

from core import db, jobs
from core.clock import utc_now
from core.crypto import Keyring, new_key
from core.errors import DecryptionError, InputError, NotFoundError
from core.models import AuditEntry, Upload
from core.settings import Settings
from ingest import uploads
from ingest.uploads import PIECE, Received, Receiver

CSV = "管理番号,受付日,ご意見\nT-1,2026-09-01,歩道の段差が大きい。\n".encode("cp932")

Send = Callable[..., Received]


@pytest.fixture
def send(settings: Settings, keyring: Keyring) -> Send:
    def send(content: bytes = CSV, *, name: str = "記録.csv", step: int = 70_000) -> Received:
        receiver = Receiver(settings, keyring, name=name)
        for start in range(0, len(content), step):
            receiver.write(content[start : start + step])
        return receiver.finish()

    return send


def read(received: Received, settings: Settings, keyring: Keyring) -> bytes:
    with uploads.plain_copy(received.id, received.name, settings=settings, keyring=keyring) as path:
        return path.read_bytes()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 500_000])
def test_what_is_sent_comes_out_again(send: Send, settings: Settings, keyring: Keyring, size: int) -> None:
    content = os.urandom(size)
    received = send(content)
    assert (received.size, received.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert read(received, settings, keyring) == content


def test_on_the_disk_nothing_of_it_can_be_read(send: Send, settings: Settings) -> None:
    send()
    (sealed,) = files(settings.home / "uploads")
    assert "歩道".encode("cp932") not in sealed.read_bytes()
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert stat.S_IMODE(sealed.parent.stat().st_mode) == 0o700


def test_the_plain_copy_is_private_and_gone_after_the_block(send: Send, settings: Settings, keyring: Keyring) -> None:
    received = send()

    def fail() -> None:
        with uploads.plain_copy(received.id, received.name, settings=settings, keyring=keyring) as path:
            assert path.name == "記録.csv"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list((settings.home / "tmp").iterdir()) == []


def test_a_file_that_is_abandoned_leaves_nothing(settings: Settings, keyring: Keyring) -> None:
    receiver = Receiver(settings, keyring, name="a.csv")
    receiver.write(os.urandom(2 * PIECE))
    receiver.abandon()
    assert files(settings.home) == [settings.home / "keys.json"]


def records(path: Path) -> list[bytes]:
    content, found = path.read_bytes(), []
    while content:
        length = 4 + int.from_bytes(content[:4], "big")
        found.append(content[:length])
        content = content[length:]
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts[:-1],
        lambda parts: [parts[1], parts[0], *parts[2:]],
        lambda parts: [parts[0], *parts[2:]],
        lambda parts: [*parts, parts[-1]],
        lambda parts: [*parts[:-1], parts[-1][:-1]],
        lambda parts: [*parts[:-1], parts[-1][:-1] + bytes([parts[-1][-1] ^ 1])],
        lambda parts: parts[:0],
    ],
    ids=["cut off", "swapped", "left out", "repeated", "shortened", "changed", "emptied"],
)
def test_whatever_is_done_to_the_sealed_file_is_noticed(
    send: Send, settings: Settings, keyring: Keyring, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    received = send(os.urandom(3 * PIECE + 10))
    (sealed,) = files(settings.home / "uploads")
    sealed.write_bytes(b"".join(change(records(sealed))))
    with pytest.raises(DecryptionError):
        read(received, settings, keyring)
    assert files(settings.home / "tmp") == []


def test_a_file_under_another_ones_name_does_not_open(send: Send, settings: Settings, keyring: Keyring) -> None:
    one, other = send(b"a" * 10), send(b"b" * 10)
    (settings.home / "uploads" / one.id).replace(settings.home / "uploads" / other.id)
    with pytest.raises(DecryptionError):
        read(other, settings, keyring)
    with pytest.raises(NotFoundError):
        read(one, settings, keyring)


def test_a_new_key_leaves_what_was_sent_before_readable(send: Send, settings: Settings) -> None:
    old, new = new_key(), new_key()
    receiver = Receiver(settings, Keyring({"k1": old}, current="k1"), name="a.csv")
    receiver.write(CSV)
    assert read(receiver.finish(), settings, Keyring({"k1": old, "k2": new}, current="k2")) == CSV


def keep(engine: Engine, received: Received, settings: Settings, keyring: Keyring) -> Upload:
    return uploads.keep(engine, received, settings=settings, keyring=keyring, actor="hanako")


def test_a_file_that_is_kept_has_its_row_and_its_line_in_the_trail(
    engine: Engine, send: Send, settings: Settings, keyring: Keyring
) -> None:
    upload = keep(engine, send(), settings, keyring)
    with db.reading(engine) as session:
        assert uploads.find(session, upload.id).name == "記録.csv"
        assert session.scalars(select(AuditEntry.action)).all() == ["upload.keep"]
        (entry,) = session.scalars(select(AuditEntry))
        assert "記録" not in str(entry.detail)


def test_a_file_is_gone_when_that_is_committed_and_not_before(
    sqlite_engine: Engine, send: Send, settings: Settings, keyring: Keyring
) -> None:
    upload = keep(sqlite_engine, send(), settings, keyring)

    def fail() -> None:
        with db.writing(sqlite_engine) as session:
            uploads.throw_away(session, uploads.find(session, upload.id), settings=settings, actor="hanako")
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (settings.home / "uploads" / upload.id).exists()
    with db.writing(sqlite_engine) as session:
        uploads.throw_away(session, uploads.find(session, upload.id), settings=settings, actor="hanako")
    assert not (settings.home / "uploads" / upload.id).exists()


def workbook() -> bytes:
    book = Workbook()
    book.active.append(["受付番号", "受付日", "ご意見"])
    book.active.append(["1", "2026-09-01", "歩道の段差が大きい。"])
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def with_part(name: str, content: bytes) -> bytes:
    stream = BytesIO(workbook())
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, content)
    return stream.getvalue()


def crowded(*, comment: bytes = b"") -> bytes:
    stream = BytesIO(workbook())
    with zipfile.ZipFile(stream, "a") as package:
        for number in range(25_000):
            package.writestr(f"customXml/{number:050}.xml", b"")
        package.comment = comment
    return stream.getvalue()


def of_64_bits() -> bytes:
    content = workbook()
    at = content.rindex(b"PK\x05\x06")
    return content[:at] + b"PK\x06\x07" + bytes(16) + content[at:]


def old_office(mark: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1500) + mark.encode("utf-16-le") + bytes(600)


REFUSED = {
    "macro": (with_part("xl/vbaProject.bin", b"x"), "マクロ"),
    "macro sheet": (with_part("xl/macrosheets/sheet1.xml", b"<a/>"), "マクロ"),
    "control": (with_part("xl/activeX/activeX1.bin", b"x"), "マクロ"),
    "zip bomb": (with_part("xl/worksheets/sheet9.xml", bytes(30 << 20)), "大きくなりすぎ"),
    "crowd": (crowded(), "大きくなりすぎ"),
    "crowd behind a comment": (crowded(comment=b"a note"), "大きくなりすぎ"),
    "64 bits": (of_64_bits(), "大きくなりすぎ"),
    "entities": (with_part("xl/worksheets/sheet9.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a/>'), "DOCTYPE"),
    "locked workbook": (old_office("EncryptedPackage"), "パスワード"),
    "old workbook": (old_office("Workbook"), "古い形式"),
    "windows program": (b"MZ\x90\x00\x03" + bytes(200), "プログラム"),
    "linux program": (b"\x7fELF\x02\x01" + bytes(200), "プログラム"),
    "script": (b"#!/bin/sh\nrm -rf /\n", "プログラム"),
    "pdf": (b"%PDF-1.7\n" + bytes(100), "PDF"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "画像"),
    "empty": (b"", "空のファイル"),
    "headings alone": ("番号,ご意見\n".encode(), "記録がありません"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_do_harm_or_holds_nothing_is_refused_and_nothing_kept(
    sqlite_engine: Engine, send: Send, settings: Settings, keyring: Keyring, name: str
) -> None:
    content, word = REFUSED[name]
    with pytest.raises(InputError, match=word) as refused:
        keep(sqlite_engine, send(content, name="届いたもの.csv"), settings, keyring)
    assert refused.value.hint
    assert files(settings.home / "uploads") == files(settings.home / "tmp") == []
    with db.reading(sqlite_engine) as session:
        assert session.scalars(select(Upload)).all() == []


@pytest.mark.parametrize("content", [workbook(), "MZ番号,ご意見\n1,歩道の段差\n".encode(), b"Subject: x\nFrom: a@example.jp\n\nhello\n"])
def test_what_is_well_is_kept(sqlite_engine: Engine, send: Send, settings: Settings, keyring: Keyring, content: bytes) -> None:
    assert keep(sqlite_engine, send(content), settings, keyring).size == len(content)


def test_uploads_that_nobody_used_are_thrown_away_in_time(engine: Engine, send: Send, settings: Settings, keyring: Keyring) -> None:
    kept = [keep(engine, send(), settings, keyring) for _ in range(3)]
    with db.writing(engine) as session:
        old = utc_now() - timedelta(days=settings.upload_days, minutes=1)
        session.execute(update(Upload).where(Upload.id.in_([kept[0].id, kept[1].id])).values(created_at=old))
        jobs.create(session, kind="import", title="取込", arguments={"upload": kept[1].id}, actor="hanako")
    assert uploads.sweep(engine, settings=settings) == 1
    with db.reading(engine) as session:
        assert {upload.id for upload in uploads.waiting(session)} == {kept[1].id, kept[2].id}
    assert {path.name for path in files(settings.home / "uploads")} == {kept[1].id, kept[2].id}


def test_what_killed_processes_left_behind_is_removed(sqlite_engine: Engine, send: Send, settings: Settings, keyring: Keyring) -> None:
    received = send()
    left = settings.home / "tmp" / "upload-left"
    left.mkdir(parents=True)
    (left / "記録.csv").write_bytes(CSV)
    stray = settings.home / "uploads" / "0123.part"
    stray.write_bytes(b"x")
    long_ago = time.time() - 2 * 86_400
    os.utime(stray, (long_ago, long_ago))
    with uploads.plain_copy(received.id, received.name, settings=settings, keyring=keyring) as mine:
        uploads.sweep(sqlite_engine, settings=settings)
        assert mine.exists(), "its process lives"
    assert not left.exists()
    assert not stray.exists()
    assert (settings.home / "uploads" / received.id).exists(), "it came in just now"
