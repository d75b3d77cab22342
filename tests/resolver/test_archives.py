"""Archives that nobody vouches for: each hostile or broken one is refused, nothing escapes."""

from __future__ import annotations

import gzip
import io
import os
import random
import shutil
import stat
import tarfile
import zlib

import pytest

from hub_estimator import errors
from hub_estimator.resolver.archives import Limits, unpack
from tests.resolver.hosting import module_files, read_folder, tar

pytestmark = pytest.mark.one_tensorflow

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


def extended(kind: bytes, content: bytes) -> bytes:
    """An extended header with `content`."""
    info = tarfile.TarInfo("header")
    info.type = kind
    info.size = len(content)
    return info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


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
    "hard link to another file of it": (
        archive(member("a", data=b"1"), member("x", tarfile.LNKTYPE, linkname="a")),
        "it is a hard link"),
    "hard link to itself alone": (
        archive(member("x", tarfile.LNKTYPE, linkname="x")), "it is a hard link"),
    "hard link to itself with content": (
        archive(member("x", data=b"1"), member("x", tarfile.LNKTYPE, b"1", linkname="x")),
        "it is a hard link"),
    "file over a folder": (
        archive(member("a", tarfile.DIRTYPE), member("a")), "would replace what came before"),
    "folder over a file": (
        archive(member("a"), member("a", tarfile.DIRTYPE)), "would replace what came before"),
    "file over a folder that another file needs": (
        archive(member("a/b"), member("./a", data=b"1")), "would replace what came before"),
    "file below a file": (archive(member("a"), member("a/b")), "would replace what came before"),
    "the root as a file": (archive(member(".")), "it is a file where a folder is"),
    "name not in UTF-8": (with_raw_name(b"caf\xe9"), "its name is not UTF-8"),
    "pax name not in UTF-8": (pax(path="a\udce9"), "its name is not UTF-8"),
    "pax name outside": (pax(path="../../x"), "its path leads upwards"),
    "pax name with NUL": (pax(path="a\0b"), "a backslash or a control character"),
    "long name": (archive(member("n" * 256)), "its name is too long"),
    "deep name": (archive(member("n/" * 2000 + "x")), "its name is too long"),
    "very deep name": (archive(member("n/" * 64 + "x")), "it is more than 64 folders deep"),
    "folder with content": (folder_with_content(), "its size is impossible"),
    "large file": (
        archive(member("x", data=bytes(1_100_000)), mode="w:gz"), "more than 1000000 bytes: if"),
    "bomb of small files": (
        archive(*[member(f"f{i}", data=bytes(40_000)) for i in range(30)], mode="w:gz"),
        "if it is to be trusted, raise the limit by HUB_ESTIMATOR_MAX_UNPACKED_BYTES"),
    "bomb behind the end": (gzip.compress(archive() + bytes(3_000_000)), "more than 1000000"),
    "long header": (pax(comment="c" * 1_200_000), "has a header of 12"),
    "pax name with a terminal's codes": (pax(path="\x1b[2J" + "n" * 900), r"holds '\x1b[2Jn"),
    "many folders": (
        archive(*[member("/".join([f"{i}", *"abcdefgh"]), tarfile.DIRTYPE) for i in range(9)]),
        "has more than 50 members: a module has"),
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
    "pax record of digits": (extended(b"x", b"1" * 500_000) + archive(), "a record of an extended"),
    "pax records that are shorter than they say": (
        extended(b"x", b"5 a\n\n" * 100_000) + archive(),
        "a record of an extended header is",
    ),
    "pax record that is longer than its header": (
        extended(b"x", b"99 a=b\n") + archive(),
        "a record of an extended header is damaged",
    ),
    "pax record without its end": (
        extended(b"x", b"9 path=yZ") + archive(),
        "a record of an extended header is damaged",
    ),
    "pax record of length nothing": (
        extended(b"x", b"6 a=b\n0 c=d\n") + archive(),
        "a record of an extended header is damaged",
    ),
    "pax size that is no number": (pax(size="4_0"), "a member's size is negative"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(600), "is an HDF5 file, as Keras writes models, not a"),
    "a bare graph": (b"\x08\x01\x12\x80\x10" + bytes(600), "is a bare saved_model.pb, not a gzip"),
    "web page with a mark": (b"\xef\xbb\xbf<!-- a --><p>", "is a web page, not a gzip"),
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


MODULE = {"tfhub_module.pb": b"\x08\x03"}


@pytest.mark.parametrize(
    ("names", "content"),
    [
        (["x", "x"], {"x": b"1"}),
        (["x", "y", "x", "x"], {"x": b"3", "y": b"1"}),
        (["./x", "x"], {"x": b"1"}),
        (["a//x", "a/./x"], {"a/x": b"1"}),
        (["x", "X"], {"x": b"0", "X": b"1"}),
        (["./tfhub_module.pb"], {"tfhub_module.pb": b"0"}),
    ],
)
def test_a_file_that_comes_again_replaces_the_earlier_one(tmp_path, names, content):
    members = [member(name, data=b"%d" % i) for i, name in enumerate(names)]
    size, target = unpack_bytes(tmp_path, archive(*members))
    assert read_folder(target) == {**MODULE, **content}
    assert size == sum(map(len, read_folder(target).values()))


def test_a_shorter_file_that_comes_again(tmp_path):
    data = archive(member("x", data=b"long"), member("x", data=b"s"))
    size, target = unpack_bytes(tmp_path, data)
    assert (size, read_folder(target)) == (3, {**MODULE, "x": b"s"})


def test_folders_that_come_again(tmp_path):
    folder = member("a", tarfile.DIRTYPE)
    data = archive(folder, member("a/x", data=b"1"), folder, member("./a/", tarfile.DIRTYPE))
    assert read_folder(unpack_bytes(tmp_path, data)[1]) == {**MODULE, "a/x": b"1"}


@pytest.mark.parametrize("linked", [False, True])
def test_a_tar_of_a_folder_and_then_its_files(tmp_path, linked):
    """GNU tar makes the later ones links to themselves, unless told not to, or to append."""
    (tmp_path / "module").mkdir()
    for name, data in (("tfhub_module.pb", b"\x08\x03"), ("saved_model.pb", b"graph")):
        (tmp_path / "module" / name).write_bytes(data)
    option = "" if linked else "--hard-dereference"
    command = f"tar {option} -c -C {tmp_path}/module -f {tmp_path}/a.tar . ./saved_model.pb"
    command += f" tfhub_module.pb && tar -r -C {tmp_path}/module -f {tmp_path}/a.tar saved_model.pb"
    assert os.system(command) == 0
    (tmp_path / "target").mkdir()
    unpack(str(tmp_path / "a.tar"), str(tmp_path / "target"), LIMITS, "The archive")
    assert read_folder(tmp_path / "target") == read_folder(tmp_path / "module")


def test_extended_headers_one_after_another(tmp_path):
    """More than functions may call themselves; the last of a kind counts."""
    chain = extended(b"L", b"other\0") * 900 + extended(b"x", b"10 path=y\n")
    header = extended(b"g", b"10 path=z\n") + member("x", data=b"1")[0].tobuf() + bytes(512)
    _, target = unpack_bytes(tmp_path, chain + header + archive())
    assert sorted(read_folder(target)) == ["y", "z"]


def test_many_extended_headers(tmp_path):
    header = extended(b"x", b"1000009 c=" + b"c" * 999_998 + b"\n")
    with pytest.raises(errors.UnsafeArchiveError) as caught:
        unpack_bytes(tmp_path, gzip.compress(header * 70 + archive(), 1), Limits())
    assert str(caught.value) == (
        "The archive has more than 67108864 bytes of extended headers: pack it again."
    )


def test_what_has_equal_names_for_the_filesystem_only(tmp_path):
    """As where case does not count: what this archive did not write is not replaced."""
    (tmp_path / "around/target").mkdir(parents=True)
    (tmp_path / "around/target/x").write_bytes(b"1")
    (tmp_path / "archive").write_bytes(archive(member("x", data=b"2")))
    with pytest.raises(errors.UnsafeArchiveError, match="holds 'x', which would replace what came"):
        unpack(str(tmp_path / "archive"), str(tmp_path / "around/target"), LIMITS, "The archive")


def test_a_pointer_of_git_lfs_is_no_archive(tmp_path):
    with pytest.raises(errors.LfsPointerError) as caught:
        unpack_bytes(tmp_path, b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n")
    assert str(caught.value) == (
        "The archive is a pointer of Git LFS, not the archive that it stands for: take the archive "
        "from a clone after `git lfs pull`, or use the URL that downloads the file itself."
    )


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.tar.gz")
    (tmp_path / "zeros.tar.gz").symlink_to("/dev/zero")
    for name, kind in (("pipe.tar.gz", "a named pipe"), ("zeros.tar.gz", "a device")):
        with pytest.raises(errors.NotAFileError, match=f"is {kind}; a regular file is needed"):
            unpack(str(tmp_path / name), str(tmp_path), LIMITS, "The archive")


def test_mutated_headers_end_in_errors_of_ours(tmp_path):
    """Or unpack; nothing escapes, nothing hangs. Seeded."""
    good = [archive(member("d/x", data=b"1" * 700), format=form) for form in
            (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT)]  # fmt: skip
    good += [pax(path="d/é"), sparse(), extended(b"L", b"long\0") + archive()]
    unpacked = 0
    for seed in range(300):
        numbers = random.Random(seed)
        (tmp_path / "archive").write_bytes(mutated(numbers.choice(good), numbers))
        (tmp_path / "around/target").mkdir(parents=True)
        try:
            unpack(
                str(tmp_path / "archive"), str(tmp_path / "around/target"), LIMITS, "The archive"
            )
            unpacked += 1
        except (errors.UnsafeArchiveError, errors.BrokenArchiveError) as error:
            assert len(str(error)) < 2000
        assert_nothing_outside(tmp_path)
        shutil.rmtree(tmp_path / "around")
    assert 30 < unpacked < 270


def mutated(data: bytes, numbers: random.Random) -> bytes:
    """Changes one field of a header to bytes that mean something, and mends its checksum."""
    block = bytearray(data)
    at = 512 * numbers.randrange(len(data) // 512 - 1)
    field, length = numbers.choice([(0, 100), (100, 8), (124, 12), (156, 1), (257, 8), (345, 155)])
    new = numbers.choice([b"\xff" * length, b"7" * length, b"-1", b"../x", b"/x", b"x", b"L", b"g", b"",
                          b"5", numbers.randbytes(length)])  # fmt: skip
    block[at + field : at + field + length] = new[:length].ljust(length, b"\0")
    block[at + 148 : at + 156] = b" " * 8
    block[at + 148 : at + 156] = b"%06o\0 " % sum(block[at : at + 512])
    return bytes(block)


def test_the_limit_is_configurable(tmp_path):
    data = archive(member("x", data=bytes(1_100_000)), mode="w:gz")
    size, _ = unpack_bytes(tmp_path, data, Limits())
    assert size == 1_100_002
