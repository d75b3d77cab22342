"""The names of the texts in a model folder that are read without TensorFlow too."""

from __future__ import annotations

EXPERIMENT = "experiment.txt"
METRICS = "metrics"
"""Of the evaluations, but for `.jsonl`."""
