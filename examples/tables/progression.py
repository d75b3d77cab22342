"""A number to predict: how far diabetes went in a year, from ten numbers at its start.

442 patients; scikit-learn carries the table. Source: Efron, Hastie, Johnstone and Tibshirani,
"Least Angle Regression", Annals of Statistics, 2004.
"""

from __future__ import annotations

import numpy as np

from examples.requirements import check_installed
from examples.tables.writing import Tables

HELD_OUT = 92  # patients, of 442


def make() -> Tables:
    """Makes the table: the columns that scikit-learn names, as measured, and `progression`.

    Raises:
      requirements.NotInstalledError: scikit-learn is not installed.
    """
    check_installed("sklearn", "scikit-learn", "The table of patients comes with")
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    values = np.column_stack([found.data, found.target])
    # The order of the patients has no meaning that is known; the seed makes one split for all.
    rows = values[np.random.default_rng(1).permutation(len(values))].tolist()
    columns = (*found.feature_names, "progression")
    return Tables(columns, rows[HELD_OUT:], rows[:HELD_OUT])
