"""Trains as gin files say and as the README does: run it with the Python that has the wheel.

    <venv>/bin/python tests/wheel_smoke.py

It works in an empty folder, so that nothing of the checkout can be found by accident.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import tempfile

PUBLISH = """
import pathlib, sys
import hub_estimator as hub
import tensorflow as tf

checkout = pathlib.Path(sys.argv[1])
assert pathlib.Path(hub.__file__).resolve().parent != checkout / "hub_estimator", hub.__file__

def module_fn():
    texts = tf.compat.v1.placeholder(tf.string, [None])
    rows = tf.compat.v1.get_variable("rows", [16, 4])
    ids = tf.strings.to_hash_bucket_fast(texts, 16)
    hub.add_signature(inputs=texts, outputs=tf.nn.embedding_lookup(rows, ids))

with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    module = hub.Module(hub.create_module_spec(module_fn))
    session.run(tf.compat.v1.global_variables_initializer())
    module.export("module", session)
"""


def main() -> None:
    checkout = pathlib.Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        publish = [sys.executable, "-c", PUBLISH, str(checkout)]
        subprocess.run(publish, cwd=folder, check=True)
        rows = "".join(f"text {i},{i % 2}\n" for i in range(40))
        pathlib.Path(folder, "data.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
        train = [sys.executable, "-m", "hub_estimator.train", "--gin_file=smoke.gin"]
        for binding in ("MODULE='module'", "TRAIN_DATA='data.csv'", "EVAL_DATA='data.csv'"):
            train.append(f"--gin_bindings={binding}")
        subprocess.run([*train, "--model_dir=model"], cwd=folder, check=True)
        exported = list(pathlib.Path(folder).glob("model/export/*/*/*/tfhub_module.pb"))
        assert exported, "training exported no module"
        program = run_of_the_readme(checkout)
        found = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, stdout=subprocess.PIPE, check=True
        )
        assert 0 <= float(found.stdout) <= 1
    print("The wheel trains with a packaged config and in Python, and exports the module.")


def run_of_the_readme(checkout: pathlib.Path) -> str:
    """Returns the program of the README, on the module and the data here, with few steps."""
    text = (checkout / "README.md").read_text(encoding="utf-8")
    program = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    changes = {"out/module": "module", "out/python": "python", "2000": "4", "500": "4"}
    changes |= {f"out/reviews/{name}.csv": "data.csv" for name in ("train", "test")}
    for old, new in changes.items():
        assert old in program, old
        program = program.replace(old, new)
    return program


if __name__ == "__main__":
    main()
