"""Trains on movie reviews with three text modules, each frozen and fine-tuned; prints a table.

python -m examples.results --folder=out/results

Each run is text_classification.gin with another MODULE or FINE_TUNE. All accuracies are on the same
5,000 held-out reviews after the last step. The figures beside them are those that the official
tutorial printed, on its own modules and split. Interrupted, it goes on when run again; finished runs
are not repeated.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from absl import flags

from examples import commands
from hub_estimator import files, training

if TYPE_CHECKING:
    from examples.text_embeddings.vectors import WordVectors

_logger = logging.getLogger("hub_estimator")  # shown like the package's own log

CONFIG = "text_classification.gin"


class Source(NamedTuple):
    """A module to train on.

    Attributes:
      name: the name of its folder.
      title: what the table calls it.
      vectors: makes its word vectors, called with the path of the training reviews.
      tutorial: the test accuracies of the official text classification tutorial of TF Hub for
        Estimators, frozen and fine-tuned: with nnlm-en-dim128, or the same with random weights.
    """

    name: str
    title: str
    vectors: Callable[[str], WordVectors]
    tutorial: tuple[str, str]


class Row(NamedTuple):
    """A row of the table."""

    module: str
    training: str
    accuracy: float
    tutorial: str


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "folder", None, "Where reviews, modules and models go.", flag_values=values, required=True
    )
    flags.DEFINE_integer(
        "max_steps", 2_000, "Optimizer steps of each run.", lower_bound=1, flag_values=values
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_measure, define_flags(), argv, str(__doc__))


def _measure(values: flags.FlagValues) -> None:
    print(as_table(measure(values.folder, values.max_steps)))


def measure(folder: files.PathLike, max_steps: int) -> list[Row]:
    """Prepares, publishes and trains all that is not there yet.

    Args:
      folder: where reviews, modules and models go.
      max_steps: optimizer steps of each run.
    """
    from examples.text_embeddings import module as text_module
    from examples.text_embeddings import reviews

    folder = files.as_path(folder)
    data = reviews.write_split(files.join(folder, "reviews"))
    rows = []
    for source in sources():
        module = files.join(folder, "modules", source.name)
        if not files.exists(files.join(module, "tfhub_module.pb")):
            vectors = source.vectors(files.join(data, "train.csv"))
            text_module.publish(vectors, module)
        for fine_tune, how in enumerate(("frozen", "fine-tuned")):
            model_dir = files.join(folder, "models", f"{source.name}_{how}")
            accuracy = train(model_dir, module, data, bool(fine_tune), max_steps)
            rows.append(Row(source.title, how, accuracy, source.tutorial[fine_tune]))
    return rows


def sources() -> list[Source]:
    """Returns the modules: own vectors, real pre-trained ones, and random ones."""
    return [
        Source("own", "word vectors from the training texts", _own, ("0.792", "0.872")),
        Source("token", "token embeddings of all-MiniLM-L6-v2", _token, ("0.792", "0.872")),
        Source("random", "random vectors of the same tokens", _random, ("0.691", "not given")),
    ]


def _own(texts: str) -> WordVectors:
    from examples.text_embeddings import from_texts, reviews

    return from_texts.make_vectors([review.text for review in reviews.read_table(texts)])


def _token(texts: str) -> WordVectors:
    from examples.sentence_encoder import pretrained, word_vectors

    del texts
    return word_vectors.token_vectors(pretrained.read(pretrained.find_installed()))


def _random(texts: str) -> WordVectors:
    from examples.sentence_encoder import word_vectors

    return word_vectors.random_vectors(_token(texts))


def train(model_dir: str, module: str, data: str, fine_tune: bool, max_steps: int) -> float:
    """Trains one model, or goes on where it was interrupted, or takes what a finished run found.

    Args:
      model_dir: its folder.
      module: the module's folder.
      data: the folder with `train.csv` and `test.csv`.
      fine_tune: whether the module is trained too.
      max_steps: optimizer steps.

    Returns:
      The accuracy on `test.csv` after the last step.
    """
    found = training.ModelFolder(model_dir).evaluations_so_far()
    if found and found[-1]["step"] >= max_steps:
        _logger.info("The run %s is finished already.", model_dir)
        return float(found[-1]["accuracy"])
    _logger.info("Training the model %s.", model_dir)
    settings = {
        "MODULE": module,
        "TRAIN_DATA": files.join(data, "train.csv"),
        "EVAL_DATA": files.join(data, "test.csv"),
        "FINE_TUNE": fine_tune,
        "MAX_STEPS": max_steps,
        # One evaluation: the held-out reviews choose nothing, not even when to stop.
        "Experiment.eval_every_steps": max_steps,
    }
    bindings = [f"{name} = {value!r}" for name, value in settings.items()]
    with training.from_gin([CONFIG], bindings) as experiment:
        result = training.train_and_evaluate(experiment, model_dir)
    return float(result.metrics["accuracy"])


def as_table(rows: Sequence[Row]) -> str:
    """Returns the rows as a table in Markdown."""
    lines = [
        "| module | trained | accuracy | the tutorial's |",
        "|---|---|---|---|",
        *(
            f"| {row.module} | {row.training} | {row.accuracy:.4f} | {row.tutorial} |"
            for row in rows
        ),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run(sys.argv))
