"""A full disk, a limit of the size of files, too little memory: one line, and later it goes on."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import evaluate, predict, train
from tests import text_data

pytestmark = pytest.mark.one_tensorflow

DISK_BYTES = 48 << 20


def module_fn():
    """As `text_data.module_fn`, with a table of 2.5 MB."""
    text = tf.compat.v1.placeholder(tf.string, [None])
    rows = tf.strings.to_hash_bucket_fast(text, 10_000)
    table = tf.compat.v1.get_variable("embeddings", [10_000, 64])
    hub.add_signature(inputs={"text": text}, outputs=tf.nn.embedding_lookup(table, rows))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder of a module, `module`, and of data, `data.csv`."""
    folder = tmp_path_factory.mktemp("files")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(folder / "module", session)
    text_data.write_data(folder / "data.csv")
    return folder


@pytest.fixture
def run(files, capsys):
    """Trains by the command up to a step; returns the status and the last line of its log."""

    def run(model_dir, max_steps, *further):
        settings = {
            "MODULE": f"{files}/module", "TRAIN_DATA": f"{files}/data.csv",
            "EVAL_DATA": f"{files}/data.csv", "FINE_TUNE": True, "MAX_STEPS": max_steps,
        }  # fmt: skip
        bindings = [f"--gin_bindings={name}={value!r}" for name, value in settings.items()]
        further = (*text_data.LEAN, *further)
        bindings += [f"--gin_bindings={binding}" for binding in further]
        status = train.run(["train", "--gin_file=smoke.gin", *bindings, f"--model_dir={model_dir}"])
        return status, capsys.readouterr().err.splitlines()[-1]

    return run


@pytest.fixture
def disk(tmp_path):
    """A small disk."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(place)]
    try:
        made = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if made.returncode:
        pytest.skip(f"a disk cannot be made here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk, left):
    """Fills a disk up to some bytes."""
    space = os.statvfs(disk)
    with open(disk / "filler", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - left)


def is_full(line):
    return line.startswith("error: ") and line.endswith(
        ". Free or choose another place, and run the same command again."
    ) and "[Errno 28] No space left on device: '" in line  # fmt: skip


def test_a_disk_that_is_full(disk, run, capsys, files):
    model_dir = disk / "model"
    assert run(model_dir, 10)[0] == 0
    for left in (0, 100 << 10, 3 << 20):  # for no file, for small ones, for a part of a checkpoint
        fill(disk, left)
        status, line = run(model_dir, 20)
        assert status == 1 and is_full(line), line
        (disk / "filler").unlink()
    fill(disk, 0)
    assert evaluate.run(["evaluate", f"--model_dir={model_dir}", "--name=x"]) == 1
    log = capsys.readouterr().err
    assert is_full(log.splitlines()[-1]) and "Traceback" not in log
    assert not (model_dir / "metrics_x.jsonl").exists()
    flags = [f"--model_dir={model_dir}", f"--input={files}/data.csv", f"--output={disk}/o.csv"]
    assert predict.run(["predict", *flags]) == 1
    assert is_full(capsys.readouterr().err.splitlines()[-1])
    assert not (disk / "o.csv").exists()
    (disk / "filler").unlink()
    assert run(model_dir, 20)[0] == 0
    assert sorted(name for name in os.listdir(model_dir) if "temp" in name or "tmp" in name) == []


@contextlib.contextmanager
def files_of_at_most(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_limit_of_the_size_of_files(tmp_path, run):
    model_dir = tmp_path / "model"
    with files_of_at_most(1 << 20):
        status, line = run(model_dir, 10)
    assert status == 1 and line.startswith("error: [Errno 27] File too large: '")
    assert line.endswith(
        ". Raise the limit of the size of files (ulimit -f), and run the same command again."
    )
    assert run(model_dir, 10)[0] == 0


def test_too_little_memory(tmp_path, run):
    model_dir = tmp_path / "model"
    plain = "Optimization.optimizer=@GradientDescentOptimizer"
    # Of the variables one has 36 TB.
    status, line = run(model_dir, 10, "DenseLayers.units=[300_000, 30_000_000]", plain)
    assert status == 1 and line == (
        "error: There is too little memory. Take a smaller batch or module, or a machine with more "
        "memory, and run the same command again."
    )
    assert run(model_dir, 10)[0] == 0
