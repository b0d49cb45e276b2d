"""New mails of an IMAP folder taken in: each once, told by its UID, straight from the server into the tables, nothing on the disk."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select, update

from core import audit, db
from core.clock import utc_now
from core.crypto import Keyring
from core.models import Batch, BatchStatus, MailboxMark, Reject
from core.settings import Settings
from ingest.chunks import Annotate, Mask
from ingest.imap import ImapFolder, open_folder, server_of
from ingest.incoming import RejectedRow, Row, digest
from ingest.mail import ENCODING
from ingest.mail_message import HEADINGS, read_message
from ingest.pipeline import Progress, import_file
from ingest.reports import ImportReport

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class NewMails:
    """Messages of a folder as a source. Row numbers are their turns, from 1; each is fetched when it is asked for."""

    folder: ImapFolder
    name: str
    uids: tuple[int, ...]
    headings: tuple[str, ...] = HEADINGS
    encoding: str = ENCODING

    @property
    def sha256(self) -> str:
        """Digest of which messages these are: the same ones, interrupted, are gone on with."""
        return digest([self.name, str(self.folder.uid_validity), *map(str, self.uids)])

    @property
    def lines(self) -> int:
        return len(self.uids)

    def rows(self, *, needed: int, settings: Settings) -> Generator[Row | RejectedRow, None, None]:
        """Every message that is still there, in order, as a row or as a reject that says why.

        Raises:
            MailServerError: the server is gone.
        """
        for number, uid in enumerate(self.uids, start=1):
            data = self.folder.message(uid)
            if data is not None:
                yield read_message(data, number, settings=settings)


@dataclass(frozen=True, slots=True)
class MailboxReport:
    """What a visit to a mailbox gave; ``report`` is ``None`` when there was nothing new."""

    mailbox: str
    report: ImportReport | None
    moved: int = 0

    def as_dict(self) -> dict[str, Any]:
        """What ``koe mailbox fetch --json`` prints."""
        nothing = {"batch": None, "read": 0, "imported": 0, "duplicates": 0, "rejected": 0, "seconds": 0.0}
        return {"mailbox": self.mailbox} | (self.report.as_dict() if self.report else nothing) | {"moved": self.moved}


def fetch_mailbox(
    engine: Engine,
    *,
    settings: Settings,
    keyring: Keyring,
    annotate: Annotate,
    mask: Mask,
    folder: str | None = None,
    move_to: str | None = None,
    actor: str = "cli",
    progress: Progress | None = None,
) -> MailboxReport:
    """Takes in what came after the last visit, as one batch, and remembers how far that was, once all of it is saved.

    A visit that was interrupted before that reads the same mails again; those that are in already are duplicates. So it is for all
    of a folder whose UIDs the server has given anew. The server's mails stay as they are, unread ones unread; with ``move_to``
    those that were taken in are moved to that folder afterwards. Rejected ones stay where they are, for a person to look at.

    Raises:
        SettingsError: no server, or no password.
        MailServerError: the server can't be reached or doesn't have the folder.
    """
    server = server_of(settings, folder=folder)
    name = server.mailbox[-_LONGEST_NAME:]
    with open_folder(server, settings=settings, writable=move_to is not None) as box:
        if move_to is not None:
            box.require_move_to(move_to)
        uids = box.uids_after(_last_uid(engine, name, box.uid_validity))
        if not uids:
            _remember(engine, name, box.uid_validity, 0)
            return MailboxReport(name, None)
        source = NewMails(box, name, tuple(uids))
        _give_up_others(engine, source)
        report = import_file(
            engine, source, settings=settings, keyring=keyring, annotate=annotate, mask=mask, actor=actor, progress=progress
        )
        _remember(engine, name, box.uid_validity, uids[-1])
        moved = _move(engine, source, report.batch, move_to, actor=actor) if move_to is not None else 0
    return MailboxReport(name, report, moved)


def _last_uid(engine: Engine, name: str, uid_validity: int) -> int:
    with db.reading(engine) as session:
        mark = session.get(MailboxMark, name)
        return mark.last_uid if mark and uid_validity and mark.uid_validity == uid_validity else 0


def _remember(engine: Engine, name: str, uid_validity: int, last_uid: int) -> None:
    with db.writing(engine) as session:
        mark = session.get(MailboxMark, name, with_for_update=True)
        if mark is None:
            session.add(MailboxMark(mailbox=name, uid_validity=uid_validity, last_uid=last_uid, checked_at=utc_now()))
            return
        same = mark.uid_validity == uid_validity
        mark.last_uid = max(mark.last_uid, last_uid) if same else last_uid
        mark.uid_validity, mark.checked_at = uid_validity, utc_now()


def _give_up_others(engine: Engine, source: NewMails) -> None:
    """Closes batches of earlier visits that were interrupted: since more mails have come, this one takes in what they left."""
    with db.writing(engine) as session:
        begun = update(Batch).where(Batch.source_name == source.name, Batch.encoding == ENCODING, Batch.status == BatchStatus.RUNNING)
        others = begun.where(Batch.source_sha256 != source.sha256)
        session.execute(others.values(status=BatchStatus.FAILED, finished_at=utc_now()).execution_options(synchronize_session=False))


def _move(engine: Engine, source: NewMails, batch_id: int, folder: str, *, actor: str) -> int:
    with db.reading(engine) as session:
        rejected = set(session.scalars(select(Reject.row).where(Reject.batch_id == batch_id)))
    taken: Sequence[int] = [uid for number, uid in enumerate(source.uids, start=1) if number not in rejected]
    source.folder.move(taken, folder)
    with db.writing(engine) as session:
        audit.record(session, actor=actor, action="mailbox.move", subject=f"batch:{batch_id}", detail={"mails": len(taken)})
    return len(taken)
