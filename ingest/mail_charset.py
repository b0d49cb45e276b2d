"""The bytes of a mail as text: by the charset it names, by the one it really is in, or not at all; never as mojibake."""

from __future__ import annotations

import base64
import binascii
import codecs
import re

_JIS = frozenset(
    ("iso-2022-jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ext", "iso-2022-jp-2004", "iso-2022-jp-ms",
     "csiso2022jp", "cp50220", "cp50221", "cp50222", "jis", "x-jis")
)  # fmt: skip
_SHIFT_JIS = frozenset(("shift_jis", "shift-jis", "x-sjis", "sjis", "ms_kanji", "cp932", "windows-31j", "ms932", "csshiftjis", "mskanji"))
_EUC = frozenset(("euc-jp", "euc_jp", "x-euc-jp", "eucjp", "ujis", "eucjp-ms", "cp51932", "euc-jp-ms"))
# Python's names. Only these: it also knows codecs (idna, unicode_escape) that no mail is written in and that do harm.
_FOREIGN = frozenset(
    ("gb2312", "gbk", "gb18030", "hz", "big5", "euc_kr", "cp949", "iso2022_kr", "koi8-r", "koi8-u", "cp1250", "cp1251", "cp1253",
     "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "utf-7", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
)  # fmt: skip
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_ESCAPE = re.compile(rb"\x1b(\$[@A-B]|\$\([A-Z]|\([A-Z])")
_SHIFTED = re.compile(rb"\x0e([^\x0f\r\n]*)\x0f?")
_LOST_ESCAPES = re.compile(rb"\$[@B](?:[!-~]{2}){2,}\([BJ]")
_JAPANESE = re.compile("[ぁ-んァ-ヶ一-鿿]")
_KANA = re.compile("[ぁ-んァ-ヶ]")
_HALF_KANA = re.compile("[｡-ﾟ]")
_GLUED = re.compile("[A-Za-z][一-鿿]|[一-鿿][A-Za-z]")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_C1 = re.compile("[\x80-\x9f]")
_LOOKED_AT = 5000  # characters that tell whether a guess is good
_ASCII = bytes(range(128))

_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)(?:\?=|$)")
_FOLD = re.compile(r"[\r\n]+[ \t]*|\t")
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/=\s]*")
_PADDED = re.compile(rb"[A-Za-z0-9+/]+=*")


def decode(data: bytes, label: str = "") -> str | None:
    """The bytes as text, ``None`` if there is no reading that makes sense.

    The label counts unless the bytes show that it is wrong: escapes mean ISO-2022-JP, Japanese in strict UTF-8 means UTF-8.
    ISO-2022-JP and EUC-JP are read with the characters of CP932 too (①, ㈱, half-width kana), as Japanese mailers write them.
    """
    named = label.partition("*")[0].strip().strip("\"'").lower()
    for mark, codec in _BOMS:
        if data.startswith(mark):
            marked = _strict(data, codec)
            # Any bytes are UTF-16, and two may look like its mark by chance.
            likely = codec == "utf-8-sig" or ((not named or named.startswith("utf-16")) and _makes_sense(marked or ""))
            if marked is not None and likely:
                return marked
    foreign = _foreign(named)
    if foreign and (data.isascii() or foreign.startswith("utf-")):
        return _strict(data, foreign)
    if b"\x1b$" in data or b"\x1b(" in data:
        text = _decode_jis(data)
        if text is not None or data.isascii():
            return text
    if data.isascii():
        lost = (not named or named in _JIS) and _LOST_ESCAPES.search(data)
        return None if lost else data.decode("ascii")
    return _decode_8bit(data, named, foreign)


def decode_header(raw: str) -> str | None:
    """A header's value as people read it, on one line; ``None`` if a part of it can't be read.

    ``raw`` is as ``email``'s parser gives it, undecodable bytes as lone surrogates. Encoded words that stand side by side are
    joined before they are decoded, because mailers cut them in the middle of a character.
    """
    text = _FOLD.sub(" ", raw)
    pieces: list[tuple[str, bytes]] = []
    charset_before, at = "", 0
    for word in _WORD.finditer(text):
        gap = text[at : word.start()]
        charset = word[1].lower()
        data = _decode_word(word[2], word[3])
        if data is None:
            return None
        if gap.strip() or not charset_before:
            pieces.append(("", _raw(gap)))
            charset_before = ""
        if charset == charset_before:
            pieces[-1] = (charset, pieces[-1][1] + data)
        else:
            pieces.append((charset, data))
        charset_before, at = charset, word.end()
    pieces.append(("", _raw(text[at:])))
    decoded = [decode(data, charset) for charset, data in pieces]
    known = [piece for piece in decoded if piece is not None]
    return " ".join("".join(known).split()) if len(known) == len(decoded) else None


def decode_base64(data: bytes) -> bytes | None:
    """What base64 says, ``None`` if it is damaged. A mailing list's plain footer below it stays as it is."""
    lines = data.splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines) if not _BASE64_LINE.fullmatch(line)), len(lines))
    coded, rest = b"".join(b"".join(lines[:end]).split()), b"".join(lines[end:])
    if rest and (not end or len(coded.rstrip(b"=")) % 4 == 1 or len(rest) > len(coded) + 2000):
        return None
    decoded = []
    for piece in _PADDED.findall(coded):
        bare = piece.rstrip(b"=")
        try:
            decoded.append(base64.b64decode(bare + b"=" * (-len(bare) % 4)))
        except binascii.Error:
            return None
    return b"".join(decoded) + (b"\n" + rest if rest else b"")


def _decode_word(coding: str, payload: str) -> bytes | None:
    data = _raw(payload)
    if coding in "bB":
        if re.search(rb"[^A-Za-z0-9+/=\s]", data):
            return None
        return decode_base64(data)
    return binascii.a2b_qp(data, header=True)


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode_8bit(data: bytes, named: str, foreign: str) -> str | None:
    utf8 = _strict(data, "utf-8")
    japanese = named in _JIS or named in _SHIFT_JIS or named in _EUC
    if utf8 is not None and (_JAPANESE.search(utf8) or not (japanese or foreign)):
        return utf8
    if named in _SHIFT_JIS:
        text = _strict(data, "cp932") or _strict(data, "shift_jis_2004")
    elif named in _EUC:
        text = _decode_euc(data)
    elif named in _JIS:
        text = _decode_jis(data)
    else:
        text = _strict(data, foreign) if foreign else None
    if text is not None and (foreign or _half_width(text) <= 0.5 or utf8 is not None):
        return text
    if utf8 is None and _is_damaged_utf8(data):
        return None
    return _guess(data) or text or (_western(data) if _is_western(named) else None)


def _guess(data: bytes) -> str | None:
    found = [text for text in (_strict(data, "cp932"), _decode_euc(data)) if text is not None and _makes_sense(text)]
    return max(found, key=lambda text: len(_KANA.findall(text)) - len(_HALF_KANA.findall(text)), default=None)


def _makes_sense(text: str) -> bool:
    """Whether a text decoded on a guess is Japanese: everyday characters, not rare kanji between Latin letters."""
    head = text[:_LOOKED_AT]
    if _PRIVATE.search(head) or _half_width(head) > 0.5 or (not _KANA.search(head) and _GLUED.search(head)):
        return False
    wide = [character for character in head if not character.isascii()]
    # Beyond 0x98 stand the rare kanji of JIS X 0208's second level.
    everyday = sum(character.encode("cp932", "replace")[0] <= 0x98 for character in wide)
    return everyday >= 0.7 * len(wide)


def _half_width(text: str) -> float:
    wide = sum(not character.isascii() for character in text)
    return len(_HALF_KANA.findall(text)) / wide if wide else 0.0


def _is_damaged_utf8(data: bytes) -> bool:
    # The same measure as for tables: other encodings break UTF-8 at almost every character.
    marks = sum(0xDC80 <= ord(character) <= 0xDCFF for character in data.decode("utf-8", "surrogateescape"))
    return marks * 5 <= len(data.translate(None, _ASCII))


def _western(data: bytes) -> str | None:
    text = _strict(data, "cp1252")
    return None if text is None or _C1.search(text) else text


def _is_western(named: str) -> bool:
    return named in ("us-ascii", "latin1", "l1", "windows-1252", "cp1252") or named.startswith(("iso-8859-1", "iso8859-1"))


def _foreign(named: str) -> str:
    try:
        codec = codecs.lookup(named).name if named else ""
    except (LookupError, ValueError):
        return ""
    other_latin = codec.startswith("iso8859-") and codec not in ("iso8859-1", "iso8859-15")
    return codec if codec in _FOREIGN or other_latin else ""


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeError:
        return None


def _decode_jis(data: bytes) -> str | None:
    text = _strict(data, "iso2022_jp")
    if text is not None and "\x1b" not in text and "\x0e" not in text:
        return text
    pieces = _ESCAPE.split(data)
    decoded = [_ascii_run(pieces[0])]
    for escape, run in zip(pieces[1::2], pieces[2::2], strict=True):
        decoded.append(_jis_run(escape, run))
    known = [piece for piece in decoded if piece is not None]
    text = "".join(known)
    if len(known) == len(decoded) and "\x1b" not in text:
        return text
    return _strict(data, "iso2022_jp_2004") or _strict(data, "iso2022_jp_ext") or _strict(data, "iso2022_jp_2")


def _jis_run(escape: bytes, run: bytes) -> str | None:
    if escape in (b"(B", b"(J", b"(H"):
        return _ascii_run(run)
    if escape == b"(I":
        return _strict(bytes(byte + 0x80 if 0x20 < byte < 0x60 else byte for byte in run), "cp932")
    if escape not in (b"$@", b"$B", b"$(B", b"$(D"):
        return None
    # A line end closes what an escape opened, even where the mailer forgot to say so.
    line, end, rest = run.partition(b"\n")
    codes = line.rstrip(b"\r")
    wide = _pairs(codes, supplement=escape == b"$(D")
    after = _ascii_run(rest)
    if wide is None or after is None:
        return None
    return wide + (line[len(codes) :] + end).decode("ascii") + after


def _ascii_run(run: bytes) -> str | None:
    """ASCII with the half-width kana that CP50221 and CP50222 allow in it."""
    bare = _SHIFTED.sub(lambda shifted: bytes(byte | 0x80 for byte in shifted[1]), run)
    if any(not 0xA1 <= byte <= 0xDF for byte in bare.translate(None, _ASCII)):
        return None
    return _strict(bare, "cp932")


def _decode_euc(data: bytes) -> str | None:
    text = _strict(data, "euc_jp")
    if text is not None:
        return text
    decoded: list[str | None] = []
    for run in re.findall(rb"[\x00-\x7f]+|(?:\x8e[\xa1-\xdf])+|(?:\x8f[\xa1-\xfe]{2})+|(?:[\xa1-\xfe]{2})+|.", data, re.DOTALL):
        if run.isascii():
            decoded.append(run.decode("ascii"))
        elif run[0] >= 0xA1 and len(run) > 1:
            decoded.append(_pairs(bytes(byte & 0x7F for byte in run), supplement=False))
        else:
            decoded.append(_strict(run, "euc_jp"))
    known = [piece for piece in decoded if piece is not None]
    return "".join(known) if len(known) == len(decoded) else None


def _pairs(codes: bytes, *, supplement: bool) -> str | None:
    """Two-byte JIS codes as text: JIS X 0208 with the vendors' rows of CP932, or JIS X 0212."""
    if len(codes) % 2 or any(not 0x21 <= byte <= 0x7E for byte in codes):
        return None
    if supplement:
        return _strict(b"".join(b"\x8f" + bytes((first | 0x80, last | 0x80)) for first, last in _two(codes)), "euc_jp")
    shifted = bytearray()
    for first, last in _two(codes):
        row = first - 0x21
        lead = 0x81 + row // 2
        trail = last + 0x7E if row % 2 else last + 0x1F + (last >= 0x60)
        shifted += bytes((lead if lead <= 0x9F else lead + 0x40, trail))
    return _strict(bytes(shifted), "cp932")


def _two(codes: bytes) -> list[tuple[int, int]]:
    return list(zip(codes[::2], codes[1::2], strict=True))
