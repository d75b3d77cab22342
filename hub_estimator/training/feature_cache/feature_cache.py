"""The feature cache: what is stored, where, and how much of it."""

from __future__ import annotations

import dataclasses
import errno
import functools
import logging
from collections.abc import Callable
from typing import TypeVar

from hub_estimator import errors, files
from hub_estimator.graph.instance.cut import NoBorderError
from hub_estimator.training import checks
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.feature_cache.border import Border
from hub_estimator.training.feature_cache.border_values import BorderValues
from hub_estimator.training.feature_cache.compute import Computation
from hub_estimator.training.feature_cache.key import entry_key
from hub_estimator.training.feature_cache.outputs import Outputs
from hub_estimator.training.feature_cache.store import Store, StoredOutputs
from hub_estimator.training.feature_cache.work import NotStorableError, Work
from hub_estimator.training.inputs.memory import InMemory
from hub_estimator.training.inputs.values import Column
from hub_estimator.training.model.encoders import Encoder

_T = TypeVar("_T")

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class FeatureCache:
    """Where it is kept from one run to the next what training does not change of modules.

    Of frozen ones these are the outputs; of trained ones what is computed before all that is trained,
    such as the ids of texts, or the first layers of an encoder of which the last ones are trained.
    It is found by what it follows from: the content of the module, the signature, the output, what is
    trained, and the data. So runs share it that differ in the head, or in how it is trained; and so do
    the tasks of a cluster that have the same folder, on a disk that has locks. Who comes first computes it,
    the others wait.

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

        asked = _Asked(encoder, mode, source, spec, is_worth_it)
        return self._found(asked, _OUTPUTS, lambda entry: entry.open(source.num_examples))

    def border(
        self, encoder: Encoder, mode: str, source: InMemory, spec: ExampleSpec, is_worth_it: bool
    ) -> dict[str, Column] | None:
        """Returns what a trained encoder computes before all that is trained, for all examples.

        Args:
          encoder: an encoder with one use, of which a part is trained.
          mode: the Estimator's mode.
          source: the data.
          spec: what the model takes.
          is_worth_it: whether to compute it where it is not stored.

        Returns:
          What gives each tensor of a batch, by its name in the module's graph; None where it is not
          stored and cannot be, or is not worth it.
        """

        def read(entry: StoredOutputs) -> dict[str, Column] | None:
            return entry.opened(lambda: _read_border(entry, source.num_examples))

        return self._found(_Asked(encoder, mode, source, spec, is_worth_it), _BORDER, read)

    def _found(
        self, asked: _Asked, kind: _Kind, read: Callable[[StoredOutputs], _T | None]
    ) -> _T | None:
        """Returns what is stored; computes what is not.

        Args:
          asked: what is asked for.
          kind: what of the encoder.
          read: opens an entry; gives None where it is damaged.
        """
        encoder, source = asked.encoder, asked.source
        key, store = entry_key(encoder, asked.mode, source, asked.spec), self.store
        if key is None or not (asked.is_worth_it or store.entry(key).is_complete):
            return None
        try:
            with store.locked(key) as entry:
                found = read(entry) if entry.is_complete else None
                if found is not None or not asked.is_worth_it:
                    return found
                computation = Computation(
                    encoder.feature_specs(),
                    source,
                    asked.spec,
                    functools.partial(kind.work, encoder, asked.mode),
                )
                self._make_room(key, 4 * source.num_examples * computation.work.width, kind)
                _compute(computation, entry)
                return read(entry)
        except errors.Error:
            raise
        except (NoBorderError, NotStorableError) as reason:
            _logger.info("Encoder %r %s: %s.", encoder.name, kind.otherwise, reason)
        except OSError as error:
            _logger.warning(
                "Encoder %r %s: the feature cache cannot be used (%s).",
                encoder.name, kind.otherwise, error,
            )  # fmt: skip
        return None

    def _make_room(self, key: str, size: int, kind: _Kind) -> None:
        if not self.store.make_room(size, key):
            raise NotStorableError(
                f"{kind.stored} {size / 1e9:.3g} GB, and FeatureCache.max_gigabytes is "
                f"{self.max_gigabytes:g}"
            )


@dataclasses.dataclass(frozen=True)
class _Asked:
    """What is asked for: see `FeatureCache.outputs`."""

    encoder: Encoder
    mode: str
    source: InMemory
    spec: ExampleSpec
    is_worth_it: bool


@dataclasses.dataclass(frozen=True)
class _Kind:
    """What of an encoder is stored.

    Attributes:
      work: what is computed.
      otherwise: what the encoder does where that cannot be stored.
      stored: what is told of its size.
    """

    work: Callable[..., Work]
    otherwise: str
    stored: str


_OUTPUTS = _Kind(Outputs, "runs in each step", "its outputs have")
_BORDER = _Kind(BorderValues, "runs as a whole in each step", "what it is trained from has")


def _read_border(entry: StoredOutputs, num_examples: int) -> dict[str, Column]:
    border = Border.from_json(entry.contents())
    return border.columns(entry.arrays(num_examples, border.layout), num_examples)


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
