"""Runs that differ in the feature cache alone."""

from __future__ import annotations

import pytest

import hub_estimator as hub
from hub_estimator.compat import head_class
from hub_estimator.training.feature_cache import FeatureCache, Sources
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model.layers import DenseLayers
from tests.training import runs
from tests.training.conftest import export
from tests.training.feature_cache import divided_modules
from tests.training.training_data import write_csv

LAYERS = DenseLayers([4, 3], dropout=0.3, batch_norm=True)


@pytest.fixture(scope="module")
def modules(tmp_path_factory) -> dict[str, str]:
    """Modules of which a part comes before all that is trained, by the feature that they take."""
    folder = tmp_path_factory.mktemp("divided")
    layers = hub.create_module_spec(divided_modules.layers_fn, divided_modules.TRAIN)
    return {
        "text": export(hub.create_module_spec(divided_modules.words_fn), folder / "words"),
        "ids": export(layers, folder / "layers"),
    }


@pytest.fixture
def cache(tmp_path) -> FeatureCache:
    return FeatureCache(tmp_path / "features")


@pytest.fixture
def other_examples(tmp_path) -> TextFile:
    """Twenty-one examples to evaluate on."""
    rows = [(f"{'fine' if n % 3 else 'poor'} {n}", int(n % 3 > 0)) for n in range(21)]
    return TextFile(write_csv(tmp_path / "others.csv", rows), batch_size=8)


@pytest.fixture
def train(make_model, examples, other_examples, cache, tmp_path):
    """Trains for more than an epoch; keyword arguments replace those of the loop."""

    def run(name="model", encoder=None, **changes):
        arguments = {
            "model_dir": tmp_path / name,
            "model": make_model(encoder, layers=LAYERS, head=head_class("RegressionHead")()),
            "train_input": examples,
            "eval_input": other_examples,
            "max_steps": 10,
            "eval_every_steps": 5,
            "feature_cache": cache,
            **changes,
        }
        return runs.train(**arguments)

    return run


@pytest.fixture
def computed(caplog):
    """Returns what was computed since the last call, from the log."""
    caplog.set_level("INFO", "hub_estimator")

    def messages() -> list[str]:
        found = [each for each in caplog.messages if each.startswith("computed ")]
        caplog.clear()
        return [each.rpartition(" in ")[0] for each in found]

    return messages


@pytest.fixture
def training(make_model, examples, cache):
    """Returns the source of a training of ten steps; keyword arguments are those of the encoder."""

    def make(given=examples, model=None, checkpoint=None, steps=10, cache=cache, **encoder):
        model = model or make_model(encoder)
        sources = Sources(cache, model, model.example_spec(), checkpoint)
        return sources.training(given, steps)

    return make
