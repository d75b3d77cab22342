"""TensorFlow's log on the terminal: each record once, whoever else writes there."""

from __future__ import annotations

from tests.compat.programs import run

# Each case is as a program of its own: root logger and absl's handler are as at the start.
START = """
import logging, sys
from hub_estimator import compat
compat.install()
compat.install()
import tensorflow as tf
from absl import app, flags, logging as absl_logging

def say(_=None):
    tf.compat.v1.logging.info("of tensorflow")
    absl_logging.warning("of absl")
    logging.getLogger("mine").warning("of mine")

def case(name):
    print("case", name, file=sys.stderr)
    for handler in list(logging.root.handlers):
        logging.root.removeHandler(handler)
    tf.get_logger().propagate = True

tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.INFO)
case("alone")
tf.compat.v1.logging.info("of tensorflow")
case("configured")
logging.basicConfig(format="mine: %(message)s")
say()
case("configured, not handed on")
tf.get_logger().propagate = False
logging.basicConfig(format="mine: %(message)s")
say()
case("configured to a file")
logging.basicConfig(filename=sys.argv[1])
tf.compat.v1.logging.info("of tensorflow")
case("absl to a file")
flags.FLAGS(sys.argv[:1])
absl_logging.use_absl_handler()
handler = absl_logging.get_absl_handler()
handler.use_absl_log_file("log", sys.argv[2])
say()
handler.python_handler.stream = sys.stderr
case("absl")
app.run(say, sys.argv[:1])
"""
OURS = "INFO:tensorflow:of tensorflow"
EXPECTED = {
    "alone": [OURS],
    # A handler of the program shows all in its own form; one to a file shows nothing here.
    "configured": ["mine: of tensorflow", "mine: of absl", "mine: of mine"],
    "configured, not handed on": [OURS, "mine: of absl", "mine: of mine"],
    "configured to a file": [OURS],
    "absl to a file": [OURS],
    # absl's shows what is not TensorFlow's.
    "absl": [OURS, "of absl", "of mine"],
}


def _sections(text):
    """The lines of each case, as far as they are of the log, without absl's time and place."""
    sections = {}
    for line in text.splitlines():
        if line.startswith("case "):
            lines = sections.setdefault(line.removeprefix("case "), [])
        elif sections and "of " in line:
            lines.append(line.rpartition("] ")[2])
    return sections


def test_each_record_is_shown_once(tmp_path):
    root_log = tmp_path / "root.log"
    result = run(START, str(root_log), str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert _sections(result.stderr) == EXPECTED
    # Files have all.
    assert root_log.read_text() == f"{OURS}\n"
    of_absl = (tmp_path / "log.INFO").read_text().splitlines()
    assert [line.rpartition("] ")[2] for line in of_absl] == [
        "of tensorflow", "of absl", "of mine",
    ]  # fmt: skip
