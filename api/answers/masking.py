"""What people write about an answer, masked before it is kept."""

from __future__ import annotations

from core.cleaning import clean_text
from core.settings import Settings


def masked(settings: Settings, text: str) -> str:
    """A comment without personal data."""
    written = clean_text(text)
    if not written:
        return ""
    from nlp.annotate import Masker

    ((shown, _),) = Masker(settings.taxonomy_dir)([written])
    return shown
