"""Mails of a real IMAP server come in once, and the server's mails stay as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core import db
from core.crypto import Keyring
from core.errors import KoeError, MailServerError, SettingsError
from core.models import AuditEntry, Batch, BatchStatus, Channel, MailboxMark, Reject, Voice
from core.settings import Settings
from ingest.chunks import Annotate, Mask
from ingest.imap import open_folder, server_of
from ingest.mailbox import MailboxReport, fetch_mailbox
from nlp.annotation import Annotation
from tests.imap_server import PASSWORD, USER, ImapServer
from tests.ingest.mails import HEAD, mail

Fetch = Callable[..., MailboxReport]
BROKEN = HEAD + b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"


def letter(number: int, text: str = "公園の街灯が消えていて、夜は道が暗いです。") -> bytes:
    return mail(f"{number}通目です。{text}\r\n", head=HEAD.replace(b"<1@", b"<%d@" % number).replace(b"test", b"letter %d" % number))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ImapServer]:
    with ImapServer(tmp_path) as server:
        yield server


def reached(server: ImapServer, **changes: Any) -> dict[str, Any]:
    """The settings that reach a server."""
    return {"imap_url": server.url, "imap_password": PASSWORD, "imap_ca_file": server.authority} | changes


@pytest.fixture
def fetch(engine: Engine, server: ImapServer, settings: Settings, keyring: Keyring, annotate: Annotate, mask: Mask) -> Fetch:
    def _fetch(*, of: ImapServer = server, **options: Any) -> MailboxReport:
        current = settings.model_copy(update=reached(of))
        return fetch_mailbox(engine, **({"settings": current, "keyring": keyring, "annotate": annotate, "mask": mask} | options))

    return _fetch


def numbers(engine: Engine) -> list[str]:
    with db.reading(engine) as session:
        return sorted(session.scalars(select(Voice.external_id)))


def mark(engine: Engine) -> tuple[str, int]:
    with db.reading(engine) as session:
        found = session.scalars(select(MailboxMark)).one()
        return found.mailbox, found.last_uid


def figures(visit: MailboxReport) -> tuple[int, int, int, int]:
    assert visit.report
    return visit.report.read, visit.report.imported, visit.report.duplicates, visit.report.rejected


def test_new_mails_come_in_once_and_stay_unread(engine: Engine, server: ImapServer, fetch: Fetch) -> None:
    assert fetch().report is None
    server.deliver(letter(1), letter(2))
    assert figures(fetch()) == (2, 2, 0, 0)
    assert numbers(engine) == ["<1@mail.example>", "<2@mail.example>"]
    assert fetch().report is None
    server.deliver(letter(3))
    assert figures(fetch()) == (1, 1, 0, 0)
    assert mark(engine)[0] == f"{USER}@127.0.0.1/INBOX"
    assert server.messages() == [("letter 1", ()), ("letter 2", ()), ("letter 3", ())]
    with db.reading(engine) as session:
        assert set(session.scalars(select(Voice.channel))) == {Channel.EMAIL}
        assert set(session.scalars(select(Batch.source_name))) == {f"{USER}@127.0.0.1/INBOX"}


def test_no_mail_is_left_on_the_disk_unsealed(sqlite_engine: Engine, server: ImapServer, fetch: Fetch, tmp_path: Path) -> None:
    server.deliver(mail("山田太郎と申します。街灯が暗いです。\r\n"))
    fetch()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and "山田太郎".encode() in path.read_bytes()]
    assert kept == []


def test_a_broken_mail_is_a_reject_and_the_others_come_in(engine: Engine, server: ImapServer, fetch: Fetch) -> None:
    server.deliver(letter(1), BROKEN, letter(2))
    assert figures(fetch()) == (3, 2, 0, 1)
    with db.reading(engine) as session:
        reject = session.scalars(select(Reject)).one()
        assert (reject.row, reject.code) == (2, "empty")


def test_what_was_taken_in_is_moved_when_asked_and_the_rest_stays(engine: Engine, server: ImapServer, fetch: Fetch) -> None:
    with server.visit() as box:
        box.folder.create("処理済み")
    server.deliver(letter(1), BROKEN, letter(2))
    assert fetch(move_to="処理済み").moved == 2
    assert [subject for subject, _ in server.messages("処理済み")] == ["letter 1", "letter 2"]
    assert server.messages() == [("test", ())]
    assert fetch(move_to="処理済み").report is None
    with db.reading(engine) as session:
        assert [act.detail for act in session.scalars(select(AuditEntry).where(AuditEntry.action == "mailbox.move"))] == [{"mails": 2}]


def test_a_folder_to_move_to_is_looked_for_before_anything_is_taken(engine: Engine, server: ImapServer, fetch: Fetch) -> None:
    server.deliver(letter(1))
    with pytest.raises(MailServerError, match="処理済み"):
        fetch(move_to="処理済み")
    assert numbers(engine) == []


def test_uids_given_anew_are_read_again_and_add_nothing(engine: Engine, server: ImapServer, fetch: Fetch) -> None:
    for _ in range(2):
        with server.visit() as box:
            box.folder.create("市民の声")
        server.deliver(letter(1), letter(2), folder="市民の声")
        visit = fetch(folder="市民の声")
        with server.visit() as box:
            box.folder.delete("市民の声")
    assert figures(visit) == (2, 0, 2, 0)
    assert numbers(engine) == ["<1@mail.example>", "<2@mail.example>"]
    assert mark(engine)[0].endswith("/市民の声")


def test_a_server_that_goes_away_loses_nothing(
    engine: Engine, server: ImapServer, fetch: Fetch, annotate: Annotate, tmp_path: Path
) -> None:  # fmt: skip
    letters = [letter(number) for number in range(1, 4)]
    server.deliver(*letters)
    assert figures(fetch()) == (3, 3, 0, 0)
    seen = mark(engine)
    server.deliver(letter(4))
    with open_folder(server_of(settings_of(server)), settings=settings_of(server)) as folder:
        server.stop()
        with pytest.raises(MailServerError, match="切れました"):
            folder.message(104)
    with pytest.raises(MailServerError, match="つながりません"):
        fetch()
    assert mark(engine) == seen
    (tmp_path / "again").mkdir()
    with ImapServer(tmp_path / "again") as again:
        again.deliver(*letters, letter(4))
        assert figures(fetch(of=again)) == (4, 1, 3, 0)


def settings_of(server: ImapServer, **changes: Any) -> Settings:
    return Settings(**reached(server, **changes))


class PowerCutError(RuntimeError):
    pass


def test_a_visit_that_was_interrupted_is_made_good_by_the_next(
    engine: Engine, server: ImapServer, fetch: Fetch, annotate: Annotate
) -> None:  # fmt: skip
    def cut(texts: Sequence[str]) -> list[Annotation]:
        raise PowerCutError

    server.deliver(letter(1), letter(2))
    for _ in range(2):
        with pytest.raises(PowerCutError):
            fetch(annotate=cut)
    with db.reading(engine) as session:
        assert session.scalars(select(MailboxMark)).all() == []
        assert session.scalars(select(Batch.status)).all() == [BatchStatus.RUNNING]
    server.deliver(letter(3))
    assert figures(fetch()) == (3, 3, 0, 0)
    with db.reading(engine) as session:
        assert session.scalars(select(Batch.status).order_by(Batch.id)).all() == [BatchStatus.FAILED, BatchStatus.DONE]


def test_a_connection_encrypted_by_starttls(tmp_path: Path) -> None:
    with ImapServer(tmp_path, starttls=True) as server:
        server.deliver(letter(1))
        settings = settings_of(server)
        with open_folder(server_of(settings), settings=settings) as folder:
            (uid,) = folder.uids_after(0)
            assert folder.message(uid) == letter(1)
            assert folder.uids_after(uid) == []
            assert folder.message(uid + 1) is None
        wrong = settings_of(server, imap_url=server.url.replace("imap:", "imaps:"))
        assert "imap://" in refused(wrong).hint


def refused(settings: Settings) -> KoeError:
    with pytest.raises((MailServerError, SettingsError)) as error, open_folder(server_of(settings), settings=settings):
        pass
    assert PASSWORD not in str(error.value)
    return error.value


def test_what_stands_in_the_way_is_told(server: ImapServer, tmp_path: Path) -> None:
    assert "パスワード" in refused(settings_of(server, imap_password="ちがう")).message
    assert "証明書" in refused(settings_of(server, imap_ca_file=None)).message
    assert "localhost" in refused(settings_of(server, imap_url=server.url.replace("127.0.0.1", "localhost"))).message
    no_folder = refused(settings_of(server, imap_url=server.url.replace("INBOX", "%E3%81%AA%E3%81%84")))
    assert "「ない」" in no_folder.message
    assert "INBOX" in no_folder.hint
    assert "KOE_IMAP_PASSWORD" in refused(settings_of(server, imap_password="")).hint
    assert "つながりません" in refused(settings_of(server, imap_url="imaps://kocho@127.0.0.1:1/INBOX")).message
    (tmp_path / "broken.pem").write_text("not a certificate")
    assert "broken.pem" in refused(settings_of(server, imap_ca_file=tmp_path / "broken.pem")).message


def test_the_password_may_stand_in_a_file(server: ImapServer, tmp_path: Path) -> None:
    path = tmp_path / "password"
    settings = settings_of(server, imap_password="", imap_password_file=path)
    assert "読めません" in refused(settings).message
    path.write_text("\n")
    assert "空です" in refused(settings).message
    path.write_text(f"{PASSWORD}\n")
    with open_folder(server_of(settings), settings=settings) as folder:
        assert folder.uids_after(0) == []


@pytest.mark.parametrize(
    "url",
    ["", "mail.city.example", "imaps://mail.city.example", "pop3://a@b/c", "imaps://a@:993/", "imaps://a@b:x/", "imaps://a:geheim@b/"],
)
def test_an_address_that_cannot_be_used(url: str) -> None:
    with pytest.raises(SettingsError) as error:
        server_of(Settings(imap_url=url))
    assert error.value.hint
    assert "geheim" not in str(error.value)


def test_an_address_in_full() -> None:
    server = server_of(Settings(imap_url="imaps://kocho%40city.example@mail.city.example/INBOX/%E5%A3%B0"))
    assert (server.user, server.host, server.port, server.folder) == ("kocho@city.example", "mail.city.example", 993, "INBOX/声")
    assert server_of(Settings(imap_url="imap://a@b"), folder="声").mailbox == "a@b/声"
