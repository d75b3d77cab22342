"""Digests of folders, files and checkpoints; those of data are in `tests/training`."""

from __future__ import annotations

import hashlib

from hub_estimator import digests


def test_links_in_circles_come_to_an_end(tmp_path):
    assets = tmp_path / "assets"
    (assets / "b" / "c").mkdir(parents=True)
    (assets / "a.txt").write_text("a")
    (assets / "b" / "c" / "d.txt").write_text("d")
    before = digests.of_module(str(tmp_path))
    for name in ("x", "y", "z"):
        (assets / "b" / name).symlink_to(assets)
    assert digests.of_module(str(tmp_path)) == before
    (assets / "b" / "c" / "d.txt").write_text("e")
    assert digests.of_module(str(tmp_path)) != before


def test_a_file_and_a_checkpoint(tmp_path):
    (tmp_path / "model.ckpt-2.index").write_bytes(b"abc")
    known = hashlib.sha256(b"abc").hexdigest()
    assert digests.of_file(str(tmp_path / "model.ckpt-2.index")) == known
    assert digests.of_checkpoint(str(tmp_path / "model.ckpt-2")) == known
