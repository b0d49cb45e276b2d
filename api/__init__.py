"""HTTP pages, JSON API and the command line: composes everything, decides nothing."""
