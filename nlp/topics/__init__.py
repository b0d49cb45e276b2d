"""Topics (話題) from voices: BERTopic as the frame, EVoC to discover, spherical k-means to assign and to keep.

``words`` and ``space`` turn voices into vectors, ``discovery`` finds groups nobody knew, ``grouping`` assigns, ``identity`` keeps topics
themselves, ``matching`` tells which group continues which topic, ``description`` names them, ``layout`` draws the map. Those are pure;
``reading``, ``store``, ``fit``, ``update`` and ``service`` know the tables, and ``service`` is the door.
"""

from nlp.topics.description import Description, describe
from nlp.topics.discovery import discover, warm_up
from nlp.topics.division import halves
from nlp.topics.grouping import REST, UNSEEN, Grouping, Hold, assign, middles, parents, place
from nlp.topics.space import embed
from nlp.topics.words import Document, Ints, Term, Words, document

__all__ = [
    "REST",
    "UNSEEN",
    "Description",
    "Document",
    "Grouping",
    "Hold",
    "Ints",
    "Term",
    "Words",
    "assign",
    "describe",
    "discover",
    "document",
    "embed",
    "halves",
    "middles",
    "parents",
    "place",
    "warm_up",
]
