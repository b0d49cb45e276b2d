"""Personal data in Japanese text: what points at a person or a dwelling is found, and its placeholder put in its place.

``find`` and ``doubts`` (or ``look``, both at once) look at one text, ``mask`` takes what they found; ``recogniser`` decides doubts.
"""

from nlp.pii.finding import doubts, find, look, mask
from nlp.pii.spans import settle

__all__ = ["doubts", "find", "look", "mask", "settle"]
