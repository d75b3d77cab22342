"""A module in a TensorFlow graph: defining, instantiating, applying and exporting it."""
