"""Exporters: what is written of a model after each evaluation, or at the end."""
