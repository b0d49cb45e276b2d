"""Text made clean without changing what it says: what came from a file, a form or a mail, before it is masked and stored."""

from __future__ import annotations

import html
import re
import unicodedata
from html.entities import html5

import jaconv

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Controls, lone surrogates, invisible marks, and the signs that turn the reading direction (they can disguise a text).
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_HALF_KANA = re.compile("[｡-ﾟ]")
_LONGEST_NAME = 200  # bytes without the ending: a file system takes 255


def clean_text(text: str) -> str:
    r"""A text as people read it, ready to be masked and stored; what it says stays.

    NFC, ``\n`` as line end, ``&hellip;`` and the like as characters, half-width kana made full, control characters (but line
    end and tab), lone surrogates and invisible marks removed, no spaces at line ends or around the whole. Zenkaku digits stay.
    """
    # Most cells are so already: printable, which no control, line end, surrogate or invisible mark is.
    if text.isprintable() and "&" not in text and not _HALF_KANA.search(text):
        return unicodedata.normalize("NFC", text).strip()
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    text = _UNWANTED.sub("", _LINE_END.sub("\n", text))
    if _HALF_KANA.search(text):
        text = jaconv.h2z(text, kana=True, ascii=False, digit=False)
    return "\n".join(line.rstrip() for line in unicodedata.normalize("NFC", text).split("\n")).strip()


def clean_line(text: str) -> str:
    """A short text on one line: ``clean_text`` with runs of white space made one space."""
    return " ".join(clean_text(text).split())


def plain_name(name: str) -> str:
    """A browser's file name without folders and signs that no file system takes; never empty, at most 80 characters."""
    base = clean_line(name.replace("\\", "/").rpartition("/")[2].replace("\0", ""))
    base = "".join(character for character in base if character.isprintable()).encode("utf-8", "replace").decode()
    stem, dot, suffix = base.rpartition(".")
    ending = f"{dot}{suffix}" if stem and len(suffix) < 10 else ""
    stem = base.removesuffix(ending)[: 80 - len(ending)]
    base = stem.encode()[:_LONGEST_NAME].decode("utf-8", "ignore") + ending
    return base if base.strip(". ") else "file"


def _character(entity: re.Match[str]) -> str:
    known = entity[0][1] == "#" or entity[0][1:] in html5
    return html.unescape(entity[0]) if known else entity[0]
