"""How soon a surge is reported and how often one is reported that isn't, beside what no test can better.

Usage: python bench/surge.py [--runs N] [--cities N] [--seed N]

Cities of 60 topics with a season, a trend, weekdays, holidays and the luck of each week, two years of past, looked at every day.

- False reports: a year of looks without any surge, all series (topics, themes, districts and channels of topics) by ``nlp.surge.find``.
  A report that goes on is one report; after two quiet weeks it is another one.
- Surges: a topic's mean is multiplied for two weeks; reported or not within its first 7 days. The surged topic alone is tested, with the
  level that one surge among 60 topics must reach.
- The limit: Neyman and Pearson's most powerful test of the seven days' count, for somebody who knows the topic's rate of each day and
  lets pass as many false reports as one a month over 60 topics. No test that looks daily can do better.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from scipy.stats import poisson

from nlp.surge.discoveries import LEVEL, SHARES
from nlp.surge.expected import expect, windows
from nlp.surge.find import LEAST_SURE, find
from nlp.surge.scan import LOOKS, chances, tails
from nlp.surge.simulated import City, city, facets, until

TOPICS = 60
PAST, YEAR = 730, 365
RATES = (5.0, 10.0, 20.0, 40.0, 80.0)
FACTORS = (1.5, 2.0, 3.0)
WITHIN = 7
QUIET = 14
MONTH = 365.25 / 12
ALONE = min(LEAST_SURE, LEVEL * SHARES[0] / TOPICS)
MIXED = np.repeat([2.0, 5.0, 10.0, 20.0, 40.0], TOPICS // 5)


def false_reports(seed: int, cities: int) -> None:
    """Prints the false reports a month, by what rose."""
    rng = np.random.default_rng(seed)
    found: Counter[str] = Counter()
    series, began, looks, tailed = 0, time.perf_counter(), 0, []
    for _ in range(cities):
        made = city(rng, MIXED, days=PAST + YEAR)
        whole = facets(rng, made.counts)
        last: dict[tuple[str, ...], int] = {}
        for day in range(PAST, PAST + YEAR):
            look = find([until(facet, day) for facet in whole], made.kinds[: day + 1], made.days[day])
            series, looks = look.series, looks + 1
            for rise in look.rises:
                key = (rise.facet, rise.value, rise.by_facet, rise.by_value)
                if day - last.get(key, -QUIET) >= QUIET:
                    found[rise.by_facet or rise.facet] += 1
                last[key] = day
            if day % 5 == 0:
                tailed.append(chances(expect(made.counts[:, : day + 1], made.kinds[: day + 1])))
    months = cities * YEAR / MONTH
    said = "、".join(f"{name} {number / months:.2f}" for name, number in sorted(found.items()))
    print(f"false reports a month over {TOPICS} topics ({series} series): {found.total() / months:.2f}   ({said})")
    print(f"over {cities} years of daily looks, {(time.perf_counter() - began) / looks * 1000:.0f} ms a look")
    seen = np.array(tailed)
    print("chances smaller than … came up … times as often as they say: ", end="")
    print("   ".join(f"{level:g}: {(seen <= level).mean() / level:.2f}" for level in (0.1, 0.03, 0.01, 0.003, 0.001)))


def limit(mean: float, factor: float) -> float:
    """The power of the most powerful test of a count whose mean is known, at the level of one false report a month."""
    level = WITHIN / (TOPICS * MONTH)
    bound = int(poisson.isf(level, mean)) + 1  # so many or more are reported always, one less sometimes
    share = (level - poisson.sf(bound - 1, mean)) / poisson.pmf(bound - 1, mean)
    return float(poisson.sf(bound - 1, factor * mean) + share * poisson.pmf(bound - 1, factor * mean))


def surges(seed: int, runs: int, luck: float) -> None:
    """Prints the share of surges reported in time, by rate and factor, beside the limit and the same test with known rates."""
    rng = np.random.default_rng(seed)
    rates = np.repeat(RATES, TOPICS // len(RATES))
    ours: dict[tuple[float, float], list[bool]] = {}
    known: dict[tuple[float, float], list[bool]] = {}
    best: dict[tuple[float, float], list[float]] = {}
    for _ in range(runs):
        start = PAST + int(rng.integers(YEAR - WITHIN))
        made = city(rng, rates, days=start + WITHIN, luck=luck)
        seen = [(day, expect(made.counts[:, : day + 1], made.kinds[: day + 1])) for day in range(start, start + WITHIN)]
        for factor in FACTORS:
            more = np.zeros_like(made.counts)
            more[:, start:] = rng.poisson((factor - 1) * made.means[:, start:])
            with_us = np.zeros(len(rates), dtype=bool)
            with_knowledge = np.zeros(len(rates), dtype=bool)
            for day, found in seen:
                late = windows(made.counts[:, : day + 1] + more[:, : day + 1])
                with_us |= chances(found, late) <= ALONE
                with_knowledge |= _known(made, late, day) <= ALONE
            weeks = made.means[:, start:].sum(axis=1)
            for row, rate in enumerate(rates):
                ours.setdefault((rate, factor), []).append(bool(with_us[row]))
                known.setdefault((rate, factor), []).append(bool(with_knowledge[row]))
                best.setdefault((rate, factor), []).append(limit(float(weeks[row]), factor))
    print(f"\nreported within {WITHIN} days, weeks' luck {luck:g}: ours / the same with every rate known / no test can better")
    print("voices a week   " + "   ".join(f"{f'x{factor:g}':^22}" for factor in FACTORS))
    for rate in RATES:
        cells = [f"{np.mean(table[rate, factor]):6.1%}" for factor in FACTORS for table in (ours, known, best)]
        print(f"{rate:13g}   " + "   ".join(" ".join(f"{cell:>7}" for cell in cells[at : at + 3]) for at in range(0, len(cells), 3)))


def _known(made: City, late: np.ndarray, day: int) -> np.ndarray:
    mean = windows(made.means[:, : day + 1])
    return LOOKS * tails(late, mean, spread=np.ones_like(mean), doubt=np.zeros_like(mean)).min(axis=1)


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--cities", type=int, default=12)
    parser.add_argument("--seed", type=int, default=20261121)
    given = parser.parse_args()
    false_reports(given.seed, given.cities)
    for luck in (0.0, 0.01, 0.03):
        surges(given.seed, given.runs, luck)


if __name__ == "__main__":
    main()
