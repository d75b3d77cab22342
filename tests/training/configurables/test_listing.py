"""The list of all that gin files can set: what is said of each, and how it is found."""

from __future__ import annotations

import pytest

from hub_estimator import config, errors
from hub_estimator.training import configurables
from hub_estimator.training.configurables import listing as listing_module
from hub_estimator.training.configurables.descriptions import describe, first_sentence
from hub_estimator.training.configurables.listing import listing
from hub_estimator.training.configurables.table import Family


@pytest.fixture(scope="module", autouse=True)
def registered():
    configurables.register()


@pytest.fixture(scope="module")
def whole():
    return listing()


def test_every_part_and_every_parameter_has_a_line(whole):
    lines = whole.splitlines()
    for name, known in config.known_configurables().items():
        layer = known.function.__module__.split(".")[1:2]
        if known.module == "kitchen" or layer in (["jobs"], ["sweep"]):  # of other tests
            continue
        assert any(line.startswith(f"{name}: ") for line in lines), name
        for parameter in known.parameters:
            assert any(line.split()[:1] == [f"{name}.{parameter}"] for line in lines), parameter


@pytest.mark.parametrize("part", configurables.ours(), ids=lambda part: part.name)
def test_all_of_ours_is_described(part):
    known = config.known_configurables()[part.name]
    said = describe(known.function)
    assert said.summary
    assert set(known.parameters) <= set(said.parameters)
    assert all(said.parameters[name].endswith((".", ")")) for name in known.parameters)


@pytest.mark.parametrize(
    "line",
    [
        "=== The run ===",
        "Experiment: What a run consists of, beside the model folder that it is in.",
        "  Experiment.model  (required)                  the model, such as `Model` or `CannedModel`.",
        (
            "  Experiment.seed = 1                           of the order of examples, initial values and "
            "dropout."
        ),
        (
            "  DenseLayers.activation = relu                 what follows each layer, for example "
            "`tf.nn.relu`."
        ),
        "=== TensorFlow: Optimizers ===",
        "  to use it: Optimization.optimizer = @AdamOptimizer",
    ],
)
def test_a_line(whole, line):
    assert line in whole.splitlines()


def test_what_nothing_describes_says_so(monkeypatch):
    def bare(steps=3):
        return steps

    config.add_configurable(bare, module="kitchen")
    family = Family("Others", "kitchen", ("bare",), "Experiment.hooks = [@{}]")
    monkeypatch.setattr(listing_module, "FAMILIES", [family])
    assert listing("bare") == (
        "=== TensorFlow: Others ===\n\n"
        "bare: (its documentation does not describe it)\n"
        "  bare.steps = 3\n      (its documentation does not describe it)"
    )


@pytest.mark.parametrize("pattern", ["class weights", "class_weights", "CLASSWEIGHTS"])
def test_a_parameter_is_told_in_full(pattern):
    assert listing(pattern).startswith(
        "=== The model ===\n"
        "\n"
        "SoftmaxLoss: Cross entropy of one of `K` classes, for `MultiClassHead`.\n"
        "  to use it: MultiClassHead.loss_fn = @SoftmaxLoss()\n"
        "  SoftmaxLoss.class_weights = None\n"
    )


def test_a_part_is_shown_with_all_its_parameters():
    text = listing("adamw")
    assert text.startswith("=== How it is trained ===\n\nAdamWOptimizer: Adam that also lets ")
    assert text.count("\n  AdamWOptimizer.") == 6 and "\nAdam:" not in text
    assert r"(^|/)(bias|biases|beta|gamma)(/part_\\d+)?$" in text  # not cut, other than in the list


def test_what_a_text_describes_is_found_by_it():
    assert "EarlyStopping.patience = 3\n" in listing("without an improvement")


def test_macros_come_first():
    macros = [config.Macro("STEPS", "20", "optimizer steps"), config.Macro("DATA", "", "")]
    assert listing("steps", macros).startswith(
        "=== Macros of the given gin files ===\n\n"
        "Macros: set one as NAME = value, and use it as %NAME.\n"
        "  STEPS = 20\n      optimizer steps\n"
    )
    assert "\n  DATA  (required)" in listing("", macros)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            "lerning_rate",
            (
                "Nothing that gin files can set has 'lerning_rate' in its name or description. Did you "
                "mean learning_rate or learning_rate_power or learning_rate_multiplier?"
            ),
        ),
        (
            "zzz",
            (
                "Nothing that gin files can set has 'zzz' in its name or description. --list_settings "
                "alone lists all."
            ),
        ),
    ],
)
def test_what_nothing_has(pattern, message):
    with pytest.raises(errors.UnknownSettingError) as caught:
        listing(pattern)
    assert str(caught.value) == message


def test_docstrings_of_several_forms():
    class Part:
        """Does it, e.g. so. And more.

        Arguments:
          first (int): The first
            in two lines.

            And a paragraph.
          *rest: Others: so.

        Returns:
          nothing: at all.
        """

        def __init__(self, first, second, *rest):
            """Makes one.

            Args:
              first: not this.
              second: said here.
            """

    said = describe(Part)
    assert said.summary == "Does it, e.g. so."
    assert said.parameters == {
        "first": "The first in two lines. And a paragraph.",
        "second": "said here.",
        "rest": "Others: so.",
    }
    assert describe(lambda x: x).parameters == {}
    assert first_sentence("One.two `x.y` three. Four.") == "One.two `x.y` three."
