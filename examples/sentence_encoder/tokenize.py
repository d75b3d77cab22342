"""Turns a table of texts and labels into a file of token ids and labels, row by row.

python -m examples.sentence_encoder.tokenize --texts=out/reviews/train.csv \\
    --output=out/reviews/train.jsonl
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import tqdm
from absl import flags

from examples.sentence_encoder import pretrained
from examples.sentence_encoder.wordpiece import WordPiece
from examples.text_embeddings import reviews
from hub_estimator import command_line, errors, files

_logger = logging.getLogger("hub_estimator")  # shown like the package's own log
_UNKNOWN_FORMAT = "%s is neither a .jsonl nor a .tfrecord file. Give --output one of these endings."


class UnknownFormatError(errors.Error, ValueError):
    """The ending of a file's name does not say in which format to write it."""


class Row(NamedTuple):
    """One text: its token ids, filled up with zeros, and its label."""

    input_ids: list[int]
    label: int


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    texts = {
        "texts": "A CSV file with the columns text and label.",
        "output": "The file to write: .jsonl for lines of JSON, .tfrecord for tf.Examples.",
        "vocabulary": "A file with one token per line, such as a module's assets/vocab.txt, in "
        "place of the installed one.",
    }
    for name, help_text in texts.items():
        flags.DEFINE_string(name, None, help_text, flag_values=values)
    flags.DEFINE_integer(
        "length", 128, "How many ids each row has.", lower_bound=3, flag_values=values
    )
    flags.DEFINE_integer(
        "max_texts", None, "Take only the first so many texts.", lower_bound=1, flag_values=values
    )
    flags.mark_flags_as_required(["texts", "output"], values)
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return command_line.run(_tokenize, define_flags(), argv, str(__doc__))


def _tokenize(values: flags.FlagValues) -> None:
    output = files.as_path(values.output)
    writers = {".jsonl": _as_json_lines, ".tfrecord": _as_records}
    ending = os.path.splitext(output)[1]
    if ending not in writers:
        raise UnknownFormatError(_UNKNOWN_FORMAT % output)
    vocabulary = values.vocabulary or os.path.join(pretrained.find_installed(), "vocab.txt")
    reads = [("--texts", values.texts), ("the vocabulary", vocabulary)]
    files.check_output("The output", output, reads)
    table = reviews.read_table(values.texts)[: values.max_texts]
    rows = make_rows(table, pretrained.read_vocabulary(vocabulary), values.length)
    files.make_folder(files.parent(output) or ".")
    files.write_bytes(output, writers[ending](rows))
    _logger.info("Wrote %d rows of %d token ids.", len(table), values.length)
    print(output)


def make_rows(
    table: Sequence[reviews.Review], vocabulary: Sequence[str], length: int
) -> Iterator[Row]:
    """Yields a row for each text.

    Args:
      table: texts and labels.
      vocabulary: the tokens; a token's id is its place.
      length: how many ids a row has; longer texts are cut off, shorter ones filled up with 0.

    Raises:
      wordpiece.VocabularyError: the vocabulary lacks a token that every text needs.
    """
    tokens = WordPiece(vocabulary)
    for text, label in tqdm.tqdm(table, desc="Tokenizing", unit=" texts", disable=None):
        yield Row(tokens.ids(text, length), label)


def _as_json_lines(rows: Iterable[Row]) -> bytes:
    return "".join(f"{json.dumps(row._asdict())}\n" for row in rows).encode("utf-8")


def _as_records(rows: Iterable[Row]) -> bytes:
    with command_line.quiet_start():
        import tensorflow as tf

    def feature(numbers: Sequence[int]) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=numbers))

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.tfrecord")
        with tf.io.TFRecordWriter(path) as writer:
            for row in rows:
                features = {"input_ids": feature(row.input_ids), "label": feature([row.label])}
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
        return files.read_bytes(path)


if __name__ == "__main__":
    sys.exit(run(sys.argv))
