"""The lengths of records: those that cannot be true are found before TensorFlow believes them."""

from __future__ import annotations

import gzip
import os
import pathlib
import struct
import zlib

import pytest
import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.training.inputs import record_framing

PACKED = {"": bytes, "GZIP": gzip.compress, "ZLIB": zlib.compress}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "records"


def framed(path, *records) -> bytes:
    """Records as TensorFlow frames them."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for each in records:
            writer.write(each)
    return path.read_bytes()


def header(length) -> bytes:
    """The header of a record with a length and the checksum that belongs to it."""
    content = struct.pack("<Q", length)
    crc = record_framing._crc(content)
    return content + struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def test_the_checksum_is_tensorflows(path):
    for length in (0, 1, 255, 35615, 70000):
        assert framed(path, bytes(length))[:12] == header(length)


@pytest.mark.parametrize("compression", PACKED)
@pytest.mark.parametrize("first", [b"", b"a", bytes(0x8B1F), bytes(0x9C78)])
def test_how_a_file_is_compressed(path, compression, first):
    # Lengths whose first bytes are the marks of gzip and of zlib.
    content = framed(path, first, b"b")
    path.write_bytes(PACKED[compression](content))
    found, start = record_framing.opened(str(path))
    assert found == compression and start == content[: len(start)] and len(start) >= 17
    assert record_framing.is_framed(start)
    dataset = tf.data.TFRecordDataset(str(path), found)
    iterator = tf.compat.v1.data.make_one_shot_iterator(dataset)
    with tf.compat.v1.Session() as session:
        assert session.run(iterator.get_next()) == first


@pytest.mark.parametrize("content", [b"", b"a", b"text,label\n", b"\x1f\x8b", b"\x78\x9c\x00\x00"])
def test_what_holds_no_records(path, content):
    path.write_bytes(content)
    assert not record_framing.is_framed(record_framing.opened(str(path))[1])
    record_framing.check_first(str(path), 8)
    record_framing.check_all(str(path))


@pytest.mark.parametrize("compression", PACKED)
def test_files_that_are_well(path, compression, monkeypatch):
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_DATA_BYTES", "200000")
    records = [os.urandom(size) for size in (0, 1, 199_999, 7, 65_520, 65_536, 0, 0)]
    path.write_bytes(PACKED[compression](framed(path, *records)))
    record_framing.check_first(str(path), 3)
    record_framing.check_all(str(path))


def check_error(path):
    found = []
    for check in (record_framing.check_all, lambda name: record_framing.check_first(name, 3)):
        with pytest.raises(errors.DataFileError) as caught:
            check(str(path))
        found.append(str(caught.value))
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("length", [5, 101, 2**31, 2**40, 2**63 - 1, 2**63, 2**64 - 12, 2**64 - 1])
def test_a_length_beyond_the_end(path, length):
    before = framed(path, b"a", b"bc")
    path.write_bytes(before + header(length) + b"abcd" + b"e" * 4)
    assert check_error(path) == (
        f"The file of records {str(path)!r} is damaged or cut short: the record at byte 35 is said to "
        f"have {length:,} bytes, but only 4 follow."
    )


def test_a_file_that_is_cut_short(path):
    content = framed(path, b"a" * 1000, b"b" * 1000)
    path.write_bytes(content[:-1])
    assert check_error(path) == (
        f"The file of records {str(path)!r} is damaged or cut short: the record at byte 1016 is said "
        "to have 1,000 bytes, but only 999 follow."
    )
    path.write_bytes(content[: 1016 + 13])
    assert "but only 0 follow" in check_error(path)
    path.write_bytes(content[: 1016 + 11])  # no whole header: TensorFlow says so
    record_framing.check_all(str(path))


def test_a_record_that_protobuf_cannot_parse(path):
    length = 2**31
    with path.open("wb") as file:
        file.write(header(length))
        file.truncate(12 + length + 4)  # a file with a hole
    assert check_error(path) == (
        f"The file of records {str(path)!r} is damaged or cut short: the record at byte 0 is said to "
        "have 2,147,483,648 bytes, which no tf.train.Example has."
    )


@pytest.mark.parametrize("compression", ["GZIP", "ZLIB"])
def test_a_record_that_unpacks_to_too_much(path, compression, monkeypatch):
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_DATA_BYTES", "100000")
    content = framed(path, b"a") + header(100_001) + bytes(100_005)
    path.write_bytes(PACKED[compression](content))
    assert check_error(path) == (
        f"The file of records {str(path)!r} is damaged or cut short: the record at byte 17 is said to "
        "have 100,001 bytes, and at most 100,000 are unpacked: if it is to be trusted, raise the limit "
        "by HUB_ESTIMATOR_MAX_DATA_BYTES."
    )
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_DATA_BYTES", "100001")
    os.utime(path, (1, 1))
    record_framing.check_all(str(path))
    record_framing.check_first(str(path), 3)


def test_a_small_compressed_file_is_not_unpacked(path):
    # 1,032 times its size is less than is unpacked anyway.
    path.write_bytes(gzip.compress(header(2**40) + b"abcd"))
    record_framing.check_all(str(path))
    with pytest.raises(errors.DataFileError, match="which no tf.train.Example has"):
        record_framing.check_first(str(path), 1)


@pytest.mark.parametrize("compression", PACKED)
def test_other_damage_is_left_to_tensorflow(path, compression):
    content = framed(path, b"a" * 100, b"b" * 100)
    for damaged in (
        content[:116] + b"\xff" * 8 + content[124:],  # a length without its checksum
        content[:116] + bytes(10**6),
        content[:50] + b"?" + content[51:],
    ):
        path.write_bytes(PACKED[compression](damaged))
        record_framing.check_all(str(path))
        record_framing.check_first(str(path), 9)
    path.write_bytes(PACKED[compression](content)[:-9] if compression else content[:120])
    record_framing.check_first(str(path), 9)


def test_a_file_is_looked_at_once(path, monkeypatch):
    opened, open_file = [], files.open_file
    monkeypatch.setattr(
        "hub_estimator.files.open_file", lambda name: opened.append(name) or open_file(name)
    )
    framed(path, b"a")
    for _ in range(3):
        record_framing.check_all(str(path))
    assert opened == [str(path)]
    path.write_bytes(path.read_bytes() + header(99))
    with pytest.raises(errors.DataFileError):
        record_framing.check_all(str(path))


def test_a_remote_file_is_not_read_twice():
    name = "ram://framing/records"
    with tf.io.gfile.GFile(name, "wb") as file:
        file.write(header(2**40) + b"abcd")
    record_framing.check_all(name)
    with pytest.raises(errors.DataFileError, match="but only 0 follow"):
        record_framing.check_first(name, 1)


def test_the_check_is_of_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(errors.NotAFileError):
        record_framing.opened(str(pathlib.Path(tmp_path, "pipe")))
