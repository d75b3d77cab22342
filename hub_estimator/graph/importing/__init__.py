"""Parts of a stored graph in a TensorFlow graph: which nodes, under which names, and the import."""
