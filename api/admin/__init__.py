"""Pages for the people who run the system: imports and background jobs."""
