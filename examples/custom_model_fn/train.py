"""Fine-tunes an image module with a hand-written model_fn, exports it, and uses it again.

python -m examples.custom_model_fn.train --module=out/digits_module --model_dir=out/custom
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from absl import flags

from examples import commands
from hub_estimator import files


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string("module", None, "The image module.", flag_values=values, required=True)
    flags.DEFINE_string(
        "model_dir", None, "The folder for checkpoints and the exported module.",
        flag_values=values, required=True,
    )  # fmt: skip
    flags.DEFINE_bool("fine_tune", True, "Whether the module is trained too.", flag_values=values)
    flags.DEFINE_integer("steps", 300, "Optimizer steps.", lower_bound=1, flag_values=values)
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_train, define_flags(), argv, str(__doc__))


def _train(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    from examples.custom_model_fn import model
    from examples.image_module import digits

    files.check_output("The model folder", values.model_dir, [("--module", values.module)])
    parts = digits.load()
    result = model.train(values.module, parts, values.model_dir, values.fine_tune, values.steps)
    print(f"accuracy on {len(parts.test.labels)} held-out digits: {result.accuracy:.4f}")
    print("The module's features alone, each digit taken for the class with the nearest mean:")
    for name in (values.module, result.module):
        print(f"  {model.nearest_mean_accuracy(name, parts):.4f}  {name}")


if __name__ == "__main__":
    sys.exit(run(sys.argv))
