"""By how much values changed, of each type that checkpoints hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.format.checkpoint import Value, write_checkpoint
from hub_estimator.format.description import value_changes
from hub_estimator.format.description.value_changes import (
    Pair,
    ValueChange,
    is_comparable,
)


def changes(folder, before, after):
    """What is said of two values under the name `w`."""
    for name, value in {"first": before, "second": after}.items():
        write_checkpoint(str(folder / name), [Value("w", "", np.asarray(value))])
    pair = Pair("w", "w", "w", 8)
    return value_changes.value_changes(str(folder / "first"), str(folder / "second"), [pair])


def test_numbers(tmp_path):
    before, after = np.float32([[1, 2], [3, 4]]), np.float32([[1, 2], [0, 8]])
    (found,) = changes(tmp_path, before, after)
    assert found == ValueChange("w", 4, 2, 4.0, 2.5, math.sqrt(7.5), 0)
    assert changes(tmp_path, before, before) == ()


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_pieces_make_no_difference(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(value_changes, "_CHUNK", chunk)
    before = np.arange(7, dtype=np.float64)
    (found,) = changes(tmp_path, before, before + [0, 1, 0, 2, 0, 3, 0])
    assert found == ValueChange("w", 7, 3, 3.0, math.sqrt(2), math.sqrt(13), 0)


def test_what_is_no_number(tmp_path):
    inf, nan = np.inf, np.nan
    before = np.float32([nan, nan, inf, inf, -inf, 1, 3])
    after = np.float32([nan, 0, inf, 0, inf, nan, 5])
    (found,) = changes(tmp_path, before, after)
    assert found == ValueChange("w", 7, 5, 2.0, 2.0, 3.0, 4)
    (found,) = changes(tmp_path, np.float32([nan]), np.float32([1]))
    assert found == ValueChange("w", 1, 1, None, None, None, 1)
    assert changes(tmp_path, np.float32([nan, inf]), np.float32([nan, inf])) == ()


def test_differences_beyond_all_numbers(tmp_path):
    (found,) = changes(tmp_path, np.float64([-1.7e308]), np.float64([1.7e308]))
    assert found == ValueChange("w", 1, 1, None, None, None, 0)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_whole_numbers_are_exact(tmp_path, dtype):
    high = int(np.iinfo(dtype).max)
    (found,) = changes(tmp_path, dtype([high, 5]), dtype([high - 1, 5]))
    assert (found.changed, found.largest) == (1, 1.0)
    low = int(np.iinfo(dtype).min)
    (found,) = changes(tmp_path, dtype([high]), dtype([low]))
    assert found.largest == float(high - low)


def test_other_types(tmp_path):
    half = tf.bfloat16.as_numpy_dtype
    (found,) = changes(tmp_path, np.array([1, 2], half), np.array([1, 4], half))
    assert (found.changed, found.largest) == (1, 2.0)
    (found,) = changes(tmp_path, np.complex64([0, 1j]), np.complex64([3 + 4j, 1j]))
    assert (found.changed, found.largest) == (1, 5.0)
    (found,) = changes(tmp_path, np.array([True, False]), np.array([False, False]))
    assert (found.changed, found.largest) == (1, 1.0)
    (found,) = changes(tmp_path, np.array([], np.float32), np.array([], np.float32)) or (None,)
    assert found is None


@pytest.mark.parametrize("number", [4_000_000_000, 2**63 - 1, -(2**63)])
def test_whole_numbers_whose_squares_are_none_of_their_type(tmp_path, number):
    (found,) = changes(tmp_path, np.int64([number, 0]), np.int64([number, 2]))
    before = math.sqrt(float(number) ** 2 / 2)
    assert found == ValueChange("w", 2, 1, 2.0, math.sqrt(2), before, 0)


def test_texts(tmp_path):
    before, after = np.array([b"a", b"b", b"c"], object), np.array([b"a", b"x", b""], object)
    (found,) = changes(tmp_path, before, after)
    assert found == ValueChange("w", 3, 2, None, None, None, 0)


def test_what_cannot_be_compared():
    assert [is_comparable(name) for name in ("float32", "string", "variant", "resource")] == [
        *(True, True),
        *(False, False),
    ]


def test_damaged_values_are_named(tmp_path):
    changes(tmp_path, np.float32([1]), np.float32([2]))
    (tmp_path / "second.data-00000-of-00001").write_bytes(b"\0\0\0\0")
    pairs = [Pair("w", "w", "w", 4)]
    with pytest.raises(errors.DamagedCheckpointError) as raised:
        value_changes.value_changes(str(tmp_path / "first"), str(tmp_path / "second"), pairs)
    assert str(raised.value) == (
        f"The checkpoint {str(tmp_path / 'second')!r} is damaged: second.data-00000-of-00001 does not "
        "hold what was saved: its checksum is another one. Give another one."
    )


def test_one_pair_is_in_memory_at_a_time(tmp_path, monkeypatch):
    values = [Value(f"w{number}", "", np.zeros(1 << 18, np.float32)) for number in range(8)]
    for name in ("first", "second"):
        write_checkpoint(str(tmp_path / name), values)
    alive, most = set(), []
    read = value_changes._read

    class Counted(np.ndarray):
        def __del__(self):
            alive.discard(id(self))

    def counting(*args):
        value = read(*args).view(Counted)
        alive.add(id(value))
        most.append(len(alive))
        return value

    monkeypatch.setattr(value_changes, "_read", counting)
    pairs = [Pair(value.key, value.key, value.key, 1 << 20) for value in values]
    assert (
        value_changes.value_changes(str(tmp_path / "first"), str(tmp_path / "second"), pairs) == ()
    )
    assert len(most) == 16 and max(most) == 2
