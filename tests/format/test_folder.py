"""The files of a module's folder: links that leave it, what is no file, pointers in place of files."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.format.origin import find
from hub_estimator.training.model.encoder_modules.saved_model import ReusableSavedModel
from tests import modules
from tests.modules import tf1

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
FILES = (
    "tfhub_module.pb",
    "saved_model.pb",
    "variables/variables.index",
    "variables/variables.data-00000-of-00001",
    "assets/vocabulary.txt",
)


@pytest.fixture
def path(tmp_path):
    spec = modules.define(hub, "file_table", str(tmp_path / "sources"))
    return pathlib.Path(modules.export(hub, spec, str(tmp_path / "module")))


def _load(path):
    modules.in_thread(lambda: hub.load(path))


def _save(path, name):
    """Saves a SavedModel with a variable and an asset."""

    def tf2():
        made = tf.Module()
        made.weight = tf.Variable([1.0])
        made.asset = tf.saved_model.Asset(modules.write_lines(str(path), "vocabulary.txt", ["a"]))
        made.__call__ = tf.function(
            lambda x: x * made.weight, input_signature=[tf.TensorSpec([None], tf.float32)]
        )
        tf.saved_model.save(made, str(path / name))

    def tf1_():
        with tf.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf.float32, [None])
            file = tf.constant(modules.write_lines(str(path), "vocabulary.txt", ["a"]))
            tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, file)
            outputs = {"y": x * modules.variable("w", [1])}
            modules.initialize(session)
            builder = tf1.saved_model.Builder(str(path / name))
            signature = tf1.saved_model.predict_signature_def({"x": x}, outputs)
            builder.add_meta_graph_and_variables(
                session, ["serve"], {"default": signature}, tf1.get_collection("asset_filepaths")
            )
            builder.save()

    modules.in_thread(tf2 if name == "tf2" else tf1_)
    return path / name


def _readers(tmp_path):
    """Whatever reads a folder, with a folder that it reads."""
    tf1_model, tf2_model = _save(tmp_path, "tf1"), _save(tmp_path, "tf2")
    yield tf1_model, hub.create_module_spec_from_saved_model
    yield tf1_model, _load
    yield tf2_model, _load
    yield tf2_model, lambda folder: ReusableSavedModel(find(folder)).digest(frozenset())
    yield tf2_model, lambda folder: ReusableSavedModel(find(folder)).inputs("default", frozenset())


def _copy(path, name="copy"):
    copy = path.with_name(name)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path, copy, symlinks=True)
    return copy


def _link_message(path, name, target):
    return (
        f"{path / name} leads out of the module's folder, to {target}, and is not followed. Where you "
        f"know what it leads to, make a copy without links: cp -rL {path} <copy>"
    )


# --- links -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_links_out_of_the_folder(path, tmp_path, name):
    target = tmp_path / "elsewhere"
    (path / name).rename(target)
    (path / name).symlink_to(os.path.relpath(target, (path / name).parent))
    for read in (hub.load_module_spec, hub.Module, hub.eval_function_for_module, _load):
        with pytest.raises(errors.UnsafeLinkError) as caught:
            read(path)
        assert str(caught.value) == _link_message(path, name, target)
        assert isinstance(caught.value, OSError) and isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", ["variables", "assets", "assets/folder"])
def test_a_folder_that_links_out_of_the_folder(path, tmp_path, name):
    target = tmp_path / "elsewhere"
    if name == "assets/folder":
        target.mkdir()
    else:
        (path / name).rename(target)
    (path / name).symlink_to(target)
    with pytest.raises(errors.UnsafeLinkError) as caught:
        hub.load_module_spec(path)
    assert str(caught.value) == _link_message(path, name, target)


def test_a_link_that_leaves_by_way_of_one_inside(path, tmp_path):
    (tmp_path / "secret.txt").write_text("secret\n")
    (path / "assets" / "up").symlink_to("..")
    (path / "assets" / "vocabulary.txt").unlink()
    (path / "assets" / "vocabulary.txt").symlink_to("up/../secret.txt")
    with pytest.raises(errors.UnsafeLinkError) as caught:
        hub.load_module_spec(path)
    assert str(caught.value) == _link_message(
        path, "assets/vocabulary.txt", tmp_path / "secret.txt"
    )


def test_a_link_to_nothing_outside(path):
    (path / "assets" / "more").symlink_to("/nothing/at/all")
    with pytest.raises(errors.UnsafeLinkError) as caught:
        hub.load_module_spec(path)
    assert str(caught.value) == _link_message(path, "assets/more", "/nothing/at/all")


def test_saved_models_and_their_encoders(tmp_path):
    for folder, read in _readers(tmp_path):
        copy = _copy(folder)
        (copy / "assets" / "vocabulary.txt").unlink()
        (copy / "assets" / "vocabulary.txt").symlink_to("/etc/hostname")
        with pytest.raises(errors.UnsafeLinkError) as caught:
            read(copy)
        assert str(caught.value) == _link_message(copy, "assets/vocabulary.txt", "/etc/hostname")


def test_links_inside_of_the_folder_are_fine(path):
    (path / "assets").rename(path / "data")
    (path / "assets").symlink_to("data")
    (path / "data" / "vocabulary.txt").rename(path / "words.txt")
    (path / "data" / "vocabulary.txt").symlink_to("../words.txt")
    (path / "data" / "round").symlink_to("..")
    (path / "data" / "itself").symlink_to("itself")
    calls = modules.CASES["file_table"].calls
    assert modules.outputs(hub, path, calls)[0]["rows"] == [1, -1, 0]
    _load(path)


def test_what_links_inside_lead_to_is_looked_at_too(path):
    (path / "assets" / "vocabulary.txt").unlink()
    (path / "assets" / "vocabulary.txt").symlink_to("../data")
    (path / "data").symlink_to("/etc/hostname")
    with pytest.raises(errors.UnsafeLinkError):
        hub.load_module_spec(path)


def test_the_folder_itself_may_be_a_link(path, tmp_path):
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "second").symlink_to("link")
    assert hub.load_module_spec(tmp_path / "second").get_signature_names() == ["default"]
    _load(tmp_path / "second")


def test_links_that_nobody_reads_are_left_alone(path):
    (path / "README.md").symlink_to("/etc/hostname")
    (path / "more").symlink_to("/etc")
    assert hub.load_module_spec(path).get_signature_names() == ["default"]


def test_a_copy_without_links_is_read_as_the_message_says(path, tmp_path):
    (path / "variables").rename(tmp_path / "elsewhere")
    (path / "variables").symlink_to(tmp_path / "elsewhere")
    copy = tmp_path / "copy"
    assert os.system(f"cp -rL {path} {copy}") == 0
    assert hub.load_module_spec(copy).get_signature_names() == ["default"]


def _in_shared_cache(path, cache):
    """Moves a folder to where huggingface_hub has it: links to files that others have names of."""
    blobs, snapshot = cache / "blobs", cache / "snapshots" / "0a1b2c" / "sub"
    blobs.mkdir(parents=True)
    for number, file in enumerate(sorted(file for file in path.rglob("*") if file.is_file())):
        link = snapshot / file.relative_to(path)
        link.parent.mkdir(parents=True, exist_ok=True)
        file.rename(blobs / f"{number:040}")
        link.symlink_to(os.path.relpath(blobs / f"{number:040}", link.parent))
    return snapshot


def test_snapshots_of_huggingface_hub(path, tmp_path):
    snapshot = _in_shared_cache(path, tmp_path / "models--owner--name")
    calls = modules.CASES["file_table"].calls
    assert modules.outputs(hub, snapshot, calls)[0]["rows"] == [1, -1, 0]
    (tmp_path / "link").symlink_to(snapshot)
    _load(tmp_path / "link")


def test_only_the_files_of_a_snapshots_own_cache(path, tmp_path):
    cache = tmp_path / "models--owner--name"
    snapshot = _in_shared_cache(path, cache)
    (cache / "blobs" / "folder").mkdir()
    (cache / "blobs" / "folder" / "file").write_text("a\n")
    (cache / "blobs" / "link").symlink_to("/etc/hostname")
    vocabulary = snapshot / "assets" / "vocabulary.txt"
    for target in ("blobs/folder/file", "blobs/folder", "blobs/link", "refs"):
        vocabulary.unlink()
        vocabulary.symlink_to(cache / target)
        with pytest.raises(errors.UnsafeLinkError):
            hub.load_module_spec(snapshot)


@pytest.mark.parametrize("name", ["models", "my--models--owner--name"])
def test_other_folders_called_snapshots(path, tmp_path, name):
    snapshot = _in_shared_cache(path, tmp_path / name)
    with pytest.raises(errors.UnsafeLinkError):
        hub.load_module_spec(snapshot)


# --- what is no file -------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FILES, "assets/another", "fingerprint.pb"])
def test_a_named_pipe(path, name):
    (path / name).unlink(missing_ok=True)
    os.mkfifo(path / name)
    for read in (hub.load_module_spec, _load):
        with pytest.raises(errors.NotAFileError) as caught:
            read(path)
        assert str(caught.value) == (
            f"{str(path / name)!r} is a named pipe; a regular file is needed here."
        )


def test_a_named_pipe_in_a_saved_model(tmp_path):
    for folder, read in _readers(tmp_path):
        for name in FILES[1:]:
            copy = _copy(folder)
            (copy / name).unlink()
            os.mkfifo(copy / name)
            with pytest.raises(errors.NotAFileError) as caught:
                read(copy)
            assert str(caught.value) == (
                f"{str(copy / name)!r} is a named pipe; a regular file is needed here."
            )


def test_a_socket(path, monkeypatch):
    (path / "saved_model.pb").unlink()
    monkeypatch.chdir(path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("saved_model.pb")
        with pytest.raises(OSError) as caught:
            hub.load_module_spec(path)
    assert "saved_model.pb" in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device(path):
    file = path / "assets" / "vocabulary.txt"
    file.unlink()
    try:
        os.mknod(file, 0o20666, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("this container makes no devices")
    with pytest.raises(errors.NotAFileError) as caught:
        hub.load_module_spec(path)
    assert str(caught.value) == f"{str(file)!r} is a device; a regular file is needed here."


def test_a_folder_in_place_of_a_file(path):
    (path / "saved_model.pb").unlink()
    (path / "saved_model.pb").mkdir()
    with pytest.raises(errors.NotAFileError) as caught:
        hub.load_module_spec(path)
    assert str(caught.value) == (
        f"{str(path / 'saved_model.pb')!r} is a folder; a regular file is needed here."
    )


def test_a_file_without_end_in_sight(path):
    """A hole of so many bytes takes no room on the disk, and all memory when it is read."""
    file = path / "saved_model.pb"
    os.truncate(file, 1 << 40)
    with pytest.raises(errors.BrokenModuleError) as caught:
        hub.load_module_spec(path)
    assert str(caught.value) == (
        f"{file} has 1,099,511,627,776 bytes, and such files have 2,147,483,647 at most. Fetch the "
        "module again."
    )


# --- pointers of Git LFS ---------------------------------------------------------------------


def _pointer_message(path, name):
    return (
        f"{str(path / name)!r} is a pointer of Git LFS, not the file that it stands for. Fetch the "
        "file: `git lfs pull` in the repository that it is from."
    )


@pytest.mark.parametrize("name", FILES)
def test_a_pointer(path, name):
    (path / name).write_text(POINTER)
    for read in (hub.load_module_spec, _load):
        with pytest.raises(errors.LfsPointerError) as caught:
            read(path)
        assert str(caught.value) == _pointer_message(path, name)


def test_a_pointer_in_a_saved_model(tmp_path):
    for folder, read in _readers(tmp_path):
        for name in FILES[1:]:
            copy = _copy(folder)
            (copy / name).write_text(POINTER)
            with pytest.raises(errors.LfsPointerError) as caught:
                read(copy)
            assert str(caught.value) == _pointer_message(copy, name)


def test_a_repository_of_nothing_but_pointers(path):
    for name in FILES:
        (path / name).write_text(POINTER)
    with pytest.raises(errors.LfsPointerError):
        hub.load_module_spec(path)
