"""What the system refused, in one line."""

from __future__ import annotations

import errno
import os

import pytest
import tensorflow as tf

from hub_estimator import command_failures

AGAIN = "and run the same command again."
NO_MEMORY = (
    "There is too little memory. Take a smaller batch or module, or a machine with more memory, "
    f"{AGAIN}"
)
IN_A_GRAPH = (
    "Graph execution error:\n\nDetected at node 'save/SaveV2' defined at (most recent call last):\n"
    "<stack traces unavailable>\nNode: 'save/SaveV2'\nmy dir/model.ckpt-0_temp/part-0; %s\n"
    "\t [[{{node save/SaveV2}}]]\n\nOriginal stack trace for 'save/SaveV2':\n"
)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, f"Free or choose another place, {AGAIN}"),
        (errno.EDQUOT, f"Free or choose another place, {AGAIN}"),
        (errno.EFBIG, f"Raise the limit of the size of files (ulimit -f), {AGAIN}"),
        (errno.EACCES, f"Choose a place that you have permission for, {AGAIN}"),
        (errno.EPERM, f"Choose a place that you have permission for, {AGAIN}"),
        (errno.EROFS, f"Choose a place that can be written to, {AGAIN}"),
        (errno.EIO, "Once that is solved, run the same command again."),
    ],
)
def test_what_python_and_tensorflow_say_of_a_file(number, advice):
    text = os.strerror(number)
    own = OSError(number, text, "my dir/model.ckpt-0_temp/part-0")
    expected = f"[Errno {number}] {text}: 'my dir/model.ckpt-0_temp/part-0'. {advice}"
    assert command_failures.message(own) == expected
    for said in (IN_A_GRAPH % text, f"my dir/model.ckpt-0_temp/part-0; {text}"):
        for kind in (tf.errors.ResourceExhaustedError, tf.errors.UnknownError):
            assert command_failures.message(kind(None, None, said)) == expected
        assert command_failures.message(RuntimeError(said)) == expected


def test_other_errors_of_files():
    error = FileExistsError("There is already 'a' in b.")
    expected = "There is already 'a' in b. Once that is solved, run the same command again."
    assert command_failures.message(error) == expected


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 8 TiB"),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[9]"),
    ],
)
def test_memory(error):
    assert command_failures.message(error) == NO_MEMORY


def test_a_filesystem_that_nobody_knows():
    with pytest.raises(tf.errors.UnimplementedError) as caught:
        tf.io.gfile.exists("zzz://x/y")
    assert command_failures.message(caught.value) == (
        "No filesystem zzz:// is known here. Give a local path, or one that tf.io.gfile reads."
    )


@pytest.mark.parametrize(
    "error",
    [
        ValueError("No space left on device"),
        ZeroDivisionError(),
        RuntimeError("Session is closed"),
        tf.errors.InvalidArgumentError(None, None, "Matrix size-incompatible"),
    ],
)
def test_faults_are_none_of_these(error):
    assert command_failures.message(error) is None
