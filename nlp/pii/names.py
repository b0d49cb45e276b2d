"""Names of people: one rule for each sort of evidence, then what the found names give away about others.

Titles and name-like neighbours (``titles``), two parts (``pairs``), signatures (``slots``), words that announce a name
(``behind``), kana and foreign names (``kana``, ``foreign``), what people do (``actors``), lists, readings and repeats
(``companions``); what stays in doubt goes to GiNZA (``doubtful``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nlp.annotation import PiiSpan
from nlp.pii.actors import actors
from nlp.pii.behind import behind_words
from nlp.pii.clues import Clues
from nlp.pii.companions import companions, lists, readings, repeats
from nlp.pii.evidence import Contacts
from nlp.pii.foreign import foreign
from nlp.pii.kana import kana_names
from nlp.pii.pairs import pairs
from nlp.pii.slots import slots
from nlp.pii.titles import titled

_NOBODY = Contacts(())


def names(text: str, plain: str, clues: Clues, *, written: Sequence[PiiSpan] = (), places: Collection[str] = ()) -> list[PiiSpan]:
    """The names that a rule decides.

    Args:
        text: the text as given.
        plain: the same with half-width digits, letters and blanks.
        clues: its morphemes, and what they say together.
        written: phones, mail addresses and the like: a name beside one is a signature.
        places: the city's own place names, which さん after them doesn't make a person.
    """
    contacts = Contacts(written) if written else _NOBODY
    found = [
        *titled(text, clues, places=places),
        *pairs(plain, contacts, clues),
        *slots(plain, contacts, clues),
        *behind_words(plain, clues),
        *kana_names(plain, contacts),
        *foreign(plain, contacts),
        *lists(plain, clues),
        *actors(text, clues, places=places),
    ]
    found = [span for span in found if plain[span.start : span.end] not in places]
    if found:
        found += companions(plain, found, clues)
        found += repeats(plain, found, clues)
    return found + readings(plain, found)
