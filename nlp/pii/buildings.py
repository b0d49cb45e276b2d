"""Buildings and rooms: what stands behind a block number, and a building with a room that stands without one (ひまわり荘7号室)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from nlp.annotation import PiiSpan
from nlp.japanese import Part, Token
from nlp.pii.spans import Cover
from nlp.pii.words import DASH, masking_words

_FIGURE = "[〇零一二三四五六七八九十百]"
_WING = rf"(?:(?:[A-Z]|\d{{1,2}}|{_FIGURE}{{1,2}}|[東西南北中])号?棟[ \-]?)"
_NUMBER = rf"(?:[A-Z]{DASH}?)?(?:\d{{1,4}}|{_FIGURE}{{1,4}})(?:{DASH}[A-Z\d]{{1,4}})?"
_NO_ROOM = "(?!線|車|機|棟|館|艇|店)"
_ROOM = re.compile(
    rf"{_WING}?{_NUMBER}(?:号室|号{_NO_ROOM}|室(?!内|外|温))|{_WING}\d{{2,4}}(?!\d)"
    # A bare number is a room where somebody lives in it.
    rf"|\d{{3,4}}(?=の[一-龥ァ-ヴー]{{1,8}}(?:さん|様|さま|氏)|に住|在住)"
)
_MAY_HOLD_ROOM = re.compile(r"[\d〇零一二三四五六七八九十百A-Z](?:号|室)|棟[ \-]?\d")
_MAY_HOLD_BARE_ROOM = re.compile(r"\d\d\d(?:の[一-龥ァ-ヴー]{1,8}(?:さん|様|さま|氏)|に住|在住)")
_BARE_ROOM = rf"(?:{_WING}?{_NUMBER}(?:号室|号{_NO_ROOM}|室|F|階)?)(?![\d年月日時分円人台件本回名個歳才番]|{DASH}\d)"
_NAME = r"[一-龥々ヶァ-ヴーｦ-ﾟぁ-んA-Za-z'・\-]"
# A building whose name says nothing of a building: it stands apart behind the block, begins in katakana or Latin letters, ends in a room.
_UNLISTED = re.compile(rf" ?(?:[ァ-ヴーA-Z]{_NAME}{{2,16}}?|{_NAME}{{1,14}}?(?:館|棟|荘|寮|苑|庵|園|邸)[ァ-ヴー]{{0,8}}) ?{_BARE_ROOM}")
_ONLY_ROOM = re.compile(
    rf" ?{DASH}? ?(?:{_WING}?(?:[A-Z]?\d{{2,4}}|{_FIGURE}{{2,4}}) ?(?:号室|室|号{_NO_ROOM})|{_WING}\d{{2,4}}|[A-Z]{DASH}?\d{{2,4}})(?!\d)"
)
_TOKENS_BACK = 10


def building_end(plain: str, block_end: int, *, taken: Cover) -> int:
    """Where the building and room that follow a block number end; ``block_end`` itself when none does."""
    matches = (pattern.match(plain, block_end) for pattern in (masking_words().building, _UNLISTED, _ONLY_ROOM))
    return max((match.end() for match in matches if match and not taken.touches(block_end, match.end())), default=block_end)


def may_hold_room(plain: str) -> bool:
    """Whether it is worth while to look for a room."""
    if ("号" in plain or "室" in plain or "棟" in plain) and _MAY_HOLD_ROOM.search(plain):
        return True
    return bool(_MAY_HOLD_BARE_ROOM.search(plain))


def rooms(plain: str, tokens: Sequence[Token], *, taken: Cover) -> list[PiiSpan]:
    """Buildings with a room, without a block number: a building's word must stand before the room."""
    found = []
    for match in _ROOM.finditer(plain):
        head = _building_before(plain, tokens, match.start())
        if head < match.start() and not taken.touches(head, match.end()):
            found.append(PiiSpan(head, match.end(), "ADDRESS"))
    return found


def _building_before(plain: str, tokens: Sequence[Token], room: int) -> int:
    """Where the building's name in front of a room begins; ``room`` itself when there is none."""
    index = bisect_left(tokens, room, key=lambda token: token.start) - 1
    first = end = room
    spaces = 0
    for _ in range(_TOKENS_BACK):
        if index < 0:
            break
        token = tokens[index]
        if token.surface.isspace() and "\n" not in token.surface:
            # One blank parts the name from the room; what is before a second one is something else.
            spaces += 1
            if spaces > 1 or first < end:
                break
            end = token.start
        elif token.part & (Part.PARTICLE | Part.PREDICATE) or (token.part & Part.SYMBOL and token.surface not in {"・", "-", "－"}):
            break
        first = token.start
        index -= 1
    return first if masking_words().dwelling.search(plain, first, room) else room
