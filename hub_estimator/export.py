"""Exports the modules of a trained model, or the whole model for serving, from its model folder.

    python -m hub_estimator.export --model_dir=/tmp/model --export_path=/modules/mine
    python -m hub_estimator.export --model_dir=/tmp/model --export_path=/modules/best \\
        --checkpoint=best --best_by=accuracy
    python -m hub_estimator.export --model_dir=/tmp/model --export_path=/models/mine/1 --what=model

The folder appears whole or not at all. In it each module has a folder of its name, the handle for
hub.Module; a whole model is a SavedModel, which TensorFlow Serving takes. A training whose
configuration gave its module no name is exported with --gin_bindings="Encoder.export_name='mine'".

Exit status: 0 exported; 1 an error, in one line that starts with `error:`; 2 wrong flags; 130 or
143 stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from hub_estimator import command_line, model_command


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = model_command.define_flags()
    model_command.define_checkpoint(values)
    flags.DEFINE_string(
        "export_path", None, "The folder to make.", flag_values=values, required=True
    )
    flags.DEFINE_enum(
        "what", "modules", ["modules", "model"], "The modules in the model, or the whole model for "
        "serving.", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_enum(
        "receives", "features", ["features", "files", "examples"], "--what=model: what a request "
        "gives: each feature by its name, the same with images as files (PNG, JPEG, BMP or GIF), "
        "or serialized tf.Examples.", flag_values=values,
    )  # fmt: skip
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name and its flags.

    Returns:
      The exit status.
    """
    return command_line.run(_export, define_flags(), argv, str(__doc__))


def _export(values: flags.FlagValues) -> None:
    with model_command.experiment(values) as experiment:
        from hub_estimator import training

        made = training.export(
            experiment,
            values.model_dir,
            values.export_path,
            checkpoint=model_command.checkpoint_choice(values),
            what=values.what,
            receives=values.receives,
        )
        for path in made.modules or (made.path,):
            kind = "module" if made.modules else "model"
            print(f"Exported {kind} of step {made.step}: {path}")


if __name__ == "__main__":
    command_line.main(run)
