"""What is left in a masked text that is rare together: an age, a district, an illness may point at one person without a name.

Sweeney, "Simple demographics often identify people uniquely", 2000: few plain attributes make a person unique. The expected number of
people who fit is the city's population times the share of each attribute found, taken as independent; that errs to both sides,
so it is a flag for the person who publishes, not a verdict. Words and shares are data (data/masking/rarity.yaml).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.city import City

RARITY = Path(__file__).resolve().parent.parent / "data" / "masking" / "rarity.yaml"
PLACE = "地区"
# One attribute alone, however rare, tells nothing that the person didn't choose to tell; three make a portrait.
_LEAST_KINDS = 3
# Without an age, or a word of the kinds that few people share, three kinds can't come together. The last characters first: they are rare.
_AGE = re.compile(r"[歳才代生婦娠籍化人](?:(?<=\d[歳才])|(?<=\d代)(?!理)|(?<=年生)|(?<=妊[婦娠])|(?<=国籍)|(?<=帰化)|(?<=[ァ-ヴー]人))")
_WIDE_DIGITS = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF1A)}


@dataclass(frozen=True, slots=True)
class _Rules:
    threshold: float
    population: int
    kinds: dict[str, tuple[tuple[float, re.Pattern[str]], ...]]
    words: re.Pattern[str]


def telling(masked: str, *, city: City) -> tuple[str, ...]:
    """The kinds of attributes (年齢, 地区, 病気・障害 …) by which the writer could be told; empty when many people would fit."""
    rules = _rules()
    if not _AGE.search(masked) and not rules.words.search(masked):
        return ()
    plain = masked.translate(_WIDE_DIGITS)
    found = dict(_shares(plain, rules))
    if place := _place_share(plain, city):
        found[PLACE] = place
    fitting = (city.population or rules.population) * math.prod(found.values())
    return tuple(found) if len(found) >= _LEAST_KINDS and fitting < rules.threshold else ()


def _shares(text: str, rules: _Rules) -> Iterator[tuple[str, float]]:
    """Each kind found, with the share of people of its rarest attribute."""
    for name, groups in rules.kinds.items():
        if shares := [share for share, pattern in groups if pattern.search(text)]:
            yield name, min(shares)


def _place_share(text: str, city: City) -> float:
    shares = [share for place, share in city.shares.items() if place in text]
    return min(shares, default=0.0)


@lru_cache(maxsize=1)
def _rules() -> _Rules:
    content: dict[str, Any] = yaml.safe_load(RARITY.read_text("utf-8"))
    kinds = {kind["name"]: tuple((group["share"], re.compile(_pattern(group))) for group in kind["groups"]) for kind in content["kinds"]}
    # Words alone, so that their first characters decide at most places.
    telling_words = [word for kind in content["kinds"][2:] for group in kind["groups"] for word in group.get("words", ())]
    words = re.compile("|".join(map(re.escape, telling_words)))
    return _Rules(threshold=content["threshold"], population=content["population"], kinds=kinds, words=words)


def _pattern(group: dict[str, Any]) -> str:
    if "pattern" in group:
        return str(group["pattern"])
    return "|".join(re.escape(word) for word in sorted(group["words"], key=len, reverse=True))
