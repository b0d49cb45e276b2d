"""How good labels, segments and masks are, on texts whose labels a person gave: what ``koe evaluate`` measures.

Every facet is scored strictly (the main label) and leniently (any label that the person listed). Segments follow Pevzner, Hearst,
"A critique and improvement of an evaluation metric for text segmentation", Computational Linguistics 28(1), 2002 (WindowDiff).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.annotation import Annotation, Label, PiiSpan
from nlp.corpus import Example
from nlp.gold import GoldVoice, MaskedText
from nlp.quality import calibration_error, sure
from nlp.taxonomy import Taxonomy
from nlp.vectors import Floats

Annotate = Callable[[Sequence[str]], list[Annotation]]
FACET_NAMES = {"theme": "分野", "subtheme": "中分類", "kind": "種別", "urgency": "緊急度", "department": "所管課"}
_TOPICAL = ("theme", "subtheme", "department")
# Letters are marked at sentences; a said boundary this many characters off (a space, a line break) is the same one.
_SAME_BOUNDARY = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """One facet of n texts: the person's label, the said one and its confidence; whether it is right, or at least defensible; held back."""

    truth: tuple[str, ...]
    said: tuple[str, ...]
    confidence: Floats
    right: NDArray[np.bool_]
    defensible: NDArray[np.bool_]
    held: NDArray[np.bool_]

    @classmethod
    def of(cls, wanted: Sequence[Sequence[str]], labels: Sequence[Label]) -> Outcome:
        """From the listed labels of each text, the main one first, and what was said."""
        said = [label.label for label in labels]
        return cls(
            truth=tuple(listed[0] for listed in wanted),
            said=tuple(said),
            confidence=np.array([label.confidence for label in labels], dtype=np.float32),
            right=np.array([listed[0] == own for listed, own in zip(wanted, said, strict=True)], dtype=bool),
            defensible=np.array([own in listed for listed, own in zip(wanted, said, strict=True)], dtype=bool),
            held=np.array([label.held for label in labels], dtype=bool),
        )


@dataclass(frozen=True, slots=True)
class FacetScore:
    """One facet on the texts that have its label.

    ``strict`` and ``lenient`` are hit rates, ``ece`` the calibration error, ``coverage`` the share of texts (the surest) of which 95 % are
    right, ``held_back`` the share under the confidence for 判断保留, ``decided_…`` the hit rates of the rest (0 when nothing is left).
    """

    texts: int
    strict: float
    lenient: float
    macro_f1: float
    ece: float
    coverage: float
    coverage_lenient: float
    held_back: float
    decided_strict: float
    decided_lenient: float

    @classmethod
    def of(cls, outcome: Outcome) -> FacetScore:
        from sklearn.metrics import f1_score

        decided = ~outcome.held
        labels = sorted(set(outcome.truth))
        return cls(
            texts=len(outcome.truth),
            strict=float(outcome.right.mean()),
            lenient=float(outcome.defensible.mean()),
            macro_f1=float(f1_score(outcome.truth, outcome.said, average="macro", labels=labels, zero_division=0)),
            ece=calibration_error(outcome.confidence, outcome.right),
            coverage=sure(outcome.confidence, outcome.right)[1],
            coverage_lenient=sure(outcome.confidence, outcome.defensible)[1],
            held_back=float(outcome.held.mean()),
            decided_strict=_share(int(outcome.right[decided].sum()), int(decided.sum())),
            decided_lenient=_share(int(outcome.defensible[decided].sum()), int(decided.sum())),
        )


@dataclass(frozen=True, slots=True)
class SegmentScore:
    """Letters in topics. ``recall``: of the given themes of a letter, so many were found; ``precision``: of those said, so many are given.

    ``in_place`` is the share of characters that lie in a segment of their theme; ``boundary_f1`` counts boundaries, ``window_diff`` the
    windows (half a mean segment wide) with another number of boundaries than the given ones: lower is better.
    """

    letters: int
    topics: int
    recall: float
    precision: float
    in_place: float
    boundary_f1: float
    window_diff: float


@dataclass(frozen=True, slots=True)
class RelatedScore:
    """Voices of several departments: of those concerned so many were named (``recall``), of those named so many are (``precision``)."""

    texts: int
    recall: float
    precision: float


@dataclass(frozen=True, slots=True)
class MaskScore:
    """One type of personal data: how many stretches are marked, how many of them masked, how many were found, how many of those marked.

    Masked: no character is left, and a found span of the type touches it. Rightly found: it touches a marked one of its type.
    """

    marked: int
    masked: int
    found: int
    rightly: int

    @property
    def recall(self) -> float:
        return _share(self.masked, self.marked)

    @property
    def precision(self) -> float:
        return _share(self.rightly, self.found)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"recall": round(self.recall, 4), "precision": round(self.precision, 4)}


@dataclass(frozen=True, slots=True)
class MaskingReport:
    """All types, and what masking takes from texts that hold nothing personal: how many such texts, and the masked share of their text."""

    texts: int
    types: dict[str, MaskScore]
    clean_texts: int
    clean_masked: float

    @property
    def total(self) -> MaskScore:
        """All types together."""
        rows = self.types.values()
        marked, masked = sum(row.marked for row in rows), sum(row.masked for row in rows)
        return MaskScore(marked, masked, sum(row.found for row in rows), sum(row.rightly for row in rows))

    def as_dict(self) -> dict[str, Any]:
        return {
            "texts": self.texts,
            "total": self.total.as_dict(),
            "types": {name: row.as_dict() for name, row in self.types.items()},
            "clean_texts": self.clean_texts,
            "clean_masked": round(self.clean_masked, 5),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What ``koe evaluate`` says. ``outcomes`` are the single answers behind ``facets``."""

    texts: int
    facets: dict[str, FacetScore]
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    related: RelatedScore | None = None
    segments: SegmentScore | None = None
    masking: MaskingReport | None = None

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        rest = {"related": self.related, "segments": self.segments}
        return {
            "texts": self.texts,
            **{name: _rounded(asdict(score)) for name, score in self.facets.items()},
            **{name: _rounded(asdict(score)) for name, score in rest.items() if score},
            **({"masking": self.masking.as_dict()} if self.masking else {}),
        }

    def as_text(self) -> str:
        """For people."""
        lines = [f"{self.texts:,} 件で測定"] if self.texts or not self.masking else []
        for name, score in self.facets.items():
            second = f"、第2の正解も数えると {score.lenient:.3f}" if name in _TOPICAL else ""
            rest = f"マクロ F1 {score.macro_f1:.3f}、較正誤差 {score.ece:.3f}（{score.texts:,} 件）"
            lines.append(f"  {FACET_NAMES[name]}: 正解率 {score.strict:.3f}{second}、{rest}")
            held = f"判断保留 {score.held_back:.1%}、残りの正解率 {score.decided_strict:.3f}"
            lines.append(f"    95% 正しいと言える範囲 {score.coverage:.1%}、{held}")
        if self.related:
            r = self.related
            lines.append(f"  関係課: 再現率 {r.recall:.3f}、適合率 {r.precision:.3f}（課が2つ以上の {r.texts:,} 件）")
        if self.segments:
            s = self.segments
            found = f"分野の再現率 {s.recall:.3f}、適合率 {s.precision:.3f}、正しい位置の文字 {s.in_place:.1%}"
            lines.append(f"  長い手紙の区切り: {found}、境目の F1 {s.boundary_f1:.3f}、WindowDiff {s.window_diff:.3f}（{s.letters:,} 通）")
        if self.masking:
            lines += _masking_text(self.masking)
        return "\n".join(lines)


def evaluate(
    annotate: Annotate, voices: Sequence[Example | GoldVoice], *, masking: Sequence[MaskedText] = (), words: Taxonomy | None = None
) -> Report:
    """Labels the texts and compares; a facet that no voice has a label for is left out.

    Args:
        annotate: gives an annotation for each text.
        voices: labelled texts.
        masking: texts with their personal data marked.
        words: the city's taxonomy; with it, departments are scored by those that answer for the given topics.
    """
    given = [voice if isinstance(voice, GoldVoice) else GoldVoice.of(voice) for voice in voices]
    annotations = annotate([voice.text for voice in given])
    pairs = list(zip(given, annotations, strict=True))
    outcomes = dict(_outcomes(pairs, words))
    return Report(
        texts=len(given),
        facets={name: FacetScore.of(outcome) for name, outcome in outcomes.items()},
        outcomes=outcomes,
        related=score_related(pairs, words) if words else None,
        segments=score_segments(pairs),
        masking=score_masking([(text, said.pii) for text, said in zip(masking, annotate([t.text for t in masking]), strict=True)])
        if masking
        else None,
    )


def _outcomes(pairs: Sequence[tuple[GoldVoice, Annotation]], words: Taxonomy | None) -> Iterable[tuple[str, Outcome]]:
    def listed(name: str, voice: GoldVoice) -> list[str]:
        if name == "theme":
            return [theme for theme, _ in voice.topics]
        if name == "subtheme":
            # A second topic without its 中分類 can't be hit.
            return [subtheme for _, subtheme in voice.topics] if voice.topics and voice.topics[0][1] else []
        if name == "department":
            return _departments(voice, words) if words else []
        return [getattr(voice, name)] if getattr(voice, name) else []

    for name in FACET_NAMES:
        known = [(labels, getattr(said, name)) for voice, said in pairs if (labels := listed(name, voice))]
        if known:
            yield name, Outcome.of([labels for labels, _ in known], [label for _, label in known])


def _departments(voice: GoldVoice, words: Taxonomy) -> list[str]:
    """The departments of a voice's topics, the main one's first; none when that one is nobody's.

    A topic without 中分類 tells no department, unless its theme has none.
    """
    divided = {theme.name for theme in words.themes if theme.subthemes}
    names = [words.department_of(theme, subtheme) if subtheme or theme not in divided else "" for theme, subtheme in voice.topics]
    return list(dict.fromkeys(filter(None, names))) if names and names[0] else []


def score_related(pairs: Sequence[tuple[GoldVoice, Annotation]], words: Taxonomy) -> RelatedScore | None:
    """Voices that concern two departments or more; ``None`` when none does."""
    known = [(set(names), {said.department.label, *said.related}) for voice, said in pairs if len(names := _departments(voice, words)) > 1]
    if not known:
        return None
    both = sum(len(wanted & said) for wanted, said in known)
    return RelatedScore(
        len(known), _share(both, sum(len(wanted) for wanted, _ in known)), _share(both, sum(len(said) for _, said in known))
    )  # fmt: skip


def score_segments(pairs: Sequence[tuple[GoldVoice, Annotation]]) -> SegmentScore | None:
    """Letters whose stretches a person marked; ``None`` when there is none."""
    letters = [(voice, said) for voice, said in pairs if len(voice.segments) > 1]
    if not letters:
        return None
    wanted = [{segment.topic[0] for segment in voice.segments} for voice, _ in letters]
    found = [{segment.theme for segment in said.segments} for _, said in letters]
    both = sum(len(own & others) for own, others in zip(wanted, found, strict=True))
    right = hits = marked = said_boundaries = characters = 0
    windows = []
    for voice, said in letters:
        length = len(voice.text)
        wanted_themes = _theme_of_each(length, [(s.start, s.end, s.topic[0]) for s in voice.segments])
        said_themes = _theme_of_each(length, [(s.start, s.end, s.theme) for s in said.segments])
        right += sum(one == other for one, other in zip(wanted_themes, said_themes, strict=True))
        characters += length
        own, others = [s.start for s in voice.segments[1:]], [s.start for s in said.segments[1:]]
        hits += same_boundaries(own, others)
        marked, said_boundaries = marked + len(own), said_boundaries + len(others)
        windows.append(window_diff(own, others, length=length))
    return SegmentScore(
        letters=len(letters),
        topics=sum(map(len, wanted)),
        recall=_share(both, sum(map(len, wanted))),
        precision=_share(both, sum(map(len, found))),
        in_place=_share(right, characters),
        boundary_f1=_share(2 * hits, marked + said_boundaries),
        window_diff=float(np.mean(windows)),
    )


def same_boundaries(wanted: Sequence[int], said: Sequence[int]) -> int:
    """How many said boundaries are wanted ones, each wanted one counted once."""
    left = list(wanted)
    hits = 0
    for place in said:
        near = [one for one in left if abs(one - place) <= _SAME_BOUNDARY]
        if near:
            left.remove(min(near, key=lambda one: abs(one - place)))
            hits += 1
    return hits


def window_diff(wanted: Sequence[int], said: Sequence[int], *, length: int) -> float:
    """The share of windows, half a mean wanted segment wide, that hold another number of boundaries; 0 is best, 1 worst."""
    width = max(1, round(length / (len(wanted) + 1) / 2))
    starts = np.arange(max(1, length - width + 1))

    def inside(boundaries: Sequence[int]) -> NDArray[np.int64]:
        marks = np.zeros(length + 1, dtype=np.int64)
        marks[list(boundaries)] = 1
        sums = np.concatenate([[0], np.cumsum(marks)])
        return np.asarray(sums[np.minimum(starts + width, length + 1)] - sums[starts], dtype=np.int64)

    return float((inside(wanted) != inside(said)).mean())


def score_masking(pairs: Sequence[tuple[MaskedText, Sequence[PiiSpan]]]) -> MaskingReport:
    """Found personal data against the marked, by type; and the share of clean texts that was masked for nothing."""
    counts: dict[str, list[int]] = {}
    for text, found in pairs:
        covered = {place for span in found for place in range(span.start, span.end)}
        for mark in text.pii:
            row = counts.setdefault(mark.type, [0, 0, 0, 0])
            row[0] += 1
            row[1] += covered.issuperset(range(mark.start, mark.end)) and _touched(mark, found)
        for span in found:
            row = counts.setdefault(span.type, [0, 0, 0, 0])
            row[2] += 1
            row[3] += _touched(span, text.pii)
    clean = [(text, found) for text, found in pairs if not text.pii]
    masked = sum(span.end - span.start for _, found in clean for span in found)
    return MaskingReport(
        texts=len(pairs),
        types={name: MaskScore(*counts[name]) for name in sorted(counts)},
        clean_texts=len(clean),
        clean_masked=_share(masked, sum(len(text.text) for text, _ in clean)),
    )


def _touched(span: PiiSpan, others: Sequence[PiiSpan]) -> bool:
    return any(other.type == span.type and other.start < span.end and span.start < other.end for other in others)


def _theme_of_each(length: int, stretches: Iterable[tuple[int, int, str]]) -> list[str]:
    themes = [""] * length
    for start, end, theme in stretches:
        themes[start:end] = [theme] * (min(end, length) - start)
    return themes


def _masking_text(masking: MaskingReport) -> list[str]:
    lines = [f"マスキング: {masking.texts:,} 件で測定"]
    for name, row in [("全体", masking.total), *masking.types.items()]:
        lines.append(
            f"  {name}: 再現率 {row.recall:.3f}（{row.masked}/{row.marked}）、適合率 {row.precision:.3f}（{row.rightly}/{row.found}）"
        )
    return [*lines, f"  伏せるもののない {masking.clean_texts:,} 件で、伏せた文字は {masking.clean_masked:.3%}"]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
