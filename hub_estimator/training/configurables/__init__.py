"""What gin files can name: our own parts, and TensorFlow's heads, optimizers and activations.

`declare` makes their names known without importing any of them, so that the texts of a configuration
can be checked; `register` imports them, so that it can be used.
"""

from __future__ import annotations

import importlib
import inspect

from hub_estimator import config
from hub_estimator.training.configurables import sources
from hub_estimator.training.configurables.table import FAMILIES, METRICS, OPTIMIZERS, OURS, Part

__all__ = ["METRICS", "OPTIMIZERS", "declare", "ours", "register"]


def declare() -> None:
    """Makes all names known, and the parameters of our own parts; imports no TensorFlow."""
    for part in ours():
        parameters = sources.parameters(part.module, part.name)
        config.declare_configurable(
            part.name,
            parameters=parameters,
            denylist=part.given,
            paths=part.paths,
            given_only=part.given_only,
            uses=part.settings,
        )
    for family in FAMILIES:
        for name in family.names:
            config.declare_configurable(
                name,
                family.module,
                denylist=family.given,
                given_only=family.given_only,
                uses=[family.use.format(name)],
            )


def register() -> None:
    """Makes everything configurable by gin; calling it again changes nothing."""
    from hub_estimator.training.configurables import tensorflow_parts

    for part in ours():
        module = importlib.import_module(f"hub_estimator.{part.module}")
        config.add_configurable(
            getattr(module, part.name),
            denylist=part.given,
            paths=part.paths,
            given_only=part.given_only,
            uses=part.settings,
        )
    for family in FAMILIES:
        for name in family.names:
            found = tensorflow_parts.find(family.module, name)
            parameters = inspect.signature(found).parameters
            config.add_configurable(
                found,
                name,
                family.module,
                [parameter for parameter in family.given if parameter in parameters],
                given_only=family.given_only,
                uses=[family.use.format(name)],
            )


def ours() -> list[Part]:
    """Returns the parts of this package."""
    return [part for parts in OURS.values() for part in parts]
