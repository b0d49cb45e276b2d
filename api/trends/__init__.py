"""Trends: what people talk about, how much, and since when."""
