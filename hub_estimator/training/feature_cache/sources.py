"""Inputs that give what training does not change of encoders, in the place of what it is made from."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hub_estimator.graph.instance.cut import LowerPart, NoBorderError
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.feature_cache import checkpoints, concurrency
from hub_estimator.training.feature_cache.ahead import Ahead, Unchanged
from hub_estimator.training.feature_cache.feature_cache import FeatureCache
from hub_estimator.training.inputs.base import Input, InputFn
from hub_estimator.training.inputs.batches import first_features
from hub_estimator.training.inputs.memory import InMemory
from hub_estimator.training.inputs.streams import Streamed
from hub_estimator.training.inputs.values import Column
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.model import precomputed
from hub_estimator.training.model.contract import TrainableModel, capabilities_of
from hub_estimator.training.model.encoders import Encoder

_FEWEST_STEPS = 50
"""For fewer it takes longer to begin to compute ahead of steps than that spares."""

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class ComputedInput:
    """An input, what to ask it for, and what is computed of that.

    Attributes:
      input: the input.
      spec: the features and the labels to take from it.
      ahead: what is computed of each batch ahead of the step that takes it; None is nothing.
      without: the features that only this takes.
    """

    input: Input
    spec: ExampleSpec
    ahead: Ahead | None = None
    without: tuple[str, ...] = ()

    def training_fn(self, seed: int, start_step: Callable[[], int]) -> InputFn:
        """Returns the `input_fn` for training; see `Input.training_fn`."""
        return self._added(self.input.training_fn(self.spec, seed, start_step))

    def evaluation_fn(self) -> InputFn:
        """Returns the `input_fn` for evaluation; see `Input.evaluation_fn`."""
        return self._added(self.input.evaluation_fn(self.spec))

    def _added(self, input_fn: InputFn) -> InputFn:
        return input_fn if self.ahead is None else self.ahead.added_to(input_fn, self.without)


class Sources:
    """Makes the inputs of one run.

    Frozen encoders are replaced by what they give, trained ones by what all that is trained is computed
    from, where that is the same: stored where the data is in memory, computed ahead of each step where
    it is read anew in each epoch.

    Args:
      cache: where it is kept; None leaves all to the steps.
      model: the model.
      spec: what it takes.
      checkpoint: the checkpoint at which training goes on; None at the start.
    """

    def __init__(
        self,
        cache: FeatureCache | None,
        model: TrainableModel,
        spec: ExampleSpec,
        checkpoint: str | None,
    ) -> None:
        self._cache, self._model, self._spec = cache, model, spec
        self._checkpoint = checkpoint
        self._made: dict[tuple[Any, ...], Ahead] = {}

    def training(self, given: Input, steps: int) -> ComputedInput:
        """Returns an input that gives what encoders would give, wherever that is the same.

        Args:
          given: the data.
          steps: how many steps it is for: where they see each example once at the most, nothing is
            computed beforehand.

        Returns:
          It has `given` itself where nothing is computed beforehand.
        """
        if not isinstance(given, InMemory):
            return self._ahead("train", given, steps >= _FEWEST_STEPS)
        if given.is_augmented:
            if self._cache is not None and self._encoders:
                _logger.info("Modules run as a whole in each step: training changes the examples.")
            return ComputedInput(given, self._spec)
        return self._source("train", given, steps * given.batch_size > given.num_examples)

    def evaluation(self, given: Input, evaluations: int) -> ComputedInput:
        """Returns an input for a number of evaluations; see `training`."""
        if not isinstance(given, InMemory):
            return self._ahead("eval", given, evaluations > 1)
        return self._source("eval", given, evaluations > 1)

    @property
    def _encoders(self) -> tuple[Encoder, ...]:
        """The encoders in whose place the model takes what they would give."""
        return capabilities_of(self._model).encoders

    def _source(self, mode: str, given: InMemory, is_worth_it: bool) -> ComputedInput:
        if self._cache is None or not self._encoders:
            return ComputedInput(given, self._spec)
        found: dict[str, Column] = {}
        replaced: list[Encoder] = []
        for number, computed in self._computed(mode).items():
            if isinstance(computed, LowerPart):
                columns = self._border(self._cache, number, mode, given, is_worth_it)
            else:
                columns = self._outputs(self._cache, number, mode, given, is_worth_it)
            if columns is not None:
                replaced.append(self._encoders[number])
                found |= columns
        if not found:
            return ComputedInput(given, self._spec)
        return ComputedInput(given.with_features(found), self._without(replaced))

    def _ahead(self, mode: str, given: Input, is_worth_it: bool) -> ComputedInput:
        """Returns the source of data of which nothing is stored: it is read anew in each epoch."""
        plainly = ComputedInput(given, self._spec)
        if self._cache is None or not (is_worth_it and self._encoders and _has_free_cores()):
            return plainly
        parts = [
            Unchanged(number, self._encoders[number], lower)
            for number, lower in self._computed(mode).items()
        ]
        known = [part for part in parts if part.is_known(mode)]
        ahead = self._made_ahead(known, mode, given) if known else None
        if ahead is None or not ahead.encoders:
            return plainly
        without = set(self._spec.features) - set(self._without(ahead.encoders).features)
        return ComputedInput(given, self._spec, ahead, tuple(sorted(without)))

    def _made_ahead(self, parts: list[Unchanged], mode: str, given: Input) -> Ahead | None:
        """Returns what computes parts of encoders; that of training, where evaluation has the same.

        None where there are no examples.
        """
        key = tuple(part.key(mode) for part in parts)
        if key not in self._made:
            if mode == "train" and not isinstance(given, Streamed):
                # Somebody else's input to train on need not be one to evaluate on.
                batch = first_features(given.training_fn(self._spec, 0, lambda: 0))
            else:
                batch = first_features(
                    given.evaluation_fn(self._spec)
                )  # nothing is shuffled for it
            if batch is None:
                return None
            self._made[key] = Ahead(parts, mode, self._spec, batch)
        return self._made[key]

    def close(self) -> None:
        """Ends what computes ahead of steps; the inputs give nothing any more."""
        for ahead in self._made.values():
            ahead.close()

    def _computed(self, mode: str) -> dict[int, LowerPart | None]:
        """Returns of which encoders something is computed once, by their numbers.

        That is a part of them, or None: their outputs.
        """
        found: dict[int, LowerPart | None] = {}
        for number, encoder in enumerate(self._encoders):
            if encoder.is_frozen:
                found[number] = None
            elif (lower := self._lower_part(encoder, mode)) is not None:
                found[number] = lower
        if not (found and self._checkpoint):
            return found
        changed = checkpoints.changed_variables(self._encoders, mode, self._checkpoint)
        return {
            number: lower
            for number, lower in found.items()
            if not _is_changed(self._encoders[number], lower, changed[number])
        }

    def _lower_part(self, encoder: Encoder, mode: str) -> LowerPart | None:
        """Returns what of a trained encoder training does not change; None where it is not stored."""
        if not (encoder.trainable and capabilities_of(self._model).inner_tensors):
            return None
        try:
            return encoder.lower_part(mode)
        except NoBorderError as reason:
            if mode == "train":  # evaluation has mostly the same reason
                _logger.info("Encoder %r runs as a whole in each step: %s.", encoder.name, reason)
            return None

    def _outputs(
        self, cache: FeatureCache, number: int, mode: str, given: InMemory, is_worth_it: bool
    ) -> dict[str, Column] | None:
        """Returns the outputs of all uses of an encoder; None where one cannot be stored."""
        outputs = {}
        for count, use in enumerate(self._encoders[number].single_uses()):
            column = cache.outputs(use, mode, given, self._spec, is_worth_it)
            if column is None:
                return None
            outputs[precomputed.name(number, count)] = column
        return outputs

    def _border(
        self, cache: FeatureCache, number: int, mode: str, given: InMemory, is_worth_it: bool
    ) -> dict[str, Column] | None:
        """Returns the tensors that what is trained is computed from; None where they are not stored."""
        columns = cache.border(self._encoders[number], mode, given, self._spec, is_worth_it)
        if columns is None:
            return None
        return {precomputed.inner_name(number, name): column for name, column in columns.items()}

    def _without(self, replaced: list[Encoder]) -> ExampleSpec:
        """Returns the spec without the features that only replaced encoders take."""
        labels = self._spec.labels
        parts = [labels] if isinstance(labels, LabelSpec) else list(labels.values())
        if not all(part.is_known for part in parts):
            return self._spec  # a head of somebody else may take any of them
        kept = set(capabilities_of(self._model).head_features)
        for encoder in self._encoders:
            if not any(encoder is other for other in replaced):
                kept |= set(encoder.feature_specs())
        features = {name: feature for name, feature in self._spec.features.items() if name in kept}
        return dataclasses.replace(self._spec, features=features)


def _has_free_cores() -> bool:
    """Whether something can be computed beside the steps: a GPU does better what it can do."""
    return concurrency.threads() > 1 and not tf.config.list_physical_devices("GPU")


def _is_changed(encoder: Encoder, lower: LowerPart | None, changed: tuple[str, ...]) -> bool:
    """Whether an earlier training changed what is to be computed.

    Args:
      encoder: the encoder.
      lower: what of it; None is all.
      changed: the names of its variables that have other values.
    """
    if lower is None:
        return bool(changed)
    if not any(map(lower.reads, changed)):
        return False
    _logger.info(
        "Encoder %r runs as a whole in each step: an earlier training changed what comes before what "
        "is trained.", encoder.name,
    )  # fmt: skip
    return True
