"""Surges (急増): series of daily counts that rise above what their own past explains.

The parts, in the order in which ``find`` calls them: ``days`` (weekdays and 開庁日), ``regression`` (a quasi-Poisson regression of many
series at once), ``expected`` (what each series should have had), ``scan`` (how sure a rise is, and since when), ``discoveries`` (which of
all series to report). ``service`` alone talks to tables. docs/adr/0030 says why these and with which papers.
"""
