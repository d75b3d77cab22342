"""Texts to token ids by WordPiece, as BERT's uncased models have it.

A text is cleaned, lower-cased and stripped of accents, and split at spaces and around punctuation
and Chinese characters. Each word is then cut, from its start, into the longest pieces that the
vocabulary has; the pieces after the first are written with a leading `##`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from hub_estimator import errors

PADDING, UNKNOWN, START, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
_LONGEST_WORD = 100  # characters; longer ones are unknown, as in BERT's own tokenizer
_CHINESE = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip
_NO_TOKEN = "The vocabulary lacks the token %r: it is not that of a BERT-like encoder."
_NOT_FIRST = "The token %r has the id %d in the vocabulary, not 0: padding would count as text."


class VocabularyError(errors.Error, ValueError):
    """A vocabulary lacks a token that every text needs."""


class WordPiece:
    """Turns texts into token ids.

    Args:
      vocabulary: the tokens; a token's id is its place.

    Raises:
      VocabularyError: a token that every text needs is not there.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._ids = {token: number for number, token in enumerate(vocabulary)}
        for token in (PADDING, UNKNOWN, START, END):
            if token not in self._ids:
                raise VocabularyError(_NO_TOKEN % token)
        if self._ids[PADDING] != 0:
            raise VocabularyError(_NOT_FIRST % (PADDING, self._ids[PADDING]))
        self._of_words: dict[str, list[int]] = {}

    def ids(self, text: str, length: int) -> list[int]:
        """Returns `length` ids: the text's between `[CLS]` and `[SEP]`, cut off or filled up."""
        found = [self._ids[START]]
        for word in split_words(text):
            if len(found) >= length - 1:
                break
            found += self._ids_of_word(word)
        found = [*found[: length - 1], self._ids[END]]
        return found + [self._ids[PADDING]] * (length - len(found))

    def _ids_of_word(self, word: str) -> list[int]:
        if word not in self._of_words:  # few words make up most of a text
            self._of_words[word] = self._cut(word)
        return self._of_words[word]

    def _cut(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self._ids[UNKNOWN]]
        pieces: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                piece = self._ids.get(prefix + word[start:end])
                if piece is not None:
                    break
            else:
                return [self._ids[UNKNOWN]]
            pieces.append(piece)
            start = end
        return pieces


def split_words(text: str) -> list[str]:
    """Returns the words and punctuation marks of a text, lower case, without accents."""
    text = "".join(map(_cleaned, text))
    text = unicodedata.normalize("NFD", text)
    text = "".join(char for char in text if unicodedata.category(char) != "Mn").lower()
    return "".join(f" {char} " if _is_punctuation(char) else char for char in text).split()


def _cleaned(char: str) -> str:
    code = ord(char)
    is_control = unicodedata.category(char) in ("Cc", "Cf", "Co") and char not in "\t\n\r"
    if is_control or code == 0xFFFD:
        return ""
    if any(first <= code <= last for first, last in _CHINESE):
        return f" {char} "
    return char


def _is_punctuation(char: str) -> bool:
    # Of ASCII all but letters and digits, also what Unicode calls symbols, such as "$".
    return unicodedata.category(char).startswith("P") or (
        char.isascii() and char.isprintable() and not char.isalnum() and char != " "
    )
