"""What pages and the JSON API do with answers, alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from api.answers.typed import Typed
from api.jobs import submit
from core import db, deadline_file
from core.clock import wareki
from core.errors import InputError
from core.models import Answer, CasePart, Delivery, Draft, DraftKind, FaqEntry, Voice
from core.settings import Settings
from loop import answers, drafting, sending
from loop.actors import Actor
from loop.handling import Target
from nlp.similar import load_sif

JOB, JOB_TITLE = "answers", "回答のメールを送る"


def save(engine: Engine, receipt_number: str, typed: Typed, *, actor: Actor) -> Typed:
    """Saves what was typed in a transaction of its own; gives it as it was kept, with the version that it has now.

    Raises:
        InputError, ConflictError: see ``loop.answers.save``.
    """
    with db.writing(engine) as session:
        draft = answers.save(
            session, Target(receipt_number), actor=actor, text=typed.text, kind=typed.chosen_kind(), version=typed.version,
            disposition=typed.chosen_disposition(), delivery=typed.chosen_delivery(), review_on=typed.chosen_review(),
            sources=typed.named_sources,
        )  # fmt: skip
        return replace(typed, text=draft.text, version=draft.version)


def send_out(session: Session, settings: Settings, target: Target, *, actor: Actor) -> Draft:
    """Sends what was approved; its mails leave by a job, which the workers hear of after the commit."""
    draft = sending.send(session, target, actor=actor, rules=deadline_file.load(settings.taxonomy_dir))
    if draft.delivery is Delivery.MAIL:
        session.flush()
        _by_job(session, settings, draft.id, actor=actor)
    return draft


def post_again(session: Session, settings: Settings, target: Target, ids: Sequence[int], *, actor: Actor) -> int:
    """Lets mails that didn't go be sent again, by a job for each answer that they are of."""
    count, drafts = sending.send_again(session, target, ids, actor=actor)
    for draft_id in drafts:
        _by_job(session, settings, draft_id, actor=actor)
    return count


def first_draft(session: Session, settings: Settings, voice: Voice, typed: Typed, template: str) -> Typed:
    """What is typed with a first draft below it: a template, filled, with sentences of past answers.

    Raises:
        InputError: there is no such template, or none that suits.
    """
    day = typed.chosen_review()
    made = drafting.draft(
        session, voice, settings=settings, sif=load_sif(settings), template=template, disposition=typed.chosen_disposition(),
        stage="interim" if typed.chosen_kind() is DraftKind.INTERIM else "final", values={"見直し日": wareki(day)} if day else {},
    )  # fmt: skip
    typed = typed.using(made.text, f"template:{made.template}")
    return replace(typed, sources=tuple(dict.fromkeys([*typed.sources, *(f"{one.kind}:{one.number}" for one in made.sources)])))


def source_text(session: Session, source: str, *, voice: Voice) -> str:
    """The text that is to be put into a draft: of a past answer, an FAQ entry, or a department's part of the voice's case.

    Named as ``answer:R08-000001-1``, ``faq:F-12`` or ``part:公園緑地課``.

    Raises:
        InputError: there is none.
    """
    kind, _, number = source.partition(":")
    past = select(Answer.text).join(Voice, Voice.id == Answer.voice_id).where(Voice.receipt_number == number)
    statements = {
        "answer": past,
        "faq": select(FaqEntry.answer).where(FaqEntry.number == number),
        "part": select(CasePart.reply).where(CasePart.case_id == voice.case_id, CasePart.department == number),
    }
    text = session.scalar(statements[kind]) if kind in statements else None
    if not text:
        raise InputError("使おうとした回答が見つかりません。", hint="画面を開きなおして、選びなおしてください。")
    return text


def _by_job(session: Session, settings: Settings, draft_id: int, *, actor: Actor) -> None:
    submit(session, settings, kind=JOB, title=JOB_TITLE, arguments={"draft": draft_id}, actor=actor.username)
