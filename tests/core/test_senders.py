from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.crypto import Keyring, new_key
from core.senders import blind_sender, sender_of

RING = Keyring({"k1": new_key()}, current="k1")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"email": "Hanako@Example.jp "}, {"email": "ｈａｎａｋｏ@example.jp", "phone": "090-0000-1234"}),
        ({"phone": "090-0000-1234"}, {"phone": "+81 90 0000 1234"}),
        ({"phone": "０３（0000）1234"}, {"phone": "0300001234"}),
        ({"phone": "+81 (0)3 0000 1234"}, {"phone": "03-0000-1234"}),
        ({"name": "港 花子", "address": "港町1-2"}, {"name": "港　花子", "address": "港町１－２"}),
        ({"name": "港花子"}, {"name": "港 花子", "email": "なし", "phone": "内線12"}),
    ],
)
def test_the_same_sender_however_written(first: dict[str, str], second: dict[str, str]) -> None:
    assert sender_of(first) == sender_of(second) != ""
    assert blind_sender(first, RING) == blind_sender(second, RING)


def test_the_surest_part_decides() -> None:
    assert sender_of({"name": "港花子", "email": "a@example.jp"}) != sender_of({"name": "港花子", "email": "b@example.jp"})
    assert sender_of({"name": "港花子", "address": "港町1"}) != sender_of({"name": "港花子", "address": "港町2"})
    assert sender_of({"name": "港", "address": "町1"}) != sender_of({"name": "港", "postal_code": "町1"})


@pytest.mark.parametrize("contact", [{}, {"email": "なし"}, {"phone": "12"}, {"address": "港町1-2"}, {"name": "。"}])
def test_a_contact_that_tells_nobody_apart_is_no_sender(contact: dict[str, str]) -> None:
    assert sender_of(contact) == ""
    assert blind_sender(contact, RING) is None


def test_without_the_key_nobody_is_found() -> None:
    contact = {"phone": "090-0000-1234"}
    blind = blind_sender(contact, RING)
    assert blind is not None
    assert len(blind) == 32
    assert blind_sender(contact, Keyring({"k1": new_key()}, current="k1")) != blind


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_any_text_has_one_blind_index(text: str) -> None:
    assert RING.blind(text) == RING.blind(text)
    assert len(RING.blind(text)) == 32
