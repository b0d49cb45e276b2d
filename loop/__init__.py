"""What happens to a voice after it came in: labels decided by people, answers, publication, and the figures of it."""
