"""`Module()`, a first call, the initializers, a call of another signature; operations made."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from benchmarks.programs import common

tf1 = tf.compat.v1


def measure(library: Any, module: str, tags: set[str], second: str) -> dict[str, float]:
    """Returns the figures of one instance; a variant with tags is trainable, as in fine-tuning."""
    clock = common.Clock()
    with tf.Graph().as_default() as graph:
        with clock("module"):
            made = library.Module(module, trainable=bool(tags), tags=tags)
        inputs = placeholders(made)
        with clock("call"):
            made(inputs, as_dict=True)
        operations = len(graph.get_operations())
        with tf1.Session() as session, clock("initialize"):
            session.run(tf1.global_variables_initializer())
        with clock("second"):
            made(inputs, signature=second, as_dict=True)
    seconds = clock.seconds
    total = seconds["module"] + seconds["call"] + seconds["initialize"]
    return {**seconds, "total": total, "operations": operations}


def placeholders(module: Any) -> dict[str, tf.Tensor]:
    """Returns a placeholder for each input of a module's default signature."""
    infos = module.get_input_info_dict()
    return {
        name: tf1.placeholder(info.dtype, info.get_shape(), name) for name, info in infos.items()
    }


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--tag", action="append", default=[], help="a tag of the variant")
    parser.add_argument("--second", required=True, help="the signature of the second call")
    arguments = parser.parse_args()
    library = common.load(arguments.library)
    common.report(**measure(library, arguments.module, set(arguments.tag), arguments.second))


if __name__ == "__main__":
    main()
