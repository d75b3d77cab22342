"""Datasets that would run code that came with them, as a stranger makes them."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest

from hub_estimator import errors
from hub_estimator.training.inputs import tfds_trust
from hub_estimator.training.inputs.tfds_input import TfdsInput

tfds = pytest.importorskip("tensorflow_datasets")

LEGACY = {"type": "tensorflow_datasets.core.features.features_dict.FeaturesDict", "content": {}}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder of a prepared dataset, `<data_dir>/one_number/1.0.0`."""

    class OneNumber(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = tfds.features.FeaturesDict({"number": tfds.features.Scalar(np.int64)})
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            yield 0, {"number": 1}

    builder = OneNumber(data_dir=str(tmp_path_factory.mktemp("data")))
    builder.download_and_prepare()
    return builder.data_dir


@pytest.fixture
def hostile(prepared, tmp_path, monkeypatch):
    """A copy whose feature is of a class in a module beside it, which says that it ran."""
    folder = tmp_path / "data" / "not_in_the_catalogue" / "1.0.0"
    shutil.copytree(prepared, folder)
    path = folder / "features.json"
    content = json.loads(path.read_text())
    content["featuresDict"]["features"]["number"]["pythonClassName"] = "hostile_features.Number"
    path.write_text(json.dumps(content))
    (tmp_path / "hostile_features.py").write_text("open('ran', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    assert not (tmp_path / "ran").exists() and "hostile_features" not in sys.modules


@pytest.mark.parametrize("by_name", [False, True])
def test_the_module_of_a_feature_is_not_imported(hostile, by_name):
    source = TfdsInput(str(hostile))
    if by_name:
        source = TfdsInput("not_in_the_catalogue", data_dir=str(hostile.parent.parent))
    with pytest.raises(errors.DataFileError) as caught:
        _ = source.feature_names
    assert str(caught.value) == (
        f"The dataset in {str(hostile)!r} has a feature of the class 'hostile_features.Number', "
        "whose module would be imported. Import it before, in your own program, or prepare the "
        "dataset with features of tensorflow_datasets."
    )


def test_the_library_would_import_it(hostile, monkeypatch):
    monkeypatch.setitem(sys.modules, "hostile_features", None)  # an import of it fails
    with pytest.raises(ValueError, match="Could not import hostile_features"):
        tfds.builder_from_directory(str(hostile))
    monkeypatch.delitem(sys.modules, "hostile_features")


@pytest.mark.parametrize(
    ("description", "is_fine"),
    [
        (LEGACY, True),
        ({**LEGACY, "content": {"type": {"type": "tensorflow_datasets.Text"}}}, True),
        ({**LEGACY, "content": {"x": {"type": "other.Text", "content": {}}}}, False),
        ({"jsonFeature": {"json": json.dumps({"feature": {"type": "other.Text"}})}}, False),
        ({"jsonFeature": {"json": json.dumps({"dtype": "int64"})}, "description": "{...}"}, True),
        ({"python_class_name": "tensorflow_datasets_not.Text"}, False),
        ({"pythonClassName": f"{__name__}.Text"}, True),  # the program has imported it itself
        ([{"pythonClassName": "no_module"}], True),
    ],
)
def test_classes_of_features(tmp_path, description, is_fine):
    (tmp_path / "features.json").write_text(json.dumps(description))
    if is_fine:
        tfds_trust.check_folder(str(tmp_path))
        return
    with pytest.raises(errors.DataFileError, match="has a feature of the class"):
        tfds_trust.check_folder(str(tmp_path))


def test_a_description_that_cannot_be_read(tmp_path):
    path = tmp_path / "features.json"
    twice = '{"feature": {"type": "other.Text"}, "feature": 1}'
    path.write_text(json.dumps({"jsonFeature": {"json": twice}}))
    with pytest.raises(errors.DataFileError) as caught:
        tfds_trust.check_folder(str(tmp_path))
    assert str(caught.value) == (
        f"The data file {str(path)!r} is not JSON: an object has the key 'feature' twice."
    )
    path.write_text("[" * 100_000)
    with pytest.raises(errors.DataFileError) as caught:
        tfds_trust.check_folder(str(tmp_path))
    assert str(caught.value) == f"The data file {str(path)!r} is not JSON: it is nested too deeply."


@pytest.mark.parametrize(
    ("name", "is_fine"),
    [
        ("imdb_reviews", True),
        ("imdb_reviews/plain_text:1.0.0", True),
        ("imdb_reviews:1.0.0", True),
        ("imdb_reviews:1.*.*", True),
        ("imdb_reviews:experimental_latest", True),
        ("huggingface:someone__something", False),
        ("some-one:data/config:1.0.0", False),
    ],
)
def test_names_of_a_community(name, is_fine):
    if is_fine:
        tfds_trust.check_name(name)
        return
    with pytest.raises(errors.DataFileError) as caught:
        _ = TfdsInput(name).feature_names
    assert str(caught.value) == (
        f"The dataset {name!r} is a community's, whose code would be downloaded and run. Prepare "
        "it with tensorflow_datasets, and give its folder as TfdsInput.name."
    )
