"""Does the forecast of what will be late say what comes? Of those said 70–80 %, how many were late.

Usage: python bench/forecast.py [--days N] [--voices N] [--seed N] [--database URL]

A made-up city (loop/simulated_waits.py), and with --database the voices of a real one: every fourth day the forecast is made
from what was known then, for every voice that was open and not overdue. The Brier score stands beside that of somebody who knows how many
are late in all but nothing of the single voice.
"""

from __future__ import annotations

import argparse
from datetime import timedelta

import numpy as np

from core import city, db
from core.calendar import OpenDays
from core.settings import get_settings
from loop.backtest import Handled, of_the_database, score, told
from loop.simulated_waits import departments


def main() -> None:
    """Prints one table for each city."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--voices", type=float, default=25.0, help="a day")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--database")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    show("made-up city", departments(rng, days=given.days, voices_a_day=given.voices), OpenDays())
    if given.database:
        engine = db.connect(given.database)
        with db.reading(engine) as session:
            past = of_the_database(session)
        show("database", past, city.load(get_settings().taxonomy_dir).calendar)


def show(name: str, past: list[Handled], calendar: OpenDays) -> None:
    """Looks at every fourth day from the third month on, as long as all deadlines of that day have passed at the end."""
    first, last = min(voice.received_on for voice in past), max(voice.received_on for voice in past)
    looks = [first + timedelta(days=number) for number in range(90, (last - first).days - 30, 4)]
    found = score(list(told(past, calendar, looks)))
    share = 1 - found.brier / found.brier_of_the_share if found.brier_of_the_share else 0.0
    print(f"\n{name}: {len(past):,} voices, {len(looks)} looks, {found.voices:,} forecasts")
    print(f"Brier {found.brier:.4f}; of the mere share {found.brier_of_the_share:.4f}; {share:.0%} better")
    print("   said    late  forecasts")
    for band in found.bands:
        print(f"{band.said:7.1%} {band.late:7.1%} {band.voices:10,}")


if __name__ == "__main__":
    main()
