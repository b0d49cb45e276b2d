"""The way to approval, through the door that pages and the API use, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import audit, db
from core.errors import ConflictError, ForbiddenError, InputError, KoeError, NotFoundError
from core.models import (
    Approval,
    ApprovalState,
    Case,
    CaseEvent,
    Delivery,
    DeskAct,
    Disposition,
    Draft,
    DraftState,
    Kind,
    Role,
    Status,
    Urgency,
    User,
)
from core.settings import PROJECT_ROOT
from loop import answers, approval_queries, approvals, cases, chains, handling
from loop.actors import Actor
from loop.answers import Checks, OvertakenError
from loop.approvals import CheckError
from loop.chains import Chain, ChainStep
from tests import factories
from tests.loop.people import member, somebody, target

TEXT = "歩道の段差は、昨日直しました。"
ASKED = "歩道の段差が大きく、車いすで通れません。直してください。"
ROADS = "道路維持課"
TWO = (Chain("通常", (ChainStep("係長"), ChainStep("課長")), {}),)


class Office:
    """道路維持課 with a clerk, a 係長 and a 課長, and a voice that the clerk has drafted an answer to."""

    def __init__(self, session: Session, text: str = TEXT, **values: object) -> None:
        self.clerk, self.senior, self.head = member(session), member(session, position="係長"), member(session, position="課長")
        self.voice = factories.create_voice(session, text=ASKED, theme="道路・交通", urgency=Urgency.NORMAL, kind=Kind.REQUEST, **values)
        self.target = target(self.voice)
        self.write(session, text)

    def write(self, session: Session, text: str, version: int = 0) -> Draft:
        return answers.save(
            session, self.target, actor=self.clerk, text=text, disposition=Disposition.PLANNED, delivery=Delivery.MAIL, version=version
        )  # fmt: skip

    def submit(self, session: Session, version: int = 1, *, way: tuple[Chain, ...] = TWO, acknowledged: bool = False) -> Draft:
        return approvals.submit(
            session, self.target, actor=self.clerk, chains=way, checks=Checks(), version=version, acknowledged=acknowledged
        )


def steps(session: Session) -> list[int]:
    return list(session.scalars(select(Approval.id).order_by(Approval.round, Approval.step)))


def states(session: Session) -> list[ApprovalState]:
    return list(session.scalars(select(Approval.state).order_by(Approval.round, Approval.step)))


def stands(session: Session) -> tuple[Status, DraftState]:
    return session.scalars(select(Case.status)).one(), session.scalars(select(Draft.state)).one()


def test_a_draft_goes_step_by_step_and_waits_for_one_at_a_time(engine: Engine) -> None:
    with db.writing(engine) as session:
        office = Office(session)
        office.submit(session)
    with db.reading(engine) as session:
        assert stands(session) == (Status.IN_APPROVAL, DraftState.IN_APPROVAL)
        first, second = steps(session)
        people = (office.clerk, office.senior, office.head)
        assert [approval_queries.count_waiting(session, who) for who in people] == [0, 1, 0]
        (waits,) = approval_queries.waiting_for(session, office.senior)
        assert (waits.receipt_number, waits.position, waits.voices) == (office.voice.receipt_number, "係長", 1)
    with pytest.raises(ConflictError, match="順番"), db.writing(engine) as session:
        approvals.approve(session, second, actor=office.head)
    with db.writing(engine) as session:
        approvals.approve(session, first, actor=office.senior, comment="よいと思います。")
        assert [approval_queries.count_waiting(session, who) for who in people] == [0, 0, 1]
        approvals.approve(session, second, actor=office.head)
    with db.reading(engine) as session:
        assert stands(session) == (Status.IN_APPROVAL, DraftState.APPROVED)
        (only,) = approval_queries.rounds(session, 1)
        assert [(step.position, step.state, step.comment) for step in only.steps] == [
            ("係長", ApprovalState.APPROVED, "よいと思います。"),
            ("課長", ApprovalState.APPROVED, ""),
        ]
        told = session.scalars(select(CaseEvent.kind).order_by(CaseEvent.id)).all()
        assert told == ["case.draft", "case.submit", "case.approve", "case.approve"]
        assert audit.verify(session).broken_at is None


def test_what_comes_back_goes_its_whole_way_again_and_every_round_is_kept(engine: Engine) -> None:
    with db.writing(engine) as session:
        office = Office(session)
        office.submit(session)
        first, second = steps(session)
        approvals.approve(session, first, actor=office.senior)
        with pytest.raises(InputError, match="理由"):
            approvals.return_(session, second, actor=office.head, comment=" ")
        approvals.return_(session, second, actor=office.head, comment="時期の根拠を書いてください。")
        assert stands(session) == (Status.DRAFTING, DraftState.EDITING)
        office.write(session, f"{TEXT}国道も直しました。", 1)
        office.submit(session, 2)
    with db.reading(engine) as session:
        newest, oldest = approval_queries.rounds(session, 1)
        assert (oldest.returned, newest.returned, oldest.version, newest.version) == (True, False, 1, 2)
        assert [step.state for step in newest.steps] == [ApprovalState.WAITING] * 2
        assert approval_queries.returned_version(session, 1, before=2) == 1
        assert [approval_queries.count_waiting(session, who) for who in (office.senior, office.head)] == [1, 0]


def test_an_approval_is_of_one_text_and_nobody_changes_it_meanwhile(engine: Engine) -> None:
    with db.writing(engine) as session:
        office = Office(session)
        office.submit(session)
    with pytest.raises(ConflictError, match="回答案を保存"), db.writing(engine) as session:
        office.write(session, "すりかえた文です。", 1)
    with db.writing(engine) as session:
        session.scalars(select(Draft)).one().version = 9  # behind the doors
    with pytest.raises(ConflictError, match="済んでいる"), db.writing(engine) as session:
        approvals.approve(session, steps(session)[0], actor=office.senior)


def test_a_draft_that_changed_is_not_put_forward_unseen(engine: Engine) -> None:
    with db.writing(engine) as session:
        office = Office(session)
        office.write(session, "ほかの文です。", 1)
    with pytest.raises(OvertakenError), db.writing(engine) as session:
        office.submit(session, 1)


def test_of_two_who_hold_the_same_position_one_decides(engine: Engine) -> None:
    with db.writing(engine) as session:
        office = Office(session)
        others = [office.senior, *(member(session, position="係長") for _ in range(3))]
        office.submit(session)
        first = steps(session)[0]
    started, told = threading.Barrier(len(others)), []

    def decide(who: Actor) -> None:
        started.wait()
        try:
            with db.writing(engine) as session:
                approvals.approve(session, first, actor=who)
            told.append("approved")
        except ConflictError as error:
            told.append(error.code)

    threads = [threading.Thread(target=decide, args=(who,)) for who in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["approved", "conflict", "conflict", "conflict"]
    with db.reading(engine) as session:
        assert states(session) == [ApprovalState.APPROVED, ApprovalState.WAITING]
        assert session.scalars(select(CaseEvent.kind)).all().count("case.approve") == 1
        assert audit.verify(session).broken_at is None


def test_a_drafter_takes_it_back_even_when_it_is_approved(engine: Engine) -> None:
    with db.writing(engine) as session:
        office = Office(session)
        office.submit(session)
        approvals.withdraw(session, office.target, actor=office.clerk)
        assert states(session) == [ApprovalState.VOID] * 2
        office.submit(session)
        for step, who in zip(steps(session)[2:], (office.senior, office.head), strict=True):
            approvals.approve(session, step, actor=who)
        with pytest.raises(ForbiddenError, match="引き戻せる"):
            approvals.withdraw(session, office.target, actor=office.senior)
        approvals.withdraw(session, office.target, actor=somebody(session))
        assert stands(session) == (Status.DRAFTING, DraftState.EDITING)
        with pytest.raises(ConflictError):
            approvals.withdraw(session, office.target, actor=office.clerk)


def test_a_deputy_decides_in_place_and_that_is_written_down(engine: Engine) -> None:
    with db.writing(engine) as session:
        office = Office(session)
        deputy = member(session, department="公園緑地課", username="deputy")
        office.submit(session)
        first = steps(session)[0]
        with pytest.raises(NotFoundError):
            approvals.approve(session, first, actor=deputy)
        with pytest.raises(ForbiddenError, match="係長がします"):
            approvals.approve(session, first, actor=member(session))
        with pytest.raises(ForbiddenError, match="代決"):
            approvals.delegate(session, first, "deputy", actor=office.clerk)
        with pytest.raises(InputError, match="見つかりません"):
            approvals.delegate(session, first, "nobody", actor=office.senior)
        with pytest.raises(InputError, match="起案した人"):
            approvals.delegate(session, first, office.clerk.username, actor=office.senior)
        approvals.delegate(session, first, "deputy", actor=office.senior)
        assert [approval_queries.count_waiting(session, who) for who in (office.senior, deputy)] == [0, 1]
        approvals.approve(session, first, actor=deputy)
    with db.reading(engine) as session:
        detail = session.scalars(select(CaseEvent.detail).where(CaseEvent.kind == "case.approve")).one()
        assert (detail["position"], detail["in_place"]) == ("係長", True)
        assert approval_queries.rounds(session, 1)[0].steps[0].deputy == deputy.display_name


def test_a_manager_who_handles_no_case_may_decide_what_waits_for_the_position(engine: Engine) -> None:
    way = (Chain("通常", (ChainStep("部長", "政策企画課"),), {}),)
    with db.writing(engine) as session:
        office = Office(session)
        director = somebody(session, Role.MANAGER, position="部長", department="政策企画課")
        office.submit(session, way=way)
        approvals.approve(session, steps(session)[0], actor=director)
        assert stands(session) == (Status.IN_APPROVAL, DraftState.APPROVED)


def test_nobody_approves_an_own_draft_unless_the_chain_says_so(engine: Engine) -> None:
    one = Chain("ひとり", (ChainStep("係長"),), {})
    with db.writing(engine) as session:
        office = Office(session)
        with pytest.raises(InputError, match=f"{ROADS}に、決裁できる係長がいません"):
            approvals.submit(session, office.target, actor=office.senior, chains=(one,), checks=Checks(), version=1)
        colleague = member(session, position="係長")
        approvals.submit(session, office.target, actor=office.senior, chains=(one,), checks=Checks(), version=1)
        assert approval_queries.count_waiting(session, office.senior) == 0
        with pytest.raises(ForbiddenError, match="起案した"):
            approvals.approve(session, steps(session)[0], actor=office.senior)
        approvals.withdraw(session, office.target, actor=office.senior)
        session.get_one(User, colleague.user_id).active = False
        own = (Chain("ひとり", (ChainStep("係長"),), {}, self_allowed=True),)
        approvals.submit(session, office.target, actor=office.senior, chains=own, checks=Checks(), version=1)
        approvals.approve(session, steps(session)[-1], actor=office.senior)
        assert stands(session)[1] is DraftState.APPROVED


def test_a_position_that_nobody_holds_is_skipped_where_the_chain_allows_it_and_never_the_whole_way(engine: Engine) -> None:
    with db.writing(engine) as session:
        office = Office(session)
        director = ChainStep("部長", optional=True)
        with pytest.raises(InputError, match="部長がいません"):
            office.submit(session, way=(Chain("部長まで", (ChainStep("課長"), ChainStep("部長")), {}),))
        with pytest.raises(InputError, match="ひとりもいません"):
            office.submit(session, way=(Chain("部長だけ", (director,), {}),))
        office.submit(session, way=(Chain("部長まで", (director, ChainStep("課長")), {}),))
        assert states(session) == [ApprovalState.SKIPPED, ApprovalState.WAITING]
        detail = session.scalars(select(CaseEvent.detail).where(CaseEvent.kind == "case.submit")).one()
        assert detail["skipped"] == [f"{ROADS} 部長"]


def test_what_a_check_stops_is_not_put_forward_and_a_warning_has_to_be_acknowledged(engine: Engine) -> None:
    with db.writing(engine) as session:
        office = Office(session, "くわしくは、090-1234-5678 までお電話ください。")
    with pytest.raises(CheckError) as caught, db.writing(engine) as session:
        office.submit(session, acknowledged=True)
    assert {finding.severity for finding in caught.value.findings} == {"stop"}
    with db.reading(engine) as session:
        assert stands(session) == (Status.DRAFTING, DraftState.EDITING)
        assert steps(session) == []


@pytest.mark.parametrize(("missing", "message"), [({"disposition": None}, "対応区分"), ({"delivery": None}, "送り方")])
def test_what_has_to_be_chosen_is_asked_for(engine: Engine, missing: dict[str, None], message: str) -> None:
    chosen = {"disposition": Disposition.DONE, "delivery": Delivery.NONE, **missing}
    with db.writing(engine) as session:
        office = Office(session)
        answers.save(session, office.target, actor=office.clerk, text=TEXT, version=1, **chosen)  # type: ignore[arg-type]
        with pytest.raises(InputError, match=message):
            office.submit(session, 2)


@pytest.mark.parametrize(
    "act",
    [
        lambda s, office: cases.close(s, [office.target], "noted", actor=office.clerk),
        lambda s, office: cases.hand_back(s, [office.target], "not_ours", actor=office.clerk),
        lambda s, office: cases.finish(s, [office.target], actor=office.clerk),
        lambda s, office: handling.undo(s, s.scalars(select(DeskAct.id).order_by(DeskAct.id.desc())).first() or 0, actor=office.clerk),
    ],
)  # fmt: skip
def test_a_case_in_approval_is_left_by_approval_alone(engine: Engine, act: Callable[[Session, Office], object]) -> None:
    with db.writing(engine) as session:
        office = Office(session)
        office.submit(session)
    with pytest.raises(ConflictError), db.writing(engine) as session:
        act(session, office)
    with db.reading(engine) as session:
        assert stands(session) == (Status.IN_APPROVAL, DraftState.IN_APPROVAL)


def test_there_is_nothing_to_put_forward_without_a_draft(engine: Engine) -> None:
    with db.writing(engine) as session:
        who, voice = member(session), factories.create_voice(session, text=ASKED, theme="道路・交通")
        with pytest.raises(ConflictError):
            approvals.submit(session, target(voice), actor=who, chains=TWO, checks=Checks(), version=1)
        with pytest.raises(KoeError, match="見つかりません"):
            approvals.approve(session, 99, actor=who)


def written(folder: Path, text: str) -> Path:
    for name in ("themes.yaml", "kinds.yaml", "departments.yaml"):
        (folder / name).write_text((PROJECT_ROOT / "data/taxonomy" / name).read_text("utf-8"), "utf-8")
    (folder / "approvals.yaml").write_text(text, "utf-8")
    return folder


def matter(**values: object) -> chains.Matter:
    usual = {"kind": "要望", "disposition": "実施予定", "department": ROADS, "urgency": "通常", "delivery": "電子メール", "reply": "回答"}
    return chains.Matter(**{**usual, "recipients": 1, **values})  # type: ignore[arg-type]


def test_the_sample_citys_ways_suit_what_they_say() -> None:
    ways = chains.load(PROJECT_ROOT / "data/taxonomy")
    told = {
        chains.chosen(ways, matter(**values)).name
        for values in ({"reply": "中間回答"}, {"urgency": "当日の危険"}, {"disposition": "対応困難"}, {"recipients": 37}, {})
    }
    assert told == {way.name for way in ways}


def test_a_city_without_a_file_has_a_way(tmp_path: Path) -> None:
    assert [step.position for step in chains.chosen(chains.load(tmp_path), matter()).steps] == ["係長", "課長"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chains: [", "YAML として"),
        ("steps: 1", "「chains:」"),
        ("chains:\n  - name: 通常\n    steps: []", "2 行目.*steps"),
        ("chains:\n  - name: 通常\n    steps:\n      - {position: 課長, department: 宇宙課}", "4 行目.*宇宙課"),
        ("chains:\n  - name: 通常\n    steps:\n      - {postion: 課長}", "4 行目.*postion"),
        ("chains:\n  - steps:\n      - {position: 課長}", "2 行目.*name"),
        ("chains:\n  - name: 急ぎ\n    when: {urgency: 大至急}\n    steps: [{position: 課長}]", "3 行目.*大至急"),
        ("chains:\n  - name: 急ぎ\n    when: {color: 赤}\n    steps: [{position: 課長}]", "3 行目.*color"),
        ("chains:\n  - name: 急ぎ\n    when: {campaign_from: 多数}\n    steps: [{position: 課長}]", "3 行目.*campaign_from"),
        ("chains:\n  - name: 急ぎ\n    when: {kind: 苦情}\n    steps: [{position: 課長}]", "2 行目.*当てはまる順のない"),
        ("chains:\n  - name: 全部\n    steps: [{position: 課長}]\n  - name: 通常\n    steps: [{position: 課長}]", "2 行目.*when がない"),
        ("chains:\n  - name: 通常\n    self: はい\n    steps: [{position: 課長}]", "2 行目.*self"),
        ("chains:\n  - name: 通常\n    steps: [課長]", "2 行目.*position: 課長"),
        ("chains:\n  - name: 通常\n    when: [苦情]\n    steps: [{position: 課長}]", "2 行目.*when"),
    ],
)
def test_a_file_that_cannot_be_taken_says_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        chains.load(written(tmp_path, text))
