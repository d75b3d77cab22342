"""Uses damaged copies of a module, and tells of each what came of it; run by `test_damage.py`.

    python -m tests.format.damage <case> <scratch folder> <first> <last>

It makes the module itself: TensorFlow numbers functions by what was made in a process before, and
the damage is to meet the same bytes each time.

Each line of its output is a number and an outcome: `error` (an `errors.Error`), `tensorflow` (an
error of TensorFlow's while it runs the graph), `output`, or `wrong` with what happened. A number
without an outcome is a crash.
"""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import sys
import traceback

import numpy as np
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from tests import modules
from tests.modules import tf1


def damage(folder: pathlib.Path, seed: int) -> str:
    """Damages one file of a module; returns what was done."""
    choice = random.Random(seed)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    # Twice as often where most of a module is.
    file = choice.choice([*files, folder / "saved_model.pb"])
    content = bytearray(file.read_bytes())
    how = choice.choice(["flip", "flip", "flip", "flip", "flip", "cut", "cut", "empty", "remove"])
    place = choice.randrange(len(content))
    if how == "flip":
        content[place] ^= 1 << choice.randrange(8)
    elif how == "cut":
        del content[place:]
    elif how == "empty":
        content.clear()
    if how == "remove":
        file.unlink()
    else:
        file.write_bytes(bytes(content))
    return f"{how} {file.relative_to(folder)} at {place}"


def use(path: str, case: modules.Case) -> list[dict[str, object]]:
    """Does with a module what programs do, and returns the outputs."""
    spec = hub.load_module_spec(path)
    found = []
    for call in case.calls:
        spec.get_input_info_dict(call.signature, tags=call.tags)
        with tf.Graph().as_default():
            module = hub.Module(spec, trainable=True, tags=call.tags)
            inputs = {key: modules.as_tensor(value) for key, value in call.inputs.items()}
            outputs = module(inputs, signature=call.signature, as_dict=True)
            try:
                with tf1.Session() as session:
                    modules.initialize(session)
                    found.append(session.run(outputs))
            except tf.errors.OpError as error:
                raise RunError from error
    return found


class RunError(Exception):
    """TensorFlow found the damage itself, while it ran the graph, and says so."""


def outcome(path: str, case: modules.Case, expected: list[dict[str, object]]) -> str:
    try:
        found = use(path, case)
    except errors.Error:
        return "error"
    except RunError:
        return "tensorflow"
    except Exception as error:  # noqa: BLE001  what else there is, is what is looked for
        return f"wrong {error!r} " + " ".join(traceback.format_exc().split("\n")[-6:])
    for one, other in zip(found, expected, strict=True):
        # Bytes of constants, and what an output is called, have no checksum in the format; the
        # type of an output that both have must be that of the undamaged module.
        for key in set(one) & set(other):
            if not isinstance(np.asarray(one[key]), np.ndarray):
                return f"wrong {key} is {one[key]!r}"
    return "output"


def main() -> None:
    name, scratch, first, last = sys.argv[1:]
    case = modules.CASES[name]
    spec = modules.define(hub, name, f"{scratch}/sources")
    module = modules.export(hub, spec, f"{scratch}/module")
    expected = use(module, case)
    for seed in range(int(first), int(last)):
        path = pathlib.Path(scratch, f"{name}_{seed}")
        shutil.copytree(module, path)
        did = damage(path, seed)
        print(seed, did, end=" => ", flush=True)
        print(outcome(os.fspath(path), case, expected).replace("\n", " "), flush=True)
        shutil.rmtree(path)


if __name__ == "__main__":
    main()
