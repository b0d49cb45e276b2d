"""Personal data that has a written form: what claims a number by its label comes first, what goes by its look alone last."""

from __future__ import annotations

import re

from nlp.annotation import PiiSpan
from nlp.pii.contacts import kanji_phones, online, phones, postal_codes
from nlp.pii.dates import birthdates
from nlp.pii.numbers import bank_accounts, cards, is_my_number, my_numbers, personal_ids, plates
from nlp.pii.spans import Cover
from nlp.pii.words import DASH

__all__ = ["is_my_number", "written_forms"]

_LONG_NUMBER = re.compile(r"\d[^\d\n]{0,3}\d[^\d\n]{0,3}\d")
# What every account, card, phone and postal code has, and the fewest of other numbers: five figures, or figures on either side of a joint.
_DENSE = re.compile(rf"\d(?:\d{{4}}|(?:{DASH}|[() ・./のノ]){{1,3}}\d)")
_DENSE_KANJI = re.compile("[〇零○一二三四五六七八九][〇零○一二三四五六七八九]{2}")


def written_forms(plain: str) -> list[PiiSpan]:
    """What is recognised by how it is written. ``plain`` has half-width digits and letters, with the given text's offsets."""
    found = birthdates(plain) + kanji_phones(plain) + online(plain)
    if _LONG_NUMBER.search(plain):
        found += _numbers(plain)
    elif "普" in plain or "口座" in plain:
        found += bank_accounts(plain)
    elif "〒" in plain or "郵便番号" in plain or "〇" in plain:
        found += postal_codes(plain)
    return found


def _numbers(plain: str) -> list[PiiSpan]:
    if not _DENSE.search(plain) and not _DENSE_KANJI.search(plain):
        return personal_ids(plain) + plates(plain)
    # A check digit says more than a label; a label more than a look.
    certain = cards(plain)
    certain += my_numbers(plain, otherwise=certain)
    certain += _apart(bank_accounts(plain) + personal_ids(plain), certain)
    return certain + plates(plain) + _apart(phones(plain) + postal_codes(plain), certain)


def _apart(spans: list[PiiSpan], taken: list[PiiSpan]) -> list[PiiSpan]:
    """Those that touch none of what is taken."""
    if not spans or not taken:
        return spans
    cover = Cover(taken)
    return [span for span in spans if not cover.touches(span.start, span.end)]
