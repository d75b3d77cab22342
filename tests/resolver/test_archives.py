"""Archives that nobody vouches for: each hostile or broken one is refused, nothing escapes."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zlib

import pytest
from hosting import module_files, read_folder, tar

from hub_estimator import errors
from hub_estimator.resolver.archives import Limits, unpack

FILES = module_files()
GOOD = tar(FILES)
LIMITS = Limits(unpacked_bytes=1_000_000, members=50)


def member(name="x", kind=tarfile.REGTYPE, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def archive(*members, mode="w", **options) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, **options) as out:
        for info, data in [member("tfhub_module.pb", data=b"\x08\x03"), *members]:
            out.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def with_raw_name(name: bytes) -> bytes:
    """A tar whose header has the bytes `name`, with the right checksum."""
    block = bytearray(member("x", data=b"data")[0].tobuf(tarfile.USTAR_FORMAT))
    block[:100] = name.ljust(100, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + b"data".ljust(512, b"\0") + bytes(1024)


def sparse() -> bytes:
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s",
               "GNU.sparse.realsize": "99999999999"}  # fmt: skip
    info, data = member("GNUSparseFile.0/s", data=b"1\n0\n512\n".ljust(512, b"\0") + bytes(512))
    info.pax_headers = headers
    return archive((info, data), format=tarfile.PAX_FORMAT)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def negative_header(kind: bytes) -> bytes:
    """An extended header that asks to read the whole archive into memory."""
    info = tarfile.TarInfo("header")
    info.type = kind
    info.size = -512
    return info.tobuf(tarfile.GNU_FORMAT) + archive()


def folder_with_content() -> bytes:
    info = tarfile.TarInfo("folder")
    info.type = tarfile.DIRTYPE
    block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    block[124:136] = b"00000001000\0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + archive()


def pax(**headers):
    info, data = member("innocent", data=b"data")
    info.pax_headers = headers
    return archive((info, data), format=tarfile.PAX_FORMAT)


UNSAFE = {
    "absolute path": (archive(member("/etc/x")), "its path is absolute"),
    "absolute path outside": (archive(member("/tmp/hub_estimator_evil")), "its path is absolute"),
    "drive letter": (archive(member("C:/x")), "its path is absolute"),
    "parent": (archive(member("../x")), "its path leads upwards"),
    "parent in the middle": (archive(member("a/../../x")), "its path leads upwards"),
    "parent at the end": (archive(member("a/..", tarfile.DIRTYPE)), "its path leads upwards"),
    "parent that stays inside": (archive(member("a/../x")), "its path leads upwards"),
    "folder outside": (archive(member("../evil", tarfile.DIRTYPE)), "its path leads upwards"),
    "backslashes": (archive(member("..\\x")), "a backslash or a control character"),
    "line break in a name": (archive(member("a\nb")), "a backslash or a control character"),
    "symbolic link": (
        archive(member("x", tarfile.SYMTYPE, linkname="/etc")), "it is a symbolic link"),
    "file through a symbolic link": (
        archive(member("x", tarfile.SYMTYPE, linkname=".."), member("x/y", data=b"d")),
        "it is a symbolic link"),
    "link as the module": (
        archive(member("saved_model.pb", tarfile.SYMTYPE, linkname="/etc/passwd")),
        "it is a symbolic link"),
    "hard link": (
        archive(member("x", tarfile.LNKTYPE, linkname="tfhub_module.pb")), "it is a hard link"),
    "hard link outside": (
        archive(member("x", tarfile.LNKTYPE, linkname="/etc/passwd")), "it is a hard link"),
    "character device": (
        archive(member("x", tarfile.CHRTYPE, devmajor=1, devminor=3)), "a character device"),
    "block device": (archive(member("x", tarfile.BLKTYPE)), "it is a block device"),
    "named pipe": (archive(member("x", tarfile.FIFOTYPE)), "it is a named pipe"),
    "contiguous file": (archive(member("x", tarfile.CONTTYPE)), "it is a contiguous file"),
    "unknown type": (archive(member("x", b"Q")), "it is a sparse file or of an unknown type"),
    "sparse file": (sparse(), "'s', which is refused: it is a sparse file"),
    "duplicate": (
        archive(member("x", data=b"1"), member("x", data=b"2")), "would replace what came before"),
    "duplicate in other words": (archive(member("./tfhub_module.pb")), "would replace what came"),
    "duplicate slashes": (
        archive(member("a//x"), member("a/./x")), "would replace what came before"),
    "file over a folder": (
        archive(member("a", tarfile.DIRTYPE), member("a")), "would replace what came before"),
    "folder over a file": (
        archive(member("a"), member("a", tarfile.DIRTYPE)), "would replace what came before"),
    "file below a file": (archive(member("a"), member("a/b")), "would replace what came before"),
    "the root as a file": (archive(member(".")), "it is a file where a folder is"),
    "name not in UTF-8": (with_raw_name(b"caf\xe9"), "its name is not UTF-8"),
    "pax name not in UTF-8": (pax(path="a\udce9"), "its name is not UTF-8"),
    "pax name outside": (pax(path="../../x"), "its path leads upwards"),
    "pax name with NUL": (pax(path="a\0b"), "a backslash or a control character"),
    "long name": (archive(member("n" * 256)), "its name is too long"),
    "deep name": (archive(member("n/" * 2000 + "x")), "its name is too long"),
    "folder with content": (folder_with_content(), "its size is impossible"),
    "large file": (
        archive(member("x", data=bytes(1_100_000)), mode="w:gz"), "more than 1000000 bytes: if"),
    "bomb of small files": (
        archive(*[member(f"f{i}", data=bytes(40_000)) for i in range(30)], mode="w:gz"),
        "if it is to be trusted, raise the limit by HUB_ESTIMATOR_MAX_UNPACKED_BYTES"),
    "bomb behind the end": (gzip.compress(archive() + bytes(3_000_000)), "more than 1000000"),
    "long header": (pax(comment="c" * 1_200_000), "has a header of 12"),
    "many members": (
        archive(*[member(f"f{i}") for i in range(60)]), "has more than 50 members: a module has"),
    "a second tar behind the end": (archive() + archive(), "goes on after the end of the tar"),
}  # fmt: skip

BROKEN = {
    "empty": (b"", "is an empty file, not a gzip or plain tar archive"),
    "text": (b"404: not found\n", "is not a whole gzip or plain tar archive ("),
    "web page": (b"\n <HTML><head></head>", "is a web page, not a gzip"),
    "zip": (b"PK\x03\x04" + bytes(600), "is a zip file, not a gzip"),
    "xz": (tar(FILES, "w:xz"), "is compressed by xz, not a gzip"),
    "bzip2": (tar(FILES, "w:bz2"), "is compressed by bzip2, not a gzip"),
    "zstandard": (b"\x28\xb5\x2f\xfd" + bytes(600), "is compressed by zstandard, not a gzip"),
    "gzip header only": (GOOD[:10], "it is damaged or cut short; fetch or pack it again"),
    "gzip of nothing": (gzip.compress(b""), "damaged or cut short"),
    "gzip of text": (gzip.compress(b"hello"), "damaged or cut short"),
    "gzip cut in half": (GOOD[: len(GOOD) // 2], "damaged or cut short"),
    "gzip without its checksum": (GOOD[:-8], "damaged or cut short"),
    "gzip with a wrong checksum": (flipped(GOOD, len(GOOD) - 6), "damaged or cut short"),
    "gzip with a wrong length": (flipped(GOOD, len(GOOD) - 1), "damaged or cut short"),
    "gzip with a changed byte": (flipped(GOOD, len(GOOD) // 2), "damaged or cut short"),
    "gzip and garbage": (GOOD + b"garbage", "damaged or cut short"),
    "gzip twice": (gzip.compress(GOOD), "damaged or cut short"),
    "zlib": (zlib.compress(tar(FILES, "w")), "damaged or cut short"),
    "tar cut in a header": (tar(FILES, "w")[:700], "damaged or cut short"),
    "tar cut in a file": (tar(FILES, "w")[:2000], "damaged or cut short"),
    "tar cut between files": (tar(FILES, "w")[:1024], "damaged or cut short"),
    "tar with a changed header": (flipped(tar(FILES, "w"), 1024 + 5), "damaged or cut short"),
    "first header changed": (flipped(tar(FILES, "w"), 5), "damaged or cut short"),
    "pax header of negative size": (negative_header(tarfile.XHDTYPE), "damaged or cut short"),
    "long name of negative size": (
        negative_header(tarfile.GNUTYPE_LONGNAME),
        "damaged or cut short",
    ),
    "no end": (tar(FILES, "w").rstrip(b"\0") + bytes(100), "damaged or cut short"),
}


def unpack_bytes(tmp_path, data, limits=LIMITS):
    (tmp_path / "archive").write_bytes(data)
    target = tmp_path / "around" / "target"
    target.mkdir(parents=True)
    return unpack(str(tmp_path / "archive"), str(target), limits, "The archive"), target


def assert_nothing_outside(tmp_path):
    assert sorted(os.listdir(tmp_path)) == ["archive", "around"]
    assert os.listdir(tmp_path / "around") == ["target"]
    assert not os.path.exists("/tmp/hub_estimator_evil")
    for here, folders, names in os.walk(tmp_path):
        for name in folders + names:
            mode = os.lstat(os.path.join(here, name)).st_mode
            assert stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def test_there_are_thirty_of_them():
    assert len(UNSAFE) >= 30
    assert len(BROKEN) >= 20


@pytest.mark.parametrize("name", UNSAFE)
def test_hostile_archives_are_refused(tmp_path, name):
    data, message = UNSAFE[name]
    with pytest.raises(errors.UnsafeArchiveError) as caught:
        unpack_bytes(tmp_path, data)
    assert message in str(caught.value)
    assert str(caught.value).startswith("The archive ")
    assert_nothing_outside(tmp_path)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_archives_are_refused(tmp_path, name):
    data, message = BROKEN[name]
    with pytest.raises(errors.BrokenArchiveError) as caught:
        unpack_bytes(tmp_path, data)
    assert message in str(caught.value)
    assert str(caught.value).startswith("The archive is ")
    assert_nothing_outside(tmp_path)


def test_a_negative_size_of_a_file(tmp_path):
    """Some releases of Python refuse it themselves; others would go round in circles."""
    with pytest.raises((errors.UnsafeArchiveError, errors.BrokenArchiveError)):
        unpack_bytes(tmp_path, pax(size="-1024"))
    assert_nothing_outside(tmp_path)


def test_the_whole_message(tmp_path):
    with pytest.raises(errors.UnsafeArchiveError) as caught:
        unpack_bytes(tmp_path, archive(member("../x")))
    assert str(caught.value) == (
        "The archive holds '../x', which is refused: its path leads upwards. A module's archive "
        "has only files and folders, by relative paths."
    )


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_good_archives(tmp_path, mode, form):
    members = [member(f"./{name}", data=data) for name, data in FILES.items()]
    members += [member("./assets", tarfile.DIRTYPE), member("assets/é.txt", data=b"x" * 1024)]
    data = archive(*members[1:], mode=mode, format=form)
    size, target = unpack_bytes(tmp_path, data)
    assert read_folder(target) == {**FILES, "assets/é.txt": b"x" * 1024}
    assert size == sum(map(len, read_folder(target).values()))


def test_a_tar_by_the_tar_program_itself(tmp_path):
    (tmp_path / "module" / "assets").mkdir(parents=True)
    (tmp_path / "module" / "tfhub_module.pb").write_bytes(b"\x08\x03")
    (tmp_path / "module" / "assets" / ("long" * 40)).write_bytes(b"x")
    assert os.system(f"tar -cz -C {tmp_path}/module -f {tmp_path}/a.tgz .") == 0
    target = tmp_path / "target"
    target.mkdir()
    unpack(str(tmp_path / "a.tgz"), str(target), LIMITS, "The archive")
    assert read_folder(target) == read_folder(tmp_path / "module")


def test_permissions_and_owners_are_not_applied(tmp_path):
    odd = {"mode": 0o7777, "uid": 12345, "gid": 12345, "mtime": 1}
    data = archive(member("d", tarfile.DIRTYPE, **odd), member("d/x", data=b"x", **odd))
    _, target = unpack_bytes(tmp_path, data)
    for path in (target / "d", target / "d/x"):
        assert not path.stat().st_mode & 0o7000
        assert path.stat().st_uid == os.geteuid()
        assert path.stat().st_mtime > 1
    assert not (target / "d/x").stat().st_mode & 0o111


def test_the_limit_is_configurable(tmp_path):
    data = archive(member("x", data=bytes(1_100_000)), mode="w:gz")
    size, _ = unpack_bytes(tmp_path, data, Limits())
    assert size == 1_100_002
