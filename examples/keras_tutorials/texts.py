"""Classifies texts with a module as the first layer of a Keras model.

python -m examples.keras_tutorials.texts --module=out/module --reviews=out/reviews

The model is that of TF Hub's tutorial for texts, and `tf.keras` whichever Keras is installed; what
differs from the tutorial is the import, and the data: reviews that are on this machine.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from examples import commands
from hub_estimator import files

if TYPE_CHECKING:
    import tensorflow as tf

VALIDATION = 0.2  # of the training data
BATCH, SHUFFLED = 512, 10_000  # reviews


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    texts = {
        "module": "The text module, or a TF2 SavedModel that takes texts.",
        "reviews": "The folder of train.csv and test.csv with the columns text and label.",
    }
    for name, help_text in texts.items():
        flags.DEFINE_string(name, None, help_text, flag_values=values, required=True)
    flags.DEFINE_bool("fine_tune", True, "Whether the module is trained too.", flag_values=values)
    flags.DEFINE_integer("epochs", 10, "Times over the data.", lower_bound=1, flag_values=values)
    flags.DEFINE_string("save_path", None, "Where to save the model: x.keras.", flag_values=values)
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_classify, define_flags(), argv, str(__doc__))


def _classify(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    import tensorflow as tf

    from examples.keras_tutorials import saving

    if values.save_path is not None:
        saving.check_path(values.save_path, module=values.module, reviews=values.reviews)
    train, validation, test = (
        _batches(values.reviews, part) for part in ("train", "validation", "test")
    )
    model = make_model(values.module, values.fine_tune)
    model.summary()
    model.fit(
        train.shuffle(SHUFFLED // BATCH),
        validation_data=validation,
        epochs=values.epochs,
        verbose=2,
    )
    _, accuracy = model.evaluate(test, verbose=0)
    count = sum(len(labels) for _, labels in test)
    print(f"accuracy on {count} held-out reviews: {accuracy:.4f}")
    if values.save_path is not None:
        loaded = saving.save_and_load(model, values.save_path)
        texts = tf.constant(["a touching, wonderful film", "a dull and terrible waste of time"])
        for text, logit in zip(texts.numpy(), loaded.predict(texts, verbose=0)[:, 0], strict=True):
            print(f"{tf.sigmoid(logit).numpy():8.4f}  {text.decode()}")


def make_model(module: str, fine_tune: bool) -> Any:
    """Returns the compiled model: texts, string `[B]`, to logits, float32 `[B, 1]`."""
    import tensorflow as tf

    import hub_estimator as hub

    model = tf.keras.Sequential(
        [
            hub.KerasLayer(module, input_shape=[], dtype=tf.string, trainable=fine_tune),
            tf.keras.layers.Dense(16, activation="relu"),
            tf.keras.layers.Dense(1),
        ]
    )
    model.compile(
        optimizer="adam",
        loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def _batches(folder: str, part: str) -> tf.data.Dataset:
    """Returns the reviews of `train`, `validation` or `test`: texts `[B]` and labels int64 `[B]`."""
    import tensorflow as tf

    from examples.text_embeddings import reviews

    table = "test.csv" if part == "test" else "train.csv"
    rows = reviews.read_table(files.join(folder, table))
    held = 0 if part == "test" else int(len(rows) * VALIDATION)
    chosen = rows[:held] if part == "validation" else rows[held:]
    columns = ([row.text for row in chosen], [row.label for row in chosen])
    return tf.data.Dataset.from_tensor_slices(columns).batch(BATCH)


if __name__ == "__main__":
    sys.exit(run(sys.argv))
