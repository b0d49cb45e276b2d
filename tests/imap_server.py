"""A real IMAP server (pymap) on this machine, with a certificate that only its own authority vouches for."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imap_tools import MailBox, MailBoxStartTls
from proxyprotocol.noop import ProxyProtocolNoop
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer

USER, PASSWORD = "kocho", "shiomi 12345"


class ImapServer:
    """``with ImapServer(folder) as server``: an empty INBOX for ``USER`` at ``server.url``, encrypted from the start or by STARTTLS."""

    def __init__(self, folder: Path, *, starttls: bool = False) -> None:
        self.starttls = starttls
        self.authority, key = certificate(folder)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(self.authority, key)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        return f"imap{'' if self.starttls else 's'}://{USER}@127.0.0.1:{self.port}/INBOX"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """No more answers from now on."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(30)

    @contextmanager
    def visit(self) -> Iterator[MailBox | MailBoxStartTls]:
        """As the mailbox's owner."""
        kind = MailBoxStartTls if self.starttls else MailBox
        with kind("127.0.0.1", self.port, ssl_context=ssl.create_default_context(cafile=self.authority)) as box:
            yield box.login(USER, PASSWORD)

    def deliver(self, *messages: bytes, folder: str = "INBOX") -> None:
        with self.visit() as box:
            for message in messages:
                box.append(message, folder)

    def messages(self, folder: str = "INBOX") -> list[tuple[str, tuple[str, ...]]]:
        """Subject and flags of what is there."""
        with self.visit() as box:
            box.folder.set(folder, readonly=True)
            return [(mail.subject, mail.flags) for mail in box.fetch(mark_seen=False, headers_only=True)]

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        given = Namespace(
            host="127.0.0.1", port="0", debug=False, cert=None, key=None, tls=self.starttls, passlib_cfg=None, proxy_protocol=None,
            demo_data=False, demo_user=USER, demo_password=PASSWORD, inherited_sockets=None,
        )  # fmt: skip
        backend, config = await DictBackend.init(given, ssl_context=self.context, invalid_user_sleep=0.0)
        config.apply_context()
        async with AsyncExitStack() as stack:
            await backend.start(stack)
            answer = ProxyProtocolReader(ProxyProtocolNoop()).get_callback(IMAPServer(backend.login, config))
            connections: list[asyncio.WriteTransport] = []

            async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                connections.append(writer.transport)
                await answer(reader, writer)

            server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=None if self.starttls else self.context)
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stopped.wait()
            server.close()
            for connection in connections:
                connection.abort()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            for _ in range(10):  # turns of the loop in which what was aborted is closed
                await asyncio.sleep(0)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "ca.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )  # fmt: skip
    return paths
