"""Sending mail: over SMTP to the city's server, or as files into a folder. One message to one address at a time.

The standard library speaks SMTP and MIME and is kept with Python; what other packages add is asynchronous work or templates.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from core.clock import to_tokyo, utc_now
from core.errors import InputError, MailServerError, SettingsError
from core.settings import Settings

_PORTS = {"smtp": 25, "smtps": 465}
_TIMEOUT = 30.0  # seconds without an answer
_LONGEST_SUBJECT = 200
_LONGEST_ADDRESS = 254
_EXAMPLE = "smtp://利用者:パスワード@サーバー:587、smtps://…:465、file:outbox のどれかの形にしてください（docs/settings.md）。"
_FROM_EXAMPLE = "KOE_MAIL_FROM を「潮見市広聴課 <kocho@city.example>」の形で書いてください。"
_ADDRESS_HINT = "name@example.jp の形のアドレスを1つ、半角で書いてください。"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails are handed in, and as whom. ``encrypted``: from the start; ``starttls``: from the second command on."""

    host: str
    port: int
    user: str
    password: str
    encrypted: bool
    starttls: bool


@dataclass(frozen=True, slots=True)
class Outbox:
    """A folder into which mails are written in place of being sent."""

    folder: Path


def is_on(settings: Settings) -> bool:
    """Whether mails go anywhere."""
    return bool(settings.mail_url)


def send(settings: Settings, *, to: str, subject: str, body: str, automatic: bool = False) -> str:
    """Hands one mail in and gives its message id. ``automatic`` asks for no replies by machines (absence notes).

    Text is UTF-8 in base64, which every mail program reads, old ones and relays for seven bits, too. The address is in no error.

    Raises:
        SettingsError: sending is switched off, or a setting can't be used.
        InputError: the address isn't one, the server won't take it, or subject or body is missing.
        MailServerError: the server can't be reached, isn't to be trusted, doesn't let us in, or breaks off.
    """
    place = place_of(settings)
    message = compose(settings, to=to, subject=subject, body=body, automatic=automatic)
    if isinstance(place, Outbox):
        _write(message, place.folder)
    else:
        _hand_in(message, place, settings=settings)
    return str(message["Message-ID"])


def place_of(settings: Settings) -> SmtpServer | Outbox:
    """Where ``KOE_MAIL_URL`` says that mails go.

    Raises:
        SettingsError: it is empty or can't be read.
    """
    if not settings.mail_url:
        raise SettingsError("メールを送るサーバーが決まっていません。", hint=f"KOE_MAIL_URL を {_EXAMPLE}")
    try:
        given = urlsplit(settings.mail_url)
        options = parse_qs(given.query, strict_parsing=True) if given.query else {}
        host, port = given.hostname or "", given.port or _PORTS.get(given.scheme, 0)
    except ValueError:
        raise SettingsError("KOE_MAIL_URL が読めません。", hint=_EXAMPLE) from None
    if given.scheme == "file" and given.path and not given.netloc and not options:
        return Outbox(settings.home / unquote(given.path))
    starttls = options.pop("starttls", ["1"])
    if given.scheme not in _PORTS or not host or options or given.path.strip("/") or starttls not in (["0"], ["1"]):
        raise SettingsError("KOE_MAIL_URL が読めません。", hint=_EXAMPLE)
    encrypted = given.scheme == "smtps"
    server = SmtpServer(
        host, port, unquote(given.username or ""), unquote(given.password or ""), encrypted, not encrypted and starttls == ["1"]
    )  # fmt: skip
    if server.user and not (server.encrypted or server.starttls):
        hint = "?starttls=0 を消すか、利用者とパスワードのない中継サーバーを使ってください。"
        raise SettingsError("KOE_MAIL_URL では、パスワードが暗号化されずに送られます。", hint=hint)
    if not (server.user + server.password).isascii():
        raise SettingsError("KOE_MAIL_URL の利用者かパスワードに、全角の文字があります。", hint="半角の文字だけのものに変えてください。")
    return server


def compose(settings: Settings, *, to: str, subject: str, body: str, automatic: bool = False) -> EmailMessage:
    """The mail as it is sent.

    Raises:
        SettingsError, InputError: see ``send``.
    """
    sender, recipient = _sender(settings), Address(addr_spec=check_address(to))
    title = " ".join(subject.split())
    title = "".join(character for character in title if character.isprintable())
    if not title or len(title) > _LONGEST_SUBJECT or not body.strip():
        raise InputError("メールの件名か本文がありません。", hint=f"件名は {_LONGEST_SUBJECT} 字以内、本文は1字以上で書いてください。")
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = title
    message["Date"] = format_datetime(to_tokyo(utc_now()))
    message["Message-ID"] = make_msgid(domain=sender.domain)
    if automatic:
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
    # A lone surrogate or a NUL would stop the mail, or what shows it.
    text = body.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")
    message.set_content(text.rstrip("\n") + "\n", charset="utf-8", cte="base64")
    return message


def check_address(text: str) -> str:
    """One mail address, without a name; gives it stripped.

    Raises:
        InputError: it is something else; doesn't repeat it, since an address is personal data.
    """
    wanted = text.strip()
    try:
        found = Address(addr_spec=wanted)
        sound = bool(found.username) and "." in found.domain.strip(".") and wanted == found.addr_spec and len(wanted) <= _LONGEST_ADDRESS
    except (ValueError, IndexError, HeaderParseError):
        sound = False
    if not sound or not wanted.isascii() or not wanted.isprintable() or any(mark in wanted for mark in ' ,;:<>()"\\[]'):
        raise InputError("宛先のメールアドレスが正しくありません。", hint=_ADDRESS_HINT)
    return wanted


def _sender(settings: Settings) -> Address:
    name, address = parseaddr(settings.mail_from)
    if not settings.mail_from.isprintable() or not address:
        raise SettingsError("メールの差出人が決まっていないか、読めません。", hint=_FROM_EXAMPLE)
    try:
        return Address(name, addr_spec=check_address(address))
    except (InputError, ValueError):
        raise SettingsError("メールの差出人が読めません。", hint=_FROM_EXAMPLE) from None


def _write(message: EmailMessage, folder: Path) -> None:
    """Whole or not at all, for the owner's eyes only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{utc_now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.eml"
    half = path.with_suffix(".part")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(message.as_bytes())
    half.rename(path)


def _hand_in(message: EmailMessage, server: SmtpServer, *, settings: Settings) -> None:
    sender, recipient = message["From"].addresses[0], message["To"].addresses[0]
    # What is said in EHLO. smtplib would ask the name service for this machine's own name, which may not answer in a closed network.
    own = sender.domain
    with contextlib.ExitStack() as stack, _explained(server):
        if server.encrypted:
            trusted = _trusted(settings)
            client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, local_hostname=own, timeout=_TIMEOUT, context=trusted)
        else:
            client = smtplib.SMTP(server.host, server.port, local_hostname=own, timeout=_TIMEOUT)
        stack.callback(_leave, client)
        if server.starttls:
            client.starttls(context=_trusted(settings))
        if server.user:
            client.login(server.user, server.password)
        client.send_message(message, from_addr=sender.addr_spec, to_addrs=[recipient.addr_spec])


def _leave(client: smtplib.SMTP) -> None:
    with contextlib.suppress(OSError, smtplib.SMTPException):  # the mail is handed in, or its own error is on the way
        client.quit()
    client.close()


def _trusted(settings: Settings) -> ssl.SSLContext:
    path = settings.mail_ca_file
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError):
        raise SettingsError(f"証明書のファイル {path} が読めません。", hint="認証局の証明書を PEM の形で指定してください。") from None


@contextmanager
def _explained(server: SmtpServer) -> Iterator[None]:
    """Turns what the network and the library raise into what a person can do something about."""
    where = f"{server.host}:{server.port}"
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise MailServerError(
            f"メールを送るサーバー {where} に入れません（{error.smtp_code}。利用者の名前かパスワードが違います）。",
            hint="KOE_MAIL_URL の利用者とパスワードを確かめてください。記号は %40 のように書きかえます。",
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        if code >= 500:  # for good; 4xx may go later
            hint = "アドレスが使われているか、庁外に送ってよいサーバーかを確かめてください。"
            raise InputError(f"宛先のアドレスを、メールのサーバーが受け付けません（{code}）。", hint=hint, code="mail_recipient") from None
        raise _later(where, code) from None
    except smtplib.SMTPSenderRefused as error:
        hint = "KOE_MAIL_FROM のアドレスから送ってよいかを、サーバーの管理者に確かめてください。"
        raise MailServerError(f"差出人を、メールを送るサーバー {where} が受け付けません（{error.smtp_code}）。", hint=hint) from None
    except smtplib.SMTPNotSupportedError:
        hint = "暗号化や認証のしかたがサーバーと合いません。smtps:// か、ポートの番号を確かめてください。"
        raise MailServerError(f"メールを送るサーバー {where} は、STARTTLS か認証に対応していません。", hint=hint) from None
    except smtplib.SMTPResponseException as error:
        raise _later(where, error.smtp_code) from None
    except ssl.SSLCertVerificationError as error:
        raise MailServerError(
            f"メールを送るサーバー {where} の証明書を確かめられません（{error.verify_message}）。",
            hint="KOE_MAIL_CA_FILE に庁内の認証局の証明書を指定し、サーバーの名前が証明書と同じかを確かめてください。",
        ) from None
    except ssl.SSLError:
        raise MailServerError(
            f"メールを送るサーバー {where} と暗号化した通信ができません。",
            hint="はじめから暗号化するポート（465）なら smtps://、STARTTLS のポート（587）なら smtp:// と書いてください。",
        ) from None
    except (OSError, smtplib.SMTPException) as error:
        reason = f"（{error.strerror}）" if isinstance(error, OSError) and error.strerror else ""
        reason = "（応答がありません）" if isinstance(error, TimeoutError) else reason
        raise MailServerError(
            f"メールを送るサーバー {where} につながらないか、通信が途中で切れました{reason}。",
            hint="KOE_MAIL_URL のサーバーとポート、通信が許されているかを確かめて、もう一度送ってください。",
        ) from None


def _later(where: str, code: int) -> MailServerError:
    if code >= 500:
        hint = "サーバーの管理者に番号を知らせて、送ってよいメールかを確かめてください。"
        return MailServerError(f"メールを送るサーバー {where} が、受け取りを断りました（{code}）。", hint=hint)
    hint = "しばらくしてから、もう一度送ってください。続くときは、サーバーの管理者に番号を知らせてください。"
    return MailServerError(f"メールを送るサーバー {where} が、いまは受け取れないと答えました（{code}）。", hint=hint)
