"""Damaged configurations: what is said before anything is imported is what is said after it."""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import sys

from hub_estimator import config, errors
from hub_estimator.jobs import configurables as jobs
from hub_estimator.training import configurables
from tests.config.test_gin_fuzz import CONFIGS, damaged

ROOT = pathlib.Path(__file__).parents[3]
NUMBER = int(os.environ.get("FUZZ", "150"))
GIVEN = ["MODULE='m'", "TRAIN_DATA='t'", "EVAL_DATA='e'"]
# Prints for each file what is said of it; null is nothing.
PROGRAM = """
import json, sys
from hub_estimator import config, errors
from hub_estimator.jobs import configurables as jobs
from hub_estimator.training import configurables

configurables.declare()
jobs.register()
given, messages = json.loads(sys.argv[1]), {}
for name in sys.argv[2:]:
    messages[name] = None
    try:
        with config.early_session([name], given) as session:
            if session is not None:
                session.check_reached("Experiment")
    except errors.ConfigError as error:
        messages[name] = str(error)
assert "tensorflow" not in sys.modules
print(json.dumps(messages))
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
    before = json.loads(result.stdout)
    configurables.register()
    jobs.register()  # which other tests may have done
    said = 0
    for name in names:
        after = None
        try:
            with config.gin_session([name], GIVEN) as session:
                session.check_reached("Experiment")
        except errors.ConfigError as error:
            after = str(error)
        # Parameters of TensorFlow's parts are only known afterwards, to suggest them too.
        if before[name] is not None:
            seen = [
                message.partition(" Did you mean")[0] for message in (before[name], after or "")
            ]
            assert seen[0] == seen[1], (name, pathlib.Path(name).read_bytes())
        said += before[name] is not None
    assert said > NUMBER // 2
