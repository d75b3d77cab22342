"""The verbs of a run, on experiments that are made of what a test gives, and of little else."""

from __future__ import annotations

from typing import Any

from hub_estimator import training
from hub_estimator.training.model_folder.choice import DEFAULT

UNREAD = "nothing.csv"  # the data of inputs that a verb does not read


def experiment(
    model: Any,
    eval_input: Any = None,
    train_input: Any = None,
    max_steps: int = 1,
    eval_every_steps: int = 1,
    **settings: Any,
) -> training.Experiment:
    unread = training.TextFile(UNREAD)
    return training.Experiment(
        model, train_input or unread, eval_input or unread, max_steps, eval_every_steps, **settings
    )


def train(
    model_dir: Any, model: Any, train_input: Any, eval_input: Any, *steps: int, **settings: Any
) -> training.Result:
    made = training.Experiment(model, train_input, eval_input, *steps, **settings)
    return training.train_and_evaluate(made, model_dir)


def evaluate(
    model_dir: Any,
    model: Any,
    eval_input: Any,
    checkpoints: Any = DEFAULT,
    name: str | None = None,
    **settings: Any,
) -> list[Any]:
    made = experiment(model, eval_input, **settings)
    return training.evaluate(made, model_dir, checkpoints, name)


def predict(
    model_dir: Any,
    input_path: Any,
    output_path: Any,
    model: Any,
    eval_input: Any,
    checkpoint: Any = DEFAULT,
) -> Any:
    made = experiment(model, eval_input)
    return training.predict(made, model_dir, input_path, output_path, checkpoint)


def export(model_dir: Any, export_path: Any, model: Any, **own: Any) -> Any:
    return training.export(experiment(model), model_dir, export_path, **own)
