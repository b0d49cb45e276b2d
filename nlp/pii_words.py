"""The word lists behind masking (data/masking/words.yaml), and what every rule shares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

WORDS = Path(__file__).resolve().parent.parent / "data" / "masking" / "words.yaml"

_DASHES = "-‐‑‒–—―−－ー─━ｰ"
DASH = f"[{re.escape(_DASHES)}]"


@dataclass(frozen=True, slots=True)
class MaskingWords:
    """The word lists of data/masking/words.yaml."""

    honorifics: frozenset[str]
    speaks_or_acts: tuple[str, ...]
    short_surnames: frozenset[str]
    before_name: frozenset[str]
    not_names: frozenset[str]
    ends_with_not_name: re.Pattern[str]
    place_suffixes: frozenset[str]
    lands: frozenset[str]
    no_places: frozenset[str]
    surname_followers: frozenset[str]
    public_offices: frozenset[str]
    building: re.Pattern[str]
    labelled_id: re.Pattern[str]


@lru_cache(maxsize=1)
def masking_words() -> MaskingWords:
    """The lists, read once."""
    lists: dict[str, list[str]] = yaml.safe_load(WORDS.read_text("utf-8"))
    labels = "|".join(sorted(map(re.escape, lists["id_labels"]), key=len, reverse=True))
    buildings = "|".join(map(re.escape, lists["buildings"]))
    return MaskingWords(
        honorifics=frozenset(lists["honorifics"]),
        speaks_or_acts=(*lists["introductions"], *lists["acts"]),
        short_surnames=frozenset(lists["short_surnames"]),
        before_name=frozenset(lists["before_name"]),
        not_names=frozenset(lists["not_names"]),
        # One character is too little to speak against a name (方, 人, 王): such a word must be the whole of it.
        ends_with_not_name=re.compile("(?:" + "|".join(re.escape(word) for word in lists["not_names"] if len(word) > 1) + ")$"),
        place_suffixes=frozenset(lists["place_suffixes"]),
        lands=frozenset(lists["lands"]),
        no_places=frozenset(lists["no_places"]),
        surname_followers=frozenset(lists["surname_followers"]),
        public_offices=frozenset(lists["public_offices"]),
        building=re.compile(
            rf"[ ,、]?(?:[一-龥ァ-ヶーA-Za-z・]{{0,12}}(?:{buildings})[一-龥ァ-ヶーA-Za-z・]{{0,8}}) ?"
            rf"(?:[A-Z]?{DASH}?\d{{1,4}}(?:{DASH}\d{{1,4}})? ?(?:号室|号|棟|階|F)?(?: ?\d{{2,4}} ?(?:号室|号)?)?)?"
            rf"|[ ]?\d{{2,4}} ?号室"
        ),
        labelled_id=re.compile(
            rf"(?:{labels})(?:の番号)?(?:は|が|[:：]|[(（「『])? ?[「『]?(?:No\.?|№)? ?"
            r"(?P<id>[一-龥]{0,3}(?=[A-Z0-9\-]*\d)[A-Za-z0-9][A-Za-z0-9\-]{3,19})(?![A-Za-z0-9])",
            re.IGNORECASE,
        ),
    )
