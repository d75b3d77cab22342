"""The names of the texts in a model folder that are read without TensorFlow too."""

from __future__ import annotations

EXPERIMENT = "experiment.txt"
"""In place of the settings of gin files, where the run was made in Python: the settings, for people."""

METRICS = "metrics"
"""Of the evaluations, but for `.jsonl`."""
