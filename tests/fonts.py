"""What tests that draw Japanese letters need of the machine."""

from __future__ import annotations

import os

import pytest

from core.errors import SettingsError
from nlp.notebook import japanese_font


def need_japanese_font() -> None:
    """Skips the test where no font has Japanese letters, or fails it where ``KOE_REQUIRE_E2E=1`` asks for everything."""
    try:
        japanese_font()
    except SettingsError as error:
        if os.environ.get("KOE_REQUIRE_E2E") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
