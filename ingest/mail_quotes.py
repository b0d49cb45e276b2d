"""What the writer of a mail wrote, without the replies quoted in it and the signature below it."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"\s{0,3}(?:>(?![_＿<.=])|＞(?![＜_＿<])|[|｜](?!.*[|｜]))")
_SPACED = r"[\s\-‐―ー─━–—=＝_＿*＊]"
_ORIGINAL = r"(?:original message|original mail|reply message|(?:返信)?元のメッセージ|元のメール|オリジナルメッセージ)"
_PASSED_ON = r"(?:forwarded message|forwarded by .{1,80}|転送(?:された)?(?:メッセージ|メール))"
_MARKER = re.compile(rf"{_SPACED}{{2,}}{_ORIGINAL}{_SPACED}{{2,}}", re.IGNORECASE)
_FORWARD = re.compile(rf"{_SPACED}{{2,}}{_PASSED_ON}{_SPACED}{{2,}}", re.IGNORECASE)
_FORWARDED_SUBJECT = re.compile(r"\s*(?:fwd?|tr|転送)\s*[:：]", re.IGNORECASE)
_FROM = re.compile(r"\**(?:差出人|送信者|送信元|from)\**\s*[:：]", re.IGNORECASE)
_OTHER_HEADERS = re.compile(
    r"\**(?:送信日時|送信日|日時|日付|宛先|件名|返信先|cc|bcc|sent|date|to|subject|reply-to|importance)\**\s*[:：]", re.IGNORECASE
)
_HEADER_LINES = 8
_WROTE = re.compile(r"(?:on\s.{5,250}\swrote|.{2,250}さん(?:は|が)書きました|.{5,250}(?:\swrote|のメール))\s*[:：]?", re.IGNORECASE)
_DATED = re.compile(r".{0,80}\d{4}[年/.\-]\s?\d{1,2}[月/.\-]\s?\d{1,2}.{0,200}[:：>＞]")
_ATTRIBUTION_START = re.compile(r"\s*(?:on\s|.{0,20}\d{4}\s?[年/.\-])", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+\-]{1,64}@[\w.\-]{1,100}")
_CLOCK = re.compile(r"\d{1,2}[:：時]\d{2}")

_RULE = re.compile(r"([\-‐―ー─━–—=＝_＿*＊~～〜+＋#＃◆◇■□・.。:：☆★])(?:\s?(?:\1|[\-=*+・◆◇☆★])){3,}")
_CONTACT = re.compile(
    r"[\w.+\-]{1,64}@[\w.\-]{1,100}|〒|(?:℡|☎|tel|fax|電話|携帯|住所|メール|e-?mail|〶)|0\d{1,4}[\-‐－ー（(]\d{1,4}[\-‐－ー）)]\d{3,4}|(?<!\d)0\d{9,10}(?!\d)"
    r"|[０-９]{2,4}[－ー―][０-９]{2,4}[－ー―][０-９]{3,4}|https?:|[都道府県市区町村]\S{0,20}(?:\d|丁目|番地)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?:[。！？!?]|です|ます|ました|ません|ください|下さい|たい)\s*$")
_SIGNATURE_MARK = "-- "
_SIGNATURE_LINES = 15
_SIGNATURE_WIDTH = 60
_DEVICE = re.compile(
    r"sent from .{0,20}(?:iphone|ipad|android|mobile|phone|galaxy|xperia|mail|outlook|yahoo).{0,30}|get outlook for .{1,30}"
    r"|.{0,12}(?:iphone|ipad|android|アンドロイド|スマートフォン|スマホ|携帯|galaxy|xperia|ドコモ|docomo|softbank|yahoo!?メール|outlook|gmail)"
    r"(?:\s?アプリ)?.{0,12}から送信(?:しています|しました|されました)?|outlook for .{1,20}を入手.{0,60}",
    re.IGNORECASE,
)


def own_words(text: str, *, subject: str = "", sender: str = "") -> str:
    r"""The letter itself: quoted lines, the message replied to, and the signature at the end cut off.

    Lines have ``\n``. What is written between or below quotes stays; so does everything after the mark of a forwarded message,
    or in a mail whose ``subject`` says that it forwards one. ``sender`` is the name that a signature may begin with.
    Where nothing would remain the text comes back whole.
    """
    lines = [line if line == _SIGNATURE_MARK else line.rstrip() for line in text.split("\n")]
    forwarded = next((number for number, line in enumerate(lines) if _FORWARD.fullmatch(line)), None)
    if forwarded is None and _FORWARDED_SUBJECT.match(subject):
        forwarded = next((number for number in range(len(lines)) if _begins_reply(lines, number)), None)
    head, tail = (lines, []) if forwarded is None else (lines[:forwarded], lines[forwarded:])
    kept = _without_signature(_without_quotes(head), sender)
    if not _has_words(kept) or len(kept) == len(head):
        return "\n".join(lines).strip()
    return re.sub(r"\n{3,}", "\n\n", "\n".join([*kept, *([""] if tail else []), *tail])).strip()


def _has_words(lines: list[str]) -> bool:
    return any(re.search(r"\w", line) for line in lines)


def _is_quoted(line: str) -> bool:
    return _QUOTED.match(line) is not None


def _without_quotes(lines: list[str]) -> list[str]:
    kept: list[str] = []
    number = 0
    quotes_below = [False] * (len(lines) + 1)
    for at in range(len(lines) - 1, -1, -1):
        quotes_below[at] = quotes_below[at + 1] or _is_quoted(lines[at])
    while number < len(lines):
        if _is_quoted(lines[number]):
            number += 1
        elif taken := _attribution(lines, number):
            number += taken
        elif taken := _begins_reply(lines, number):
            # Text marked with > below says that what isn't marked is the writer's own.
            if not quotes_below[number]:
                if _has_words(kept):
                    return kept
                kept += lines[number:]
                return kept
            number += taken
        else:
            kept.append(lines[number])
            number += 1
    return kept


def _attribution(lines: list[str], number: int) -> int:
    """How many lines from here say who wrote what is quoted below them (0: none)."""
    if not lines[number]:
        return 0
    for taken in (1, 2, 3):
        part = lines[number : number + taken]
        if len(part) < taken or not all(part) or any(map(_is_quoted, part[1:])):
            return 0
        said = " ".join(part).strip()
        if len(said) > 350 or (taken > 1 and not _is_wrapped(part[0])):
            return 0
        if _WROTE.fullmatch(said) or _DATED.fullmatch(said):
            below = next((line for line in lines[number + taken :] if line), "")
            if _is_quoted(below):
                return taken
    return 0


def _is_wrapped(line: str) -> bool:
    """Whether a line can be the first of an attribution that goes on in the next one, and not the letter's last."""
    return _ATTRIBUTION_START.match(line) is not None and not _SENTENCE.search(line)


def _begins_reply(lines: list[str], number: int) -> int:
    """How many lines from here are the head of the message replied to, which stands below them unmarked (0: none)."""
    line = lines[number].strip()
    if not line:
        return 0
    if _MARKER.fullmatch(line):
        return 1 + _headers(lines, number + 1)
    if _FROM.match(line):
        taken = _headers(lines, number)
        return taken if taken >= 3 else 0
    for taken in (1, 2):
        if taken > 1 and not _is_wrapped(line):
            return 0
        said = " ".join(part.strip() for part in lines[number : number + taken])
        strict = re.fullmatch(r"on\s.{5,250}\swrote\s*[:：]", said, re.IGNORECASE)
        dated = _DATED.fullmatch(said) and _ADDRESS.search(said) and _CLOCK.search(said) and said[-1] in ":："
        if strict or dated:
            return taken
    return 0


def _headers(lines: list[str], number: int) -> int:
    """How many header lines (差出人:, 件名: …) stand here together."""
    taken = 0
    for line in lines[number : number + _HEADER_LINES]:
        if not (_FROM.match(line.strip()) or _OTHER_HEADERS.match(line.strip())):
            break
        taken += 1
    return taken


def _without_signature(lines: list[str], sender: str) -> list[str]:
    lines = _without_device(lines)
    end = len(lines)
    first = max(end - _SIGNATURE_LINES - 1, 0)
    for start in range(first, end):
        line, below = lines[start].strip(), lines[start + 1 :]
        if lines[start] == _SIGNATURE_MARK or (line == "--" and _is_signature(below, sender, sure=True)):
            return _without_device(lines[:start])
        if _RULE.fullmatch(line) and _is_signature(below, sender):
            return _without_device(lines[:start])
        if not line and sender and _is_unmarked_signature(below, sender):
            return _without_device(lines[:start])
    return lines


def _is_signature(lines: list[str], sender: str, *, sure: bool = False) -> bool:
    said = [line.strip() for line in lines if line.strip() and not _RULE.fullmatch(line.strip())]
    if not said or any(len(line) > _SIGNATURE_WIDTH for line in said):
        return not said
    if any(_SENTENCE.search(line) for line in said):
        return False
    return sure or any(_CONTACT.search(line) for line in said) or _same(said[0], sender)


def _is_unmarked_signature(lines: list[str], sender: str) -> bool:
    said = [line.strip() for line in lines if line.strip()]
    return 1 < len(said) <= 6 and _same(said[0], sender) and all(_CONTACT.search(line) and not _SENTENCE.search(line) for line in said[1:])


def _same(name: str, sender: str) -> bool:
    return bool(sender) and "".join(name.split()) == "".join(sender.split())


def _without_device(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and (not lines[end - 1].strip() or _DEVICE.fullmatch(lines[end - 1].strip())):
        end -= 1
    return lines[:end]
