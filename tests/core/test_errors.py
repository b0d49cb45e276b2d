from __future__ import annotations

import pytest

from core import errors
from core.errors import KoeError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KoeError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_what_and_what_to_do(kind: type[KoeError]) -> None:
    error = kind("ファイルが開けません。", hint="パスを確かめてください。")
    assert str(error) == "ファイルが開けません。 パスを確かめてください。"
    assert (error.message, error.hint) == ("ファイルが開けません。", "パスを確かめてください。")
    assert 400 <= error.status < 600


def test_codes_tell_the_kinds_apart() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS) > 5


def test_a_code_of_its_own_leaves_the_kind_as_it_was() -> None:
    error = errors.InputError("x", code="too_large")
    assert (error.code, errors.InputError.code, error.status) == ("too_large", "input", 400)
    assert str(error) == "x"
