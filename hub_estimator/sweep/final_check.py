"""The final check of a sweep, as gin files describe it.

What a search chose by says of the best trial that it is better than it is: of many, it was lucky too. So
the best settings are trained anew with other seeds, and each model is evaluated on other data.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hub_estimator import errors
from hub_estimator.training import checks

_EXAMPLE = "[\"EVAL_DATA = 'test.csv'\"]"


@dataclasses.dataclass(frozen=True)
class FinalCheck:
    """Which settings are trained again, how often, and what they are evaluated on.

    Attributes:
      bindings: settings that put other data in the place of the evaluation's, such as
        `["EVAL_DATA = 'test.csv'"]`: data that neither training nor the search saw.
      best: of how many trials, the best ones, the settings are trained again.
      seeds: of each training one.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    bindings: Sequence[str]
    best: int = 3
    seeds: Sequence[int] = (101, 102, 103)

    def __post_init__(self) -> None:
        checks.listed("FinalCheck.bindings", self.bindings, _EXAMPLE)
        for binding in self.bindings:
            checks.text("FinalCheck.bindings", binding)
        if not self.bindings:
            raise errors.InvalidSettingError(
                "FinalCheck.bindings is empty; give the data that the search does not see, as in "
                f"{_EXAMPLE}."
            )
        checks.whole_number("FinalCheck.best", self.best)
        checks.listed("FinalCheck.seeds", self.seeds, "[101, 102, 103]")
        for seed in self.seeds:
            checks.whole_number("FinalCheck.seeds", seed, least=0)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise errors.InvalidSettingError(
                f"FinalCheck.seeds is {list(self.seeds)}; give at least one, and none twice."
            )
