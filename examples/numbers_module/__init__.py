"""Publish a module that standardizes numbers: columns of a table beside a text."""
