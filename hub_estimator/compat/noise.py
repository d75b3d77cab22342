"""Keeps upstream's deprecation notices, about upstream's own code, out of users' logs.

TensorFlow deprecates the whole Estimator API and the legacy layers, says so at each use, and uses
deprecated parts of itself inside. Who runs on this package has chosen these APIs and can do nothing
about the notices. What a user's own code calls that TensorFlow deprecates is still reported.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings

# A deprecated function's notice is "From <file>:<line>: <name> (from <module>) is deprecated ...",
# a deprecated argument's and a renamed symbol's begin alike.
_NOTICE = "From %s:"
_DEPRECATED_WORDS = ("is deprecated", "are deprecated", "will be removed", "not be supported")
# Whatever these modules and namespaces have is deprecated as a whole ...
_DEPRECATED_NAMES = (
    *("tensorflow_estimator.", "tensorflow.python.feature_column.", "tf_keras."),
    *("keras.src.legacy_tf_layers", "keras.src.layers.rnn", "tensorflow.python.keras."),
    *("tf.estimator.", "tf.feature_column.", "tf.layers."),
)
# ... and what is called from inside these packages, no user called.
_CALLERS = ("tensorflow", "tensorflow_estimator", "tf_keras", "keras", "hub_estimator")
_WARNINGS = (
    r"`tf\.layers\.\w+` is deprecated",
    r"`tf\.nn\.rnn_cell\.\w+` is deprecated",
    r"`Layer\.\w+` is deprecated",
    r"`layer\.\w+` is deprecated",
)


class _UpstreamDeprecations(logging.Filter):
    """Drops the notices that are about upstream's own code."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.msg
        if not isinstance(message, str) or not message.startswith(_NOTICE):
            return True
        if not any(words in message for words in _DEPRECATED_WORDS):
            return True
        caller, *details = [str(arg) for arg in record.args or ()]
        if caller.startswith(_folders(_CALLERS)):
            return False
        return not any(detail.startswith(_DEPRECATED_NAMES) for detail in details)


def _folders(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the folders of those packages that are imported."""
    files = [getattr(sys.modules.get(name), "__file__", None) for name in packages]
    return tuple(os.path.dirname(file) + os.sep for file in files if file)


def silence_deprecations() -> None:
    """Silences upstream's deprecation notices about Estimators, legacy layers and itself.

    These are records of the logger `tensorflow` and warnings of the legacy layers; all other
    records and warnings stay. Calling it again changes nothing.
    """
    logger = logging.getLogger("tensorflow")
    if not any(isinstance(log_filter, _UpstreamDeprecations) for log_filter in logger.filters):
        logger.addFilter(_UpstreamDeprecations())
    for message in _WARNINGS:
        # Does nothing where the same filter is already the first; `warnings` keeps no doubles.
        warnings.filterwarnings("ignore", message=message, category=UserWarning)
