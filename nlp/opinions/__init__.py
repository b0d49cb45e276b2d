"""What a voice holds of what: 主題 → 評価 from GiNZA's dependencies, what it asks for, what it asks to know, for or against.

``opinions`` reads texts and knows no tables; ``nlp.opinions.service`` keeps what was read.
"""

from nlp.opinions.polarity import Polarity
from nlp.opinions.reading import Opinions, Pair, Span, load, opinions, version
from nlp.opinions.stance import Side, Stance

__all__ = ["Opinions", "Pair", "Polarity", "Side", "Span", "Stance", "load", "opinions", "version"]
