"""Encryption of original texts and contacts: AES-256-GCM, each record bound to its place, keys that can be rotated."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import DecryptionError, SettingsError
from core.settings import Settings

_FORMAT = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32
_BLIND_INFO = b"koenowa blind index 1"


class Keyring:
    """The keys at hand; the one named ``current`` encrypts, every one decrypts.

    A sealed record is ``format (1 byte) | key id length (1) | key id | nonce (12) | ciphertext and tag``.
    """

    def __init__(self, keys: Mapping[str, bytes], *, current: str) -> None:
        if current not in keys:
            raise SettingsError("今の暗号鍵が鍵束にありません。", hint="KOE_KEYS または keys.json を確かめてください。")
        for key_id, key in keys.items():
            if len(key) != _KEY_BYTES or not 0 < len(key_id.encode()) < 256:
                raise SettingsError(f"暗号鍵「{key_id}」は 32 バイトの base64 ではありません。", hint="koe keys rotate で作れます。")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.current = current
        # Derived (RFC 5869), so that what is blind tells nothing of the key that seals.
        self._blinding = HKDF(SHA256(), _KEY_BYTES, salt=None, info=_BLIND_INFO).derive(keys[current])

    def blind(self, text: str) -> str:
        """A blind index of a text under the current key, 32 hexadecimal digits: equal for equal texts, not to be turned back.

        HMAC-SHA-256, cut to 128 bits. It changes with the current key: keep ``current`` beside it.
        """
        return hmac.digest(self._blinding, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]

    def seal(self, text: str, *, place: str) -> bytes:
        """Encrypts a text. ``place`` (such as ``voice:12:text``) must be given again to open it, so that records can't be swapped."""
        # "surrogatepass": a lone surrogate from bad decoding is kept, not lost.
        return self.seal_bytes(text.encode("utf-8", "surrogatepass"), place=place)

    def seal_bytes(self, content: bytes, *, place: str) -> bytes:
        """The same for bytes."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key_id = self.current.encode()
        body = self._ciphers[self.current].encrypt(nonce, content, place.encode())
        return bytes((_FORMAT, len(key_id))) + key_id + nonce + body

    def open(self, sealed: bytes, *, place: str) -> str:
        """The text again.

        Raises:
            DecryptionError: the key is not at hand, or the record was changed or moved.
        """
        return self.open_bytes(sealed, place=place).decode("utf-8", "surrogatepass")

    def open_bytes(self, sealed: bytes, *, place: str) -> bytes:
        """The same for bytes.

        Raises:
            DecryptionError: the key is not at hand, or the record was changed or moved.
        """
        try:
            cipher = self._ciphers[self.key_id(sealed)]
            start = 2 + sealed[1]
            nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
            return cipher.decrypt(nonce, body, place.encode())
        except KeyError:
            raise DecryptionError("この記録を暗号化した鍵が鍵束にありません。", hint="古い鍵を KOE_KEYS に戻してください。") from None
        except (InvalidTag, ValueError):
            raise DecryptionError(
                "暗号化された記録が壊れているか、別の記録と入れかわっています。", hint="監査記録を確かめてください。"
            ) from None

    @staticmethod
    def key_id(sealed: bytes) -> str:
        """The id of the key that sealed a record.

        Raises:
            DecryptionError: not a sealed record.
        """
        if len(sealed) < 2 + _NONCE_BYTES or sealed[0] != _FORMAT:
            raise DecryptionError("暗号化された記録の形式が読めません。", hint="データベースの控えから戻してください。")
        return sealed[2 : 2 + sealed[1]].decode("utf-8", "replace")


def new_key() -> bytes:
    """A fresh AES-256 key."""
    return secrets.token_bytes(_KEY_BYTES)


def load_keyring(settings: Settings) -> Keyring:
    """The keyring of ``KOE_KEYS``, or of ``KOE_HOME/keys.json``, which is made (mode 0600) when there is none.

    Raises:
        SettingsError: the keys can't be read.
    """
    if settings.keys:
        pairs = [item.strip().partition(":") for item in settings.keys.split(",")]
        return Keyring({key_id: _decode(key_id, text) for key_id, _, text in pairs}, current=pairs[0][0])
    path = _key_file(settings)
    if not path.exists():
        with _staged_keys(path, {"k1": new_key()}, current="k1") as staged, suppress(FileExistsError):
            # Two processes may start at once: the one that comes second takes the first one's key, else records would be lost.
            os.link(staged, path)
    return _read_keys(path)


def add_key(settings: Settings) -> Keyring:
    """Makes a new current key in ``keys.json`` and keeps the old ones (``core.secrets_store`` wraps the records again).

    Raises:
        SettingsError: the keys come from ``KOE_KEYS``, which only its owner can change.
    """
    if settings.keys:
        raise SettingsError("鍵は KOE_KEYS で渡されています。", hint="KOE_KEYS の先頭に新しい鍵を足してください。")
    load_keyring(settings)
    path = _key_file(settings)
    stored = json.loads(path.read_text("utf-8"))
    keys = {key_id: _decode(key_id, text) for key_id, text in stored["keys"].items()}
    current = f"k{1 + max((int(key_id[1:]) for key_id in keys if key_id[1:].isdigit()), default=0)}"
    with _staged_keys(path, {**keys, current: new_key()}, current=current) as staged:
        staged.replace(path)
    return _read_keys(path)


def _key_file(settings: Settings) -> Path:
    return settings.home / "keys.json"


def _decode(key_id: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(f"暗号鍵「{key_id}」が base64 として読めません。", hint="「ID:base64」の形で渡してください。") from None


def _read_keys(path: Path) -> Keyring:
    try:
        stored = json.loads(path.read_text("utf-8"))
        return Keyring({key_id: _decode(key_id, text) for key_id, text in stored["keys"].items()}, current=stored["current"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise SettingsError(f"鍵ファイル {path} が読めません。", hint="控えから戻してください。鍵を失うと原文は戻せません。") from None


@contextmanager
def _staged_keys(path: Path, keys: Mapping[str, bytes], *, current: str) -> Iterator[Path]:
    """The keys in a file beside ``path`` that only its owner can read, safely on the disk, to be put in place."""
    text = json.dumps({"current": current, "keys": {key_id: base64.b64encode(key).decode() for key_id, key in keys.items()}}, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".keys-", dir=path.parent)  # mode 0600
    staged = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield staged
    finally:
        staged.unlink(missing_ok=True)
