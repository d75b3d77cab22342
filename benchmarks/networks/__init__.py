"""The networks of the modules that are measured."""
