"""Personal data in Japanese text: rules for what has a written form, Sudachi's proper nouns for names and addresses.

What points at a person or a dwelling goes; what points at a problem stays (3丁目公園, 山田線, 店員さん). A surname that
stands alone is only a doubt here: ``doubts`` hands it to GiNZA's entity recogniser (``nlp.pii.recogniser``).
Offsets are code points of the given text: every normalisation below keeps the length.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from nlp.annotation import PLACEHOLDERS, PiiSpan
from nlp.japanese import Token
from nlp.pii.addresses import addresses
from nlp.pii.clues import Clues
from nlp.pii.doubtful import stand_alone
from nlp.pii.forms import written_forms
from nlp.pii.names import names
from nlp.pii.spans import settle

_SAME_LENGTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}
_WIDE = re.compile("[\uff01-\uff5e\u3000\xa0]")


def find(text: str, tokens: Sequence[Token], *, places: Collection[str] = ()) -> list[PiiSpan]:
    """The spans of personal data in a text, sorted, not overlapping.

    Args:
        text: the text as given.
        tokens: its morphemes (``nlp.japanese.tokenize``), with offsets into it.
        places: the city's own place names: before a block number they are an address, before さん they are none.
    """
    return _spans(text, Clues(tokens), places)


def look(text: str, tokens: Sequence[Token], *, places: Collection[str] = ()) -> tuple[list[PiiSpan], list[PiiSpan]]:
    """What ``find`` and ``doubts`` say of a text, in less time than one after the other."""
    clues = Clues(tokens)
    spans = _spans(text, clues, places)
    return spans, stand_alone(clues, spans, places)


def doubts(tokens: Sequence[Token], spans: Sequence[PiiSpan], *, places: Collection[str] = ()) -> list[PiiSpan]:
    """Family names that stand alone where a person may stand, and that no rule decided: worth a look by an entity recogniser.

    ``places`` are the city's own place names, which are never doubted.
    """
    return stand_alone(Clues(tokens), spans, places)


def _spans(text: str, clues: Clues, places: Collection[str]) -> list[PiiSpan]:
    plain = text.translate(_SAME_LENGTH) if _WIDE.search(text) else text
    written = written_forms(plain)
    people = names(text, plain, clues, written=written, places=places)
    homes = addresses(plain, clues.tokens, taken=written, people=people, places=places)
    if homes:
        # An address is a neighbour that gives a name away, too.
        people = names(text, plain, clues, written=[*written, *homes], places=places)
    return settle([*written, *people, *homes])


def mask(text: str, spans: Sequence[PiiSpan]) -> str:
    """The text with each span's placeholder in its place. ``spans`` must be settled."""
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += (text[at : span.start], PLACEHOLDERS[span.type])
        at = span.end
    return "".join((*parts, text[at:]))
