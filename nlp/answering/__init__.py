"""What an answer is drafted from, and what is checked before it is approved. Pure; ``loop.drafting`` has the tables."""
