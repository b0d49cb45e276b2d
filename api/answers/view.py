"""What the page of an answer shows beside the editor: the voice and what it asks, past answers, findings, approvals, letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from sqlalchemy.orm import Session

from api.answers.difference import Change, difference
from api.answers.typed import Typed
from api.deps import CityOf, SettingsOf
from api.desk.highlight import Piece, pieces
from core import mailer
from core.city import City
from core.clock import today
from core.errors import KoeError
from core.models import Approval, Draft, DraftKind, DraftState, Facet, Status, Voice
from core.settings import Settings
from loop import answers, approval_queries, case_queries, drafting, sending
from loop.actors import Actor
from loop.answers import Checks
from loop.case_queries import CaseView
from loop.deadlines import Deadlines
from loop.drafting import Source
from nlp.answering import files, templates
from nlp.similar import load_sif

if TYPE_CHECKING:
    from nlp.answering.checks import Finding

_PAST = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A finding with the words that it is about, and the line of the answer that they stand in."""

    finding: Finding
    line: int
    words: str


def places(found: Sequence[Finding], text: str) -> list[Place]:
    """Each finding with its place in words; none for what is asked in the voice, which its message quotes."""
    return [_place(finding, text) if finding.where == "answer" else Place(finding, 0, "") for finding in found]


def _place(finding: Finding, text: str) -> Place:
    return Place(finding, text.count("\n", 0, finding.start) + 1, text[finding.start : finding.end][:60])


def marked(voice: Voice, case: CaseView) -> list[Piece]:
    """The masked text with what asks something of the city, and who answers what. The pieces' facet only says that they are marked."""
    from nlp.answering.questions import questions

    return pieces(
        voice.text,
        {Facet.KIND: [{"start": asked.start, "end": asked.end} for asked in questions(voice.text)]},
        passages=case.marks,
    )


def editor(
    session: Session,
    settings: Settings,
    city: City,
    voice: Voice,
    *,
    actor: Actor,
    checks: Checks,
    typed: Typed | None = None,
    error: KoeError | None = None,
    look: bool = False,
) -> dict[str, Any]:
    """Everything that the page of an answer shows. ``typed`` stands in the editor in place of what is saved; ``look`` checks it."""
    draft = answers.draft_of(session, voice.case_id) if voice.case_id else None
    shown = typed or (Typed.of(draft) if draft else Typed(delivery=answers.likely_delivery(session, voice).value))
    is_edited = draft is None or draft.state is DraftState.EDITING
    open_case = voice.status not in (Status.ANSWERED, Status.CLOSED)
    found = list(getattr(error, "findings", ()))
    looked = bool(shown.text.strip()) and (look or draft is not None)
    if not found and looked:
        found = answers.findings(
            session, shown.text, answers.voices_of(session, voice), review_on=_day(shown), by=checks, kind=_kind(shown)
        )  # fmt: skip
    sent = answers.sent_drafts(session, voice.case_id) if voice.case_id else []
    case = case_queries.case_view(session, voice)
    return {
        "voice": voice,
        "case": case,
        "lead_number": case_queries.number_of_lead(session, voice),
        "deadlines": Deadlines(city.calendar, today()),
        "pieces": marked(voice, case),
        "past": _sources(session, settings, voice) if is_edited and open_case else [],
        "templates": _templates(settings, voice, shown) if is_edited and open_case else [],
        "draft": draft,
        "typed": shown,
        "places": places(found, shown.text),
        "looked": looked,
        "error": error,
        "theirs": getattr(error, "theirs", None),
        "may_edit": actor.may_label and is_edited and open_case,
        "may_send": draft is not None and actor.may_label and sending.is_approved(session, draft),
        "may_withdraw": draft is not None and not is_edited and (draft.drafter_id == actor.user_id or actor.may_operate),
        "waiting": approval_queries.may_decide(session, actor, draft) if draft else None,
        "rounds": approval_queries.rounds(session, draft.id) if draft else [],
        "revisions": answers.revisions(session, draft.id) if draft else [],
        "sent": [(item, sending.dispatches_of(session, item.id)) for item in sent],
        "mail_is_on": mailer.is_on(settings),
        "may_print": actor.may_read_original(voice),
        **WORDS,
    }


def approval(session: Session, city: City, found: tuple[Approval, Draft, Voice], *, actor: Actor, checks: Checks) -> dict[str, Any]:
    """Everything that an approver sees: the voice, the answer against what came back last, its findings, and the way so far."""
    step, draft, voice = found
    text = answers.text_of(session, draft.id, step.version)
    before = approval_queries.returned_version(session, draft.id, before=step.version)
    old = answers.text_of(session, draft.id, before) if before else ""
    asking = answers.voices_of(session, voice)
    found_in = answers.findings(session, text, asking, review_on=draft.review_on, by=checks, kind=draft.kind)
    is_next = step == approval_queries.may_decide(session, actor, draft)
    case = case_queries.case_view(session, voice)
    return {
        "step": step,
        "draft": draft,
        "voice": voice,
        "case": case,
        "deadlines": Deadlines(city.calendar, today()),
        "pieces": marked(voice, case),
        "changes": difference(old, text) if before else [Change(text)],
        "compared": before,
        "places": places(found_in, text),
        "rounds": approval_queries.rounds(session, draft.id),
        "may_decide": is_next,
        "may_name": step == approval_queries.may_name_deputy(session, actor, draft),
        "colleagues": case_queries.colleagues(session),
        "may_open": actor.may_see(voice),
        **WORDS,
    }


WORDS: dict[str, Any] = {
    "DISPOSITIONS": answers.DISPOSITIONS,
    "DELIVERIES": answers.DELIVERIES,
    "KINDS": answers.KINDS,
    "DECISIONS": approval_queries.DECISIONS,
    "DISPATCHES": sending.DISPATCHES,
}


def _sources(session: Session, settings: Settings, voice: Voice) -> list[Source]:
    return drafting.sources(session, voice, sif=load_sif(settings), limit=_PAST, folder=files.folder_of(settings.data))


def _templates(settings: Settings, voice: Voice, typed: Typed) -> list[str]:
    """The names of the templates that suit what is chosen, the closest first."""
    known = templates.load(files.folder_of(settings.data))
    suiting = templates.choose(
        known, kind=voice.kind.value, theme=voice.theme, disposition=typed.disposition, stage=_kind(typed).value
    )  # fmt: skip
    return [one.name for one in suiting]


def checks_of(settings: SettingsOf, city: CityOf) -> Checks:
    """What answers are checked by in this city."""
    return Checks(files.folder_of(settings.data), city.places, load_sif(settings))


ChecksOf = Annotated[Checks, Depends(checks_of)]


def _kind(typed: Typed) -> DraftKind:
    return DraftKind.INTERIM if typed.kind == DraftKind.INTERIM.value else DraftKind.FINAL


def _day(typed: Typed) -> Any:
    try:
        return typed.chosen_review()
    except KoeError:
        return None
