"""What a word is: the same rule in Python, for counting, and in a graph, for the module."""

from __future__ import annotations

import re

import tensorflow as tf

# Applied in this order to lower-case text. RE2, which TensorFlow uses, and Python agree on them.
# Only ASCII is taken out, so words of any language stay whole.
_TAGS = r"<[^<>]*>"  # the line breaks of text that was cut from web pages
_APOSTROPHES = r"['’]"  # "don't" is one word
_PUNCTUATION = r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+"
_RULES = ((_TAGS, " "), (_APOSTROPHES, ""), (_PUNCTUATION, " "))
_COMPILED = tuple((re.compile(pattern), by) for pattern, by in _RULES)


def split_text(text: str) -> list[str]:
    """Returns the words of `text`: lower case, without markup and punctuation."""
    text = text.lower()
    for pattern, by in _COMPILED:
        text = pattern.sub(by, text)
    return [word for word in text.split(" ") if word]


def split_texts(texts: tf.Tensor) -> tf.RaggedTensor:
    """Adds the ops that do for each text what `split_text` does.

    Args:
      texts: string `[B]`, UTF-8.

    Returns:
      Ragged string `[B, (T)]`: the words of each text.
    """
    texts = tf.strings.lower(texts, encoding="utf-8")
    for pattern, by in _RULES:
        texts = tf.strings.regex_replace(texts, pattern, by)
    return tf.strings.split(texts)
