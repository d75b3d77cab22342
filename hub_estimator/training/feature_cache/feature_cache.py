"""The feature cache: what is stored, where, and how much of it."""

from __future__ import annotations

import dataclasses
import errno
import logging

from hub_estimator import errors, files
from hub_estimator.training import checks
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.feature_cache.compute import Computation, NotStorableError
from hub_estimator.training.feature_cache.key import entry_key
from hub_estimator.training.feature_cache.store import Store, StoredOutputs
from hub_estimator.training.inputs.memory import InMemory
from hub_estimator.training.inputs.values import Column
from hub_estimator.training.model.encoders import Encoder

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class FeatureCache:
    """Where the outputs of frozen encoders are kept from one run to the next.

    They are found by what they follow from: the content of the module, the signature, the output,
    and the data. So runs share them that differ in the head, or in how it is trained.

    Attributes:
      folder: a local folder; None is `hub_estimator/features` in the user's cache folder.
      max_gigabytes: how large it may be; what was used longest ago is removed first.

    Raises:
      errors.InvalidSettingError: a setting is impossible.
    """

    folder: files.PathLike | None = None
    max_gigabytes: float = 10.0

    def __post_init__(self) -> None:
        checks.number("FeatureCache.max_gigabytes", self.max_gigabytes, least=0)
        if self.folder is not None and files.is_remote(files.as_path(self.folder)):
            raise errors.InvalidSettingError(
                f"FeatureCache.folder is {self.folder!r}; it must be a folder on this machine."
            )

    @property
    def store(self) -> Store:
        """What is on disk."""
        folder = self.folder or files.join(files.user_cache_folder(), "features")
        return Store(files.as_path(folder), int(self.max_gigabytes * 1e9))

    def outputs(
        self, encoder: Encoder, mode: str, source: InMemory, spec: ExampleSpec, is_worth_it: bool
    ) -> Column | None:
        """Returns the outputs of an encoder for all examples; computes what is not stored.

        Args:
          encoder: a frozen encoder with one use.
          mode: the Estimator's mode.
          source: the data.
          spec: what the model takes.
          is_worth_it: whether to compute all outputs where they are not stored.

        Returns:
          float32 `[N, D]`; None where they are not stored and cannot be, or are not worth it.
        """
        key, store = entry_key(encoder, mode, source, spec), self.store
        if key is None or not (is_worth_it or store.entry(key).is_complete):
            return None
        try:
            with store.locked(key) as entry:
                found = entry.open(source.num_examples) if entry.is_complete else None
                if found is not None or not is_worth_it:
                    return found
                computation = Computation(encoder, mode, source, spec)
                self._make_room(key, 4 * source.num_examples * computation.width)
                _compute(computation, entry)
                return entry.open(source.num_examples)
        except errors.Error:
            raise
        except NotStorableError as reason:
            _logger.info("Encoder %r runs in each step: %s.", encoder.name, reason)
        except OSError as error:
            _logger.warning(
                "Encoder %r runs in each step: the feature cache cannot be used (%s).",
                encoder.name, error,
            )  # fmt: skip
        return None

    def _make_room(self, key: str, size: int) -> None:
        if not self.store.make_room(size, key):
            raise NotStorableError(
                f"its outputs have {size / 1e9:.3g} GB, and FeatureCache.max_gigabytes is "
                f"{self.max_gigabytes:g}"
            )


def _compute(computation: Computation, entry: StoredOutputs) -> None:
    """Computes an entry; what is there of it stays only where a later run may go on from it."""
    try:
        computation(entry)
    except NotStorableError:
        entry.remove()
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            entry.remove()
        raise
