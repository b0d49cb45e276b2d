"""What the parts of a series should have had: a topic in a district, a topic by a channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlp.surge.days import Ints
from nlp.surge.expected import GUARD, LEAST_PAST, WEEK, Expectation, spread_of, windows
from nlp.surge.regression import Floats

_OWN = 3.0  # voices from which a part's own share weighs as much as the district's
_WHOLE = 44.0  # voices of a district from which its late volume weighs as much as its volume before
_FORGETS = 0.97  # a week


@dataclass(frozen=True, slots=True)
class PartExpectation:
    """Of shape (rows, parts, windows) each, as in ``Expectation``; ``known`` (parts,) tells which have past enough."""

    observed: Floats
    mean: Floats
    spread: Floats
    doubt: Floats
    known: Floats


def expect_parts(counts: Ints, whole: Expectation) -> PartExpectation:
    """The expectations of rows cut into parts.

    A part follows its row's season and trend and its district's volume; its own share of both is learnt from its past. A district or
    channel that as a whole gets more than it used to raises the expectation of all its parts, except by what the part itself adds.

    Args:
        counts: voices a day, shape (rows, parts, days).
        whole: the rows' own expectations.
    """
    rows, parts, days = counts.shape
    weeks = (days - GUARD) // WEEK
    past = counts[:, :, days - GUARD - weeks * WEEK : days - GUARD]
    seen = past.reshape(rows, parts, weeks, WEEK).sum(axis=3).astype(np.float64)
    weight = _FORGETS ** np.arange(weeks)[::-1]
    volume = (seen * weight).sum(axis=(0, 2)) + 1e-9
    share = volume / volume.sum()
    meant = (whole.week_means * weight).sum(axis=1)[:, None] * share
    own = ((seen * weight).sum(axis=2) + _OWN) / (meant + _OWN)
    usual = whole.week_means[:, None, :] * (share * own)[:, :, None]
    spread = spread_of(seen.reshape(rows * parts, weeks), usual.reshape(rows * parts, weeks)).reshape(rows, parts)
    late = windows(counts)
    mean = whole.mean[:, None, :] * (share * own)[:, :, None]
    far = 3 * np.sqrt(spread[:, :, None] * mean) + 1
    rest = _others(np.clip(late, mean - far, mean + far))
    meant_rest = _others(mean)
    first = np.argmax(counts.sum(axis=0) > 0, axis=1)
    return PartExpectation(
        observed=late,
        mean=mean * (rest + _WHOLE) / (meant_rest + _WHOLE),
        spread=np.broadcast_to(spread[:, :, None], late.shape),
        doubt=whole.doubt[:, None, :] + (1 / (meant + _OWN))[:, :, None] + 1 / (meant_rest + _WHOLE),
        known=(days - GUARD - first >= LEAST_PAST) & (volume > 1),
    )


def _others(values: Floats) -> Floats:
    return np.asarray(values.sum(axis=0) - values)
