from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, Select, func, select

from core import audit, db, facts
from core.errors import ConflictError, InputError, NotFoundError
from core.models import (
    AuditEntry,
    Batch,
    BatchContent,
    BatchStatus,
    CampaignMember,
    DailyCount,
    FaqCount,
    FaqEntry,
    MachineReading,
    Opinion,
    ReadingMark,
    Reject,
    SearchTerm,
    Secret,
    Sender,
    Status,
    Topic,
    Voice,
)
from core.settings import Settings
from ingest.reconcile import reconcile
from ingest.undo import UndoReport, undo_batch
from nlp import likeness, postings
from nlp.similar import Lookup
from tests import factories
from tests.ingest.conftest import LIST_HEADINGS, Take, Write, list_row

POOL = (
    "市営プールを廃止しないでください。市営プールは子どもから高齢者まで、年間四万人が利用している大切な施設です。"
    "廃止されれば、子どもたちが泳ぎを学ぶ場も、高齢者が健康を保つ場も失われます。修理して使いつづけることをお願いします。"
)
BUS = "通学のバスの本数が減って、朝は満員で乗れません。次のバスまで四十分も待つので学校に遅れます。{}増便してください。"
DRAIN, CHILDREN, LAMP, OFFICE = (
    "家の前の側溝のふたが割れていて、夜に足を取られそうになります。", "小学生も毎朝通る道なので、だれかが落ちないか心配しています。",
    "街灯も切れたままで、雨の日には穴がどこにあるのかわかりません。", "先月も窓口でお願いしましたが、まだ何の連絡もいただいていません。",
)  # fmt: skip
# The first and the last aren't copies of each other; the one between them is a copy of both.
BRIDGE = [DRAIN + CHILDREN + LAMP, DRAIN + CHILDREN + LAMP + OFFICE, CHILDREN + LAMP + OFFICE]


def rows(prefix: str, texts: Sequence[str]) -> list[list[str]]:
    return [LIST_HEADINGS, *(list_row(f"{prefix}-{number}", text, 電話番号=f"045-000-{number:04d}") for number, text in enumerate(texts))]


A = rows("A", [POOL, POOL, BUS.format(""), "歩道の段差が大きい。", BRIDGE[0], BRIDGE[2], BRIDGE[2]])
B = rows("B", [POOL, BUS.format(""), BUS.format("早く"), "公園の遊具がさびています。", BRIDGE[1], "図書館の本が古い。"])
JOINED = ["A-4", "A-5", "A-6", "B-4", "3"]


def lines(engine: Engine, statement: Select[Any]) -> list[tuple[Any, ...]]:
    with db.reading(engine) as session:
        return sorted(tuple(row) for row in session.execute(statement))


def groups(engine: Engine) -> list[list[str]]:
    """Each group's voices by their own numbers, with the number of wordings in it."""
    found = defaultdict(list)
    wordings = defaultdict(set)
    columns = select(CampaignMember.campaign_id, Voice.external_id, CampaignMember.text_id).join(Voice, Voice.id == CampaignMember.voice_id)
    for group, number, text_id in lines(engine, columns):
        found[group].append(number)
        wordings[group].add(text_id)
    return sorted([*sorted(numbers), str(len(wordings[group]))] for group, numbers in found.items())


def everything(engine: Engine) -> dict[str, Any]:
    """What a person or a search sees of the voices, without ids."""
    with db.reading(engine) as session:
        number_of = dict(session.execute(select(Voice.id, Voice.external_id)).all())
        terms = session.scalars(select(SearchTerm.term).where(SearchTerm.documents > 0, SearchTerm.term != "")).all()
        lookups = [Lookup((term,), 1.0) for term in sorted(terms)]
        found = [sorted(number_of[voice] for voice in voices) for voices in postings.find(session, lookups)]
        similar = [item.receipt_number for item in likeness.similar(session, "バスの本数が減って満員で学校に遅れます")]
    return {
        "voices": lines(engine, select(Voice.external_id, Voice.text, Voice.theme, Voice.department, Voice.content_hash)),
        "secrets": lines(engine, select(Secret.place)),
        "labels": lines(engine, select(Voice.external_id, MachineReading.model).join(Voice)),
        "senders": lines(engine, select(Sender.sender)),
        "terms": lines(engine, select(SearchTerm.term, SearchTerm.documents)),
        "found": list(zip(terms and sorted(terms), found, strict=True)),
        "similar": len(similar),
        "counts": lines(engine, select(*DailyCount.__table__.columns)),
        "groups": groups(engine),
        "rejects": lines(engine, select(Reject.row, Reject.code)),
    }


def undo(engine: Engine, batch: int, **options: Any) -> UndoReport:
    return undo_batch(engine, batch, **{"actor": "suzuki", "reason": "別の年のファイルだった", **options})


@pytest.mark.parametrize("size", [2, 1000])
@pytest.mark.parametrize("order", ["AB", "BA"])
def test_a_batch_undone_leaves_what_there_would_be_without_it(
    engine: Engine, take: Take, write: Write, settings: Settings, size: int, order: str
) -> None:
    contents = {"A": A, "B": [*B, list_row("B-bad", "日付なし", 受付日="いつか")]}
    if order == "AB":
        take(engine, write(A, "A.csv"))
        likeness.update_campaigns(engine, settings)
        alone = everything(engine)
        assert alone["groups"] == [["A-0", "A-1", "1"], ["A-5", "A-6", "1"]]
    batches = {}
    for name in order:
        batches[name] = take(engine, write(contents[name], f"{name}.csv")).batch
        likeness.update_campaigns(engine, settings)
    assert JOINED in groups(engine)
    report = undo(engine, batches["B"], chunk_voices=size)
    assert (report.voices, report.rejects, report.resumed) == (6, 1, False)
    left = everything(engine)
    if order == "BA":
        undo(engine, batches["A"])
        take(engine, write(A, "A.csv"))
        likeness.update_campaigns(engine, settings)
        alone = everything(engine)
    assert left == alone
    assert reconcile(engine).agrees
    with db.reading(engine) as session:
        batch = session.get_one(Batch, batches["B"])
        assert (batch.status, batch.rows_read, batch.imported, batch.rejected) == (BatchStatus.UNDONE, 7, 6, 1)
        assert audit.verify(session).broken_at is None
        begun, ended = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.action.like("import.und%"), AuditEntry.subject == f"batch:{batch.id}")
            .order_by(AuditEntry.id)
        ).all()
    assert begun.detail["reason"] == "別の年のファイルだった"
    assert ended.detail == {"voices": 6, "rejects": 1, "counts": 0}


def test_the_file_can_be_imported_again_and_numbers_are_not_reused(
    engine: Engine, take: Take, write: Write, settings: Settings
) -> None:  # fmt: skip
    take(engine, write(A, "A.csv"))
    path = write(B, "B.csv")
    batch = take(engine, path).batch
    likeness.update_campaigns(engine, settings)
    before, numbers = everything(engine), lines(engine, select(Voice.receipt_number).where(Voice.batch_id == batch))
    undo(engine, batch)
    again = take(engine, path)
    assert (again.batch != batch, again.imported, again.resumed) == (True, 6, False)
    likeness.update_campaigns(engine, settings)
    assert everything(engine) == before
    assert not set(numbers) & set(lines(engine, select(Voice.receipt_number)))
    assert reconcile(engine).agrees


class PowerCutError(RuntimeError):
    pass


def test_one_that_was_interrupted_goes_on(engine: Engine, take: Take, write: Write, settings: Settings) -> None:
    path = write(B, "B.csv")
    batch = take(engine, path).batch
    likeness.update_campaigns(engine, settings)

    def cut(done: int, total: int) -> None:
        assert (done, total) == (2, 6)
        raise PowerCutError

    with pytest.raises(PowerCutError):
        undo(engine, batch, chunk_voices=2, progress=cut)
    told = reconcile(engine)
    assert not told.agrees
    assert "取り消しが終わっていない" in told.batches[0].wrong
    with pytest.raises(ConflictError, match="取り消しが、終わっていません"):
        take(engine, path)
    report = undo(engine, batch)
    assert (report.resumed, report.voices) == (True, 4)
    assert reconcile(engine).agrees
    with pytest.raises(ConflictError, match="すでに取り消されて"):
        undo(engine, batch)
    assert take(engine, path).imported == 6


def test_an_import_that_never_ended_is_taken_back_too(engine: Engine, take: Take, write: Write) -> None:
    stopped = take(engine, write(B), chunk_voices=2, stop=lambda: True)
    assert undo(engine, stopped.batch).voices == 2
    assert reconcile(engine).agrees
    assert not take(engine, write(B)).resumed


def test_what_staff_worked_on_is_told_and_stays(engine: Engine, take: Take, write: Write) -> None:
    batch = take(engine, write(B)).batch
    with db.writing(engine) as session:
        user = factories.create_user(session)
        first, second, third = session.scalars(select(Voice).order_by(Voice.id)).all()[:3]
        factories.create_human_label(session, first, user, value="公園・緑地")
        first.status = second.status = Status.TRIAGED
        factories.create_answer(session, third)
        third.status = Status.ANSWERED
    with pytest.raises(ConflictError, match="分類を決めた声 1 件、そのほかに対応を進めた声 1 件"):
        undo(engine, batch)
    assert len(lines(engine, select(Voice.id))) == 6
    assert undo(engine, batch, force=True).voices == 6
    with db.reading(engine) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "import.undo")).one()
    assert (entry.detail["labelled"], entry.detail["handled"]) == (1, 1)


def test_topics_and_opinions_lose_what_went(engine: Engine, take: Take, write: Write) -> None:
    take(engine, write(A, "A.csv"))
    batch = take(engine, write(B, "B.csv")).batch
    with db.writing(engine) as session:
        voices = session.scalars(select(Voice).order_by(Voice.id)).all()
        parent = factories.create_topic(session, size=9, name="道路")
        factories.create_topic(session, voices=[voices[0], voices[-1], voices[-2]], parent_id=parent.id, name="歩道の段差")
        session.add(Opinion(voice_id=voices[-1].id, stance="賛成", confidence=0.9, model="m", created_at=factories.NOON))
        kept = voices[0].id
    undo(engine, batch)
    with db.reading(engine) as session:
        leaf = session.scalars(select(Topic).where(Topic.name == "歩道の段差")).one()
        assert (leaf.size, leaf.examples) == (1, [kept])
        assert session.scalar(select(Topic.size).where(Topic.id == leaf.parent_id)) == 7
        assert facts.totals(session, "topic", values=[str(leaf.id)]) == {str(leaf.id): 1}
        assert facts.differences(session) == []
        assert session.scalar(select(func.count()).select_from(Opinion)) == 0


def test_marks_don_t_stand_above_the_voices_that_are_left(engine: Engine, take: Take, write: Write, settings: Settings) -> None:
    take(engine, write(A, "A.csv"))
    batch = take(engine, write(B, "B.csv")).batch
    likeness.update_campaigns(engine, settings)
    undo(engine, batch)
    with db.reading(engine) as session:
        assert session.scalar(select(ReadingMark.voice_id)) == session.scalar(select(func.max(Voice.id)))
    # Voices that get the ids of those that went are looked at.
    take(engine, write(rows("C", [BUS.format("")] * 3), "C.csv"))
    likeness.update_campaigns(engine, settings)
    assert ["A-2", "C-0", "C-1", "C-2", "1"] in groups(engine)


@pytest.mark.parametrize("order", ["AB", "BA"])
def test_groups_that_are_brought_up_to_date_meanwhile_hold_no_voice_that_went(
    engine: Engine, take: Take, write: Write, settings: Settings, order: str
) -> None:
    batches = {name: take(engine, write({"A": A, "B": B}[name], f"{name}.csv")).batch for name in order}
    undone: list[UndoReport] = []

    def undo_in_between(_voices: int) -> None:
        if not undone:
            undone.append(undo(engine, batches["B"]))

    # What went is still to come: it isn't there any more. What was counted on is gone: that is told.
    with nullcontext() if order == "AB" else pytest.raises(ConflictError, match="取込の取り消しが、ほかで"):
        likeness.update_campaigns(engine, settings, chunk_voices={"AB": 8, "BA": 4}[order], progress=undo_in_between)
    likeness.update_campaigns(engine, settings)
    assert groups(engine) == [["A-0", "A-1", "1"], ["A-5", "A-6", "1"]]


def test_later_imports_that_counted_duplicates_are_named(engine: Engine, take: Take, write: Write) -> None:
    first = take(engine, write(B, "B.csv")).batch
    second = take(engine, write([*B, list_row("C-1", "ほかの声")], "C.csv"))
    assert (second.imported, second.duplicates) == (1, 6)
    (other,) = undo(engine, first).overlapping
    assert (other.batch, other.name, other.duplicates) == (second.batch, "C.csv", 6)
    again = take(engine, write([*B, list_row("C-1", "ほかの声")], "C.csv"))
    assert (again.imported, again.duplicates) == (6, 1)


def test_a_faq_s_counts_go_and_entries_that_nothing_counts(engine: Engine) -> None:
    with db.writing(engine) as session:
        batches = [factories.create_batch(session, content=BatchContent.FAQ, imported=1, rows_read=1) for _ in range(2)]
        entries = [FaqEntry(number=str(number), question="問い", created_at=factories.NOON) for number in range(2)]
        session.add_all(entries)
        session.flush()
        since, until = date(2026, 4, 1), date(2026, 4, 30)
        counts = [(entries[0], batches[0]), (entries[1], batches[0]), (entries[0], batches[1])]
        session.add_all(FaqCount(entry_id=entry.id, batch_id=batch.id, since=since, until=until, views=1) for entry, batch in counts)
        first = batches[0].id
    assert undo(engine, first).counts == 2
    assert lines(engine, select(FaqEntry.number)) == [("0",)]


def test_an_overlapping_batch_is_one_of_the_same_content(engine: Engine) -> None:
    with db.writing(engine) as session:
        contents = (BatchContent.FAQ, BatchContent.VOICES, BatchContent.FAQ)
        batches = [factories.create_batch(session, content=content, rows_read=1, duplicates=1) for content in contents]
        ids = [batch.id for batch in batches]
    assert [other.batch for other in undo(engine, ids[0]).overlapping] == [ids[2]]


def test_what_can_t_be_undone_says_why(engine: Engine, take: Take, write: Write) -> None:
    batch = take(engine, write(B)).batch
    with pytest.raises(InputError, match="理由"):
        undo(engine, batch, reason=" ")
    with pytest.raises(NotFoundError, match="取込 99"):
        undo(engine, 99)
    with db.reading(engine) as session:
        assert facts.totals(session, "") == {"": 6}
