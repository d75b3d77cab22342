"""What the environment says about the modules that are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from hub_estimator.environment import is_true, number

REFUSE_SIDE_EFFECTS = "HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS"
MAX_CONSTANT_BYTES = "HUB_ESTIMATOR_MAX_CONSTANT_BYTES"
MAX_OPERATIONS = "HUB_ESTIMATOR_MAX_OPERATIONS"
_MOST = 1e18  # more than any machine has of either


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is refused of modules on disk.

    Attributes:
      refuse_side_effects: refuse modules that reach out of their graph when they run.
      max_constant_bytes: the most memory that one graph's constants may take beyond what they take
        in its file.
      max_operations: the most operations that one graph may have once the functions that it calls
        are put in place of the calls.
    """

    refuse_side_effects: bool = False
    max_constant_bytes: int = 1 << 30
    max_operations: int = 10_000_000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Returns the settings of the process's environment, or of `environment`.

        Raises:
          errors.SettingError: a variable has a value that means nothing.
        """
        return cls(
            refuse_side_effects=is_true(REFUSE_SIDE_EFFECTS, environment),
            max_constant_bytes=int(
                number(MAX_CONSTANT_BYTES, cls.max_constant_bytes, _MOST, environment)
            ),
            max_operations=int(number(MAX_OPERATIONS, cls.max_operations, _MOST, environment)),
        )
