"""The archive of a module: the same bytes each time, and one that the resolver takes."""

from __future__ import annotations

import gzip
import os
import pathlib
import tarfile
import time

import pytest

from hub_estimator import errors
from hub_estimator.resolver import resolve
from hub_estimator.site import archive
from tests.resolver.hosting import module_files, read_folder


def write(folder: pathlib.Path, content: dict[str, bytes]) -> pathlib.Path:
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def module(tmp_path):
    return write(tmp_path / "module", module_files())


def test_a_module_gives_the_same_bytes_wherever_and_whenever_it_is(module, tmp_path):
    packed = archive.pack(str(module), str(tmp_path / "one"))
    # Made in another order, at another time, with other permissions.
    other = write(tmp_path / "elsewhere" / "x", dict(reversed(module_files().items())))
    for path in other.rglob("*"):
        os.chmod(path, 0o700)
        os.utime(path, (time.time() - 1e6, time.time() - 1e6))
    assert archive.pack(str(other), str(tmp_path / "two")) == packed
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert packed.bytes == os.path.getsize(tmp_path / "one")


def test_it_tells_nothing_of_this_machine(module, tmp_path):
    archive.pack(str(module), str(tmp_path / "packed"))
    start = (tmp_path / "packed").read_bytes()[:10]
    assert start[3] == 0 and start[4:8] == bytes(4)  # no name, no time
    with tarfile.open(tmp_path / "packed") as tar:
        members = tar.getmembers()
    assert [member.name for member in members] == [
        "saved_model.pb",
        "tfhub_module.pb",
        "assets",
        "assets/words.txt",
        "variables",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]
    about = {(m.uid, m.gid, m.uname, m.gname, m.mtime, m.mode) for m in members}
    assert about == {(0, 0, "", "", 0, 0o644), (0, 0, "", "", 0, 0o755)}


def test_the_resolver_takes_it(module, tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    write(module, {f"assets/{'long' * 40}/{'é' * 60}.txt": b"x", "assets/.hidden": b"y"})
    archive.pack(str(module), str(tmp_path / "module.tar.gz"))
    assert read_folder(resolve(tmp_path / "module.tar.gz")) == read_folder(module)


def test_what_other_programs_left_at_the_root_stays_out(module, tmp_path):
    write(module, {".git/config": b"secret", ".env": b"secret"})
    archive.pack(str(module), str(tmp_path / "packed"))
    with gzip.open(tmp_path / "packed") as file:
        assert b"secret" not in file.read()


def test_a_link_is_not_followed(module, tmp_path):
    (module / "assets" / "passwords").symlink_to("/etc/passwd")
    with pytest.raises(errors.NotAFileError) as caught:
        archive.pack(str(module), str(tmp_path / "packed"))
    assert str(caught.value) == (
        f"The module {str(module)!r} cannot be published: assets/passwords is a link. A module has "
        "only files and folders."
    )


def test_a_pointer_of_git_lfs_is_told(module, tmp_path):
    (module / "saved_model.pb").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid x\n")
    with pytest.raises(errors.LfsPointerError) as caught:
        archive.pack(str(module), str(tmp_path / "packed"))
    assert str(caught.value) == (
        f"The module {str(module)!r} has a pointer of Git LFS in place of 'saved_model.pb': run "
        "`git lfs pull` in the clone that it is in."
    )


@pytest.mark.parametrize("size", [0, 10, 10_000_000])
def test_a_file_that_changes_meanwhile_is_told(module, tmp_path, monkeypatch, size):
    large = module / "variables/variables.data-00000-of-00001"
    large.write_bytes(bytes(5_000_000))
    add = tarfile.TarFile.addfile

    def slowly(tar, member, file=None):
        if member.name.endswith("-00001"):
            large.write_bytes(bytes(size))  # another program writes it
        return add(tar, member, file)

    monkeypatch.setattr(tarfile.TarFile, "addfile", slowly)
    with pytest.raises(errors.BrokenModuleError) as caught:
        archive.pack(str(module), str(tmp_path / "packed"))
    assert str(caught.value) == (
        f"'variables/variables.data-00000-of-00001' of the module {str(module)!r} changes while it is "
        "published. Publish again once the module is whole."
    )
