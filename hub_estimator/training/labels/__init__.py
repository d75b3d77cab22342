"""Kinds of labels: all that one needs, from a column of a file to the report of an evaluation."""
