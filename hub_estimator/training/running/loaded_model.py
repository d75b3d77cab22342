"""A trained model in a graph and a session of its own, to be fed examples."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.model.prediction_graph import build_for_prediction
from hub_estimator.training.running.trained_model import TrainedModel
from hub_estimator.training.serving import ServingInput


class LoadedModel:
    """A model that predicts, loaded once.

    Args:
      trained: the model.
      spec: what it takes of each example.
      keys: which of its predictions are wanted; None is all that there are.
      checkpoint: the prefix of the one with its values; needed no longer than this call.
    """

    def __init__(
        self,
        trained: TrainedModel,
        spec: ExampleSpec,
        keys: Collection[Any] | None,
        checkpoint: str,
    ) -> None:
        with tf.Graph().as_default():
            self._features = ServingInput(spec)().features
            built = build_for_prediction(trained.estimator, self._features)
            there = built.predictions
            self._fetches = there if keys is None else {key: there[key] for key in keys}
            creator = tf.compat.v1.train.ChiefSessionCreator(
                built.scaffold,
                config=trained.estimator.config.session_config,  # as the command predicts
                checkpoint_filename_with_path=checkpoint,
            )
            self._session = creator.create_session()

    def predictions(self, values: Mapping[str, np.ndarray]) -> Any:
        """Returns the predictions for a batch, those of each key.

        Args:
          values: of each feature, `[B, ...]`.
        """
        feeds = {tensor: values[name] for name, tensor in self._features.items()}
        return self._session.run(self._fetches, feeds)

    def close(self) -> None:
        """Frees the session."""
        self._session.close()
