"""Makes a module to measure with, as the peer writes it.

python -m benchmarks.modules --name=resnet_v2_50 --path=out/bench/modules/resnet_v2_50
"""

from __future__ import annotations

import argparse
import importlib
from typing import Any

TRAIN = [(set(), {"is_training": False}), ({"train"}, {"is_training": True})]
# The sizes that the networks were made for, and one at which ten epochs end within minutes.
SIZES = {
    "inception_v3": ("inception_v3", 299),
    "resnet_v2_50": ("resnet_v2_50", 224),
    "inception_v3_small": ("inception_v3", 107),
}
NAMES = (*SIZES, "transformer", "text", "text_tf2", "sentences")
# As in the peer's baseline: the words of 20,000 reviews that occur thrice or more, 384 wide.
TEXT_WORDS, TEXT_WIDTH = 21_704, 384


def make(name: str, path: str, library: Any) -> None:
    """Writes a module with random values.

    Args:
      name: one of `NAMES`.
      path: the folder to make.
      library: `tensorflow_hub` or `hub_estimator`.
    """
    if name == "text":
        _make_text(path)
    elif name == "text_tf2":
        _make_text_tf2(path)
    elif name == "sentences":
        _make_sentences(path)
    else:
        _export(_spec(name, library), path, library)


def _spec(name: str, library: Any) -> Any:
    if name == "transformer":
        from benchmarks.networks import transformer

        return library.create_module_spec(transformer.module_fn(library), TRAIN)
    from benchmarks.networks import images

    network, size = SIZES[name]
    return library.create_module_spec(
        images.module_fn(library, network, size), TRAIN, drop_collections=images.DROP[network]
    )


def _export(spec: Any, path: str, library: Any) -> None:
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.set_random_seed(1)
        module = library.Module(spec)
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(path, session)


def _make_text(path: str) -> None:
    """Writes a text embedding module of the words of movie reviews, with random vectors."""
    import collections

    import numpy as np

    from examples.text_embeddings import module, reviews
    from examples.text_embeddings.vectors import WordVectors

    counts = collections.Counter(
        word
        for review in reviews.read_table(reviews.find_installed())
        for word in review.text.lower().split()
    )
    words = [word for word, _ in counts.most_common(TEXT_WORDS)]
    vectors = np.random.RandomState(1).normal(0.0, 0.1, [len(words), TEXT_WIDTH])
    module.publish(WordVectors(words, vectors.astype(np.float32)), path)


def _make_text_tf2(path: str) -> None:
    """Writes the text module as a SavedModel of TensorFlow 2."""
    import tempfile

    import hub_estimator as hub

    with tempfile.TemporaryDirectory() as folder:
        module = f"{folder}/text"
        _make_text(module)
        hub.convert(module, path, to="tf2")


def _make_sentences(path: str) -> None:
    """Writes the sentence encoder of the examples, of six layers, 384 wide, with random weights."""
    import tempfile

    import numpy as np

    from examples.sentence_encoder import module, pretrained

    config = pretrained.Config(
        vocabulary=30_522, positions=512, width=384, inner=1536, layers=6, heads=12, epsilon=1e-12,
        dropout=0.1,
    )  # fmt: skip
    random = np.random.RandomState(1)
    tensors = {
        name: np.ones(shape, np.float32)
        if name.endswith("LayerNorm.weight")
        else random.normal(0.0, 0.02, shape).astype(np.float32)
        for name, shape in pretrained.shapes(config).items()
    }
    with tempfile.NamedTemporaryFile() as vocabulary:
        module.publish(pretrained.Pretrained(config, tensors, vocabulary.name), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--name", required=True, choices=NAMES)
    parser.add_argument("--path", required=True)
    parser.add_argument("--library", default="tensorflow_hub")
    arguments = parser.parse_args()
    make(arguments.name, arguments.path, importlib.import_module(arguments.library))


if __name__ == "__main__":
    main()
