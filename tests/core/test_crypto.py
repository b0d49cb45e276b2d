from __future__ import annotations

import base64
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.crypto import Keyring, add_key, load_keyring, new_key
from core.errors import DecryptionError, SettingsError
from core.settings import Settings

RING = Keyring({"k1": new_key(), "鍵二": new_key()}, current="鍵二")
# Lone surrogates too: Hypothesis leaves them out unless asked.
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


@given(text=ANY_TEXT, place=st.text())
def test_what_is_sealed_can_be_opened(text: str, place: str) -> None:
    assert RING.open(RING.seal(text, place=place), place=place) == text


def test_a_lone_surrogate_survives() -> None:
    assert RING.open(RING.seal("前\ud83d後\udcff", place="p"), place="p") == "前\ud83d後\udcff"


def test_the_same_text_is_never_sealed_the_same_way() -> None:
    assert len({RING.seal("港町一郎", place="p") for _ in range(20)}) == 20
    assert "港町一郎".encode() not in RING.seal("港町一郎", place="p")


def test_any_changed_byte_is_noticed() -> None:
    sealed = RING.seal("歩道の段差", place="voice:1")
    for index in range(len(sealed)):
        changed = sealed[:index] + bytes((sealed[index] ^ 1,)) + sealed[index + 1 :]
        with pytest.raises(DecryptionError):
            RING.open(changed, place="voice:1")


@pytest.mark.parametrize("length", [0, 1, 5, 13, 20])
def test_a_record_cut_short_is_refused(length: int) -> None:
    with pytest.raises(DecryptionError):
        RING.open(RING.seal("歩道", place="p")[:length], place="p")


def test_a_record_does_not_open_at_another_place() -> None:
    with pytest.raises(DecryptionError, match="入れかわって"):
        RING.open(RING.seal("歩道", place="voice:1:text"), place="voice:2:text")


def test_a_record_of_a_key_that_is_gone_says_so() -> None:
    sealed = RING.seal("歩道", place="p")
    assert Keyring.key_id(sealed) == "鍵二"
    with pytest.raises(DecryptionError, match="鍵束にありません") as caught:
        Keyring({"k1": new_key()}, current="k1").open(sealed, place="p")
    assert "KOE_KEYS" in caught.value.hint


def test_every_key_at_hand_opens() -> None:
    first, second = new_key(), new_key()
    sealed = Keyring({"a": first}, current="a").seal("歩道", place="p")
    both = Keyring({"b": second, "a": first}, current="b")
    assert both.open(sealed, place="p") == "歩道"
    assert Keyring.key_id(both.seal("歩道", place="p")) == "b"


@pytest.mark.parametrize(
    ("keys", "current"), [({"a": new_key()}, "b"), ({"a": b"short"}, "a"), ({"": new_key()}, ""), ({"鍵" * 100: new_key()}, "鍵" * 100)]
)
def test_keys_that_cannot_be_used(keys: dict[str, bytes], current: str) -> None:
    with pytest.raises(SettingsError):
        Keyring(keys, current=current)


def test_the_first_keyring_is_made_and_kept_for_its_owner_only(settings: Settings) -> None:
    sealed = load_keyring(settings).seal("歩道", place="p")
    assert load_keyring(settings).open(sealed, place="p") == "歩道"
    assert stat.S_IMODE((settings.home / "keys.json").stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_the_first_key(settings: Settings) -> None:
    together = Barrier(8)

    def start(_: int) -> Keyring:
        together.wait()
        return load_keyring(settings)

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(start, range(8))
    sealed = first.seal("歩道", place="p")
    assert {ring.open(sealed, place="p") for ring in others} == {"歩道"}
    assert [path.name for path in settings.home.iterdir()] == ["keys.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b"{}",
        b'{"current": "k1"}',
        b'{"current": "k1", "keys": []}',
        b'{"current": "k1", "keys": {"k1": null}}',
        b'{"current": "k1", "keys": {"k1": "@@@"}}',
        b'{"current": "k1", "keys": {"k1": "AAAA"}}',
        b'{"current": "k2", "keys": {"k1": "AAAA"}}',
        b'{"current": ["k1"], "keys": {"k1": "AAAA"}}',
    ],
)
def test_a_damaged_keys_file_is_named_and_left_alone(settings: Settings, content: bytes) -> None:
    path = settings.home / "keys.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="鍵"):
        load_keyring(settings)
    with pytest.raises(SettingsError, match="鍵"):
        add_key(settings)
    assert path.read_bytes() == content


def test_a_keys_file_that_is_a_folder(settings: Settings) -> None:
    (settings.home / "keys.json").mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"keys\.json"):
        load_keyring(settings)


def test_keys_from_the_environment_the_first_is_current(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    ring = load_keyring(Settings(home=tmp_path, keys=f"new:{encoded(new)}, old:{encoded(old)}"))
    assert ring.current == "new"
    assert ring.open(Keyring({"old": old}, current="old").seal("歩道", place="p"), place="p") == "歩道"
    assert not (tmp_path / "keys.json").exists()


@pytest.mark.parametrize("keys", ["k1", "k1:", ":AAAA", "k1:@@@", "k1:AAAA", f"k1:{encoded(bytes(32))},", "鍵:鍵"])
def test_keys_from_the_environment_that_cannot_be_used(tmp_path: Path, keys: str) -> None:
    with pytest.raises(SettingsError):
        load_keyring(Settings(home=tmp_path, keys=keys))


def test_a_new_key_becomes_current_and_the_old_ones_stay(settings: Settings) -> None:
    sealed = load_keyring(settings).seal("歩道", place="p")
    assert [add_key(settings).current for _ in range(2)] == ["k2", "k3"]
    ring = load_keyring(settings)
    assert ring.current == "k3"
    assert ring.open(sealed, place="p") == "歩道"
    assert list(json.loads((settings.home / "keys.json").read_text())["keys"]) == ["k1", "k2", "k3"]


def test_a_new_key_is_never_named_like_one_that_is_there(settings: Settings) -> None:
    settings.home.mkdir()
    stored = {"current": "main", "keys": {"main": encoded(new_key()), "k7": encoded(new_key())}}
    (settings.home / "keys.json").write_text(json.dumps(stored))
    assert add_key(settings).current == "k8"


def test_keys_of_the_environment_are_not_rotated_here(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="KOE_KEYS"):
        add_key(Settings(home=tmp_path, keys=f"k1:{encoded(new_key())}"))
