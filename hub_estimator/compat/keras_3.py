"""Objects of Keras 3 given to Estimators, which are built on legacy Keras: one clear error."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from hub_estimator import errors

GIVEN = (
    "An Estimator got %s, which is of Keras 3; Estimators are built on legacy Keras (Keras 2). Make it "
    "of the package tf_keras, or call hub_estimator.compat.install() before anything uses tf.keras, "
    "which is legacy Keras then."
)

_ESTIMATOR = "tensorflow_estimator.python.estimator"


def refuse_keras_3() -> None:
    """Makes what takes objects of Keras in `tensorflow_estimator` refuse those of Keras 3.

    Without it they fail later, on whatever of legacy Keras they miss first.
    """
    for module, name in (
        (f"{_ESTIMATOR}.canned.optimizers", "get_optimizer_instance"),
        (f"{_ESTIMATOR}.canned.optimizers", "get_optimizer_instance_v2"),
        (f"{_ESTIMATOR}.head.base_head", "validate_v2_optimizer"),
        (f"{_ESTIMATOR}.keras_lib", "model_to_estimator"),
        (f"{_ESTIMATOR}.model_fn", "_validate_eval_metric_ops"),
    ):
        owner = importlib.import_module(module)
        setattr(owner, name, _guarded(getattr(owner, name)))


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            for inner in value.values() if isinstance(value, dict) else (value,):
                _check(inner)
        return function(*args, **kwargs)

    return guarded


def _check(value: Any) -> None:
    cls = value if isinstance(value, type) else type(value)
    if any(base.__module__.partition(".")[0] == "keras" for base in cls.__mro__):
        raise errors.LegacyKerasError(GIVEN % f"{cls.__module__}.{cls.__qualname__}")
