"""A folder of an IMAP server, read without leaving a trace: encrypted, the certificate checked, messages by UID and unchanged."""

from __future__ import annotations

import contextlib
import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from core.errors import MailServerError, SettingsError
from core.settings import Settings
from ingest.mail_message import LARGEST

_PORTS = {"imaps": 993, "imap": 143}
_TIMEOUT = 60.0  # seconds without an answer
_MOVED_TOGETHER = 500
_FOLDERS_NAMED = 20
_EXAMPLE = "KOE_IMAP_URL=imaps://利用者@サーバー:993/INBOX の形にしてください（docs/settings.md）。"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are, and as whom they are read. ``starttls``: encrypted from the second command on, not from the start."""

    host: str
    port: int
    user: str
    folder: str
    starttls: bool

    @property
    def mailbox(self) -> str:
        """The folder's name among all folders of all servers."""
        return f"{self.user}@{self.host}/{self.folder}"


class ImapFolder:
    """An open folder."""

    def __init__(self, box: Any, server: MailServer) -> None:
        self._box, self._server = box, server
        _, found = box.client.response("UIDVALIDITY")
        self.uid_validity = int(found[0]) if found and found[0] else 0
        """UIDs hold for as long as this number stays. 0: the server gives none, so they hold for this visit."""

    def uids_after(self, last: int) -> list[int]:
        """The UIDs above one, in order."""
        with _explained(self._server):
            # The server gives the newest message for a range that begins behind it.
            return sorted(uid for uid in map(int, self._box.uids(f"UID {last + 1}:*", charset=None)) if uid > last)

    def message(self, uid: int) -> bytes | None:
        """A message's bytes, of one above ``LARGEST`` a little more than that; ``None`` if it is gone. It stays unread."""
        with _explained(self._server):
            status, parts = self._box.client.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{LARGEST + 1}>)")
        if status != "OK":
            raise _broken_off(self._server)
        return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None)

    def require_move_to(self, folder: str) -> None:
        """Makes sure that messages can be moved to a folder.

        Raises:
            MailServerError: there is no such folder, or the server can't move.
        """
        with _explained(self._server):
            _, said = self._box.client.capability()
            exists = self._box.folder.exists(folder)
        if not exists:
            raise _no_folder(self._box, folder)
        if b"MOVE" not in said[0].upper().split():
            raise MailServerError(
                "メールのサーバーが、フォルダーへの移動（MOVE）に対応していません。", hint="--move-to を付けずに実行してください。"
            )
        self._box.client.capabilities = tuple(said[0].decode("ascii", "replace").upper().split())  # after login there may be more

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Moves messages to another folder."""
        with _explained(self._server):
            self._box.move([str(uid) for uid in uids], folder, chunks=_MOVED_TOGETHER)


def server_of(settings: Settings, *, folder: str | None = None) -> MailServer:
    """The server of ``KOE_IMAP_URL``; ``folder`` holds against the one in the address.

    Raises:
        SettingsError: there is none, or it can't be read.
    """
    if not settings.imap_url:
        raise SettingsError("メールを読むサーバーが決まっていません。", hint=_EXAMPLE)
    try:
        given = urlsplit(settings.imap_url)
        host, port = given.hostname or "", given.port or _PORTS.get(given.scheme, 0)
    except ValueError:
        host, port = "", 0
    if not host or not port or not given.username or given.scheme not in _PORTS:
        raise SettingsError("KOE_IMAP_URL が読めません。", hint=_EXAMPLE)
    if given.password is not None:
        hint = "パスワードは KOE_IMAP_PASSWORD か KOE_IMAP_PASSWORD_FILE で渡してください。"
        raise SettingsError("KOE_IMAP_URL にパスワードが書いてあります。", hint=hint)
    named = unquote(given.path.strip("/"))
    return MailServer(host, port, unquote(given.username), folder or named or "INBOX", given.scheme == "imap")


@contextmanager
def open_folder(server: MailServer, *, settings: Settings, writable: bool = False) -> Iterator[ImapFolder]:
    """The server's folder, for reading only unless ``writable``.

    Raises:
        SettingsError: no password, or a certificate file that can't be used.
        MailServerError: not reachable, not to be trusted, no way in, or no such folder; says what to do.
    """
    from imap_tools import MailBox, MailBoxStartTls
    from imap_tools.errors import ImapToolsError

    password, trusted = _password(settings), _trusted(settings)
    with contextlib.ExitStack() as stack:
        with _explained(server, begun=False):
            kind = MailBoxStartTls if server.starttls else MailBox
            box = kind(server.host, server.port, timeout=_TIMEOUT, ssl_context=trusted)
        stack.callback(_leave, box)
        with _explained(server, begun=False):
            try:
                log_in = box.login if (server.user + password).isascii() else box.login_utf8
                log_in(server.user, password, initial_folder=None)
            except (ImapToolsError, imaplib.IMAP4.error) as error:
                if isinstance(error, imaplib.IMAP4.abort):
                    raise
                raise MailServerError(
                    f"メールのサーバー {server.host} に入れません（利用者の名前かパスワードが違います）。",
                    hint="KOE_IMAP_URL の利用者と、KOE_IMAP_PASSWORD か KOE_IMAP_PASSWORD_FILE を確かめてください。",
                ) from None
        with _explained(server):
            try:
                box.folder.set(server.folder, readonly=not writable)
            except ImapToolsError:
                raise _no_folder(box, server.folder) from None
        yield ImapFolder(box, server)


def _leave(box: Any) -> None:
    with contextlib.suppress(Exception):  # the work is done, or its own error is on the way
        box.logout()
    with contextlib.suppress(OSError):
        box.client.shutdown()


def _password(settings: Settings) -> str:
    if settings.imap_password:
        return settings.imap_password
    path = settings.imap_password_file
    if path is None:
        raise SettingsError(
            "メールのサーバーのパスワードがありません。", hint="KOE_IMAP_PASSWORD か KOE_IMAP_PASSWORD_FILE を指定してください。"
        )
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"パスワードのファイル {path} が読めません。", hint="場所・権限・文字コードを確かめてください。") from None
    if not lines or not lines[0]:
        raise SettingsError(f"パスワードのファイル {path} の1行目が空です。", hint="1行目にパスワードだけを書いてください。")
    return lines[0]


def _trusted(settings: Settings) -> ssl.SSLContext:
    path = settings.imap_ca_file
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError):
        raise SettingsError(f"証明書のファイル {path} が読めません。", hint="認証局の証明書を PEM の形で指定してください。") from None


def _no_folder(box: Any, folder: str) -> MailServerError:
    with contextlib.suppress(Exception):  # the list is only an aid
        names = [found.name for found in box.folder.list()][:_FOLDERS_NAMED]
        return MailServerError(f"メールのフォルダー「{folder}」がありません。", hint=f"あるもの: {'、'.join(names)}")
    return MailServerError(f"メールのフォルダー「{folder}」がありません。", hint="フォルダーの名前を確かめてください。")


def _broken_off(server: MailServer) -> MailServerError:
    return MailServerError(
        f"メールのサーバー {server.host} との通信が途中で切れました。",
        hint="もう一度実行してください。取り込んだメールは、2度は入りません。",
    )


@contextmanager
def _explained(server: MailServer, *, begun: bool = True) -> Iterator[None]:
    """Turns what the network and the libraries raise into what a person can do something about."""
    from imap_tools.errors import ImapToolsError

    where = f"{server.host}:{server.port}"
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise MailServerError(
            f"メールのサーバー {where} の証明書を確かめられません（{error.verify_message}）。",
            hint="KOE_IMAP_CA_FILE に庁内の認証局の証明書を指定し、サーバーの名前が証明書と同じかを確かめてください。",
        ) from None
    except ssl.SSLError:
        raise MailServerError(
            f"メールのサーバー {where} と暗号化した通信ができません。",
            hint="はじめから暗号化するポート（993）なら imaps://、STARTTLS のポート（143）なら imap:// と書いてください。",
        ) from None
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        if begun:
            raise _broken_off(server) from None
        reason = f"（{error.strerror}）" if isinstance(error, OSError) and error.strerror else ""
        reason = "（応答がありません）" if isinstance(error, TimeoutError) else reason
        raise MailServerError(
            f"メールのサーバー {where} につながりません{reason}。",
            hint="KOE_IMAP_URL の imaps://（993）か imap://（143）か、サーバーとポート、通信が許されているかを確かめてください。",
        ) from None
