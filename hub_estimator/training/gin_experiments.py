"""Experiments that gin files describe."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

from hub_estimator import config
from hub_estimator.training import configurables
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.settings_text import EXPERIMENT, GinSource


@contextlib.contextmanager
def from_gin(
    gin_files: Sequence[str] = (),
    gin_bindings: Sequence[str] = (),
    allowed_imports: Sequence[str] = (),
) -> Iterator[Experiment]:
    """Gives the experiment that a configuration describes, for the time of a `with` block.

        with from_gin(["text_classification.gin"], ["MODULE = '/modules/text'"]) as experiment:
            train_and_evaluate(experiment, "/tmp/model")

    Parts of it take their settings only when they are used, so it is of use in the block alone.

    Args:
      gin_files: paths, or names of packaged configurations; later ones override earlier ones. A
        model folder's `operative_config.gin` is read as data.
      gin_bindings: `"name.parameter = value"` or `"MACRO = value"`; they override the files.
      allowed_imports: modules to import before, so that a model folder's configuration can name what
        they register.

    Yields:
      The experiment; its `source` is the configuration.

    Raises:
      errors.ConfigError: something is wrong with a text; the message says what and where.
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """
    configurables.register()
    with (
        config.gin_session(gin_files, gin_bindings, allowed_imports) as session,
        config.clear_call_errors(EXPERIMENT),
    ):
        made = session.call(EXPERIMENT)
        names = [field.name for field in dataclasses.fields(made) if field.compare]
        values = {name: getattr(made, name) for name in names}
        yield dataclasses.replace(made, source=GinSource(session, values))
