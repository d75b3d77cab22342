"""Runs a command that needs TensorFlow, without what TensorFlow writes while it starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from absl import flags

from hub_estimator import command_line


def run(
    command: Callable[[flags.FlagValues], None],
    values: flags.FlagValues,
    argv: Sequence[str],
    doc: str,
) -> int:
    """Parses flags, starts TensorFlow and runs a command; see `command_line.run`."""

    def started(values: flags.FlagValues) -> None:
        with command_line.quiet_start():
            import tensorflow as tf

            tf.config.list_physical_devices()  # where there is no GPU, looking for one is noisy
        command(values)

    return command_line.run(started, values, argv, doc)
