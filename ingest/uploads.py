"""Files that were sent through the page: sealed on the disk piece by piece, opened as a private copy only while one is needed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine, delete, event, select
from sqlalchemy.orm import Session

from core import audit, db
from core.cleaning import plain_name
from core.clock import utc_now
from core.crypto import Keyring
from core.errors import DecryptionError, KoeError, NotFoundError
from core.models import Job, JobState, Upload
from core.settings import Settings
from ingest.upload_check import check_upload

PIECE = 1 << 20
_LENGTH = struct.Struct(">I")
_PART = ".part"
_STRAY = 86_400.0  # seconds after which a file that no row knows is nobody's


@dataclass(frozen=True, slots=True)
class Received:
    """A file that lies sealed in ``KOE_HOME/uploads``, not yet looked at and unknown to the database."""

    id: str
    name: str
    size: int
    sha256: str


class Receiver:
    """Takes a file in as it comes, in memory no larger than a piece of it. ``finish`` or ``abandon`` ends it.

    Each piece of 1 MiB is a record of ``Keyring.seal_bytes`` behind its length (4 bytes), bound to the upload, to its turn and to
    whether it is the last: pieces can't be swapped, left out or cut off unnoticed.
    """

    def __init__(self, settings: Settings, keyring: Keyring, *, name: str) -> None:
        self.id = secrets.token_hex(16)
        self.name = plain_name(name)
        self.size = 0
        self._keyring = keyring
        self._digest = hashlib.sha256()
        self._pending = bytearray()
        self._turn = 0
        self._path = _sealed(settings, self.id)
        with _room_told():
            private_folder(self._path.parent)
            self._file: BinaryIO = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    @property
    def _part(self) -> Path:
        return self._path.with_suffix(_PART)

    def write(self, data: bytes) -> None:
        """Takes some more bytes.

        Raises:
            KoeError: they can't be written.
        """
        self.size += len(data)
        self._digest.update(data)
        self._pending += data
        # One piece is held back: whether it is the last must be known when it is sealed.
        while len(self._pending) > PIECE:
            self._seal(bytes(self._pending[:PIECE]), last=False)
            del self._pending[:PIECE]

    def finish(self) -> Received:
        """Closes the file; it is safely on the disk then."""
        self._seal(bytes(self._pending), last=True)
        with _room_told():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self._path)
        return Received(self.id, self.name, self.size, self._digest.hexdigest())

    def abandon(self) -> None:
        """Leaves nothing behind, also after ``finish``."""
        self._file.close()
        self._part.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def _seal(self, piece: bytes, *, last: bool) -> None:
        record = self._keyring.seal_bytes(piece, place=_place(self.id, self._turn, last=last))
        with _room_told():
            self._file.write(_LENGTH.pack(len(record)) + record)
        self._turn += 1


def keep(engine: Engine, received: Received, *, settings: Settings, keyring: Keyring, actor: str) -> Upload:
    """Looks at a file that came in and makes it known; one that can't be used is thrown away at once.

    Raises:
        InputError: it can't be taken in; says why and what to do.
    """
    try:
        with plain_copy(received.id, received.name, settings=settings, keyring=keyring) as path:
            check_upload(path)
        upload = Upload(
            id=received.id,
            name=received.name,
            size=received.size,
            sha256=received.sha256,
            options={},
            uploaded_by=actor,
            created_at=utc_now(),
        )
        with db.writing(engine) as session:
            session.add(upload)
            detail = {"size": received.size, "sha256": received.sha256}
            audit.record(session, actor=actor, action="upload.keep", subject=f"upload:{received.id}", detail=detail)
    except BaseException:
        _sealed(settings, received.id).unlink(missing_ok=True)
        raise
    return upload


def find(session: Session, upload_id: str, *, lock: bool = False) -> Upload:
    """An upload by its id.

    Raises:
        NotFoundError: there is none: taken in, thrown away, or too old.
    """
    upload = session.get(Upload, upload_id, with_for_update=lock)
    if upload is None:
        raise NotFoundError(
            "このファイルは、もうありません。",
            hint="取り込んだか、捨てたか、期限が過ぎたものです。取込の一覧を見るか、もう一度送ってください。",
        )
    return upload


def waiting(session: Session, *, limit: int = 50) -> Sequence[Upload]:
    """Uploads that were not taken in yet, the newest first; no files of mended rejects, which belong to a batch."""
    newest = session.scalars(select(Upload).order_by(Upload.created_at.desc(), Upload.id))
    return list(islice((upload for upload in newest if "batch" not in upload.options), limit))


@contextmanager
def opened(upload: Upload, *, settings: Settings, keyring: Keyring) -> Iterator[Path]:
    """The upload as a plain file of its name, which only this user of the machine can read, and which is gone after the block.

    Raises:
        NotFoundError: its sealed file is no longer there.
        DecryptionError: the sealed file was changed, or its key is not at hand.
    """
    with plain_copy(upload.id, upload.name, settings=settings, keyring=keyring) as path:
        yield path


@contextmanager
def plain_copy(upload_id: str, name: str, *, settings: Settings, keyring: Keyring) -> Iterator[Path]:
    """The same before there is a row."""
    parent = settings.home / "tmp"
    with _room_told():
        private_folder(parent)
        with _locked(parent, fcntl.LOCK_SH):
            folder = Path(tempfile.mkdtemp(prefix="upload-", dir=parent))  # mode 0700
            # The system lets it go when the process ends, however it ends: ``sweep`` sees from it whose copy is left over.
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_SH)
    try:
        path = folder / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            for piece in _pieces(upload_id, settings=settings, keyring=keyring):
                with _room_told():
                    target.write(piece)
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def throw_away(session: Session, upload: Upload, *, settings: Settings, actor: str, reason: str = "") -> None:
    """Removes an upload from the database, and from the disk when that is committed. ``reason``: why, for the audit trail."""
    session.delete(upload)
    detail = {"reason": reason} if reason else {}
    audit.record(session, actor=actor, action="upload.discard", subject=f"upload:{upload.id}", detail=detail)
    sealed = _sealed(settings, upload.id)
    event.listen(session, "after_commit", lambda _: sealed.unlink(missing_ok=True), once=True)


def sweep(engine: Engine, *, settings: Settings) -> int:
    """Throws away uploads that nobody used in time, and what killed processes left behind; gives the number of uploads."""
    sweep_copies(settings)
    with db.reading(engine) as session:
        known = set(session.scalars(select(Upload.id)))
    _sweep_strays(settings.home / "uploads", known)
    limit = utc_now() - timedelta(days=settings.upload_days)
    with db.reading(engine) as session:
        old = session.scalars(select(Upload.id).where(Upload.created_at < limit)).all()
        needed = _needed_by_jobs(session) if old else set()
    count = 0
    for upload_id in set(old) - needed:
        with db.writing(engine) as session:
            gone = session.execute(delete(Upload).where(Upload.id == upload_id, Upload.created_at < limit).returning(Upload.id)).first()
            if gone:
                audit.record(
                    session, actor="system", action="upload.discard", subject=f"upload:{upload_id}", detail={"reason": "expired"}
                )  # fmt: skip
                count += 1
        _sealed(settings, upload_id).unlink(missing_ok=True)
    return count


def private_folder(folder: Path) -> None:
    """Makes a folder that only this user of the machine can enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _pieces(upload_id: str, *, settings: Settings, keyring: Keyring) -> Iterator[bytes]:
    try:
        file = _sealed(settings, upload_id).open("rb")
    except OSError:
        raise NotFoundError("送られたファイルの中身が見つかりません。", hint="ファイルをもう一度送ってください。") from None
    with file:
        turn, record = 0, _record(file)
        while record is not None:
            following = _record(file)
            yield keyring.open_bytes(record, place=_place(upload_id, turn, last=following is None))
            turn, record = turn + 1, following
        if not turn:
            raise _damaged()


def _record(file: BinaryIO) -> bytes | None:
    head = file.read(_LENGTH.size)
    if not head:
        return None
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    if not 0 < length <= PIECE + 1024:
        raise _damaged()
    record = file.read(length)
    if len(record) < length:
        raise _damaged()
    return record


def _damaged() -> DecryptionError:
    return DecryptionError("送られたファイルの控えが壊れています。", hint="ファイルをもう一度送ってください。")


def _place(upload_id: str, turn: int, *, last: bool) -> str:
    return f"upload:{upload_id}:{turn}:{'last' if last else 'more'}"


def _sealed(settings: Settings, upload_id: str) -> Path:
    return settings.home / "uploads" / upload_id


def _needed_by_jobs(session: Session) -> set[str]:
    open_jobs = select(Job.arguments).where(Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    return {str(arguments["upload"]) for arguments in session.scalars(open_jobs) if "upload" in arguments}


def sweep_copies(settings: Settings) -> None:
    """Removes the plain copies that killed processes left behind. Needs no database."""
    parent = settings.home / "tmp"
    if not parent.is_dir():
        return
    with suppress(OSError), _locked(parent, fcntl.LOCK_EX):  # so that no copy is met between its making and its lock
        for folder in parent.glob("upload-*"):
            with suppress(OSError), _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):  # fails while its process lives
                shutil.rmtree(folder, ignore_errors=True)


def _sweep_strays(folder: Path, known: set[str]) -> None:
    for path in folder.glob("*"):
        with suppress(OSError):
            if path.name not in known and time.time() - path.stat().st_mtime > _STRAY:
                path.unlink()


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


@contextmanager
def _room_told() -> Iterator[None]:
    """A full or a broken disk is told to the person who sends the file."""
    try:
        yield
    except OSError as error:
        raise KoeError(
            f"ファイルを置く場所に書けません（{error.strerror or '入出力の誤り'}）。",
            hint="管理者に知らせてください。KOE_HOME の空きと権限を確かめます。",
            code="storage",
        ) from None
