"""Inputs that give the outputs of frozen encoders in the place of what these are made from."""

from __future__ import annotations

import dataclasses

from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.feature_cache import checkpoints
from hub_estimator.training.feature_cache.feature_cache import FeatureCache
from hub_estimator.training.inputs.base import Input
from hub_estimator.training.inputs.memory import InMemory
from hub_estimator.training.inputs.values import Column
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.model import precomputed
from hub_estimator.training.model.contract import TrainableModel, capabilities_of
from hub_estimator.training.model.encoders import Encoder


@dataclasses.dataclass(frozen=True)
class SourceAndSpec:
    """An input, and what to ask it for.

    Attributes:
      input: the input.
      spec: the features and the labels to take from it.
    """

    input: Input
    spec: ExampleSpec


@dataclasses.dataclass(frozen=True)
class Sources:
    """Makes the inputs of one run.

    Attributes:
      cache: where outputs are kept; None keeps none.
      model: the model.
      spec: what it takes.
      checkpoint: the checkpoint at which training goes on; None at the start.
    """

    cache: FeatureCache | None
    model: TrainableModel
    spec: ExampleSpec
    checkpoint: str | None

    def training(self, given: Input, steps: int) -> SourceAndSpec:
        """Returns an input that gives what encoders would give, wherever that is the same.

        Args:
          given: the data.
          steps: how many steps it is for: where they see each example once at the most, nothing is
            computed beforehand.

        Returns:
          `given` itself where no encoder's outputs can be stored.
        """
        if not isinstance(given, InMemory) or given.is_augmented:
            return SourceAndSpec(given, self.spec)
        return self._source("train", given, steps * given.batch_size > given.num_examples)

    def evaluation(self, given: Input, evaluations: int) -> SourceAndSpec:
        """Returns an input for a number of evaluations; see `training`."""
        if not isinstance(given, InMemory):
            return SourceAndSpec(given, self.spec)
        return self._source("eval", given, evaluations > 1)

    @property
    def _encoders(self) -> tuple[Encoder, ...]:
        """The encoders in whose place the model takes what they would give."""
        return capabilities_of(self.model).encoders

    def _source(self, mode: str, given: InMemory, is_worth_it: bool) -> SourceAndSpec:
        if self.cache is None or not self._encoders:
            return SourceAndSpec(given, self.spec)
        found: dict[str, Column] = {}
        replaced: list[Encoder] = []
        for number in self._frozen(mode):
            encoder = self._encoders[number]
            outputs = self._outputs(self.cache, encoder, mode, given, is_worth_it)
            if outputs is not None:
                replaced.append(encoder)
                found |= {
                    precomputed.name(number, use): output for use, output in enumerate(outputs)
                }
        if not found:
            return SourceAndSpec(given, self.spec)
        return SourceAndSpec(given.with_features(found), self._without(replaced))

    def _frozen(self, mode: str) -> list[int]:
        """Returns the numbers of the encoders whose modules have their own values throughout."""
        encoders = self._encoders
        frozen = [number for number, encoder in enumerate(encoders) if encoder.is_frozen]
        if not (frozen and self.checkpoint):
            return frozen
        own = checkpoints.with_own_values(encoders, mode, self.checkpoint)
        return [number for number in frozen if own[number]]

    def _outputs(
        self, cache: FeatureCache, encoder: Encoder, mode: str, given: InMemory, is_worth_it: bool
    ) -> list[Column] | None:
        """Returns the outputs of all uses of an encoder; None where one cannot be stored."""
        outputs = []
        for use in encoder.single_uses():
            column = cache.outputs(use, mode, given, self.spec, is_worth_it)
            if column is None:
                return None
            outputs.append(column)
        return outputs

    def _without(self, replaced: list[Encoder]) -> ExampleSpec:
        """Returns the spec without the features that only replaced encoders take."""
        labels = self.spec.labels
        parts = [labels] if isinstance(labels, LabelSpec) else list(labels.values())
        if not all(part.is_known for part in parts):
            return self.spec  # a head of somebody else may take any of them
        kept = set(capabilities_of(self.model).head_features)
        for encoder in self._encoders:
            if not any(encoder is other for other in replaced):
                kept |= set(encoder.feature_specs())
        features = {name: feature for name, feature in self.spec.features.items() if name in kept}
        return dataclasses.replace(self.spec, features=features)
