"""Counts of voices by day and by month, kept in step with the voices, so that no dashboard scans them.

A row counts the voices of a day by nothing (``facet`` is ""), by one attribute, or by two whose names are in alphabetical order
(中分類 only by itself). A value may be "", a voice without 所管課 say; that a row counts by one attribute alone, ``by_facet`` "" tells.
``topic`` is the id of the topic that a voice is in, as text, "" as long as it is in none; topics above it are summed from those below.
Whoever adds, relabels or removes voices, or puts them into another topic, says so here in the same transaction.
"""

from core.facts.changes import add, move, remove
from core.facts.cuts import ATTRIBUTES, COLUMNS, OWN, attributes_of, hold, rows_of, share
from core.facts.reading import Step, cross, daily, is_counted, series, series_of, span, totals, voices_with
from core.facts.recount import Difference, differences, rebuild, recount_topics

__all__ = [
    "ATTRIBUTES",
    "COLUMNS",
    "OWN",
    "Difference",
    "Step",
    "add",
    "attributes_of",
    "cross",
    "daily",
    "differences",
    "hold",
    "is_counted",
    "move",
    "rebuild",
    "recount_topics",
    "remove",
    "rows_of",
    "series",
    "series_of",
    "share",
    "span",
    "totals",
    "voices_with",
]
