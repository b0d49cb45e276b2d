"""The sample city's three surges are found within days by theme and by matter, and its campaign is told as one."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from core import city
from core.settings import PROJECT_ROOT
from ingest import dates
from nlp.surge.days import kinds_of
from nlp.surge.find import Facet, Rise, find

SAMPLE = PROJECT_ROOT / "data" / "sample"
TRUTH = json.loads((SAMPLE / "truth.json").read_text("utf-8"))
FILES = {"call_log_cp932.csv": ("cp932", "受付番号"), "voices_utf8bom.csv": ("utf-8-sig", "管理番号")}
FIRST, LAST = (date.fromisoformat(TRUTH["period"][name]) for name in ("start", "end"))
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
# The truth's 中分類 stand for topics here: what a fit makes of the texts is its own matter.
NAMES = {"topic": "subtheme", "theme": "theme"}
Counts = dict[str, tuple[list[str], np.ndarray, np.ndarray]]


def received() -> dict[str, date]:
    """The day of each record of the call log and of the letters, by its number."""
    found = {}
    for name, (encoding, heading) in FILES.items():
        with (SAMPLE / name).open(encoding=encoding, errors="replace", newline="") as file:
            for row in csv.DictReader(file):
                try:
                    found[row[heading]] = dates.parse_moment(row.get("受付日時") or row.get("受付日") or "").day
                except dates.DateError:
                    continue  # one of the rows that can't be taken
    return found


@pytest.fixture(scope="module")
def counts() -> Counts:
    """Of topics and themes: their names, their voices a day, and the campaign's after its first."""
    days, seen = received(), False
    rows: dict[str, list[tuple[str, int, bool]]] = defaultdict(list)
    for line in map(json.loads, (SAMPLE / "truth.jsonl").read_text("utf-8").splitlines()):
        if line["file"] in FILES and line["external_id"] in days:
            copy = line["campaign"] and seen
            seen = seen or line["campaign"]
            for facet, name in NAMES.items():
                rows[facet].append((line[name], (days[line["external_id"]] - FIRST).days, copy))
    assert len(rows["theme"]) > 4900
    made = {}
    for facet, records in rows.items():
        names = sorted({name for name, _, _ in records})
        own, copies = np.zeros((2, len(names), len(DAYS)), dtype=int)
        for name, day, copy in records:
            (copies if copy else own)[names.index(name), day] += 1
        made[facet] = (names, own, copies)
    return made


def look(counts: Counts, last: date) -> list[Rise]:
    upto = (last - FIRST).days + 1
    facets = [Facet(name, tuple(names), own[:, :upto], copies[:, :upto]) for name, (names, own, copies) in counts.items()]
    kinds = kinds_of(DAYS[:upto], city.load(PROJECT_ROOT / "data" / "taxonomy").calendar)
    return list(find(facets, kinds, last).rises)


@pytest.mark.parametrize("surge", TRUTH["surges"], ids=lambda surge: surge["name"])
def test_each_surge_is_found_within_four_days(counts: Counts, surge: dict[str, Any]) -> None:
    began = date.fromisoformat(surge["start"])
    found = {(rise.facet, rise.value): rise for rise in look(counts, began + timedelta(days=3))}
    for key in (("topic", surge["subtheme"]), ("theme", surge["theme"])):
        assert not found[key].is_campaign
        assert abs((found[key].since - began).days) <= 1
    assert not [rise for rise in look(counts, began - timedelta(days=1)) if rise.value in (surge["subtheme"], surge["theme"])]


def test_the_campaign_is_not_called_a_surge(counts: Counts) -> None:
    campaign = TRUTH["campaign"]
    began, told = date.fromisoformat(campaign["start"]), set()
    for days in range(0, 30, 3):
        for rise in look(counts, began + timedelta(days=days)):
            if rise.value in (campaign["subtheme"], campaign["theme"]):
                assert rise.is_campaign
                told.add(rise.facet)
    assert told == {"topic", "theme"}


def test_last_of_all_nothing_rises(counts: Counts) -> None:
    assert look(counts, LAST) == []
