"""A file, a form or a mail becomes voices: read, map, normalise, hand to nlp, save."""
