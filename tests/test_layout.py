"""What a folder is by the files in it."""

from __future__ import annotations

import pytest

from hub_estimator.layout import FolderKind, kind_of, saved_model_file


@pytest.mark.parametrize(
    ("names", "kind", "graphs"),
    [
        (["tfhub_module.pb", "saved_model.pb"], FolderKind.HUB_MODULE, "saved_model.pb"),
        (["tfhub_module.pb", "saved_model.pbtxt"], FolderKind.HUB_MODULE, "saved_model.pbtxt"),
        (["tfhub_module.pb"], FolderKind.HUB_MODULE, None),
        (["saved_model.pb"], FolderKind.SAVED_MODEL, "saved_model.pb"),
        (["saved_model.pbtxt"], FolderKind.SAVED_MODEL, "saved_model.pbtxt"),
        (["saved_model.pbtxt", "saved_model.pb"], FolderKind.SAVED_MODEL, "saved_model.pb"),
        (["checkpoint", "model.ckpt-1.index"], FolderKind.OTHER, None),
        ([], FolderKind.OTHER, None),
    ],
)
def test_kinds_of_folders(tmp_path, names, kind, graphs):
    for name in names:
        (tmp_path / name).touch()
    assert kind_of(str(tmp_path)) is kind
    assert saved_model_file(str(tmp_path)) == (None if graphs is None else f"{tmp_path}/{graphs}")


def test_what_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    for name in ("file", "nothing"):
        assert kind_of(str(tmp_path / name)) is FolderKind.OTHER
