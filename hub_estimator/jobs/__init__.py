"""Jobs: when which checkpoint of a model folder is exported to where. Nothing here loads TensorFlow."""
