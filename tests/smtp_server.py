"""A real SMTP server (aiosmtpd) on this machine, with a certificate that only its own authority vouches for."""

from __future__ import annotations

import asyncio
import ssl
import threading
import warnings
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from core.settings import Settings
from tests.imap_server import certificate

USER, PASSWORD = "kocho@shiomi", "shiomi:1/2@"
FROM = "潮見市広聴課 <kocho@shiomi.example.jp>"

Mode = Literal["plain", "starttls", "tls"]


class SmtpServer:
    """``with SmtpServer(folder, mode) as server``: takes mails at ``server.url`` and keeps them in ``mails``."""

    def __init__(self, folder: Path, mode: Mode = "starttls", *, password: bool = True) -> None:
        self.mode, self.password = mode, password
        self.mails: list[tuple[str, list[str], EmailMessage]] = []
        self.raw: list[bytes] = []
        self.refused: dict[str, str] = {}
        """By address or command: what is answered in place of yes."""
        self.authority, key = certificate(folder)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(self.authority, key)
        self._talks: list[SMTP] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        who = "kocho%40shiomi:shiomi%3A1%2F2%40@" if self.password else ""
        return f"smtp{'s' if self.mode == 'tls' else ''}://{who}127.0.0.1:{self.port}{'?starttls=0' if self.mode == 'plain' else ''}"

    def settings(self, home: Path, **values: Any) -> Settings:
        return Settings(home=home, **{"mail_url": self.url, "mail_from": FROM, "mail_ca_file": self.authority, **values})

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(30)

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        envelope.mail_from = address
        return self.refused.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.refused.get(address, "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.raw.append(content)
        message = message_from_bytes(content, policy=policy.SMTP)
        assert isinstance(message, EmailMessage)
        if "DATA" not in self.refused:
            self.mails.append((envelope.mail_from or "", list(envelope.rcpt_tos), message))
        return self.refused.get("DATA", "250 OK")

    def _let_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        right = isinstance(given, LoginPassword) and (given.login.decode(), given.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=right, handled=right)

    def _talk(self) -> SMTP:
        encrypted = {"tls_context": self._context, "require_starttls": True} if self.mode == "starttls" else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it doesn't know that the connection is encrypted from the start
            talk = SMTP(
                self, hostname="mail.shiomi.example.jp", authenticator=self._let_in, auth_required=self.password,
                auth_require_tls=self.mode == "starttls", loop=self._loop, **encrypted,
            )  # fmt: skip
        self._talks.append(talk)
        return talk

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(self._talk, "127.0.0.1", 0, ssl=self._context if self.mode == "tls" else None)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopped.wait()
        server.close()
        for talk in self._talks:
            if talk.transport is not None:
                talk.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for _ in range(10):  # turns of the loop in which what was aborted is closed
            await asyncio.sleep(0)
