"""Damaged configurations: what is said before anything is imported is what is said after it."""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import sys

from tests.config.test_gin_fuzz import CONFIGS, damaged

ROOT = pathlib.Path(__file__).parents[3]
NUMBER = int(os.environ.get("FUZZ", "150"))
GIVEN = ["MODULE='m'", "TRAIN_DATA='t'", "EVAL_DATA='e'"]
# Prints for each file what is said of it before TensorFlow is imported, and after; null is nothing.
PROGRAM = """
import json, sys
from hub_estimator import config, errors
from hub_estimator.training import configurables


def said(name, session_of):
    try:
        with session_of([name], given) as session:
            if session is not None:
                session.check_reached("Experiment")
    except errors.ConfigError as error:
        return str(error)


given = json.loads(sys.argv[1])
configurables.declare()
before = {name: said(name, config.early_session) for name in sys.argv[2:]}
assert "tensorflow" not in sys.modules
configurables.register()
after = {name: said(name, config.gin_session) for name in sys.argv[2:]}
print(json.dumps([before, after]))
"""


def test_the_same_is_said_of_damaged_configurations(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = [path.read_text() for path in sorted(CONFIGS.glob("*.gin"))]
    chance = random.Random(11)
    names = [f"{number}.gin" for number in range(NUMBER)]
    for name in names:
        content = damaged(chance.choice(texts), chance).encode("utf-8", "surrogatepass")
        pathlib.Path(name).write_bytes(content)
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(GIVEN), *names],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr
    before, after = json.loads(result.stdout.splitlines()[-1])
    # Parameters of TensorFlow's parts are only known afterwards, to suggest them too.
    for name in names:
        if before[name] is not None:
            seen = [
                message.partition(" Did you mean")[0]
                for message in (before[name], after[name] or "")
            ]
            assert seen[0] == seen[1], (name, pathlib.Path(name).read_bytes())
    assert sum(message is not None for message in before.values()) > NUMBER // 2
