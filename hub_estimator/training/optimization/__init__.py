"""How a model is trained: learning rates, groups of variables, averages, optimizers."""
