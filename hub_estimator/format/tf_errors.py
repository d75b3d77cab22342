"""Errors of the format that are also TensorFlow's own, since callers catch those."""

from __future__ import annotations

import tensorflow as tf

from hub_estimator import errors


class ModuleExistsError(errors.Error, tf.errors.AlreadyExistsError):
    """A module would be written over one that is there."""

    def __init__(self, message: str) -> None:
        tf.errors.AlreadyExistsError.__init__(self, None, None, message)
        self.args = (message,)


class SavedModelNotFoundError(errors.NotAModuleError, tf.errors.NotFoundError):
    """There is no SavedModel in a folder."""

    def __init__(self, message: str) -> None:
        tf.errors.NotFoundError.__init__(self, None, None, message)
        self.args = (message,)


class CheckpointNotFoundError(errors.CheckpointPathError, tf.errors.NotFoundError):
    """There is no checkpoint where one was said to be."""

    def __init__(self, message: str) -> None:
        tf.errors.NotFoundError.__init__(self, None, None, message)
        self.args = (message,)


class UnknownOperationError(errors.UnsupportedModuleError, tf.errors.NotFoundError):
    """A graph has operations of a type that TensorFlow does not know."""

    def __init__(self, message: str) -> None:
        tf.errors.NotFoundError.__init__(self, None, None, message)
        self.args = (message,)
