"""Publishes a sentence encoder from pre-trained weights; by default those of all-MiniLM-L6-v2.

python -m examples.sentence_encoder.export --export_path=out/sentence_encoder
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from absl import flags

from examples import commands


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "export_path", None, "The folder of the new module.", flag_values=values, required=True
    )
    flags.DEFINE_string(
        "weights", None,
        "A folder with config.json, vocab.txt and model.safetensors of a BERT-like sentence "
        "encoder, in place of the installed one.",
        flag_values=values,
    )  # fmt: skip
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_export, define_flags(), argv, str(__doc__))


def _export(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    from examples import publishing
    from examples.sentence_encoder import module, pretrained

    path = publishing.check_free(values.export_path, weights=values.weights)
    weights = values.weights or pretrained.find_installed()
    print(module.publish(pretrained.read(weights), path))


if __name__ == "__main__":
    sys.exit(run(sys.argv))
