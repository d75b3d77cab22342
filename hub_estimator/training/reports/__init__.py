"""The report of an evaluation: pictures and tables."""
