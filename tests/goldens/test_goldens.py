"""The stored modules of the peer give the outputs that they gave there."""

from __future__ import annotations

import json
import pathlib

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.format.stored_graphs import read_saved_model
from tests import modules

FOLDER = pathlib.Path(__file__).parent
NAMES = sorted(name for name, case in modules.CASES.items() if not case.peer_fault)


def test_every_case_has_a_golden_and_every_golden_a_case():
    assert sorted(path.name for path in FOLDER.iterdir() if (path / "module").is_dir()) == NAMES


def test_they_are_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 300_000


def _assets(path):
    return {file.name: file.read_bytes() for file in (path / "assets").glob("*")}


def _values(path):
    if not (path / "variables" / "variables.index").exists():
        return {}
    reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    return {key: reader.get_tensor(key).tolist() for key in reader.get_variable_to_shape_map()}


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_of_the_peer(name):
    expected = json.loads((FOLDER / name / "outputs.json").read_text("utf-8"))
    found = modules.outputs(hub, FOLDER / name / "module", modules.CASES[name].calls)
    modules.assert_equal(expected, found)


@pytest.mark.parametrize("name", NAMES)
def test_reading_and_writing_is_the_identity(name, tmp_path):
    source = FOLDER / name / "module"
    path = pathlib.Path(modules.export(hub, source, str(tmp_path / "module")))
    assert read_saved_model(str(source)) == read_saved_model(str(path))
    assert (path / "tfhub_module.pb").read_bytes() == (source / "tfhub_module.pb").read_bytes()
    assert _assets(path) == _assets(source)
    assert _values(path) == _values(source)


@pytest.mark.peer
@pytest.mark.parametrize("name", NAMES)
def test_the_peer_reads_what_we_write_of_them(name, tmp_path):
    import tensorflow_hub as peer

    expected = json.loads((FOLDER / name / "outputs.json").read_text("utf-8"))
    path = modules.export(hub, FOLDER / name / "module", str(tmp_path / "module"))
    modules.assert_equal(expected, modules.outputs(peer, path, modules.CASES[name].calls))
    again = modules.export(peer, path, str(tmp_path / "again"))
    modules.assert_equal(expected, modules.outputs(hub, again, modules.CASES[name].calls))
