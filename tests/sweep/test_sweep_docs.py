"""The page about sweeps: its gin texts are sweeps, and it names each setting."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from hub_estimator import config, errors
from hub_estimator.sweep import __main__ as command
from hub_estimator.sweep import configurables, experiments

pytestmark = pytest.mark.one_tensorflow

ROOT = pathlib.Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
SPACE, OBJECTIVES, FINAL, PUBLICATION = re.findall(r"```gin\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with what the page's sweep reads."""
    monkeypatch.chdir(tmp_path)
    for module in ("own", "token"):
        (tmp_path / "modules" / module).mkdir(parents=True)
        (tmp_path / "modules" / module / "tfhub_module.pb").write_bytes(b"")
    for name in ("train", "eval", "test"):
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{name} a,0\n{name} b,1\n")
    return tmp_path


def from_gin(folder, text):
    return both_from_gin(folder, text)[0]


def both_from_gin(folder, text):
    (folder / "mine.gin").write_text(text)
    given = ["TRAIN_DATA = 'train.csv'", "EVAL_DATA = 'eval.csv'"]
    return experiments.from_gin(["text_classification.gin", "mine.gin"], given, [])


def test_its_gin_texts_are_a_sweep(folder):
    sweep = from_gin(folder, SPACE + FINAL + PUBLICATION)
    assert sweep.trials == 40 and len(sweep.space) == 3
    assert sweep.final_check.seeds == [101, 102, 103]
    assert sweep.publication.name == "acme/reviews-en"


def test_how_fast_models_predict_is_measured_where_it_counts(folder):
    without_pruner = SPACE.replace("Sweep.pruner = @MedianPruner()\n", "")
    sweep, runner = both_from_gin(folder, without_pruner + OBJECTIVES)
    assert [(each.metric, each.maximizes) for each in sweep.objectives] == [
        ("accuracy", True),
        ("rows_per_second", True),
    ]
    assert runner.measures_speed and not both_from_gin(folder, SPACE)[1].measures_speed


def test_a_final_check_on_data_of_the_search_is_refused_before_the_first_trial(folder):
    with pytest.raises(errors.SeenDataError, match="leave the data that the search evaluates on"):
        from_gin(folder, SPACE + FINAL.replace("'test.csv'", "'eval.csv'"))


def test_the_data_of_a_final_check_has_to_be_there(folder):
    (folder / "test.csv").unlink()
    with pytest.raises(errors.DataFileNotFoundError, match="There is no data file 'test.csv'"):
        from_gin(folder, SPACE + FINAL)


def test_it_has_each_setting_part_and_flag():
    for name in config.known_configurables()["Sweep"].parameters:
        assert f"`Sweep.{name}`" in PAGE or f"\nSweep.{name} = " in PAGE, name
    for name in configurables.NAMES:
        assert f"@{name}()" in PAGE or name == "Sweep", name
    for name in command.define_flags():
        assert f"`--{name}`" in PAGE, name


def test_the_job_of_kubernetes_has_such_flags():
    text = (ROOT / "examples" / "kubernetes" / "sweep.yaml").read_text(encoding="utf-8")
    [container] = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python", "-m", "hub_estimator.sweep"]
    values = command.define_flags()
    assert values(["sweep", *container["args"]]) == ["sweep"]
    assert values.storage == f"$({container['env'][0]['name']})"
