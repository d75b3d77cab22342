"""How trials are chosen. Each makes a sampler of Optuna; a grid is gone through by itself.

A trial is sampled by a sampler of its own, whose seed follows from the sweep's and the trial's number:
so it makes no difference which worker samples it, and no two workers sample the same.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from typing import Any, Protocol

from hub_estimator import errors
from hub_estimator.sweep import optuna_library
from hub_estimator.sweep.records import SLOT
from hub_estimator.sweep.space import Space
from hub_estimator.training import checks

_SEEDS = 2**32


class Sampler(Protocol):
    """How trials are chosen.

    Attributes:
      is_grid: whether they are all points of a grid, and nothing is sampled.
    """

    is_grid: bool

    def check(self, space: Space, number_of_objectives: int) -> None:
        """Raises an `errors.Error` where it cannot be used here."""

    def made(self, seed: int) -> Any:
        """Returns a sampler of Optuna."""


@dataclasses.dataclass(frozen=True)
class TPE:
    """The tree-structured Parzen estimator: where good trials were, and bad ones were not.

    Source: Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011. With several
    objectives it goes by which trials dominate which.

    Attributes:
      startup_trials: how many trials are random before.
    """

    startup_trials: int = 10

    is_grid = False

    def __post_init__(self) -> None:
        checks.whole_number("TPE.startup_trials", self.startup_trials, least=0)

    def check(self, space: Space, number_of_objectives: int) -> None:
        """See `Sampler`."""

    def made(self, seed: int) -> Any:
        """See `Sampler`."""
        samplers = optuna_library.module("samplers")
        with optuna_library.quiet():
            # What others are at counts as bad, or all workers would try the same place.
            return samplers.TPESampler(
                n_startup_trials=self.startup_trials, seed=seed, constant_liar=True
            )


@dataclasses.dataclass(frozen=True)
class RandomSearch:
    """Each trial by itself, at random. It depends on the seed alone, also with several workers."""

    is_grid = False

    def check(self, space: Space, number_of_objectives: int) -> None:
        """See `Sampler`."""

    def made(self, seed: int) -> Any:
        """See `Sampler`."""
        return optuna_library.module("samplers").RandomSampler(seed)


@dataclasses.dataclass(frozen=True)
class Grid:
    """All values of all dimensions with one another, each once."""

    is_grid = True

    def check(self, space: Space, number_of_objectives: int) -> None:
        """See `Sampler`."""
        space.grid()

    def made(self, seed: int) -> Any:
        """See `Sampler`; a point that was given leaves nothing to sample."""
        return optuna_library.module("samplers").RandomSampler(seed)


@dataclasses.dataclass(frozen=True)
class CmaEs:
    """The covariance matrix adaptation evolution strategy, for numbers; choices are made at random.

    Source: Hansen, "The CMA Evolution Strategy: A Tutorial", 2016.

    Attributes:
      startup_trials: how many trials are random before.
    """

    startup_trials: int = 1

    is_grid = False

    def __post_init__(self) -> None:
        checks.whole_number("CmaEs.startup_trials", self.startup_trials, least=1)

    def check(self, space: Space, number_of_objectives: int) -> None:
        """See `Sampler`.

        Raises:
          errors.MissingExtraError: cmaes is not installed.
          errors.PartsMismatchError: there are several objectives.
        """
        _check_library("CmaEs", "cmaes", "pip install 'hub_estimator[sweep]'")
        if number_of_objectives > 1:
            raise errors.PartsMismatchError(
                "CmaEs goes by one objective, and Sweep.objective has several. Take TPE, "
                "RandomSearch, Grid or GP."
            )

    def made(self, seed: int) -> Any:
        """See `Sampler`."""
        with optuna_library.quiet():
            return optuna_library.module("samplers").CmaEsSampler(
                n_startup_trials=self.startup_trials, seed=seed, warn_independent_sampling=False
            )


@dataclasses.dataclass(frozen=True)
class GP:
    """A Gaussian process: few trials that are dear each.

    Attributes:
      startup_trials: how many trials are random before.
    """

    startup_trials: int = 10

    is_grid = False

    def __post_init__(self) -> None:
        checks.whole_number("GP.startup_trials", self.startup_trials, least=1)

    def check(self, space: Space, number_of_objectives: int) -> None:
        """See `Sampler`.

        Raises:
          errors.MissingExtraError: PyTorch is not installed.
        """
        _check_library("GP", "torch", "pip install torch scipy")
        _check_library("GP", "scipy", "pip install torch scipy")

    def made(self, seed: int) -> Any:
        """See `Sampler`."""
        with optuna_library.quiet():
            return optuna_library.module("samplers").GPSampler(
                n_startup_trials=self.startup_trials, seed=seed, warn_independent_sampling=False
            )


def per_trial(sampler: Sampler, seed: int) -> Any:
    """Returns a sampler of Optuna that samples each trial by one of its own.

    Args:
      sampler: makes it.
      seed: the sweep's.
    """
    base = optuna_library.module("samplers").BaseSampler

    class PerTrial(base):  # type: ignore[misc, valid-type]
        """Hands a trial to its own sampler."""

        def __init__(self) -> None:
            self._of: tuple[int, Any] | None = None

        def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
            return self._own(trial).infer_relative_search_space(study, trial)

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
            return self._own(trial).sample_relative(study, trial, search_space)

        def sample_independent(
            self, study: Any, trial: Any, param_name: str, param_distribution: Any
        ) -> Any:
            own = self._own(trial)
            return own.sample_independent(study, trial, param_name, param_distribution)

        def before_trial(self, study: Any, trial: Any) -> None:
            self._own(trial).before_trial(study, trial)

        def after_trial(self, study: Any, trial: Any, state: Any, values: Any) -> None:
            self._own(trial).after_trial(study, trial, state, values)

        def _own(self, trial: Any) -> Any:
            if self._of is None or self._of[0] != trial.number:
                slot = trial.user_attrs.get(SLOT, 0)
                made = sampler.made((seed * 1_000_003 + slot) % _SEEDS)
                self._of = trial.number, made
            return self._of[1]

    return PerTrial()


def _check_library(owner: str, name: str, install: str) -> None:
    if importlib.util.find_spec(name) is None:
        raise errors.MissingExtraError(f"{owner} needs {name}: {install}.")
