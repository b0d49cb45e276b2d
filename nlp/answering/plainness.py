"""Whether an answer can be read: long sentences, double negation, kanji upon kanji, and one figure for the whole.

The figure is that of Tateisi, Ono, Yamada, "A computer readability formula of Japanese texts for machine scoring", COLING 1988: by lengths
of sentences and of runs of letters. Its mean is 50 with a deviation of 10 on the texts of its authors; larger is easier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp.opinions.sentences import sentences

_RUNS = {
    "latin": re.compile(r"[A-Za-zＡ-Ｚａ-ｚ]+"),
    "hiragana": re.compile(r"[ぁ-ゖー]+"),
    "kanji": re.compile(r"[一-龥々〆ヶ]+"),
    "katakana": re.compile(r"[ァ-ヴ][ァ-ヴー]*"),
}
_KANJI = re.compile(r"[一-龥々〆]")
_LETTERS = re.compile(r"[^\W_]")
_COMMA = re.compile(r"[、，]")
_DOUBLE_NEGATION = re.compile(
    r"な(?:い|く)(?:わけ|訳|こと|もの)?(?:では|でも|とは|とも|は|も)?(?:な(?:い|く)|あり(?:ま)?せん|言えません|いえません|限りません|限らない)|"
    r"(?:ざるを得|ずにはい(?:ら)?れ)(?:ない|ません)|(?:なければ|なくては)[^。、]{0,12}(?:ない|ません)(?=[^。]{0,8}(?:わけでは|ことは|とは))|"
    r"ないとは(?:言え|いえ|限ら)(?:ない|ません)|ない(?:ということ)?は(?:ない|ありません)|しないわけにはい(?:かない|きません)|なく(?:も|は)(?:ない|ありません)"
)


@dataclass(frozen=True, slots=True)
class Readability:
    """What the figure is made of. ``score``: larger is easier, 50 is usual. Lengths in characters."""

    score: float
    sentences: int
    mean_length: float
    kanji_share: float


def readability(text: str) -> Readability | None:
    """The figure of a text; ``None`` where it has no sentence to measure."""
    found = [text[start:end] for start, end in sentences(text) if _LETTERS.search(text[start:end])]
    if not found:
        return None
    runs = {name: [len(run) for run in pattern.findall(text)] for name, pattern in _RUNS.items()}
    length = sum(map(len, found)) / len(found)
    commas = sum(len(_COMMA.findall(one)) for one in found) / len(found)
    # With no kanji or no hiragana at all, the mean run is taken as nothing.
    mean = {name: sum(own) / len(own) if own else 0.0 for name, own in runs.items()}
    score = (
        -0.12 * length
        - 1.37 * mean["latin"]
        + 7.4 * mean["hiragana"]
        - 23.18 * mean["kanji"]
        - 5.4 * mean["katakana"]
        - 4.67 * commas
        + 115.79
    )
    return Readability(score, len(found), length, kanji_share("".join(found)))


def kanji_share(text: str) -> float:
    """The share of kanji among letters and digits."""
    letters = len(_LETTERS.findall(text))
    return len(_KANJI.findall(text)) / letters if letters else 0.0


def kanji_runs(text: str, *, longer_than: int) -> Iterator[tuple[int, int]]:
    """Where more kanji than that stand in a row."""
    return ((match.start(), match.end()) for match in _RUNS["kanji"].finditer(text) if len(match[0]) > longer_than)


def double_negations(text: str) -> Sequence[tuple[int, int]]:
    """Where something is denied twice (〜ないわけではありません)."""
    return [(match.start(), match.end()) for match in _DOUBLE_NEGATION.finditer(text)]
