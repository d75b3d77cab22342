"""A text embedding module: texts in, the weighted sums of their words' vectors out."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

import hub_estimator as hub
from examples import publishing
from examples.text_embeddings.vectors import WordVectors
from examples.text_embeddings.words import split_texts
from hub_estimator import files

tf1 = tf.compat.v1
_logger = logging.getLogger("hub_estimator")  # shown like the package's own log

VARIABLE = "embeddings"


def make_module_fn(
    vocabulary_path: str,
    num_words: int,
    width: int,
    longest_phrase: int = 1,
    num_oov_buckets: int = 1,
    l2_strength: float = 0.0,
) -> Callable[[], None]:
    """Makes the `module_fn` of a text embedding module.

    Its default signature takes texts, string `[B]`, and gives float32 `[B, D]`: the sum of the
    vectors of a text's words and known phrases, divided by the square root of their number; zeros
    for a text without words. The words that the vocabulary lacks share `num_oov_buckets` vectors
    by their hashes. All vectors are one variable, `embeddings`, zeros until values are assigned:
    as constants they would be in the graph, and a graph must stay below 2 GB.

    Args:
      vocabulary_path: a file with one word or phrase per line; the module carries a copy.
      num_words: the number of lines in it.
      width: `D`.
      longest_phrase: the most words that a line holds; 1 looks up single words only.
      num_oov_buckets: at least 1.
      l2_strength: how much half the squared sum of the vectors adds to the loss of fine-tuning.
    """

    def module_fn() -> None:
        texts = tf1.placeholder(tf.string, [None], name="texts")
        table = tf.lookup.StaticVocabularyTable(
            tf.lookup.TextFileInitializer(
                vocabulary_path,
                key_dtype=tf.string,
                key_index=tf.lookup.TextFileIndex.WHOLE_LINE,
                value_dtype=tf.int64,
                value_index=tf.lookup.TextFileIndex.LINE_NUMBER,
                vocab_size=num_words,  # so that a file that was cut is found
            ),
            num_oov_buckets,
        )
        embeddings = tf1.get_variable(
            VARIABLE,
            [num_words + num_oov_buckets, width],
            initializer=tf1.zeros_initializer(),
            regularizer=(lambda x: l2_strength * tf.nn.l2_loss(x)) if l2_strength else None,
        )
        ids = _ids(split_texts(texts), table, num_words, longest_phrase)
        sums = tf.nn.safe_embedding_lookup_sparse(embeddings, ids.to_sparse(), combiner="sqrtn")
        hub.add_signature(inputs=texts, outputs=tf.ensure_shape(sums, [None, width]))

    return module_fn


def _ids(
    words: tf.RaggedTensor,
    table: tf.lookup.StaticVocabularyTable,
    num_words: int,
    longest_phrase: int,
) -> tf.RaggedTensor:
    """Looks up words and phrases: ragged string `[B, (T)]` to ragged int64 `[B, (T)]`."""
    ids = [tf.ragged.map_flat_values(table.lookup, words)]
    for length in range(2, longest_phrase + 1):
        phrases = tf.strings.ngrams(words, length, separator=" ")
        found = tf.ragged.map_flat_values(table.lookup, phrases)
        # Their words count anyway, so a phrase that the vocabulary lacks is no unknown word.
        ids.append(tf.ragged.boolean_mask(found, found < num_words))
    return tf.concat(ids, axis=1) if len(ids) > 1 else ids[0]


def publish(
    vectors: WordVectors,
    export_path: files.PathLike,
    num_oov_buckets: int = 1,
    l2_strength: float = 0.0,
) -> str:
    """Publishes a text embedding module with these vectors.

    Args:
      vectors: words, and phrases if there are any, with their vectors.
      export_path: the module's folder; it appears whole or not at all.
      num_oov_buckets: how many vectors, zeros at first, the unknown words share.
      l2_strength: see `make_module_fn`.

    Returns:
      The module's folder.

    Raises:
      publishing.ModuleExistsError: there is a module.
    """
    num_words, width = vectors.vectors.shape
    unknown = np.zeros([num_oov_buckets, width], np.float32)
    # The module carries a copy of the vocabulary, so the file is needed until the export only.
    with tempfile.TemporaryDirectory() as folder:
        spec = hub.create_module_spec(
            make_module_fn(
                _write_vocabulary(folder, vectors.words),
                num_words,
                width,
                longest_phrase=max(word.count(" ") + 1 for word in vectors.words),
                num_oov_buckets=num_oov_buckets,
                l2_strength=l2_strength,
            )
        )
        path = publishing.publish(
            spec, export_path, {VARIABLE: np.concatenate([vectors.vectors, unknown])}
        )
    _logger.info("Published %d vectors, %d wide, as the module %s.", num_words, width, path)
    return path


def _write_vocabulary(folder: str, words: Sequence[str]) -> str:
    path = os.path.join(folder, "vocabulary.txt")
    files.write_text(path, "".join(f"{word}\n" for word in words))
    return path
