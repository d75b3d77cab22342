"""The settings of an experiment as text: for model folders, for TensorBoard, for people."""

from __future__ import annotations

import dataclasses
import pprint
import re
from collections.abc import Mapping
from typing import Any

from hub_estimator import config

EXPERIMENT = "Experiment"
"""What gin files call it."""

_WIDTH = 100
# Where an object without a text of its own is in memory says nothing.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclasses.dataclass(frozen=True)
class GinSource:
    """The configuration that an experiment was made from, as long as it is open.

    Attributes:
      session: the configuration.
      made: the values that it gave the experiment's fields.
    """

    session: config.Session
    made: Mapping[str, Any]

    def changes(self, experiment: Any) -> dict[str, Any]:
        """Returns the fields that an experiment has changed since, with their values now."""
        now = {name: getattr(experiment, name) for name in self.made}
        return {name: value for name, value in now.items() if not _is_same(value, self.made[name])}

    def text(self, model_dir: str) -> str:
        """Returns what had an effect so far, as the text of a gin file for a model folder."""
        return self.session.operative_text(model_dir)

    def whole_text(self) -> str:
        """Returns all that is set and of use, and defaults, as the text of a gin file.

        Raises:
          errors.UnreadBindingError: a setting can have no effect.
        """
        return self.session.whole_text(EXPERIMENT)

    def check_all_read(self, experiment: Any) -> None:
        """Checks that each setting had an effect; where a part was changed since, none need.

        Raises:
          errors.UnreadBindingError: one had none.
        """
        if all(config.is_literal(value) for value in self.changes(experiment).values()):
            self.session.check_all_read()

    def check_given_read(self) -> None:
        """Checks that what the bindings set had an effect; those of files need none.

        Raises:
          errors.UnreadBindingError: one had none.
        """
        self.session.check_given_read()


def of_python(experiment: Any) -> str:
    """Returns the settings of an experiment that was made in Python, for people to read."""
    shown = pprint.pformat(experiment, width=_WIDTH, sort_dicts=False)
    return f"{_ADDRESS.sub('', shown)}\n"


def with_changes(text: str, changes: Mapping[str, Any]) -> str:
    """Returns the text of a gin file with fields of an experiment that were changed in Python.

    What gin files cannot say is required of those who read the text.

    Args:
      text: the text of the gin file.
      changes: the values of the fields by name.
    """
    if not changes:
        return text
    lines = ["", "# Changed in Python:"]
    for name, value in sorted(changes.items()):
        shown = repr(value) if config.is_literal(value) else "%gin.REQUIRED"
        lines.append(f"{EXPERIMENT}.{name} = {shown}")
    return text.rstrip("\n") + "\n" + "\n".join(lines) + "\n"


def _is_same(value: Any, made: Any) -> bool:
    return value is made or (
        config.is_literal(value) and config.is_literal(made) and repr(value) == repr(made)
    )
