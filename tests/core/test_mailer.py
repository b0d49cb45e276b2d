"""Mails over a real SMTP server and into a folder: what arrives, and what is said when nothing does."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import mailer
from core.errors import InputError, KoeError, MailServerError, SettingsError
from core.settings import Settings
from tests.smtp_server import FROM, Mode, SmtpServer

SUBJECT = "ご意見への回答（令和8年11月22日受付）道路・歩道の段差について、髙橋・﨑・①・🚲を含む件名"
BODY = "潮見市です。\n\n歩道の段差は、12月中に直します。髙﨑①🚲\n.\n先頭が点の行と、" + "とても長い行" * 200 + "。\n"
TO = "hanako@mail.example.jp"


@pytest.fixture(params=["plain", "starttls", "tls"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmtpServer]:
    mode: Mode = request.param
    with SmtpServer(tmp_path, mode, password=mode != "plain") as found:
        yield found


@pytest.fixture
def one(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path) as found:
        yield found


def refused(settings: Settings, kind: type[KoeError], *, to: str = TO, subject: str = "件名", body: str = "本文") -> str:
    with pytest.raises(kind) as caught:
        mailer.send(settings, to=to, subject=subject, body=body)
    assert caught.value.hint
    assert TO not in str(caught.value), "an address is personal data"
    return caught.value.message


def test_what_is_sent_arrives(server: SmtpServer, tmp_path: Path) -> None:
    number = mailer.send(server.settings(tmp_path), to=TO, subject=SUBJECT, body=BODY)
    ((sender, recipients, mail),) = server.mails
    assert (sender, recipients) == ("kocho@shiomi.example.jp", [TO])
    assert (mail["Subject"], mail["To"], mail["From"], mail["Message-ID"]) == (SUBJECT, TO, FROM, number)
    assert mail.get_content().replace("\r\n", "\n") == BODY
    assert mail["Date"].datetime.utcoffset().total_seconds() == 9 * 3600
    assert "Auto-Submitted" not in mail


def test_old_programs_and_seven_bit_relays_can_carry_it(one: SmtpServer, tmp_path: Path) -> None:
    mailer.send(one.settings(tmp_path), to=TO, subject=SUBJECT, body=BODY, automatic=True)
    (raw,) = one.raw
    assert raw.isascii()
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    assert b"=?utf-8?" in raw.lower()
    assert b'text/plain; charset="utf-8"' in raw
    assert b"Content-Transfer-Encoding: base64" in raw
    assert one.mails[0][2]["Auto-Submitted"] == "auto-generated"


@given(subject=st.text(max_size=150), body=st.text(max_size=300))
def test_any_text_is_sent_or_refused_and_adds_no_header(subject: str, body: str) -> None:
    settings = Settings(mail_url="file:outbox", mail_from=FROM)
    try:
        message = mailer.compose(settings, to=TO, subject=subject, body=body)
    except InputError:
        return
    read = message_from_bytes(message.as_bytes(), policy=policy.SMTP)
    assert list(read) == [
        "From", "To", "Subject", "Date", "Message-ID", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip
    assert (read["To"], read["From"]) == (TO, FROM)
    assert "\n" not in read["Subject"]


@pytest.mark.parametrize(
    "evil", ["件名\r\nBcc: x@example.jp", "件名\nBcc: x@example.jp", "件名\r\n\r\n本文", "件名\u2028Bcc: x", "件\x00名"]
)
def test_a_subject_cannot_bring_headers_along(one: SmtpServer, tmp_path: Path, evil: str) -> None:
    mailer.send(one.settings(tmp_path), to=TO, subject=evil, body="本文")
    ((_, recipients, mail),) = one.mails
    assert recipients == [TO]
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("件")
    assert mail.get_content() == "本文\r\n"


@pytest.mark.parametrize(
    "to",
    ["", "hanako", "hanako@", "@example.jp", "a@b@example.jp", "a@example.jp, b@example.jp", "a@example.jp\nBcc: b@example.jp",
     "花子 <a@example.jp>", "a b@example.jp", "花子@example.jp", "a@例え.jp", "a@example", f"{'a' * 250}@example.jp", "a@[127.0.0.1]",
     '"a\\nb"@example.jp', "a@example.jp>", "\x00a@example.jp"],
)  # fmt: skip
def test_what_is_no_single_address_is_refused(tmp_path: Path, to: str) -> None:
    settings = Settings(home=tmp_path, mail_url="file:outbox", mail_from=FROM)
    assert "宛先" in refused(settings, InputError, to=to)
    assert not (tmp_path / "outbox").exists()


def test_without_subject_or_body_nothing_is_sent(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, mail_url="file:outbox", mail_from=FROM)
    for subject, body in (("\r\n", "本文"), ("件" * 201, "本文"), ("件名", " \n")):
        assert "件名か本文" in refused(settings, InputError, subject=subject, body=body)


def test_a_folder_gets_files_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, mail_url="file:outbox", mail_from=FROM)
    numbers = {mailer.send(settings, to=TO, subject=SUBJECT, body=BODY) for _ in range(3)}
    files = sorted((tmp_path / "outbox").iterdir())
    read = [message_from_bytes(path.read_bytes(), policy=policy.SMTP) for path in files]
    assert {path.suffix for path in files} == {".eml"}
    assert {mail["Message-ID"] for mail in read} == numbers
    assert read[0]["Subject"] == SUBJECT
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "outbox").stat().st_mode) == 0o700
    elsewhere = Settings(home=tmp_path, mail_url=f"file:{tmp_path / 'else where'}", mail_from=FROM)
    mailer.send(elsewhere, to=TO, subject="件名", body="本文")
    assert len(list((tmp_path / "else where").iterdir())) == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mail_url": ""}, "決まっていません"),
        ({"mail_url": "mail.example.jp"}, "読めません"),
        ({"mail_url": "imap://mail.example.jp"}, "読めません"),
        ({"mail_url": "smtp://"}, "読めません"),
        ({"mail_url": "smtp://mail.example.jp:port"}, "読めません"),
        ({"mail_url": "smtp://mail.example.jp/INBOX"}, "読めません"),
        ({"mail_url": "smtp://mail.example.jp?tls=1"}, "読めません"),
        ({"mail_url": "smtp://mail.example.jp?starttls=yes"}, "読めません"),
        ({"mail_url": "smtp://mail.example.jp?x"}, "読めません"),
        ({"mail_url": "file:"}, "読めません"),
        ({"mail_url": "file://host/outbox"}, "読めません"),
        ({"mail_url": "smtp://a:b@mail.example.jp:25?starttls=0"}, "暗号化されずに"),
        ({"mail_url": "smtps://a:ひみつ@mail.example.jp"}, "全角"),
        ({"mail_url": "file:outbox", "mail_from": ""}, "差出人"),
        ({"mail_url": "file:outbox", "mail_from": "潮見市広聴課"}, "差出人"),
        ({"mail_url": "file:outbox", "mail_from": "広聴課 <kocho@shiomi>"}, "差出人"),
        ({"mail_url": "file:outbox", "mail_from": "広聴課\n <kocho@shiomi.example.jp>"}, "差出人"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, values: dict[str, str], said: str) -> None:
    assert said in refused(Settings(home=tmp_path, **{"mail_from": FROM, **values}), SettingsError)


def test_where_mails_go_is_read_from_the_address() -> None:
    def place(url: str) -> object:
        return mailer.place_of(Settings(mail_url=url))

    assert place("smtp://mail.example.jp") == mailer.SmtpServer("mail.example.jp", 25, "", "", encrypted=False, starttls=True)
    assert place("smtp://u:p%40@m.example.jp:587?starttls=1") == mailer.SmtpServer(
        "m.example.jp", 587, "u", "p@", encrypted=False, starttls=True
    )
    assert place("smtps://u:p@m.example.jp") == mailer.SmtpServer("m.example.jp", 465, "u", "p", encrypted=True, starttls=False)
    assert place("smtp://localhost:25?starttls=0") == mailer.SmtpServer("localhost", 25, "", "", encrypted=False, starttls=False)
    assert not mailer.is_on(Settings())


def test_a_wrong_password_is_told(one: SmtpServer, tmp_path: Path) -> None:
    wrong = one.settings(tmp_path, mail_url=f"smtp://kocho:wrong@127.0.0.1:{one.port}")
    said = refused(wrong, MailServerError)
    assert "入れません（535" in said
    assert "wrong" not in said


@pytest.mark.parametrize(
    ("at", "answer", "kind", "said"),
    [
        (TO, "550 no such user", InputError, "受け付けません（550）"),
        (TO, "451 later", MailServerError, "いまは受け取れない"),
        ("MAIL", "553 not you", MailServerError, "差出人を"),
        ("DATA", "554 spam", MailServerError, "断りました（554）"),
        ("DATA", "452 full", MailServerError, "いまは受け取れない"),
    ],
)
def test_what_the_server_refuses_is_told(
    one: SmtpServer, tmp_path: Path, at: str, answer: str, kind: type[KoeError], said: str
) -> None:  # fmt: skip
    one.refused[at] = answer
    assert said in refused(one.settings(tmp_path), kind)
    assert one.mails == []


def test_a_server_that_cannot_be_trusted_gets_nothing(tmp_path: Path) -> None:
    for mode in ("starttls", "tls"):
        with SmtpServer(tmp_path, mode) as server:
            assert "証明書を確かめられません" in refused(server.settings(tmp_path, mail_ca_file=None), MailServerError)
            assert server.raw == []
    assert "証明書のファイル" in refused(server.settings(tmp_path, mail_ca_file=tmp_path / "none.pem"), SettingsError)


def test_a_server_without_encryption_gets_nothing_that_should_be_encrypted(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, "plain", password=False) as server:
        for url in (f"smtp://127.0.0.1:{server.port}", f"smtp://u:p@127.0.0.1:{server.port}"):
            assert "対応していません" in refused(server.settings(tmp_path, mail_url=url), MailServerError)
        assert "暗号化した通信ができません" in refused(
            server.settings(tmp_path, mail_url=f"smtps://127.0.0.1:{server.port}"), MailServerError
        )
        assert server.raw == []


def test_nobody_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        settings = Settings(home=tmp_path, mail_url=f"smtp://127.0.0.1:{taken.getsockname()[1]}", mail_from=FROM)
        assert "つながらないか" in refused(settings, MailServerError)
