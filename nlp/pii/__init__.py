"""Personal data in Japanese text: what points at a person or a dwelling is found, and its placeholder put in its place.

``find`` and ``doubts`` look at one text, ``mask`` takes what they found; ``recogniser`` decides doubts.
"""

from nlp.pii.doubtful import doubts
from nlp.pii.finding import find, mask
from nlp.pii.spans import settle

__all__ = ["doubts", "find", "mask", "settle"]
