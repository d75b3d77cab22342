"""What may have been meant by a wrong name: near ones first, then those of related parts."""

from __future__ import annotations

import pytest

from hub_estimator import config, errors
from hub_estimator.training import configurables

BINDINGS = [
    *("MODULE = 'm'", "TRAIN_DATA = 't'", "EVAL_DATA = 'e'"),
    *("Model.head = @MultiClassHead()", "MultiClassHead.n_classes = 3"),
]


@pytest.fixture(autouse=True)
def registered():
    configurables.register()


def message(*bindings):
    with pytest.raises(errors.ConfigError) as caught:  # noqa: SIM117
        with config.gin_session(["text_classification.gin"], [*BINDINGS, *bindings]) as session:
            session.check_reached("Experiment")
    return str(caught.value)


@pytest.mark.parametrize(
    ("binding", "expected"),
    [
        # A parameter of a part that the named one takes; of any other part; a near one first.
        (
            "MultiClassHead.class_weights = [1.0]",
            (
                "MultiClassHead has no parameter 'class_weights' (the binding "
                "'MultiClassHead.class_weights = [1.0]'). Did you mean SoftmaxLoss.class_weights, with "
                "MultiClassHead.loss_fn = @SoftmaxLoss()?"
            ),
        ),
        (
            "MultiClassHead.clas_weights = [1.0]",
            (
                "MultiClassHead has no parameter 'clas_weights' (the binding "
                "'MultiClassHead.clas_weights = [1.0]'). Did you mean SoftmaxLoss.class_weights, with "
                "MultiClassHead.loss_fn = @SoftmaxLoss()?"
            ),
        ),
        (
            "BinaryClassHead.label_smoothing = 0.1",
            (
                "BinaryClassHead has no parameter 'label_smoothing' (the binding "
                "'BinaryClassHead.label_smoothing = 0.1'). Did you mean SigmoidLoss.label_smoothing, "
                "with BinaryClassHead.loss_fn = @SigmoidLoss()?"
            ),
        ),
        (
            "Experiment.patience = 3",
            (
                "Experiment has no parameter 'patience' (the binding 'Experiment.patience = 3'). Did you "
                "mean EarlyStopping.patience, with Experiment.early_stopping = @EarlyStopping()?"
            ),
        ),
        (
            "TextFile.units = 3",
            (
                "TextFile has no parameter 'units' (the binding 'TextFile.units = 3'). Did you mean "
                "DenseLayers.units?"
            ),
        ),
        (
            "DenseLayers.unit = 3",
            (
                "DenseLayers has no parameter 'unit' (the binding 'DenseLayers.unit = 3'). Did you mean "
                "units?"
            ),
        ),
        # A part by the beginning of its name; by its parameter, as with what was called otherwise.
        (
            "AdamW.weight_decay = 0.1",
            (
                "Nothing configurable is called 'AdamW' (the binding 'AdamW.weight_decay = 0.1'). Did "
                "you mean AdamWOptimizer or Adam?"
            ),
        ),
        (
            "train_and_evaluate.max_steps = 5",
            (
                "Nothing configurable is called 'train_and_evaluate' (the binding "
                "'train_and_evaluate.max_steps = 5'). Did you mean Experiment.max_steps?"
            ),
        ),
    ],
)
def test_a_name_that_is_not_there(binding, expected):
    assert message(binding) == expected


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        (
            ["SoftmaxLoss.class_weights = [1.0]"],
            (
                "SoftmaxLoss.class_weights (Nothing uses SoftmaxLoss. To use it, set "
                "MultiClassHead.loss_fn = @SoftmaxLoss().)"
            ),
        ),
        # The head that is used takes the other loss.
        (
            ["SigmoidLoss.class_weights = [1.0]"],
            (
                "SigmoidLoss.class_weights (Did you mean SoftmaxLoss.class_weights, with "
                "MultiClassHead.loss_fn = @SoftmaxLoss()?)"
            ),
        ),
        (
            ["AdamWOptimizer.weight_decay = 0.1"],
            (
                "AdamWOptimizer.weight_decay (Nothing uses AdamWOptimizer. To use it, set "
                "Optimization.optimizer = @AdamWOptimizer.)"
            ),
        ),
        (
            ["AdamOptimizer.beta1 = 0.1"],
            (
                "AdamOptimizer.beta1 (Nothing uses AdamOptimizer. To use it, set "
                "Optimization.optimizer = @AdamOptimizer.)"
            ),
        ),
        (
            ["training/TextFile.batch_size = 3"],
            (
                "training/TextFile.batch_size (Did you mean train/TextFile.batch_size or "
                "eval/TextFile.batch_size or train/TextFile.path?)"
            ),
        ),
        (["dropout = 0.5"], "dropout (Did you mean DenseLayers.dropout or Encoder.dropout?)"),
        (["LERNING_RATE = 0.5"], "LERNING_RATE (Did you mean LEARNING_RATE?)"),
    ],
)
def test_a_setting_that_nothing_reads(bindings, expected):
    assert message(*bindings) == (
        f"Nothing reads this setting: {expected} Correct the name, or remove the binding."
    )
