"""Who sent a voice, without saying who: one line made from a contact, and its blind index (``core.crypto.Keyring.blind``)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from core.crypto import Keyring

_NOT_DIGITS = re.compile(r"\D+")
_NOT_WORDS = re.compile(r"[\W_]+")
_SHORTEST_PHONE = 9
# What else a contact says, in the order in which it tells people apart; a name last, since many have the same.
_NAMED = (("name", "address"), ("name", "postal_code"), ("name",))


def sender_of(contact: Mapping[str, str]) -> str:
    """The line that stands for a sender: the mail address, else the telephone number, else name and address.

    The same however it was written (width, case, spaces, hyphens, +81); empty when the contact tells nobody apart.
    """
    mail = unicodedata.normalize("NFKC", contact.get("email", "")).strip().casefold()
    if "@" in mail:
        return f"email:{mail}"
    phone = _NOT_DIGITS.sub("", unicodedata.normalize("NFKC", contact.get("phone", "")))
    if phone.startswith("81"):
        phone = f"0{phone[2:].removeprefix('0')}"
    if len(phone) >= _SHORTEST_PHONE:
        return f"phone:{phone}"
    for parts in _NAMED:
        words = [_NOT_WORDS.sub("", unicodedata.normalize("NFKC", contact.get(part, "")).casefold()) for part in parts]
        if all(words):
            return "|".join((*parts, *words))
    return ""


def blind_sender(contact: Mapping[str, str], keyring: Keyring) -> str | None:
    """The blind index of a contact's sender, ``None`` when the contact tells nobody apart."""
    sender = sender_of(contact)
    return keyring.blind(sender) if sender else None
