"""Pages for those who run the system: imports and background jobs."""
