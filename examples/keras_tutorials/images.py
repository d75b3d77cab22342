"""Classifies images with a module in a Keras model, which is trained with it or on top of it.

python -m examples.keras_tutorials.images --module=out/digits_module --digits=out/digits

The model is that of TF Hub's tutorial for images, and `tf.keras` whichever Keras is installed; what
differs from the tutorial is the import, and the data: digits that are on this machine.
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

BATCH = 32  # images
RATE = 0.005  # as the tutorial has it


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    texts = {
        "module": "The image module, or a TF2 SavedModel that takes images.",
        "digits": "The folder of train and test, which have a folder of images for each digit.",
    }
    for name, help_text in texts.items():
        flags.DEFINE_string(name, None, help_text, flag_values=values, required=True)
    flags.DEFINE_bool("fine_tune", True, "Whether the module is trained too.", flag_values=values)
    flags.DEFINE_integer("epochs", 20, "Times over the data.", lower_bound=1, flag_values=values)
    flags.DEFINE_string("save_path", None, "Where to save the model: x.keras.", flag_values=values)
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_classify, define_flags(), argv, str(__doc__))


def _classify(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    import numpy as np

    from examples.keras_tutorials import saving

    if values.save_path is not None:
        saving.check_path(values.save_path, module=values.module, digits=values.digits)
    train, test = (_batches(values.digits, part) for part in ("train", "test"))
    model = make_model(values.module, values.fine_tune, len(train.class_names))
    model.fit(
        train.map(_normalized),
        validation_data=test.map(_normalized),
        epochs=values.epochs,
        verbose=2,
    )
    _, accuracy = model.evaluate(test.map(_normalized), verbose=0)
    print(f"accuracy on {len(test.file_paths)} held-out images: {accuracy:.4f}")
    if values.save_path is not None:
        loaded = saving.save_and_load(model, values.save_path)
        for images, labels in test.map(_normalized).take(1):
            found = np.argmax(loaded.predict(images, verbose=0), axis=-1)
            wanted = np.argmax(labels, axis=-1)
        print("of ten images, found: ", *(train.class_names[index] for index in found[:10]))
        print("               wanted:", *(train.class_names[index] for index in wanted[:10]))


def make_model(module: str, fine_tune: bool, num_classes: int) -> Any:
    """Returns the compiled model: images, float32 `[B, H, W, C]` in [0, 1], to logits `[B, N]`.

    H, W and C are those that the module wants.
    """
    import tensorflow as tf

    import hub_estimator as hub

    spec = hub.load_module_spec(module)
    height, width = hub.get_expected_image_size(spec)
    channels = hub.get_num_image_channels(spec)
    model = tf.keras.Sequential(
        [
            tf.keras.layers.InputLayer((height, width, channels)),
            hub.KerasLayer(module, trainable=fine_tune),
            tf.keras.layers.Dropout(0.2),
            tf.keras.layers.Dense(num_classes, kernel_regularizer=tf.keras.regularizers.L2(0.0001)),
        ]
    )
    model.build((None, height, width, channels))
    model.summary()
    model.compile(
        optimizer=tf.keras.optimizers.SGD(learning_rate=RATE, momentum=0.9),
        loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=["accuracy"],
    )
    return model


def _batches(folder: str, part: str) -> tf.data.Dataset:
    import tensorflow as tf

    return tf.keras.utils.image_dataset_from_directory(
        files.join(folder, part),
        label_mode="categorical",
        color_mode="grayscale",
        image_size=(8, 8),
        batch_size=BATCH,
        shuffle=part == "train",
        seed=1,
    )


def _normalized(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return images / 255.0, labels


if __name__ == "__main__":
    sys.exit(run(sys.argv))
