"""Composes modules into a new one: each takes the same input, their outputs stand side by side.

python -m examples.compose --module=out/module --module=out/token_embeddings --export_path=out/both
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from absl import flags

import hub_estimator as hub
from examples import commands
from hub_estimator import errors, files

_DIFFERENT = "The modules %s and %s cannot share an input: the first takes %s, the second %s."


class CannotComposeError(errors.Error, ValueError):
    """Modules take different inputs."""


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_multi_string(
        "module", None, "A module; give the flag again for each.", flag_values=values, required=True
    )
    flags.DEFINE_string(
        "export_path", None, "The folder of the new module.", flag_values=values, required=True
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_compose, define_flags(), argv, str(__doc__))


def _compose(values: flags.FlagValues) -> None:
    publish(values.module, values.export_path)
    for handle in (*values.module, values.export_path):
        width = hub.load_module_spec(handle).get_output_info_dict()["default"].get_shape()[-1]
        print(f"{width:6} numbers from {handle}")


def publish(handles: Sequence[str], export_path: str) -> str:
    """Publishes a module made of others, with their values and assets; they may go afterwards.

    It has the variants that all of them have. Whoever uses it may train all of its variables.

    Args:
      handles: the modules; the default signature of each has one input, alike for all.
      export_path: the new module's folder; it appears whole or not at all.

    Returns:
      The new module's folder.

    Raises:
      CannotComposeError: the modules' inputs differ.
      publishing.ModuleExistsError: there is a module.
      errors.OutputIsInputError: it would be one of the others, or a part of one.
    """
    import tensorflow as tf

    from examples.publishing import check_free

    path = check_free(export_path)
    files.check_output("The module", path, [("--module", handle) for handle in handles])
    specs = [hub.load_module_spec(handle) for handle in handles]
    _check_inputs(handles, specs)
    shared = [tags for tags in specs[0].get_tags() if all(tags in s.get_tags() for s in specs)]
    variants = [(tags, {"handles": handles, "tags": tags}) for tags in shared]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn, variants))
        # The first values of the new module's variables are read from the others.
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(path, session)
    return path


def module_fn(handles: Sequence[str], tags: Iterable[str]) -> None:
    """Builds the new module's graph: the outputs of the others, `[B, D1 + D2 + ...]`.

    Args:
      handles: the modules.
      tags: which variant of each.
    """
    import tensorflow as tf

    parts = [
        hub.Module(handle, trainable=True, name=f"part_{number}", tags=tags)
        for number, handle in enumerate(handles)
    ]
    ((name, info),) = parts[0].get_input_info_dict().items()
    given = tf.compat.v1.placeholder(info.dtype, info.get_shape(), name=name)
    outputs = tf.concat([part(given) for part in parts], axis=-1)
    hub.add_signature(inputs={name: given}, outputs=outputs)


def _check_inputs(handles: Sequence[str], specs: Sequence[hub.ModuleSpec]) -> None:
    inputs = [_inputs(spec) for spec in specs]
    for handle, found in zip(handles, inputs, strict=True):
        if len(found) != 1 or found[0][1:] != inputs[0][0][1:]:
            given = (handles[0], handle, _listed(inputs[0]), _listed(found))
            raise CannotComposeError(_DIFFERENT % given)


def _inputs(spec: hub.ModuleSpec) -> list[tuple[str, str, str]]:
    """Returns the name, the type and the shape of each input."""
    infos = spec.get_input_info_dict()
    return [(name, info.dtype.name, str(info.get_shape())) for name, info in infos.items()]


def _listed(inputs: Iterable[tuple[str, str, str]]) -> str:
    return " and ".join(f"{dtype} {shape}" for _, dtype, shape in inputs) or "nothing"


if __name__ == "__main__":
    sys.exit(run(sys.argv))
