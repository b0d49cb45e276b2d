"""Drafts of answers: one in work for each case, every saved version kept, and nobody's words run over by another's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.cleaning import clean_text
from core.clock import today, utc_now
from core.errors import ConflictError, InputError
from core.models import Channel, Delivery, Disposition, Draft, DraftKind, DraftRevision, DraftState, Kind, Secret, Status, User, Voice
from loop import part_checks
from loop.actors import Actor
from loop.handling import Handled, Target, changing, take
from loop.steps import Step, next_status

if TYPE_CHECKING:
    from nlp.answering.checks import Finding
    from nlp.vectors import Sif

DISPOSITIONS = {
    Disposition.DONE: "実施済み・反映",
    Disposition.PLANNED: "実施予定",
    Disposition.CONSIDERING: "検討中",
    Disposition.DECLINED: "対応困難",
    Disposition.EXPLAINED: "説明・情報提供",
    Disposition.FORWARDED: "移送",
    Disposition.NOTED: "参考",
}
DELIVERIES = {Delivery.MAIL: "電子メール", Delivery.LETTER: "手紙", Delivery.NONE: "送らない（公開のみ）"}
KINDS = {DraftKind.FINAL: "回答", DraftKind.INTERIM: "中間回答"}
IN_WORK = (DraftState.EDITING, DraftState.IN_APPROVAL, DraftState.APPROVED)
LONGEST = 20_000
_SOURCES = frozenset({"answer", "faq", "template", "part"})
_BY_MAIL = frozenset({Channel.EMAIL, Channel.WEB_FORM, Channel.OPEN311})
_MOST_SOURCES = 20
_TEXTS = 5
"""So many different texts of a case are looked at for questions: copies of one letter all ask the same."""
_LATER = frozenset({"unanswered", "only_thanks"})


@dataclass(frozen=True, slots=True)
class Theirs:
    """The version of a draft that somebody else saved first."""

    version: int
    text: str
    disposition: Disposition | None
    delivery: Delivery | None
    review_on: date | None
    by: str
    at: datetime


class OvertakenError(ConflictError):
    """Somebody saved a newer version of the draft; ``theirs`` is that one, so that both can be shown side by side."""

    code = "draft_overtaken"

    def __init__(self, theirs: Theirs) -> None:
        super().__init__("ほかの職員が、この回答案を先に保存しました。", hint="相手の文と見くらべて、もう一度保存してください。")
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Revision:
    """A draft as it was saved once, and by whom."""

    version: int
    text: str
    by: str
    at: datetime


def save(
    session: Session,
    target: Target,
    *,
    actor: Actor,
    text: str,
    disposition: Disposition | None = None,
    delivery: Delivery | None = None,
    review_on: date | None = None,
    sources: Sequence[dict[str, str]] = (),
    version: int | None = None,
    kind: DraftKind = DraftKind.FINAL,
) -> Draft:
    """Saves the draft of a case, beginning one where there is none; every version is kept.

    ``version`` is the draft's that the person had before their eyes (``None`` or 0: there was none). The case's timeline gets a line when
    drafting begins and when another person goes on with it, not at every save; a save that changes nothing leaves nothing behind.

    Raises:
        OvertakenError: somebody saved a newer version.
        ConflictError: the case is in approval or done.
        InputError: the text is empty or too long, or a source can't be one.
    """
    words = _tidy(text)
    named = _named(sources)
    (item,) = take(session, [target], actor=actor)
    next_status(Step.DRAFT, item.case.status)
    draft = draft_of(session, item.case.id, lock=True)
    seen = version or 0
    if seen != (draft.version if draft else 0):
        if draft is None:
            raise ConflictError("この回答案は、もうありません。", hint="画面を開きなおして、いまの内容を確かめてください。")
        raise overtaken(session, draft)
    now = utc_now()
    asked: dict[str, Any] = {
        "text": words, "disposition": disposition, "delivery": delivery, "review_on": review_on, "sources": named, "kind": kind,
    }  # fmt: skip
    if draft is not None and all(getattr(draft, name) == value for name, value in asked.items()):
        return draft
    if draft is None:
        draft = Draft(case_id=item.case.id, version=0, drafter_id=actor.user_id, created_at=now)
        session.add(draft)
        goes_on = False
    else:
        goes_on = _last_hand(session, draft) == actor.user_id
    for name, value in asked.items():
        setattr(draft, name, value)
    draft.version += 1
    draft.changed_at = now
    session.flush()
    session.add(DraftRevision(draft_id=draft.id, version=draft.version, text=words, user_id=actor.user_id, at=now))
    if item.case.status is not Status.DRAFTING or not goes_on:
        with changing(session, [item], Step.DRAFT, actor=actor, detail={"draft": draft.id, "version": draft.version}):
            pass
    session.flush()
    return draft


def draft_of(session: Session, case_id: int | None, *, lock: bool = False) -> Draft | None:
    """The draft that a case is being answered by: in work, in approval, or approved and not sent yet."""
    statement = select(Draft).where(Draft.case_id == case_id, Draft.state.in_(IN_WORK)).order_by(Draft.id.desc()).limit(1)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalar(statement)


def sent_drafts(session: Session, case_id: int | None) -> list[Draft]:
    """What went out in this case, the newest first."""
    statement = select(Draft).where(Draft.case_id == case_id, Draft.state == DraftState.SENT)
    return list(session.scalars(statement.order_by(Draft.id.desc())))


def revisions(session: Session, draft_id: int) -> list[Revision]:
    """Every version of a draft that was saved, the newest first."""
    statement = select(DraftRevision.version, DraftRevision.text, User.display_name, DraftRevision.at).join(
        User, User.id == DraftRevision.user_id
    )
    rows = session.execute(statement.where(DraftRevision.draft_id == draft_id).order_by(DraftRevision.version.desc()))
    return [Revision(*row) for row in rows]


def text_of(session: Session, draft_id: int, version: int) -> str:
    """A draft's text as it was at a version; empty when it had none."""
    statement = select(DraftRevision.text).where(DraftRevision.draft_id == draft_id, DraftRevision.version == version)
    return session.scalar(statement) or ""


def likely_delivery(session: Session, voice: Voice) -> Delivery:
    """How an answer to this voice is likely to go, without opening its contact: as it came, and not at all where none was left."""
    kept = session.scalar(select(Secret.id).where(Secret.voice_id == voice.id, Secret.field == "contact").limit(1))
    if kept is None:
        return Delivery.NONE
    return Delivery.MAIL if voice.channel in _BY_MAIL else Delivery.LETTER


@dataclass(frozen=True, slots=True)
class Checks:
    """What an answer is checked by: the city's lists (a folder; ``None``: those that come along), its place names, and meaning."""

    folder: Path | None = None
    places: frozenset[str] = frozenset()
    sif: Sif | None = None


def findings(
    session: Session, text: str, voices: Sequence[Voice], *, review_on: date | None, by: Checks, kind: DraftKind = DraftKind.FINAL
) -> list[Finding]:
    """What is to be looked at before an answer to these voices is put forward, what stops it first. The one door to the checks.

    An interim reply needn't answer yet what was asked, nor wait for other departments' parts.
    """
    from nlp.answering import checks, files, lists

    folder = by.folder or files.FOLDER
    found = checks.check(
        text,
        "\n\n".join(list(dict.fromkeys(voice.text for voice in voices))[:_TEXTS]),
        review_on=review_on,
        today=today(),
        places=by.places,
        thanks=all(voice.kind is Kind.THANKS for voice in voices),
        sif=by.sif,
        folder=folder,
    )
    if kind is DraftKind.FINAL:
        found += part_checks.look(session, voices, courtesy=lists.load(folder).courtesy)
    said = {one.message: one for one in reversed(found) if kind is DraftKind.FINAL or one.code not in _LATER}
    return list(reversed(said.values()))


def voices_of(session: Session, voice: Voice) -> list[Voice]:
    """The voices that an answer is for, the given one first; of many, as many as are looked at for what they ask."""
    if voice.case_id is None:
        return [voice]
    others = select(Voice).where(Voice.case_id == voice.case_id, Voice.id != voice.id).order_by(Voice.id).limit(_TEXTS)
    return [voice, *session.scalars(others)]


def overtaken(session: Session, draft: Draft) -> OvertakenError:
    """What to raise when a draft is of another version than the one that the person saw."""
    last = revisions(session, draft.id)[0]
    return OvertakenError(Theirs(draft.version, draft.text, draft.disposition, draft.delivery, draft.review_on, last.by, last.at))


def _last_hand(session: Session, draft: Draft) -> int | None:
    newest = select(DraftRevision.user_id).where(DraftRevision.draft_id == draft.id).order_by(DraftRevision.version.desc()).limit(1)
    return session.scalar(newest)


def _tidy(text: str) -> str:
    words = clean_text(text)
    if not words or len(words) > LONGEST:
        raise InputError(f"回答案を 1 字以上 {LONGEST:,} 字以内で書いてください。", hint="空のままでは保存できません。")
    return words


def _named(sources: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    named = [{"kind": str(source.get("kind", "")), "number": str(source.get("number", ""))[:100]} for source in sources]
    if len(named) > _MOST_SOURCES or any(source["kind"] not in _SOURCES or not source["number"] for source in named):
        raise InputError("回答案のもとにしたものが読めません。", hint=f"受付番号か FAQ の番号を、{_MOST_SOURCES} 件まで選んでください。")
    return named


def leading_department(item: Handled) -> str:
    """The department that answers: the leading part's, or the one that the case's voice is labelled with."""
    return item.leading.department if item.leading else item.lead.department
