"""Says what a module, a SavedModel or a checkpoint is, and what differs between two.

    python -m hub_estimator.inspect https://example.com/text/1
    python -m hub_estimator.inspect my_module --json
    python -m hub_estimator.inspect my_module --diff=my_tuned_module

It takes what hub.Module takes: a folder, an archive or a URL; also the prefix of a checkpoint, or a
folder of checkpoints, for the latest one. Nothing of it is run, whatever it holds. The documentation
says what each key of --json means.

Exit status: 0 done, whether or not two differ; 1 an error, in one line that starts with `error:`; 2
wrong flags.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from absl import flags

from hub_estimator import command_line, json_text


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_bool("json", False, "Print it as JSON, with everything.", flag_values=values)
    flags.DEFINE_string(
        "diff", None, "A second one: print what is otherwise in it, with the values that changed, and "
        "by how much.", flag_values=values,
    )  # fmt: skip
    flags.register_validator(
        "diff", lambda value: value != "", "It is empty; give it a module.", flag_values=values
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name, a handle, flags.

    Returns:
      The exit status.
    """
    words, argv = command_line.without_words(define_flags(), argv)
    if words is not None and len(words) != 1 and not command_line.asks_for_help(argv):
        print(f"error: Give one module to look at, not {len(words)}.", file=sys.stderr)
        return command_line.USAGE
    return command_line.run(
        lambda values: _inspect(values, *(words or [])), define_flags(), argv, str(__doc__)
    )


def _inspect(values: flags.FlagValues, handle: str) -> None:
    with command_line.quiet_start():
        import hub_estimator as hub
        from hub_estimator import description_text

        describe, compare_modules = hub.describe, hub.compare_modules
    if values.diff is None:
        described = describe(handle)
        to_text = description_text.description_text
        print(json_text.text(described) if values.json else to_text(described), end="")
    else:
        difference = compare_modules(handle, values.diff)
        as_text = description_text.difference_text
        print(json_text.text(difference) if values.json else as_text(difference), end="")


if __name__ == "__main__":
    command_line.main(run)
