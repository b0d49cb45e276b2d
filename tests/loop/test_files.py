"""Attachments: sealed, told by their bytes, opened for a reason, taken away by few. On both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select

from core import audit, db
from core.crypto import Keyring
from core.errors import ForbiddenError, InputError, NotFoundError
from core.models import AuditEntry, Case, CaseEvent, CaseFile, Role, Voice
from core.settings import Settings
from loop import files, merging
from loop.files import Ready
from nlp.annotate import Masker
from tests import factories
from tests.loop.people import case_of, somebody, target

CONTENT = "川北葉子さんの家の前の写真について".encode()


@pytest.fixture
def mask(settings: Settings) -> Masker:
    return Masker(settings.taxonomy_dir)


def ready(mask: Masker, keyring: Keyring, name: str = "写真の説明.txt", content: bytes = CONTENT) -> Ready:
    return files.ready(name, content, mask=mask, keyring=keyring)


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("C:\\Users\\x\\川北葉子さんの件.pdf", b"%PDF-1.7", "〔氏名〕さんの件.pdf"),
        ("報告.exe", b"%PDF-1.7", "報告.exe.pdf"),
        ("報告.JPEG", b"\xff\xd8\xff\xe0", "報告.jpeg"),
        ("page.html", b"<script>alert(1)</script>", "page.html.txt"),
        ("../../表.csv", b"a,b\n", "表.csv"),
        ("", b"a,b\n", "file.txt"),
        ("\u202ecod.exe", b"%PDF-1.7", "cod.exe.pdf"),
        ("あ" * 300 + ".pdf", b"%PDF-1.7", None),
    ],
)
def test_a_name_fits_the_kind_and_names_nobody(mask: Masker, keyring: Keyring, name: str, content: bytes, shown: str | None) -> None:
    given = ready(mask, keyring, name, content)
    assert len(given.name) <= 200
    assert shown is None or given.name == shown
    assert keyring.open_bytes(given.sealed, place=given.place) == content


def test_what_may_not_be_attached_is_told_by_name(mask: Masker, keyring: Keyring) -> None:
    with pytest.raises(InputError, match=r"「道具\.pdf」.*プログラム"):
        ready(mask, keyring, "道具.pdf", b"MZ\x00")


def test_a_file_lies_sealed_and_is_opened_for_a_reason(engine: Engine, mask: Masker, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session, answered=True)
        (file,) = files.add(session, target(voice), [ready(mask, keyring)], actor=who)
    with db.writing(engine) as session:
        voice = session.get_one(Voice, voice.id)
        (listed,) = files.files_of(session, case_of(session, voice).id)
        assert (listed.id, listed.user, listed.size) == (file.id, who.display_name, len(CONTENT))
        assert CONTENT not in session.get_one(CaseFile, file.id).sealed
        opened = files.open_file(session, voice, file.id, actor=who, reason="reply", keyring=keyring)
        assert (opened.name, opened.content_type, opened.content) == ("写真の説明.txt", "text/plain", CONTENT)
        with pytest.raises(InputError, match="理由"):
            files.open_file(session, voice, file.id, actor=who, reason="見たい", keyring=keyring)
    with db.reading(engine) as session:
        assert session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all() == ["case.attach", "file.open"]
        assert session.scalar(select(Case.version)) == 0
        assert audit.verify(session).broken_at is None


def test_a_file_belongs_to_its_case_alone(engine: Engine, mask: Masker, keyring: Keyring) -> None:
    """Also after the case was merged into another; another case's address doesn't lead to it."""
    with db.writing(engine) as session:
        who = somebody(session)
        voices = [factories.create_voice(session, theme="道路・交通") for _ in range(3)]
        made = [files.add(session, target(voice), [ready(mask, keyring)], actor=who)[0] for voice in voices]
        merging.merge(session, [target(voice) for voice in voices[:2]], actor=who)
    with db.writing(engine) as session:
        kept = [session.get_one(Voice, voice.id) for voice in voices]
        for file in made[:2]:
            assert files.open_file(session, kept[0], file.id, actor=who, reason="reply", keyring=keyring).content == CONTENT
        for voice, file in ((kept[0], made[2]), (kept[2], made[0]), (factories.create_voice(session), made[0])):
            with pytest.raises(NotFoundError):
                files.open_file(session, voice, file.id, actor=who, reason="reply", keyring=keyring)
            with pytest.raises(NotFoundError):
                files.remove(session, voice, file.id, actor=who)


def test_who_may_open_and_take_away(engine: Engine, mask: Masker, keyring: Keyring) -> None:
    with db.writing(engine) as session:
        voice = factories.create_voice(session, theme="道路・交通", related=["公園緑地課", "ごみ減量課"])
        author, lead, concerned, stranger = (
            somebody(session, Role.DEPARTMENT, department=name) for name in ("公園緑地課", "道路維持課", "ごみ減量課", "保育課")
        )
        kocho, manager = somebody(session), somebody(session, Role.MANAGER)
        first, second = files.add(session, target(voice), [ready(mask, keyring), ready(mask, keyring)], actor=author)
    with db.writing(engine) as session:
        voice = session.get_one(Voice, voice.id)
        for person in (author, lead, kocho):
            assert files.open_file(session, voice, first.id, actor=person, reason="handover", keyring=keyring).content == CONTENT
        for person, wrong in ((concerned, ForbiddenError), (stranger, NotFoundError), (manager, ForbiddenError)):
            with pytest.raises(wrong):
                files.open_file(session, voice, first.id, actor=person, reason="handover", keyring=keyring)
        for person, refused in ((lead, ForbiddenError), (stranger, NotFoundError), (manager, ForbiddenError)):
            with pytest.raises(refused):
                files.remove(session, voice, first.id, actor=person)
        files.remove(session, voice, first.id, actor=author)
        files.remove(session, voice, second.id, actor=kocho)
    with db.reading(engine) as session:
        assert session.scalar(select(func.count(CaseFile.id))) == 0
        removed = [detail["removed"] for detail in session.scalars(select(CaseEvent.detail)) if "removed" in detail]
        assert sorted(removed) == [first.id, second.id]


def test_a_case_holds_only_so_many(engine: Engine, mask: Masker, keyring: Keyring) -> None:
    given = ready(mask, keyring)
    with db.writing(engine) as session:
        who, voice = somebody(session), factories.create_voice(session)
        files.add(session, target(voice), [given] * files.MOST_OF_A_CASE, actor=who)
    with pytest.raises(InputError, match="50 個まで"), db.writing(engine) as session:
        files.add(session, target(voice), [given], actor=who)
