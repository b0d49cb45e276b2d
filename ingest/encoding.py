"""Which encoding a file is in: decided by decoding all of it, in pieces, so that nothing is ever read as something else."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import InputError

MARK = "koenowa.mark"
"""Error handler that turns each undecodable byte into the lone surrogate U+DC00 + byte, so that no byte is lost and each shows."""

UNDECODABLE = re.compile("[\ud800-\udfff]")

_PIECE = 1 << 20
_HEAD = 1 << 16
_LONGEST_LINE = 32 << 20
_ASCII = bytes(range(128))
_HALF_WIDTH = re.compile("[｡-ﾟ]")
_RESAVE = "表計算ソフトで開き、「CSV UTF-8（コンマ区切り）」で保存しなおしてください。"
_MAGIC = (
    (b"PK\x03\x04", "Excel ブック（.xlsx）か ZIP ファイル"),
    (b"\xd0\xcf\x11\xe0", "古い形式の Excel・Word ファイル"),
    (b"%PDF-", "PDF ファイル"),
    (b"\x1f\x8b", "圧縮ファイル（gzip）"),
    (b"7z\xbc\xaf", "圧縮ファイル（7z）"),
    (b"\x89PNG", "画像ファイル"),
    (b"\xff\xd8\xff", "画像ファイル"),
    (b"{\\rtf", "リッチテキスト（RTF）ファイル"),
)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one pass over the bytes told: encoding, digest, lines, and whether single rows must be looked at for damage."""

    size: int
    sha256: str
    lines: int
    encoding: str
    undecodable: int
    has_nul: bool


@dataclass(frozen=True, slots=True)
class Examined:
    """A text file and what one pass over it told: what its kinds have in common (``ingest.sources.Source``)."""

    path: Path
    facts: FileFacts

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def encoding(self) -> str:
        return self.facts.encoding

    @property
    def sha256(self) -> str:
        return self.facts.sha256

    @property
    def lines(self) -> int:
        return self.facts.lines


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(MARK, _mark)


def examine(path: Path, *, encoding: str | None = None) -> FileFacts:
    """Reads the whole file once or a few times, in pieces of 1 MiB, and tells its encoding.

    A byte order mark decides; else strict UTF-8; else UTF-8 when at most one in five of its non-ASCII bytes is damaged (text in
    CP932 breaks UTF-8 at almost every character); else CP932, or EUC-JP where CP932 would show nothing but half-width kana and
    EUC-JP fits; else whatever leaves the fewest bytes undecodable. With ``encoding``, a person has decided.

    Raises:
        InputError: missing, a folder, not readable, empty, not text, or with a line longer than 32 MiB.
    """
    size, lines, non_ascii, run = 0, 0, 0, 0
    returns = 0
    has_nul, head, sha256 = False, b"", hashlib.sha256()
    for piece in _pieces(path):
        head = head or piece[:_HEAD]
        sha256.update(piece)
        size += len(piece)
        lines += piece.count(b"\n")
        returns += piece.count(b"\r")
        has_nul = has_nul or b"\0" in piece
        non_ascii += len(piece.translate(None, _ASCII))
        last = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        run = run + len(piece) if last < 0 else len(piece) - last - 1
        if run > _LONGEST_LINE:
            raise InputError(f"「{path.name}」に 32 MB を超える行があります。", hint="CSV ファイルかどうかを確かめてください。")
    if not size:
        raise InputError(f"「{path.name}」は空のファイルです。", hint="見出し行と1件以上の記録があるファイルを選んでください。")
    decided, undecodable = _decide(path, head, non_ascii)
    if encoding is not None and encoding != decided:
        if encoding == "utf-16":  # without a mark at its start its bytes could be in either order
            raise InputError(
                f"「{path.name}」は UTF-16 ではありません（先頭に印（BOM）がありません）。", hint="ほかの文字コードを選んでください。"
            )
        decided = "utf-8-sig" if encoding == "utf-8" and head.startswith(codecs.BOM_UTF8) else encoding
        undecodable = _undecodable(path, decided)
    return FileFacts(size, sha256.hexdigest(), (lines or returns) + 1, decided, undecodable, has_nul)


def _decide(path: Path, head: bytes, non_ascii: int) -> tuple[str, int]:
    for magic, name in _MAGIC:
        if head.startswith(magic):
            raise InputError(f"「{path.name}」は{name}で、CSV ではありません。", hint=_RESAVE)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", _undecodable(path, "utf-16")
    if b"\0" in head:
        raise InputError(f"「{path.name}」は文字のファイルではありません（NUL バイトがあります）。", hint=_RESAVE)
    if b"\x1b$" in head and not head.translate(None, _ASCII):
        raise InputError(f"「{path.name}」は JIS コード（ISO-2022-JP）です。", hint=_RESAVE)
    utf8 = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    damage = _undecodable(path, utf8)
    if utf8 == "utf-8-sig" or damage * 5 <= non_ascii:
        return utf8, damage
    damage_cp932 = _undecodable(path, "cp932")
    if _looks_half_width(head):
        damage_euc = _undecodable(path, "euc_jp")
        if damage_euc <= damage_cp932:
            return "euc_jp", damage_euc
    return ("cp932", damage_cp932) if damage_cp932 < damage else (utf8, damage)


def _looks_half_width(head: bytes) -> bool:
    text = head.decode("cp932", MARK)
    wide = sum(not character.isascii() for character in text)
    return len(_HALF_WIDTH.findall(text)) * 2 > wide


def _undecodable(path: Path, encoding: str) -> int:
    # In UTF-8 every wrong byte is above 127, so the built-in handler does the same as ours, in C: a CP932 file has millions of them.
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape" if encoding.startswith("utf-8") else MARK)
    count = 0
    for piece in _pieces(path):
        count += _marks(decoder.decode(piece))
    return count + _marks(decoder.decode(b"", final=True))


def _marks(text: str) -> int:
    try:
        text.encode()  # far faster than a search, and almost always enough
    except UnicodeEncodeError:
        return len(UNDECODABLE.findall(text))
    return 0


def _pieces(path: Path) -> Iterator[bytes]:
    with opened(path) as file:
        while piece := file.read(_PIECE):
            yield piece


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file's bytes.

    Raises:
        InputError: it can't be opened or read; says why and what to do.
    """
    try:
        if path.is_dir():
            raise InputError(f"「{path.name}」はフォルダです。", hint="取り込むファイルを指定してください。")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"ファイル「{path.name}」が見つかりません。", hint="場所と名前を確かめてください。") from None
    except PermissionError:
        raise InputError(f"ファイル「{path.name}」を読む権限がありません。", hint="ファイルの権限を確かめてください。") from None
    except OSError as error:
        reason = error.strerror or "入出力の誤り"
        raise InputError(f"ファイル「{path.name}」が読めません（{reason}）。", hint="ファイルを置きなおしてください。") from None
    except ValueError:
        raise InputError("ファイルの名前に使えない文字があります。", hint="名前を変えてください。") from None
