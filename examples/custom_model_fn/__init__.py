"""A `model_fn` written by hand, in plain Python: a module, one layer, an Estimator, an exporter."""
