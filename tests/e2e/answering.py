"""Answers in every state, for the pages that show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import deadline_file
from core.clock import today
from core.crypto import Keyring
from core.deadline_rules import DeadlineRules
from core.models import Approval, Delivery, Dispatch, DispatchState, Disposition, User, Voice
from core.settings import PROJECT_ROOT
from loop import answers, approvals, cases, clock, merging, parts, sending
from loop.actors import Actor
from loop.answers import Checks
from loop.chains import Chain, ChainStep
from loop.handling import Target
from nlp import taxonomy
from tests import factories
from tests.loop.people import actor_of, member, somebody

_WAY = (Chain("通常", (ChainStep("係長", "広聴課", optional=True), ChainStep("課長", "広聴課")), {}),)
_TEXT = (
    "ご意見をいただき、ありがとうございます。\n歩道の段差は、現地を確かめました。応急の補修を10月中に行います。\n"
    "全体の舗装は、来年度の計画の中で順番を決めます。工事の前には、沿道の皆さまにお知らせを配ります。"
)


@dataclass(frozen=True)
class Answering:
    """Receipt numbers of voices whose answers were returned, wait for hanako and went out, of a letter with parts, of a case whose clock
    stands still and of one that was closed without an answer, and the step that waits for her.
    """

    divided: str = ""
    returned: str = ""
    waiting: str = ""
    sent: str = ""
    approval: int = 0
    paused: str = ""
    closed: str = ""


def fill(session: Session, keyring: Keyring, head: User) -> Answering:
    """Three answers on their way; ``head`` is the 課長 who decides."""
    desk = _Desk(session, somebody(session, username="clerk", display_name="港 一郎"))
    boss = actor_of(head)
    returned, waiting, sent = (_voices(session, keyring, count) for count in (1, 3, 3))
    for voices in (returned, waiting):
        desk.submit(voices, _TEXT)
        approvals.return_(session, desk.step(), actor=boss, comment="「順番を決めます」の時期を書いてください。")
    desk.write(returned, f"〔氏名〕様\n{_TEXT}\n今後の参考といたします。")
    desk.submit(waiting, _TEXT.replace("来年度の計画の中で順番を決めます", "令和9年3月までに順番を決めます"))
    step = desk.step()
    desk.submit(sent, _TEXT, Delivery.LETTER)
    approvals.approve(session, desk.step(), actor=boss, comment="お願いします。")
    rules = deadline_file.load(PROJECT_ROOT / "data/taxonomy")
    sending.send(session, Target(sent[0].receipt_number), actor=desk.clerk, rules=rules)
    first = session.scalars(select(Dispatch).order_by(Dispatch.id)).first()
    assert first is not None
    first.delivery, first.state, first.problem = Delivery.MAIL, DispatchState.FAILED, "メールアドレスがありません。"
    paused, closed = (Target(voice.receipt_number) for voice in _voices(session, keyring, 2))
    clock.stop(session, paused, "other_office", actor=desk.clerk)
    cases.close(session, [closed], "forwarded", actor=desk.clerk, forwarded_to="県土木事務所")
    return Answering(
        divided=_divided(session, keyring, desk.clerk, rules),
        returned=returned[0].receipt_number,
        waiting=waiting[0].receipt_number,
        sent=sent[0].receipt_number,
        approval=step,
        paused=paused.receipt_number,
        closed=closed.receipt_number,
    )


def _divided(session: Session, keyring: Keyring, clerk: Actor, rules: DeadlineRules) -> str:
    """A letter with one part that was sent back, one that is waited for, and one that 広聴課 itself is asked for."""
    (voice,) = _voices(session, keyring, 1)
    target, city = Target(voice.receipt_number), taxonomy.load(PROJECT_ROOT / "data/taxonomy")
    for number, department in enumerate(("公園緑地課", "ごみ減量課", "広聴課"), 1):
        parts.divide(session, target, department, [number], actor=clerk, taxonomy=city, rules=rules, asked="時期を教えてください。")
    parts.reply(session, target, "来月直します。", actor=clerk)
    parts.return_part(session, target, "広聴課", "何日か書いてください。", actor=clerk)
    parts.reply(session, target, "11月5日に直します。", actor=clerk)
    parts.reply(session, target, "来月替えます。", actor=member(session, department="公園緑地課"))
    parts.return_part(session, target, "公園緑地課", "何日か書いてください。", actor=clerk)
    return voice.receipt_number


class _Desk:
    """A clerk at work."""

    def __init__(self, session: Session, clerk: Actor) -> None:
        self.session, self.clerk = session, clerk

    def write(self, voices: list[Voice], text: str, delivery: Delivery = Delivery.MAIL) -> int:
        if len(voices) > 1 and not voices[0].case_id:
            merging.merge(self.session, [Target(voice.receipt_number) for voice in voices], actor=self.clerk)
        before = answers.draft_of(self.session, voices[0].case_id)
        saved = answers.save(
            self.session, Target(voices[0].receipt_number), actor=self.clerk, text=text, disposition=Disposition.PLANNED, delivery=delivery,
            review_on=None if "参考" in text else today() + timedelta(days=90), version=before.version if before else 0,
            sources=[{"kind": "answer", "number": "R08-000001-1"}],
        )  # fmt: skip
        return saved.version

    def submit(self, voices: list[Voice], text: str, delivery: Delivery = Delivery.MAIL) -> None:
        version = self.write(voices, text, delivery)
        target = Target(voices[0].receipt_number)
        approvals.submit(self.session, target, actor=self.clerk, chains=_WAY, checks=Checks(), version=version, acknowledged=True)

    def step(self) -> int:
        """The step that waits now."""
        return self.session.scalar(select(func.max(Approval.id))) or 0


def _voices(session: Session, keyring: Keyring, count: int) -> list[Voice]:
    made = []
    for number in range(count):
        voice = factories.create_voice(session, theme="道路・交通", received_on=today() - timedelta(days=6 + number))
        factories.create_secret(session, voice, keyring, name="港町一郎", address="潮見市本町一丁目1番1号", postal_code="000-0000")
        made.append(voice)
    return made
