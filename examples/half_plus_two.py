"""The smallest module: defined, exported, loaded again and called.

python -m examples.half_plus_two --export_path=out/half_plus_two
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from absl import flags

import hub_estimator as hub
from examples import commands

GIVEN = np.array([0, 1, 2, 10], np.float32)


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "export_path", None, "The folder of the new module.", flag_values=values, required=True
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_show, define_flags(), argv, str(__doc__))


def _show(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    from examples.publishing import check_free

    path = check_free(values.export_path)
    export(path)
    print(f"Published {path}. It computes 0.5 * x + 2:")
    for x, y in zip(GIVEN, call(path, GIVEN), strict=True):
        assert y == 0.5 * x + 2, f"The module gives {y} for {x}."
        print(f"  {x:4g} -> {y:g}")


def module_fn() -> None:
    """Builds the module's graph: float32 `[B]` in, `half * x + two` of the same shape out."""
    import tensorflow as tf

    x = tf.compat.v1.placeholder(tf.float32, [None], name="x")
    half = tf.compat.v1.get_variable("half", initializer=0.5)
    two = tf.compat.v1.get_variable("two", initializer=2.0)
    hub.add_signature(inputs={"x": x}, outputs={"default": half * x + two})


def export(path: str) -> None:
    """Exports the module with its initial values to the folder `path`."""
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(path, session)


def call(path: str, x: np.ndarray) -> np.ndarray:
    """Returns what the module in the folder `path` gives for float32 `[B]`."""
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        y = hub.Module(path)(tf.constant(x))
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run(y)


if __name__ == "__main__":
    sys.exit(run(sys.argv))
