"""What the tokens of one text say together, gathered once: cheap questions that spare most texts the dear ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from nlp.japanese import Part, Token
from nlp.pii.lexicon import CLEAR, family_weight
from nlp.pii.words import masking_words

ANY_NAME = Part.SURNAME | Part.GIVEN_NAME | Part.PERSON
_NOUN, _PROPER = Part.NOUN, Part.PROPER


class Clues:
    """A text's tokens, and what they are as a whole."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        # Columns, for the loops over all tokens that every text pays.
        self.words: tuple[str, ...]
        self.parts: tuple[int, ...]
        self.words, _, self.parts, _, _ = zip(*tokens, strict=True) if tokens else ((), (), (), (), ())
        self.surfaces = set(self.words)
        # Places in the text of nouns, and of proper nouns: names, places, firms.
        self.nouns = [index for index, part in enumerate(self.parts) if part & _NOUN]
        self.proper = [index for index in self.nouns if self.parts[index] & _PROPER]
        proper = {self.parts[index] for index in self.proper}
        self.names = any(part & ANY_NAME for part in proper)
        self.surnames = any(part & Part.SURNAME for part in proper)

    @cached_property
    def _family_ends(self) -> dict[int, int]:
        return {token.start: token.end for token in self.tokens if token.part & Part.SURNAME}

    @cached_property
    def _starts(self) -> set[int]:
        return {token.start for token in self.tokens}

    @cached_property
    def _noun_ends(self) -> set[int]:
        return {token.end for token in self.tokens if token.part & Part.NOUN and not token.part & (Part.VAGUE | Part.NUMBER)}

    @cached_property
    def _given_ends(self) -> dict[int, int]:
        return {token.start: token.end for token in self.tokens if token.part & Part.GIVEN_NAME}

    def is_family(self, start: int, end: int) -> bool:
        """Whether the tokenizer takes the stretch for a family name."""
        return self._family_ends.get(start) == end

    def is_given(self, start: int, end: int) -> bool:
        """Whether the tokenizer takes the stretch for a given name."""
        return self._given_ends.get(start) == end

    def begins_token(self, at: int) -> bool:
        """Whether a token begins here."""
        return at in self._starts

    def is_word(self, start: int, end: int) -> bool:
        """Whether the stretch is made of whole tokens and its last is a noun that names something (not 来る, 今, 一人)."""
        return start in self._starts and end in self._noun_ends

    def family_weight(self, word: str, start: int) -> int:
        """The word's weight at this place: as much as a word that is nothing else, where the tokenizer takes it for a family name.

        One kanji is too little for the tokenizer to judge by, 福島 too often the land.
        """
        weight = family_weight(word)
        if weight and len(word) > 1 and self._family_ends.get(start) == start + len(word) and word not in masking_words().lands:
            return CLEAR
        return weight
