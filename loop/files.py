"""Attachments of a case: sealed, of few kinds that their bytes tell, shown by a masked name, opened for a stated reason and logged."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.cleaning import plain_name
from core.crypto import Keyring
from core.errors import ForbiddenError, InputError, NotFoundError
from core.file_kinds import FileKind, kind_of
from core.models import CaseFile, User, Voice
from loop import merged, originals
from loop.actors import Actor
from loop.handling import Target, noted, take
from loop.notes import Mask
from loop.steps import Step

MOST_OF_A_CASE = 50
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|]+')


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that may be attached: looked at, its name masked, its content sealed."""

    name: str
    content_type: str
    size: int
    key_id: str
    place: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Attached:
    """An attachment as a list shows it. ``size`` is in bytes."""

    id: int
    case_id: int
    name: str
    content_type: str
    size: int
    user_id: int
    user: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """An attachment's content."""

    name: str
    content_type: str
    content: bytes


def ready(name: str, content: bytes, *, mask: Mask, keyring: Keyring) -> Ready:
    """Looks at a file, masks its name and seals it: what takes long, and is done before the database is asked for anything.

    The name as given is kept nowhere: it becomes one that fits the kind of file, without folders and masked.

    Raises:
        InputError: it is of no kind that may be attached.
    """
    try:
        kind = kind_of(content)
    except InputError as error:
        raise InputError(f"「{plain_name(name)}」を添付できません。{error.message}", hint=error.hint) from None
    place = f"file:{secrets.token_hex(16)}"
    return Ready(_shown(name, kind, mask), kind.media, len(content), keyring.current, place, keyring.seal_bytes(content, place=place))


def add(session: Session, target: Target, given: Sequence[Ready], *, actor: Actor) -> list[CaseFile]:
    """Attaches files to a voice's case, in whatever state that is; begins a case for a voice that has none.

    As with a note, the case's version stays.

    Raises:
        InputError: the case would have more than ``MOST_OF_A_CASE``.
        NotFoundError: the voice isn't there, or not for this person.
        ForbiddenError: this person changes nothing.
    """
    (item,) = take(session, [target], actor=actor)
    own = select(func.count()).select_from(CaseFile).where(CaseFile.case_id.in_(merged.members(item.case.id)))
    if (session.scalar(own) or 0) + len(given) > MOST_OF_A_CASE:
        raise InputError(f"1つの案件に添付できるのは {MOST_OF_A_CASE} 個までです。", hint="要らない添付を消してから、添付してください。")
    made = []
    for file in given:
        event = noted(session, item, Step.ATTACH, actor=actor, detail={"media": file.content_type, "size": file.size})
        made.append(CaseFile(case_id=item.case.id, user_id=actor.user_id, at=event.at, **asdict(file)))
    session.add_all(made)
    session.flush()
    return made


def files_of(session: Session, case_id: int) -> list[Attached]:
    """The attachments of a case and of those that were merged into it, newest first; their content is left where it is."""
    columns = (CaseFile.id, CaseFile.case_id, CaseFile.name, CaseFile.content_type, CaseFile.size, CaseFile.user_id, User.display_name)
    statement = (
        select(*columns, CaseFile.at)
        .join(User, User.id == CaseFile.user_id)
        .where(CaseFile.case_id.in_(merged.members(case_id)))
        .order_by(CaseFile.at.desc(), CaseFile.id.desc())
    )
    return [Attached(*row) for row in session.execute(statement)]


def open_file(session: Session, voice: Voice, file_id: int, *, actor: Actor, reason: str, keyring: Keyring) -> Opened:
    """An attachment of a voice's case; who opened it and why is recorded, in the caller's transaction.

    Raises:
        KoeError: as ``originals.require``.
        NotFoundError: the case has no such attachment.
        DecryptionError: the keys at hand don't open it.
    """
    file = _file_of(session, voice, file_id)
    originals.require(session, file.case_id, author_id=file.user_id, actor=actor, reason=reason)
    content = keyring.open_bytes(file.sealed, place=file.place)
    detail = {"file": file.id, "reason": reason}
    audit.record(session, actor=actor.username, action="file.open", subject=f"case:{file.case_id}", detail=detail)
    return Opened(file.name, file.content_type, content)


def remove(session: Session, voice: Voice, file_id: int, *, actor: Actor) -> None:
    """Takes an attachment away for good: who attached it may, and 広聴課. That it was there stays in the timeline and the trail.

    Raises:
        NotFoundError: the case has no such attachment, or isn't there for this person.
        ForbiddenError: this person may not.
    """
    (item,) = take(session, [Target(voice.receipt_number)], actor=actor)
    file = _file_of(session, voice, file_id)
    if not actor.may_operate and file.user_id != actor.user_id:
        raise ForbiddenError("この添付を消す権限がありません。", hint="添付した職員か、広聴課に依頼してください。")
    noted(session, item, Step.ATTACH, actor=actor, detail={"removed": file.id, "media": file.content_type, "size": file.size})
    session.delete(file)
    session.flush()


def _file_of(session: Session, voice: Voice, file_id: int) -> CaseFile:
    own = CaseFile.case_id.in_(merged.members(voice.case_id or 0))
    if (file := session.scalar(select(CaseFile).where(CaseFile.id == file_id, own))) is None:
        raise NotFoundError("この添付は見つかりません。", hint="消されていないか、画面を開きなおして確かめてください。")
    return file


def _shown(name: str, kind: FileKind, mask: Mask) -> str:
    """A name under which nothing is opened as what it isn't, and in which nobody is named."""
    plain = _NOT_IN_NAMES.sub("_", plain_name(name))
    ending = next((ending for ending in kind.endings if plain.lower().endswith(ending)), "")
    stem = plain[: len(plain) - len(ending)].strip(". ") or "file"
    ((masked, _),) = mask([stem])
    return masked[:150] + (ending or kind.endings[0])
