"""What is in a model folder: settings, checkpoints, evaluations, the modules of the model."""
