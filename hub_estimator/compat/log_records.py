"""TensorFlow's log on the terminal: each record once.

TensorFlow gives its logger a handler of its own, unless the root logger has one already, and hands
records on to the root logger all the same. What comes to the root logger later shows them a second
time: absl's handler, which `app.run` adds, and one that the program adds by `logging.basicConfig`.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import tensorflow as tf
from absl import logging as absl_logging


class _UnlessRootShowsIt(logging.Filter):
    """Of TensorFlow's own handler: drops what a handler of the program shows."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not logging.getLogger(tf.__name__).propagate:
            return True
        handlers = logging.getLogger().handlers
        return not any(_is_on_terminal(handler) for handler in handlers)


class _UnlessTensorFlowShowsIt(logging.Filter):
    """Of absl's handler: drops what TensorFlow's own has shown, in the form that programs know."""

    def __init__(self, handler: logging.StreamHandler[Any]) -> None:
        super().__init__()
        self._handler = handler

    def filter(self, record: logging.LogRecord) -> bool:
        is_tensorflow = record.name.partition(".")[0] == tf.__name__
        return not (is_tensorflow and _own_handlers() and _is_terminal(self._handler.stream))


def show_records_once() -> None:
    """Makes TensorFlow's records appear once; calling it again changes nothing.

    Where the program has a handler that writes to the terminal, they are shown by that; else by
    TensorFlow's own, also beside absl's. Handlers of the program are left alone.
    """
    for handler in _own_handlers():
        _add(handler, _UnlessRootShowsIt())
    absl_handler = absl_logging.get_absl_handler().python_handler
    _add(absl_handler, _UnlessTensorFlowShowsIt(absl_handler))


def _own_handlers() -> list[logging.Handler]:
    return [handler for handler in tf.get_logger().handlers if _is_on_terminal(handler)]


def _is_on_terminal(handler: logging.Handler) -> bool:
    # absl's handler is no `StreamHandler`; it has one.
    return isinstance(handler, logging.StreamHandler) and _is_terminal(handler.stream)


def _is_terminal(stream: Any) -> bool:
    return stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)


def _add(handler: logging.Handler, added: logging.Filter) -> None:
    if not any(type(one) is type(added) for one in handler.filters):
        handler.addFilter(added)
